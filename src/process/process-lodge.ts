/**
 * A process as a lodge.
 *
 * G1  It leads a group of its own: a signal for the group reaches all that it has started, and none for the terminal's reaches it.
 * G2  It is told to end by SIGTERM, and by SIGKILL if it has not by then. Whichever way it ends, what is left of its group is killed.
 * G3  It ends with this process, as soon as its event loop turns; where this one ends by itself, at once.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Blocked } from '../../machines/lifecycle-event.ts'
import { type Landlord, type Lodge, type MakeLodge, PING, PONG, type ToGuest, type ToHost } from '../ground/index.ts'
import { diagnoseProcess } from './diagnosis.ts'
import { eachLine } from './lines.ts'

/** What the platform is told of a process. */
export interface ProcessSettings {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly execArgv?: readonly string[] | undefined
  readonly cwd?: string | URL | undefined
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly killAfter?: number | undefined
}

const KILL_AFTER = 200
/** So many milliseconds its last lines may take that come after its end: what has left its group may hold its output open. */
const LAST_LINES = 100

/** What runs in it first. As built it is a file of JavaScript. */
const MAIN = new URL(`./main${extname(import.meta.url)}`, import.meta.url)

/** Groups that live: they end with this process, however busy they are. */
const living = new Set<number>()

function killAll(): void {
  for (const group of living) signalGroup(group, 'SIGKILL')
}

function isAlive(group: number): void {
  if (living.size === 0) process.on('exit', killAll)
  living.add(group)
}

function isGone(group: number): void {
  living.delete(group)
  if (living.size === 0) process.off('exit', killAll)
}

/** Does nothing if none is left in the group. */
function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // There is nobody.
  }
}

class ProcessLodge implements Lodge {
  readonly shared = undefined
  readonly #child: ChildProcess
  readonly #group: number
  readonly #landlord: Landlord
  readonly #killAfter: number
  #error: unknown
  #hasEnded = false
  #isHeld = true
  #killTimer: NodeJS.Timeout | undefined
  #pinged: (() => void) | undefined

  constructor(landlord: Landlord, { env, execArgv, cwd, killAfter = KILL_AFTER }: ProcessSettings) {
    this.#landlord = landlord
    this.#killAfter = killAfter
    const child = (this.#child = fork(fileURLToPath(MAIN), [], {
      serialization: 'advanced',
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      ...(env === undefined ? {} : { env }),
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
      ...(cwd === undefined ? {} : { cwd }),
    }))
    // Where it could not be made there is none, and nothing in a group of that number.
    this.#group = child.pid ?? 0
    if (this.#group !== 0) isAlive(this.#group)
    child.on('spawn', () => landlord.up())
    child.on('message', (message) => this.#said(message as unknown as ToHost))
    child.on('error', (error) => this.#failed(error))
    child.on('exit', (code, signal) => this.#ended(code, signal))
    for (const stream of ['stdout', 'stderr'] as const) {
      const from = child[stream]
      if (from !== null) eachLine(from, (line) => landlord.wrote(stream, line))
    }
  }

  #said(message: ToHost): void {
    if (message[0] === PONG) this.#pinged?.()
    else this.#landlord.said(message)
  }

  /** It could not be made; or a message, or a signal, could not be sent, and then its end follows, or was told. */
  #failed(error: unknown): void {
    this.#error ??= error
    if (this.#group === 0) this.#ended(null, null)
  }

  #ended(code: number | null, signal: string | null): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#killTimer)
    if (this.#group !== 0) signalGroup(this.#group, 'SIGKILL')
    const { stdout, stderr } = this.#child
    let told = false
    const tell = (): void => {
      if (told) return
      told = true
      clearTimeout(last)
      stdout?.destroy()
      stderr?.destroy()
      isGone(this.#group)
      this.#landlord.exited({ code, signal, ...(this.#error === undefined ? {} : { error: this.#error }) })
    }
    const last = setTimeout(tell, LAST_LINES)
    if (this.#group === 0) tell()
    else this.#child.once('close', tell)
  }

  post(message: ToGuest): void {
    // With a function that takes the error, one that has just gone is no error of who has not heard of that.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  terminate(): void {
    if (this.#hasEnded || this.#killTimer !== undefined) return
    signalGroup(this.#group, 'SIGTERM')
    this.#killTimer = setTimeout(() => signalGroup(this.#group, 'SIGKILL'), this.#killAfter)
  }

  hold(holds: boolean): void {
    if (holds === this.#isHeld) return
    this.#isHeld = holds
    const { channel, stdout, stderr } = this.#child
    const doors = [this.#child, channel, stdout, stderr] as readonly ({ ref(): void; unref(): void } | null | undefined)[]
    for (const door of doors) {
      if (holds) door?.ref()
      else door?.unref()
    }
  }

  diagnose(): Promise<Blocked | undefined> {
    const ping = (): Promise<void> =>
      new Promise((resolve) => {
        this.#pinged = resolve
        this.post([PING, 0])
      })
    return diagnoseProcess(this.#group, ping)
  }
}

export function processLodges(settings: ProcessSettings): MakeLodge {
  return (landlord) => new ProcessLodge(landlord, settings)
}
