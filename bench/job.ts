/** The job that every variant does, and what it has to come to. */

/** At most so many at a time. */
export const LIMIT = 100
/** Milliseconds; armed for each task, never reached. */
export const TIMEOUT = 5_000
/** Milliseconds that the shutdown of all that live may take. */
export const DEADLINE = 30_000

/** So many of those that have an `after` are ended while the clock runs. */
export const ENDING = 300

/** One task: asynchronous, one in a hundred fails. Its signal is the one that its timeout aborts. */
export async function task(i: number, signal: AbortSignal): Promise<number> {
  if (signal.aborted) throw new Error('aborted')
  await undefined
  if (i % 100 === 0) throw new Error('one in a hundred')
  return i
}

/** The same where nobody has a use for a signal. */
export async function plainTask(i: number): Promise<number> {
  await undefined
  if (i % 100 === 0) throw new Error('one in a hundred')
  return i
}

/** How many of n tasks fail. */
export const failures = (n: number): number => Math.ceil(n / 100)

/** Sums up what came back, and says whether it is all there. */
export class Check {
  #sum = 0
  #failed = 0
  readonly #n: number

  constructor(n: number) {
    this.#n = n
  }

  done(output: number): void {
    this.#sum += output
  }

  failed(): void {
    this.#failed++
  }

  verify(): void {
    let sum = 0
    for (let i = 0; i < this.#n; i++) if (i % 100 !== 0) sum += i
    const failed = failures(this.#n)
    if (this.#sum !== sum || this.#failed !== failed)
      throw new Error(`wrong result: ${this.#sum} and ${this.#failed} instead of ${sum} and ${failed}`)
  }
}

/**
 * Live tasks: nothing but a promise each; with timeout, signal and result; the same, begun by turns below a hundred parents. Of
 * curtaincall alone: tasks to be cancelled one by one; machines, persisted or not; local managers with nothing in them, made by hand or
 * as children; routines that are children; routines that each have a name of their own.
 */
export type Kind =
  | 'bare'
  | 'full'
  | 'scattered'
  | 'cancelled'
  | 'machines'
  | 'resumed'
  | 'locals'
  | 'manager-children'
  | 'routine-children'
  | 'own-names'

/** What a variant offers; each runs `n` operations and throws if they went wrong. */
export interface Variant {
  /** All submitted at once, {@link LIMIT} at a time. */
  spawn?(n: number): Promise<void>
  /** The next submitted when one ends, {@link LIMIT} live. */
  streamed?(n: number): Promise<void>
  /** As `spawn`, without timeouts and signals. */
  spawnPlain?(n: number): Promise<void>
  /** As `streamed`, without timeouts and signals. */
  streamedPlain?(n: number): Promise<void>
  /** The same, and none is submitted before the last has ended. */
  single?(n: number): Promise<void>
  /** Each is begun, has run, is told to stop, and has ended, {@link LIMIT} live. */
  spawnAndStop?(n: number): Promise<void>
  /** One that fails and is started again, n times. */
  restart?(n: number): Promise<void>
  /** n messages to one receiver, which adds them up, a thousand in a turn. */
  send?(n: number): Promise<void>
  /** n questions to one receiver, which answers with the double, {@link LIMIT} at a time. */
  ask?(n: number): Promise<void>
  /** n submissions, {@link LIMIT} at a time, each inside `timed`. */
  call?(n: number, timed: <T>(submit: () => T) => T): Promise<void>
  /** n tasks one after another in one tree, {@link LIMIT} live; after each hundredth it says what is still registered. */
  soak?(n: number, look: (done: number, registered: number) => void): Promise<void>
  /** Starts n live tasks that end when their signal is aborted; returns what stops and awaits them all. */
  live?(n: number, kind: Kind): Promise<() => Promise<void>>
  /** Makes n machines that each have an `after`, and {@link ENDING} more; returns what ends those, and what stops all the rest. */
  ending?(n: number): Promise<{ readonly end: () => void; readonly stop: () => Promise<void> }>
  /** Jobs that no peer has, by the name of their benchmark. */
  readonly alone?: Readonly<Record<string, (n: number) => Promise<void>>>
  /** Jobs that take their own time, and say what one operation costs among n others. */
  readonly figures?: Readonly<Record<string, (n: number) => Promise<number>>>
}

/** Runs `each(i)` for 0 to n - 1, LIMIT at a time. */
export async function stream(n: number, each: (i: number) => Promise<void>): Promise<void> {
  let i = 0
  const lane = async (): Promise<void> => {
    while (i < n) await each(i++)
  }
  await Promise.all(Array.from({ length: LIMIT }, lane))
}

/** Runs `each(i)` for 0 to n - 1, one after the other. */
export async function oneByOne(n: number, each: (i: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < n; i++) await each(i)
}

/** How many messages are sent before the receiver has its turn. */
const BATCH = 1_000

/** Adds up what a receiver gets. */
export class Sum {
  received = 0
  #sum = 0

  add(i: number): void {
    this.received++
    this.#sum += i
  }

  verify(n: number): void {
    if (this.#sum !== (n * (n - 1)) / 2) throw new Error(`wrong sum: ${this.#sum}`)
  }
}

/** Sends 0 to n - 1; after each batch it waits until all was received. */
export async function sendAll(n: number, sum: Sum, send: (i: number) => void): Promise<void> {
  for (let i = 0; i < n; i++) {
    send(i)
    if (i % BATCH === BATCH - 1) while (sum.received <= i) await new Promise((resolve) => setImmediate(resolve))
  }
  while (sum.received < n) await new Promise((resolve) => setImmediate(resolve))
  sum.verify(n)
}

/** Asks all questions and checks each answer. */
export async function askAll(n: number, ask: (i: number) => Promise<number>): Promise<void> {
  await stream(n, async (i) => {
    const answer = await ask(i)
    if (answer !== 2 * i) throw new Error(`asked ${i}, was told ${answer}`)
  })
}

const keep: unknown[] = []

/** A promise for ever pending. One that nobody refers to is collected with its reactions: the ways to resolve them are kept. */
export function held(i: number): Promise<void> {
  return new Promise((resolve) => {
    keep[i] = resolve
  })
}

/** Refers to them no longer. */
export function letGo(): void {
  keep.length = 0
}

/** Submits LIMIT tasks in one go and awaits them, n in all. */
export async function callAll(n: number, submit: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < n; ) {
    const batch: Promise<unknown>[] = []
    for (; batch.length < LIMIT && i < n; i++) batch.push(submit(i))
    await Promise.all(batch)
  }
}
