/**
 * One turn at a time: how a tree changes, and when it calls code that is not its own.
 *
 * Foreign code is of three kinds. *Words* report a change after it was made: events to listeners, log lines, observers of actors. *Deeds*
 * are done at the end of the turn that decides them: aborting a signal, `start`, beginning a body, creating, stopping and stepping
 * a user's actor, timers of a user's clock, listeners on a foreign signal. *Questions* are asked between two turns: `restartIf`,
 * `random`, `generateId`, the time of a user's clock.
 *
 * T1   A turn is one synchronous change. It begins with a public call, a timer, a settled body, an actor's event, a foreign abort or
 *      an answer. Turns never nest.
 * T2   In a turn no foreign function, getter or proxy trap is called: users' values are read at the boundary, before it begins.
 * T3   Between turns the tree is in one of these states: at rest; *starting* (a child is announced, its `start` has not
 *      returned); *stopping* (it was asked to stop and has not ended); *over, unanswered* (an incarnation has ended, its supervisor has not answered);
 *      *replacing* (a group is being restarted: a stopped child's permit is kept). `count` is the permits held, `routines()` are the
 *      living ones. `metrics()` may be ahead of what has been heard.
 * T4   Words are numbered when they arise and delivered in that order, one at a time, never into a listener that is running; all of
 *      them before the outermost call returns.
 * T5   Deeds are done in order at the end of their turn, also in nested calls, before that call returns; what waited before a nested
 *      call goes on waiting, so that no stack grows with the number of deeds. Where calls are nested more than {@link DEEPEST} times, the
 *      call further out does what the others have led to. In an outermost call words and deeds share one queue.
 * T6   A question is asked between turns; its answer begins a turn that checks everything again.
 * T7   A call from within a word, a deed or a question is an ordinary turn with an ordinary, immediate result.
 * T8   A change to many nodes is a series of turns: its cursor is data, and it skips nodes that have ended meanwhile. One that is longer
 *      than a slice goes on in a later turn of the event loop: slices.ts.
 * T9   An end and its answer (restart, give up, leave) are two turns.
 * T10  A listener hears exactly the events numbered after its `on` and before its `off`.
 * T11  Every word and deed is contained by itself: the queue empties whatever throws; a failing deed fails its own routine and no other.
 * T12  When the stack is empty, the queue is.
 */
import { running as shared } from '../port/index.ts'
import { Queue, WIDTH } from './queue.ts'

const running = shared

/** An incarnation: what nearly all turns lead to, and to nothing else, has a name here. */
interface Run {
  /** A deed. */
  beginBody(atOnce: boolean): void
  /** A turn. */
  answerEnd(): void
}

/** The lowest bits of a tag: whether foreign code is called, and whether that is the user's clock and no other. */
const FOREIGN = 1
const CLOCK = 2
const BITS = 2

/** So deep, calls that deeds make do their own deeds: a chain of actors that each tell the next is to overflow no stack. */
const DEEPEST = 50

/** The turns of one tree. */
export class Turn {
  /** True during a turn, and between those that it leads to; false while foreign code runs. */
  busy = false
  /** How many calls of foreign code are on the stack. */
  #depth = 0
  /** True if the latest of them is a deed. */
  #inDeed = false
  /** Where the deeds of the present call begin: what stands before it waits for the call further out. */
  #mark = 0
  #order = 0
  readonly #words = new Queue()
  readonly #deeds = new Queue()
  /** Asks a user's clock. */
  #ask: (() => void) | undefined
  /** True if foreign code has run since the user's clock was asked. */
  #later = false
  /** Set only while nothing is queued, and then called instead of being queued, which takes longer. */
  #toBegin: Run | undefined
  #toAnswer: Run | undefined
  readonly #contain: (error: unknown) => void
  /** Errors that are to be contained later. */
  readonly #thrown: unknown[] = []

  /** @param contain Takes what a word or a deed throws. */
  constructor(contain: (error: unknown) => void) {
    this.#contain = contain
  }

  /** From here on `ask` is called before each turn that may read the time, unless no foreign code has run since the last. */
  askBefore(ask: () => void): void {
    this.#ask = ask
  }

  /**
   * Begins a turn, unless one is under way. A caller that gets true calls {@link end} in a `finally`.
   *
   * @param timed False if nothing in this turn reads the time: a user's clock is not asked for it.
   */
  begin(timed = true): boolean {
    if (this.busy) return false
    if (this.#ask !== undefined) {
      if (timed) this.#ask()
      this.#later = !timed
    }
    this.busy = true
    this.#mark = this.#deeds.tail
    return true
  }

