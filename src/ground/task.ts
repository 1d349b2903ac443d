/**
 * One run of a routine whose body is a guest: the host's side of it.
 *
 * K1  From `kill` on it reports nothing but that the body is gone (port/ground.ts, O4).
 * K2  What it calls of a routine's, it calls in the asynchronous context of that.
 * K3  A run that waits for a worker ends at once when it is asked to.
 */
import { obeys } from '../contract/index.ts'
import type { Blocked } from '../../machines/lifecycle-event.ts'
import type { Run, Standing } from '../port/index.ts'
import { type Hosted, STRAY } from '../routine/index.ts'
import { decode, encode } from './encode.ts'
import { type GroundExit, GroundLostError } from './errors.ts'
import { takeMoved } from './move.ts'
import type { PoolWorker } from './pool-worker.ts'
import * as say from './protocol.ts'
import { TaskReaders } from './task-readers.ts'

/** What is run, and how. */
export interface Assignment {
  readonly url: string
  readonly name: string
  /** What the ground is called in errors. */
  readonly kind: 'thread' | 'process'
  /** Milliseconds that a kill may take. */
  readonly killDeadline: number
  transfer?(input: never): readonly unknown[]
}

/** The pool, to a task. */
interface Queue {
  /** It does not wait any longer. */
  withdraw(task: Task): void
  /** It has ended. */
  forget(task: Task): void
}

/** Heartbeats are passed on so many times in the time of silence that is allowed. */
const BEATS = 4

export class Task {
  readonly run: Run
  readonly hosted: Hosted
  readonly assignment: Assignment
  readonly #queue: Queue
  /** Where it runs; undefined while it waits, and once it is over. */
  worker: PoolWorker | undefined
  /** True from the moment on that it has ended, here. */
  over = false
  #serial = 0
  #reason: unknown
  #isAsked = false
  #isKilled = false
  /** What nobody there has caught, and the thread is ended for. */
  #crash: { readonly error: unknown } | undefined
  #readers: TaskReaders | undefined
  /** Of a kill that nobody else times. */
  #deadline: unknown

  constructor(queue: Queue, run: Run, hosted: Hosted, assignment: Assignment) {
    this.#queue = queue
    this.run = run
    this.hosted = hosted
    this.assignment = assignment
  }

  get standing(): Standing | undefined {
    if (this.worker?.isStuck === true) return 'stuck'
    return this.worker === undefined && !this.over ? 'waiting' : undefined
  }

