/** What a watchdog's thread and the thread that it watches have in common: a few numbers in shared memory, and messages. */

/** Of one watchdog. */
export interface WatchdogData {
  readonly memory: SharedArrayBuffer
  /** Of {@link Floor}. */
  readonly floor: SharedArrayBuffer
  /** By it, the main thread knows which watchdog asks; see {@link WITNESSES}. */
  readonly token: number
  /** Milliseconds between two looks. */
  readonly interval: number
  readonly threshold: number
  /** Infinity for never. */
  readonly endAfter: number
  /** The name of the tree. */
  readonly name: string
}

/** What the thread that is blocked has answered. */
export interface Testimony {
  /** The tick in which it stands. */
  readonly tick: number
  /** Milliseconds that it took to answer: long, if no JavaScript ran. */
  readonly after: number
  readonly stack: string
  /** Whose code it is; undefined if it is not known. */
  readonly path: string | undefined
  /** Why that could not be found out, if it failed. */
  readonly fault: string | undefined
}

/** Milliseconds without an answer from which on it counts as being in a call that runs no JavaScript. */
export const NATIVE = 100

const TICK = 0
const ASKED = 1
const LENGTH = 2
const AT = 0
const ASKED_AT = 1
const TIMES = 2

/** The memory that both see: the watched thread writes that it turns, the other that it has asked. */
export class SharedMemory {
  readonly buffer: SharedArrayBuffer
  readonly #counts: Int32Array
  readonly #times: Float64Array

  constructor(buffer = new SharedArrayBuffer(LENGTH * 4 + TIMES * 8)) {
    this.buffer = buffer
    this.#counts = new Int32Array(buffer, 0, LENGTH)
    this.#times = new Float64Array(buffer, LENGTH * 4, TIMES)
  }

  /** The event loop has turned. */
  ticked(now: number): void {
    this.#times[AT] = now
    Atomics.add(this.#counts, TICK, 1)
  }

  get tick(): number {
    return Atomics.load(this.#counts, TICK)
  }

  get tickedAt(): number {
    return this.#times[AT] as number
  }

  /** The thread that stands in this tick is blocked, and asked what it is at. */
  asks(tick: number, now: number): void {
    this.#times[ASKED_AT] = now
    Atomics.store(this.#counts, ASKED, tick)
  }

  get asked(): number {
    return Atomics.load(this.#counts, ASKED)
  }

  get askedAt(): number {
    return this.#times[ASKED_AT] as number
  }
}

/**
 * Who may ask, of all watchdogs of a process: one at a time. A thread that two hold by the inspector's protocol may hear neither of them any
 * more, and stand still for ever.
 */
export class Floor {
  readonly #holder: Int32Array
  readonly #token: number

  constructor(buffer: SharedArrayBuffer, token: number) {
    this.#holder = new Int32Array(buffer)
    this.#token = token
  }

  /** False if another one has it. */
  take(): boolean {
    return Atomics.compareExchange(this.#holder, 0, 0, this.#token) === 0
  }

  give(): void {
    Atomics.compareExchange(this.#holder, 0, this.#token, 0)
  }
}

/** Milliseconds of a clock that all threads have in common, and that nobody sets. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1_000_000
}

/** Where the inspector's protocol finds what answers, in the thread that is watched. */
export const WITNESSES = 'curtaincall.watchdogs'
