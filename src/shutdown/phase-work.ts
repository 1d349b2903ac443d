/** What the phases of a shutdown do to the managers and routines below: series of turns, and sweeps, in slices (turn/slices.ts). */
import { NotRunningError } from '../contract/index.ts'
import type { Durability } from '../port/index.ts'
import { giveUp, type SupervisedRoutine } from '../routine/index.ts'
import type { RoutineRegistry } from '../supervision/index.ts'
import { MANAGER, type Slices, type Tree } from '../turn/index.ts'
import type { Below, Closing, Flock } from './closing.ts'

export class PhaseWork {
  readonly slices: Slices
  readonly #flock: Flock
  readonly #tree: Tree
  readonly #timers = new Set<unknown>()

  /** Ends the wait for the store. */
  #endStore: ((error?: unknown) => void) | undefined
  readonly path: string
  readonly #isRoot: boolean

  constructor(closing: Closing & { readonly up: unknown }, slices: Slices) {
    this.slices = slices
    this.path = closing.path
    this.#isRoot = closing.up === undefined
    this.#flock = closing.flock
    this.#tree = closing.tree
  }

  /** Nothing is accepted, and no supervisor decides anything, at any level: at once. */
  refuse(): void {
    this.#tree.spreading++
    this.#flock.refuse()
    this.slices.sweep(this.#flock.before(), refuse, 1)
  }

  /** Each manager closes, and waits for its turn. */
  close(then: () => void): void {
    this.slices.sweep(this.#flock.before(), close, MANAGER, () => {
      this.#tree.spreading--
      then()
    })
  }

  /** Ends what has not begun, in the whole subtree. To walk 100,000 that run, too, would take a tenth of the time of their shutdown. */
  cancelPending(cause: number, drain: boolean, then: () => void): void {
    this.#cancelPending(this.#flock.latestFirst(hasIdle), cause, drain, then)
  }

  /** The same at the manager itself: what is below was come to by the shutdown above. */
  cancelOwnPending(cause: number, then: () => void): void {
    const { registry } = this.#flock
    this.#cancelPending(hasIdle(registry) ? registry.latestFirst() : NONE, cause, false, then)
  }

  #cancelPending(routines: Iterator<SupervisedRoutine>, cause: number, drain: boolean, then: () => void): void {
    this.slices.each(routines, (routine) => registryOf(routine).cancelPending(routine, cause, drain), then)
  }

  /** Asks all that were spawned at the manager itself to stop. */
  askSpawned(cause: number, then: () => void): void {
    this.#ask(this.#flock.registry.spawned(), cause, then)
  }

  /** Asks all in the whole subtree that were not asked yet. `then` is told whether there was one. */
  askAll(cause: number, then: (asked: boolean) => void): void {
    const tree = this.#tree
    const before = tree.asked
    this.#ask(unasked(this.#flock.latestFirst(isAny)), cause, () => then(tree.asked > before))
  }

  /** Their shutdown times are kept here, with one timer for each length and slice, from the end of that on. */
  #ask(routines: Iterator<SupervisedRoutine>, cause: number, then: () => void): void {
    const { slices } = this
    const graces = new Map<number, SupervisedRoutine[]>()
    let { number } = slices
    const ask = (routine: SupervisedRoutine): void => {
      if (slices.number !== number) this.#time(graces)
      ;({ number } = slices)
      const time = registryOf(routine).ask(routine, cause)
      if (time === undefined) return
      const group = graces.get(time)
      if (group === undefined) graces.set(time, [routine])
      else group.push(routine)
    }
    slices.each(routines, ask, () => {
      this.#time(graces)
      then()
    })
  }

  #time(graces: Map<number, SupervisedRoutine[]>): void {
    for (const [time, asked] of graces) this.after(time, () => this.slices.each(asked.values(), giveUpOn))
    graces.clear()
  }

  /** Abandons all routines of the manager itself. */
  kill(cause: number, then: () => void): void {
    const { registry } = this.#flock
    this.slices.each(registry.latestFirst(), (routine) => registry.kill(routine, cause), then)
  }

  /** From here on no manager below waits for a routine: all of them become overdue, and then the deepest first heed it. */
  overdue(then: () => void): void {
    this.slices.sweep(this.#flock.before(), becomeOverdue, MANAGER, () => this.slices.sweep(this.#flock.behind(), heedOverdue, 1, then))
  }

  /** Arms a timer; what is left of them is disarmed by {@link clean}. */
  after(delay: number, then: () => void): void {
    const timer = this.#tree.later(() => {
      this.#timers.delete(timer)
      then()
    }, delay)
    this.#timers.add(timer)
  }

  /** @param isLate True if the time is up already. @param then Is told if the store could not be closed. */
  clean(isLate: boolean, then: (error?: unknown) => void): void {
    const { clock } = this.#tree
    for (const timer of this.#timers) clock.clearTimeout(timer)
    this.#timers.clear()
    const { durability } = this.#tree
    if (durability === undefined || !this.#isRoot) then()
    else this.#closeStore(durability, isLate, then)
  }

  /** What was appended is written first, as long as there is time. */
  #closeStore(store: Durability, isLate: boolean, then: (error?: unknown) => void): void {
    const { turn, clock } = this.#tree
    let late: unknown
    const end = (error?: unknown): void => {
      if (this.#endStore === undefined) return
      this.#endStore = undefined
      if (late !== undefined) clock.clearTimeout(late)
      then(error)
    }
    this.#endStore = end
    turn.deed(() => {
      store.close().then(
        () => turn.arise(() => end()),
        (error: unknown) => turn.arise(() => end(error)),
      )
    })
    if (isLate) late = this.#tree.later(() => this.giveUpStore(), 0)
  }

  /** There is no more time for the store: it goes on closing, and nobody waits for that. */
  giveUpStore(): void {
    const { path } = this
    this.#endStore?.(new NotRunningError(`${path} has ended before its store was closed: what was not acknowledged may be lost`, { path }))
  }
}

const NONE = [].values()

/** The time is up: to pass over those that were asked is to take no step of a slice. */
function* unasked(routines: Iterable<SupervisedRoutine>): Generator<SupervisedRoutine, void> {
  for (const routine of routines) if (!routine.stopRequested) yield routine
}

function isAny(): boolean {
  return true
}

function hasIdle({ idle }: RoutineRegistry): boolean {
  return idle > 0
}

function refuse(manager: Below): void {
  manager.refuse()
}

function close(manager: Below): void {
  manager.close()
}

function becomeOverdue({ run }: Below): void {
  run?.becomeOverdue()
}

function heedOverdue({ run }: Below): void {
  run?.heedOverdue()
}

function giveUpOn(routine: SupervisedRoutine): void {
  if (!routine.ended) giveUp(routine.current)
}

function registryOf(routine: SupervisedRoutine): RoutineRegistry {
  return routine.local.registry as RoutineRegistry
}
