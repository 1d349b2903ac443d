/**
 * The guest: in a thread or a process, it runs the bodies that its host hands to it, one at a time. It imports nothing of the library but what
 * is needed there, since each thread loads that for itself.
 *
 * U1  What a body does after its end reaches nobody: no heartbeat, no answer, no log line.
 * U2  An error that nobody has caught belongs to the run whose code has let go of it, which the platform's asynchronous context tells.
 * U3  `signal.aborted` is true as soon as the host has said so, also in a loop that lets nothing else happen, where memory is shared.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { GuestContext, Leaving } from './guest-context.ts'
import { decode, type Encoded, encode } from './encode.ts'
import { takeMoved } from './move.ts'
import * as say from './protocol.ts'

/** The way to the host. */
export interface GuestPort {
  post(message: say.ToHost, moved?: readonly unknown[]): void
  /** What has come and was not delivered yet, where that can be had. */
  pull?(): say.ToGuest | undefined
  /** Memory that the host shares. */
  readonly shared?: Int32Array
  /** A run has ended. */
  ended?(): void
}

type Body = (context: GuestContext) => unknown

/** What the guest is told of a body. */
interface Named {
  readonly url: string
  readonly name: string
}

/** One run, here. */
export class GuestRun {
  readonly number: number
  readonly beginning: say.Begin
  readonly body: Named
  readonly guest: Guest
  readonly context: GuestContext
  over = false
  /** The reason of its abort as it came, and as the body has it. */
  reason: unknown

  constructor(guest: Guest, beginning: say.Begin, body: Named) {
    this.guest = guest
    this.number = beginning[1]
    this.beginning = beginning
    this.body = body
    this.context = new GuestContext(this)
  }

  get path(): string {
    return this.beginning[4]
  }

  /** Milliseconds between two heartbeats that are passed on. */
  get beatEvery(): number {
    return this.beginning[8]
  }

  post(message: say.ToHost, moved?: readonly unknown[]): void {
    if (!this.over) this.guest.port.post(message, moved)
  }
}

export class Guest {
  readonly port: GuestPort
  readonly #storage = new AsyncLocalStorage<GuestRun>()
  readonly #modules = new Map<string, Promise<Record<string, unknown>>>()
  readonly #loaded = new Map<string, Record<string, unknown>>()
  readonly #bodies: Named[] = []
  #run: GuestRun | undefined
  /** What was pulled out of its turn. */
  #backlog: say.ToGuest[] = []

  constructor(port: GuestPort) {
    this.port = port
    process.on('uncaughtException', (error) => this.#strayed(error))
    process.on('unhandledRejection', (error) => this.#strayed(error))
  }

  /** Something has come from the host. */
  receive(message: say.ToGuest): void {
    if (this.#backlog.length > 0) this.#catchUp()
    this.#take(message)
  }

  #catchUp(): void {
    const backlog = this.#backlog
    this.#backlog = []
    for (const message of backlog) this.#take(message)
  }

  #take(message: say.ToGuest): void {
    if (message[0] === say.BEGIN) {
      this.#begin(message)
      return
    }
    if (message[0] === say.BODY) {
      this.#bodies[message[2]] = { url: message[3], name: message[4] }
      return
    }
    if (message[0] === say.PING) {
      this.port.post([say.PONG, message[1]])
      return
    }
    const run = this.#run
    if (run === undefined || run.number !== message[1]) return
    // Listeners hear it in the context of the body, and not in that of who made the port.
    this.#storage.run(run, () => {
      if (message[0] === say.ABORT) this.#abort(run, message[2])
      else if (message[0] === say.CLOSING) run.context.closes(decode(message[2]))
      else if (message[0] === say.MESSAGE) run.context.readers.give(message[2], message[3], message[4])
      else run.context.readers.end(message[2])
    })
  }

  #begin(beginning: say.Begin): void {
    const body = this.#bodies[beginning[2]] as Named
    const run = (this.#run = new GuestRun(this, beginning, body))
    const { url, name } = body
    const known = this.#loaded.get(url)
    if (known !== undefined) this.#enter(run, known[name])
    else
      this.#load(url).then(
        (module) => this.#enter(run, module[name]),
        (error: unknown) => this.#threw(run, error),
      )
  }

  #enter(run: GuestRun, body: unknown): void {
    this.#storage.run(run, () => this.#call(run, body))
  }

  #load(url: string): Promise<Record<string, unknown>> {
    let loading = this.#modules.get(url)
    if (loading === undefined) {
      loading = import(url) as Promise<Record<string, unknown>>
      this.#modules.set(url, loading)
      void loading.then(
        (module) => this.#loaded.set(url, module),
        () => this.#modules.delete(url),
      )
    }
    return loading
  }

  #call(run: GuestRun, body: unknown): void {
    const { name, url } = run.body
    if (typeof body !== 'function') {
      this.#threw(run, new TypeError(`${url} exports no function of the name ${name}`))
      return
    }
    // It has begun: what it took to load it is no silence of its own.
    if (run.beatEvery !== Infinity) run.post([say.BEAT, run.number])
    try {
      const output = (body as Body)(run.context)
      if (typeof (output as PromiseLike<unknown> | undefined)?.then !== 'function') this.#returned(run, output)
      else
        Promise.resolve(output).then(
          (value) => this.#returned(run, value),
          (error: unknown) => this.#threw(run, error),
        )
    } catch (error) {
      this.#threw(run, error)
    }
  }

  #returned(run: GuestRun, output: unknown): void {
    if (run.over) return
    try {
      run.post([say.RETURNED, run.number, output], takeMoved(output))
    } catch (error) {
      this.#threw(run, new TypeError(`what ${run.body.name} returned cannot be copied`, { cause: error }))
      return
    }
    this.#end(run)
  }

  #threw(run: GuestRun, error: unknown): void {
    if (run.over) return
    const left = Leaving.reasonOf(error)
    const known = run.reason === undefined ? undefined : new Map([[run.reason, 'reason']])
    if (left === undefined) run.post([say.THREW, run.number, encode(error, known)])
    else run.post([say.LEFT, run.number, left])
    this.#end(run)
  }

  #end(run: GuestRun): void {
    run.over = true
    run.context.end()
    if (this.#run !== run) return
    this.#run = undefined
    this.port.ended?.()
  }

  #strayed(error: unknown): void {
    const run = this.#storage.getStore() ?? this.#run
    // Of nobody's: the platform would end the thread for it.
    this.port.post([say.STRAYED, run?.number ?? 0, encode(error)])
  }

  #abort(run: GuestRun, reason: Encoded): void {
    run.reason ??= decode(reason)
    run.context.aborts(run.reason)
  }

  /** True if the host has told this run to stop, whether or not it has come to that. */
  isTold(run: GuestRun): boolean {
    const { shared } = this.port
    return shared !== undefined && Atomics.load(shared, say.ABORTED_RUN) === run.number
  }

  /** Looks for the reason in what has not been delivered yet: a body that never lets go would not hear of it. */
  findReason(run: GuestRun): void {
    const { port } = this
    if (run.reason !== undefined || port.pull === undefined) return
    for (let message = port.pull(); message !== undefined; message = port.pull()) {
      if (this.#backlog.push(message) === 1) setImmediate(() => this.#catchUp())
      if (message[0] === say.ABORT && message[1] === run.number) {
        run.reason = decode(message[2])
        return
      }
    }
  }
}