  /** It has its worker. */
  begin(worker: PoolWorker): void {
    const { run, assignment } = this
    const { subject, input } = run
    this.worker = worker
    this.#serial = worker.serial
    // What it has waited for is no silence of its own.
    run.beat()
    const { path, id, name } = subject
    const body = worker.numberOf(assignment)
    const beatEvery = this.hosted.hungAfter / BEATS
    try {
      const moved = assignment.transfer?.(input as never) ?? takeMoved(input)
      worker.post([say.BEGIN, this.#serial, body, input, path, id.length, name.length, run.number, beatEvery], moved)
    } catch (error) {
      this.#end()
      run.threw(new TypeError(`the input of ${subject.path} cannot be copied to its ${assignment.kind}`, { cause: error }))
    }
  }

  /** Its body is to stop. */
  ask(reason: unknown): void {
    const { worker, run } = this
    if (this.over || this.#isAsked) return
    this.#isAsked = true
    this.#reason = reason
    if (worker === undefined) this.#leaveQueue()
    else {
      run.abort(reason)
      const { shared } = worker.lodge
      worker.tell('ask')
      worker.post([say.ABORT, this.#serial, encode(reason)])
      // Behind the reason: who sees this looks for that.
      if (shared !== undefined) Atomics.store(shared, say.ABORTED_RUN, this.#serial)
    }
  }

  /** Its body is to be ended; the second time it could not be. */
  kill(): void {
    const { worker } = this
    if (this.over) return
    if (worker === undefined) this.#leaveQueue()
    else if (this.#isKilled) worker.tell('lost')
    else {
      this.#isKilled = true
      worker.tell('kill')
      // It was not killed by its routine, which would say when its time is up.
      if (this.run.over) this.#deadline = this.hosted.clock.setTimeout(() => worker.tell('lost'), this.assignment.killDeadline)
    }
  }

  #leaveQueue(): void {
    this.over = true
    this.#queue.withdraw(this)
    this.run.returned(undefined)
  }

  /** What blocks it. */
  diagnose(): Promise<Blocked | undefined> {
    return this.worker?.lodge.diagnose() ?? Promise.resolve(undefined)
  }

  // --- what its guest says -------------------------------------------------------------------

  said(message: say.ToHost): void {
    if (!this.#isKilled) this.hosted.within(heed, this, message)
  }

  /** @internal In its context. */
  heed(message: say.ToHost): void {
    const { run, hosted } = this
    switch (message[0]) {
      case say.RETURNED:
        this.#end()
        run.returned(message[2])
        return
      case say.THREW:
        this.#threw(decode(message[2], () => this.#reason))
        return
      case say.LEFT:
        this.#left(decode(message[2]))
        return
      case say.STRAYED:
        this.#crashed(decode(message[2]))
        return
      case say.BEAT:
        run.beat()
        return
      case say.LOG:
        hosted.context.logger[message[2]](decode(message[3]) as object, message[4])
        return
      case say.ASKS_CLOSING:
        this.#watchClosing()
        return
      default:
        this.#readers ??= new TaskReaders(this, hosted.context.messages as AsyncIterable<never>)
        this.#readers.heed(message)
    }
  }

  #threw(error: unknown): void {
    const { run } = this
    this.#end()
    run.threw(error)
  }

  #left(reason: unknown): void {
    try {
      this.hosted.context.exit(reason as never)
    } catch (leaving) {
      this.#threw(leaving)
    }
  }

  /** Where it was told to stop that is beside its end; else it is its end, and that of the worker, which may do anything now. */
  #crashed(error: unknown): void {
    if (this.#isAsked && !obeys(error, this.#reason)) this.strayed(error)
    else if (!this.#isAsked) {
      this.#crash = { error }
      this.worker?.tell('kill')
    }
    if (this.worker !== undefined) this.worker.retires = true
  }

  /** Something beside its body threw. */
  strayed(error: unknown): void {
    this.hosted.within(stray, this.run, error)
  }

  /** Its worker has written a line. */
  wrote(stream: 'stdout' | 'stderr', line: string): void {
    this.hosted.within((text) => this.hosted.context.logger.info({ stream }, text), line, undefined)
  }

  #watchClosing(): void {
    const { closing } = this.hosted.context
    const tell = (): void => this.post([say.CLOSING, this.#serial, encode(closing.reason)])
    if (closing.aborted) tell()
    else closing.addEventListener('abort', tell, { once: true })
  }

  get serial(): number {
    return this.#serial
  }

  /** Throws if it cannot be copied. */
  post(message: say.ToGuest, moved?: readonly unknown[]): void {
    if (!this.over) this.worker?.post(message, moved)
  }

  #end(): void {
    const { worker } = this
    this.#close()
    worker?.free()
  }

  #close(): void {
    this.over = true
    this.worker = undefined
    this.#readers?.end()
    this.#queue.forget(this)
    if (this.#deadline !== undefined) this.hosted.clock.clearTimeout(this.#deadline)
  }

  /** There can be no worker for it. */
  refused(error: unknown): void {
    this.#close()
    this.run.threw(error)
  }

  /** Its worker is no more. */
  died(exit: GroundExit): void {
    this.#close()
    this.hosted.within(end, this, exit)
  }

  /** @internal In its context. */
  end(exit: GroundExit): void {
    const { run, assignment } = this
    if (this.#isKilled) run.returned(undefined)
    else if (this.#crash !== undefined) run.threw(this.#crash.error)
    else run.threw(lost(assignment, run.subject.path, exit))
  }
}

function heed(task: Task, message: say.ToHost): void {
  task.heed(message)
}

function stray(run: Run, error: unknown): void {
  run.strayed(error, STRAY)
}

function end(task: Task, exit: GroundExit): void {
  task.end(exit)
}

function lost({ kind }: Assignment, path: string, exit: GroundExit): GroundLostError {
  const how = exit.signal === null ? `with exit code ${exit.code}` : `by ${exit.signal}`
  return new GroundLostError(`the ${kind} that ran ${path} has ended ${how}`, exit, {
    path,
    ...(exit.error === undefined ? {} : { cause: exit.error }),
  })
}