  /** Ends the turn, and does what it has led to. */
  end(): void {
    try {
      if (this.#depth > 0) {
        if (this.#deeds.tail > this.#mark && this.#depth <= DEEPEST) this.#doOwn(this.#mark)
      } else if (!this.isQuiet) this.#flush()
    } finally {
      this.busy = false
    }
  }

  /** A whole turn. */
  run(act: () => unknown): void
  run<A, B = undefined>(act: (a: A, b: B) => unknown, a: A, b?: B): void
  run<A, B>(act: (a: A, b: B) => unknown, a?: A, b?: B): void {
    const outer = this.begin()
    try {
      act(a as A, b as B)
    } finally {
      if (outer) this.end()
    }
  }

  /** True if words wait to be delivered. */
  get hasWords(): boolean {
    return this.#words.tail > 0
  }

  /** True if neither words nor deeds wait. */
  get isQuiet(): boolean {
    return this.waiting === 0
  }

  /** Changes with each word, deed or turn that arises. */
  get waiting(): number {
    return this.#words.tail + this.#deeds.tail + (this.#toBegin === undefined && this.#toAnswer === undefined ? 0 : 1)
  }

  /** Queues a word: `act(a, b)` calls foreign code. */
  word<A, B>(act: (a: A, b: B) => unknown, a: A, b: B): void {
    this.#words.push(act, a, b, this.#tag(FOREIGN))
    if (!this.busy) this.#endEmpty()
  }

  /** Queues a turn behind all words so far. */
  afterWords<A>(act: (a: A) => void, a: A): void {
    this.#words.push(act, a, undefined, this.#tag(0))
    if (!this.busy) this.#endEmpty()
  }

  /** Queues a deed for the end of this turn: `act(a, b)` calls foreign code. */
  deed(act: () => unknown): void
  deed<A, B = undefined>(act: (a: A, b: B) => unknown, a: A, b?: B): void
  deed<A, B>(act: (a: A, b: B) => unknown, a?: A, b?: B): void {
    const outer = !this.busy && this.begin()
    this.#deeds.push(act, a, b, this.#tag(FOREIGN))
    if (outer) this.end()
  }

  /** Queues the deed that begins a body. In a turn. */
  beginsBody(run: Run): void {
    if (this.#depth === 0 && this.isQuiet) this.#toBegin = run
    else this.deed(beginBody, run)
  }

  /** Queues the turn that answers an end. In a turn. */
  answersEnd(run: Run): void {
    if (this.#depth === 0 && this.isQuiet) this.#toAnswer = run
    else this.next(answerEnd, run)
  }

  /** Queues another turn behind all deeds so far. */
  next(act: () => unknown): void
  next<A, B = undefined>(act: (a: A, b: B) => unknown, a: A, b?: B): void
  next<A, B>(act: (a: A, b: B) => unknown, a?: A, b?: B): void {
    const outer = !this.busy && this.begin()
    this.#deeds.push(act, a, b, this.#tag(0))
    if (outer) this.end()
  }

  /** Queues a deed that calls the user's clock and nothing else of theirs. */
  clockDeed<A>(act: (a: A) => unknown, a: A): void {
    const outer = this.begin(false)
    this.#deeds.push(act, a, undefined, this.#tag(FOREIGN | CLOCK))
    if (outer) this.end()
  }

  /**
   * Begins a turn that follows from foreign code, as {@link begin} does. False if it has to wait: then {@link arise} queues it.
   */
  beginArising(): boolean {
    return !this.#inDeed && this.begin()
  }

  /**
   * Runs a turn that follows from foreign code. If a deed is running, the turn waits until that has returned, so that it comes after
   * the words that are due by then.
   */
  arise(act: () => unknown): void
  arise<A, B = undefined>(act: (a: A, b: B) => unknown, a: A, b?: B): void
  arise<A, B>(act: (a: A, b: B) => unknown, a?: A, b?: B): void {
    if (this.#inDeed || this.busy) this.#deeds.push(act, a, b, this.#tag(0))
    else this.run(act, a as A, b)
  }

  /** T6. Calls a user's function between two turns. What it throws goes to the caller. */
  ask<R>(question: () => R): R {
    const who = running.isUsed ? running.pause() : undefined
    const { busy } = this
    const inDeed = this.#inDeed
    const mark = this.#mark
    this.busy = false
    this.#inDeed = false
    this.#depth++
    try {
      return question()
    } finally {
      if (running.isUsed) running.resume(who)
      this.#depth--
      this.#later = true
      this.#mark = mark
      this.#inDeed = inDeed
      this.busy = busy
      if (!busy) this.#endEmpty()
    }
  }

  /** Between two turns of a queue: what the user's clock calls is nested in this call. */
  #askNow(ask: () => void): void {
    this.busy = false
    this.#depth++
    try {
      ask()
    } finally {
      this.#depth--
      this.#later = false
      this.busy = true
    }
  }

  #tag(bits: number): number {
    return (this.#order++ << BITS) | bits
  }

  /** What arises outside of any turn is told at once, or by the outermost call. */
  #endEmpty(): void {
    if (this.#depth > 0) return
    this.busy = true
    this.end()
  }

  /** Empties both queues: in an outermost call. */
  #flush(): void {
    const words = this.#words
    const deeds = this.#deeds
    for (;;) {
      const queue = words.tail > 0 && (deeds.tail === 0 || words.tag < deeds.tag) ? words : deeds
      // Whichever of them there is was there before anything was queued.
      if (this.#toBegin !== undefined) this.#begin(this.#toBegin)
      else if (this.#toAnswer !== undefined) this.#answer(this.#toAnswer)
      else if (queue.tail === 0) break
      else {
        this.#call(queue, queue.head)
        queue.shift()
      }
      if (this.#thrown.length > 0) this.#containThrown()
    }
    this.#order = 0
  }

  /** As {@link #callForeign} does; the compiler knows what is called. */
  #begin(run: Run): void {
    this.#toBegin = undefined
    this.#inDeed = true
    this.busy = false
    this.#depth++
    let who: object | undefined
    try {
      if (running.isUsed) who = running.pause()
      run.beginBody(true)
    } catch (error) {
      this.#take(error)
    } finally {
      this.#depth--
      this.#later = true
      this.busy = true
      this.#inDeed = false
      if (running.isUsed) running.resume(who)
    }
  }

  /** As {@link #callOwn} does. */
  #answer(run: Run): void {
    this.#toAnswer = undefined
    if (this.#later && this.#ask !== undefined) this.#askNow(this.#ask)
    try {
      run.answerEnd()
    } catch (error) {
      this.#take(error)
    }
  }

  #containThrown(): void {
    for (let error = this.#thrown.pop(); error !== undefined; error = this.#thrown.pop()) this.#contain(error)
  }

  /** Contains an error that no word or deed has thrown: a promise has rejected that one of them returned. */
  contain(error: unknown): void {
    this.#contain(error)
  }

  /** Does the deeds of a nested call. */
  #doOwn(from: number): void {
    const deeds = this.#deeds
    for (let at = from; at < deeds.tail; at += WIDTH) this.#call(deeds, at)
    deeds.cut(from)
  }

  #call(queue: Queue, at: number): void {
    const { places } = queue
    const act = places[at] as ((a: unknown, b: unknown) => unknown) | undefined
    // A nested call has come to it, and no further: a stack was full.
    if (act === undefined) return
    const a = places[at + 1]
    const b = places[at + 2]
    const tag = places[at + 3] as number
    places[at] = undefined
    places[at + 1] = undefined
    places[at + 2] = undefined
    if ((tag & FOREIGN) === 0) this.#callOwn(act, a, b)
    else this.#callForeign(act, a, b, queue === this.#deeds, (tag & CLOCK) === 0)
  }

  #callOwn(act: (a: unknown, b: unknown) => unknown, a: unknown, b: unknown): void {
    if (this.#later && this.#ask !== undefined) this.#askNow(this.#ask)
    try {
      act(a, b)
    } catch (error) {
      this.#take(error)
    }
  }

  #callForeign(act: (a: unknown, b: unknown) => unknown, a: unknown, b: unknown, isDeed: boolean, later: boolean): void {
    const inDeed = this.#inDeed
    this.#inDeed = isDeed
    this.busy = false
    this.#depth++
    let who: object | undefined
    try {
      if (running.isUsed) who = running.pause()
      act(a, b)
    } catch (error) {
      this.#take(error)
    } finally {
      this.#depth--
      if (later) this.#later = true
      this.busy = true
      this.#inDeed = inDeed
      if (running.isUsed) running.resume(who)
    }
  }

  /** Contains an error; where the stack is full, once it is not any more. */
  #take(error: unknown): void {
    try {
      this.#contain(error)
    } catch {
      this.#thrown.push(error)
    }
  }
}

function beginBody(run: Run): void {
  run.beginBody(false)
}

function answerEnd(run: Run): void {
  run.answerEnd()
}
