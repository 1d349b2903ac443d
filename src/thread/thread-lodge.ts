/** A thread as a lodge. */
import { extname } from 'node:path'
import { type ResourceLimits, type Transferable, Worker, type WorkerOptions } from 'node:worker_threads'
import type { Blocked } from '../../machines/lifecycle-event.ts'
import { type Landlord, type Lodge, type MakeLodge, POSTED, SHARED_WORDS, type ToGuest, type ToHost } from '../ground/index.ts'
import { diagnoseThread } from './diagnosis.ts'

/** What the platform is told of a thread. */
export interface ThreadSettings {
  readonly resourceLimits?: ResourceLimits | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly execArgv?: readonly string[] | undefined
}

/** What runs in it first. As built it is a file of JavaScript. */
const MAIN = new URL(`./main${extname(import.meta.url)}`, import.meta.url)

class ThreadLodge implements Lodge {
  readonly shared: Int32Array
  readonly #worker: Worker
  #error: unknown
  #isHeld = true

  constructor(landlord: Landlord, { resourceLimits, env, execArgv }: ThreadSettings) {
    this.shared = new Int32Array(new SharedArrayBuffer(SHARED_WORDS * Int32Array.BYTES_PER_ELEMENT))
    const options: WorkerOptions = { workerData: this.shared, name: 'curtaincall' }
    if (resourceLimits !== undefined) options.resourceLimits = resourceLimits
    if (env !== undefined) options.env = env
    if (execArgv !== undefined) options.execArgv = [...execArgv]
    const worker = (this.#worker = new Worker(MAIN, options))
    worker.on('online', () => landlord.up())
    worker.on('message', (message: ToHost) => landlord.said(message))
    worker.on('error', (error) => {
      this.#error ??= error
    })
    worker.on('exit', (code) => landlord.exited({ code, signal: null, error: this.#error }))
  }

  post(message: ToGuest, moved?: readonly Transferable[]): void {
    this.#worker.postMessage(message, moved)
    Atomics.add(this.shared, POSTED, 1)
    Atomics.notify(this.shared, POSTED)
  }

  terminate(): void {
    void this.#worker.terminate()
  }

  hold(holds: boolean): void {
    if (holds === this.#isHeld) return
    this.#isHeld = holds
    if (holds) this.#worker.ref()
    else this.#worker.unref()
  }

  diagnose(): Promise<Blocked | undefined> {
    return diagnoseThread(this.#worker)
  }
}

export function threadLodges(settings: ThreadSettings): MakeLodge {
  return (landlord) => new ThreadLodge(landlord, settings)
}
