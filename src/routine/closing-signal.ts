/** `context.closing`: aborted when the manager begins to close, so that a body takes on no more work while it finishes what it has. */
import { abortContained, containedController, type SignalOwner, type Turn } from '../turn/index.ts'
import type { Host } from './host.ts'
import type { Remembering } from './memory.ts'

/** A routine whose body may want to know. */
interface Finishing extends Remembering {
  readonly local: Host
  /** Its present incarnation, to which errors of listeners belong. */
  readonly current: SignalOwner
}

/** The signal of one incarnation: it belongs to that, and what its listeners hold is gone when that has ended. */
export class ClosingSignal {
  readonly #routine: Finishing
  readonly #controller: AbortController

  constructor(routine: Finishing) {
    this.#routine = routine
    this.#controller = containedController(routine.current)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** A deed. */
  abort(): void {
    abortFor(this.#routine, this.#controller)
  }
}

/** Those of one manager. Most managers have none. */
export class ClosingSignals {
  #signals: Set<ClosingSignal> | undefined

  add(signal: ClosingSignal): void {
    ;(this.#signals ??= new Set()).add(signal)
  }

  delete(signal: ClosingSignal): void {
    this.#signals?.delete(signal)
  }

  /** The manager begins to close. In a turn. */
  abort(turn: Turn): void {
    const signals = this.#signals
    this.#signals = undefined
    if (signals !== undefined) for (const signal of signals) turn.deed(abort, signal)
  }
}

function abortFor({ asyncContext, local }: Finishing, controller: AbortController): void {
  local.tree.asyncContext.run(asyncContext, abortContained, controller, local.cancelReason)
}

function abort(signal: ClosingSignal): void {
  signal.abort()
}

/** Made when it is first read; aborted from the start if that is late. */
export function closingOf(routine: Finishing): AbortSignal {
  const known = routine.memory.closing
  if (known !== undefined) return known.signal
  const made = new ClosingSignal(routine)
  const { local } = routine
  routine.ownMemory.closing = made
  if (local.closed) made.abort()
  else local.registry.closing.add(made)
  return made.signal
}

/** The incarnation is over. */
export function forgetClosing(routine: Finishing): void {
  const { closing } = routine.memory
  if (closing === undefined) return
  routine.ownMemory.closing = undefined
  routine.local.registry.closing.delete(closing)
}
