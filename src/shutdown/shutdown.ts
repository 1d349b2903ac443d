/**
 * Carries out the `stopping` states by machines/shutdown.ts: one shutdown of one manager.
 *
 * The manager's machine says which phase is next; `enter` does what the phase is for, and
 * `#advance` tells the machine when machines/shutdown.ts calls the phase over.
 *
 * D1  No routine is killed before it was asked to stop and given one turn of the event loop.
 * D2  A later request only tightens.
 * D3  Managers below are stopped one by one, latest first; routines of one local together.
 * D4  Durations in its report count from its own beginning; what had ended before, but not for good, has 0.
 */
import type { Phase, ShutdownMode } from '../../machines/lifecycle-event.ts'
import { LONGEST_TIMER, phaseIsOver, tighten } from '../../machines/shutdown.ts'
import type { ErrorReport, RoutineCancelledError, RoutineReport, ShutdownReport } from '../contract/index.ts'
import { soon } from '../port/index.ts'
import { GIVE_UP, type SupervisedRoutine } from '../routine/index.ts'
import type { ShutdownPlan } from '../spec/index.ts'
import type { RoutineRegistry } from '../supervision/index.ts'
import type { Tree, Turn } from '../turn/index.ts'
import { Account } from './account.ts'
import type { Closing, Flock } from './closing.ts'
import { type Ancestry, noteError, reasonFromAbove } from './ended-routine.ts'
import { timeoutReason } from './stop-reason.ts'

export class ShutdownRun {
  readonly report: Promise<ShutdownReport>
  readonly #resolve: (report: ShutdownReport) => void
  readonly #closing: Closing & Ancestry
  readonly #flock: Flock
  readonly #tree: Tree
  readonly #plan: ShutdownPlan
  readonly startedAt: number
  readonly #account = new Account()
  #mode: ShutdownMode
  #deadline: number
  #timedOut = false
  #held: boolean
  /** True once it is its turn to stop, among its siblings. */
  released = false
  #overdue = false
  #forced = false
  #phase: Phase = 'closing'
  #phaseSince = 0
  #exceeded = false
  #draining = false
  /** True if it began with a drain. */
  #drains = false
  /** Promises of listeners that hold up the present phase. */
  #hooks = 0
  #scheduled = false
  #deadlineTimer: unknown
  #reason: RoutineCancelledError | undefined
  #phaseTimer: unknown
  readonly #timers = new Set<unknown>()
  /** `seq` of the latest phase event. */
  seq: number

  constructor(closing: Closing & Ancestry, plan: ShutdownPlan) {
    const { promise, resolve } = Promise.withResolvers<ShutdownReport>()
    this.report = promise
    this.#resolve = resolve
    this.#closing = closing
    this.#flock = closing.flock
    this.#tree = closing.tree
    this.#plan = plan
    this.#mode = plan.mode
    this.#held = plan.held
    this.seq = plan.cause
    this.startedAt = this.#now()
    this.#deadline = this.startedAt + plan.timeout
    if (!plan.held) this.#armDeadline()
  }

  get #turn(): Turn {
    return this.#tree.turn
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Why those below are told to stop: that of the shutdown above, if it comes from there. */
  get reason(): RoutineCancelledError {
    return this.#reason ?? reasonFromAbove(this.#closing) ?? (this.#reason = this.#closing.stopReason)
  }

  /** When it has to be over; Infinity if its parent sees to that. */
  get deadline(): number {
    return this.#held ? Infinity : this.#deadline
  }

  /** A later request, or one from above: it can only tighten. */
  tighten(mode: ShutdownMode, timeout: number): void {
    if (this.#closing.over) return
    const deadline = tighten(this.#deadline, this.#now() + timeout)
    if (deadline < this.#deadline) {
      this.#deadline = deadline
      this.#armDeadline()
    }
    if (mode === 'immediate' && this.#mode !== 'immediate') {
      this.#mode = 'immediate'
      this.#closing.tell({ type: 'hurry' })
      // Asked for this manager alone, it does not wait for its turn among its siblings.
      this.#held = false
      this.#draining = false
      if (this.#phase === 'closing') this.poke()
      else this.#force(() => this.poke())
    }
  }

  /** It is this manager's turn to stop, among its siblings. */
  release(): void {
    if (this.released) return
    this.released = true
    this.#held = false
    this.#draining = false
    this.tighten('graceful', this.#closing.patience)
    this.poke()
  }

  /** The machine has entered a phase: begins its work. */
  enter(phase: Phase): void {
    this.#phase = phase
    this.#phaseSince = this.#now()
    this.#exceeded = false
    this.#hooks = 0
    if (phase === 'closing') this.#flock.refuseAll()
    this.seq = this.#closing.announcePhase(phase, this.seq, {
      wait: (promise) => this.#hook(phase, promise),
      threw: (error) => this.#turn.arise(() => noteError(this.#closing, this.#closing.path, error)),
    })
    this.#armPhase(this.#plan.phases[phase] ?? Infinity)
    // The whole subtree closes together; the rest of the phase follows once all of it has been announced.
    if (phase === 'closing') this.#flock.closeBelow(this.seq)
    this.#turn.next(() => this.#do(phase))
  }

  /** Does the work of a phase, and then checks whether it is over: after the routines that end at once have ended. A turn. */
  #do(phase: Phase): void {
    const check = (): void => this.poke()
    if (phase === 'closing') this.#close(check)
    else if (phase === 'cancelling') this.#cancel(check)
    else if (phase === 'killing') this.#kill(check)
    else {
      if (phase === 'cleaning') this.#clean()
      check()
    }
  }

  /** Something may have ended: checks in a microtask whether the phase is over. */
  poke(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    soon(() => {
      this.#scheduled = false
      this.#turn.run(() => this.#advance())
    })
  }

  /** A routine below has ended. */
  routineEnded(entry: RoutineReport, orphan: boolean, error: ErrorReport | undefined): void {
    this.#account.add(entry, orphan)
    if (error !== undefined) this.blame(error)
  }

  /** Milliseconds since it began. */
  get elapsed(): number {
    return this.#now() - this.startedAt
  }

  /** Adds an error to its report: one that led to it, or that came up beside the routines. */
  blame(error: ErrorReport): void {
    this.#account.errors.push(error)
  }

  /** A manager below has ended for good: it is the next one's turn. */
  childEnded(report: ShutdownReport): void {
    this.#account.children.push(report)
    this.nextChild()
    this.poke()
  }

  /** Something below has ended: it may be the turn of the next child to stop. */
  nextChild(): void {
    if (this.#phase !== 'closing' && this.#phase !== 'cleaning') this.#flock.releaseLatest()
  }

  /** Hands the report to all callers. */
  settle(report: ShutdownReport): void {
    this.#resolve(report)
  }

  /** The report, once everything has ended. */
  summarise(): ShutdownReport {
    const { path, trigger } = this.#closing
    return {
      path,
      mode: this.#mode,
      trigger,
      startedAt: this.startedAt,
      duration: this.elapsed,
      timedOut: this.#timedOut,
      ...this.#account.read(),
      totals: this.#flock.totals,
    }
  }

  /** All routines below were asked and had a turn of the event loop: from here on none is waited for. */
  setOverdue(): void {
    if (this.#overdue) return
    this.#overdue = true
    this.#draining = false
    this.#closing.tell({ type: 'hurry' })
    this.#flock.overdueBelow()
    if (this.#phase === 'killing') this.#kill(() => this.poke())
    else this.poke()
  }

  // --- the phases ----------------------------------------------------------------------------

  #close(then: () => void): void {
    const { drain } = this.#plan
    this.#draining = drain > 0 && this.#mode === 'graceful' && !this.#held
    this.#drains = this.#draining
    // Only the manager at which the shutdown began drains. It also acts for the managers below, which are held.
    if (this.#held) return then()
    if (this.#draining) this.#after(drain, () => this.#endDrain())
    this.#cancelPending(this.#draining, then)
  }

  /** Ends what has not begun, in the whole subtree. To walk 100,000 that run, too, would take a tenth of the time of their shutdown. */
  #cancelPending(drain: boolean, then: () => void): void {
    const { seq } = this
    const routines = this.#flock.latestFirst((registry) => registry.idle > 0)
    this.#turn.each(routines, (routine) => registryOf(routine).cancelPending(routine, seq, drain), then)
  }

  #endDrain(): void {
    if (this.#phase !== 'closing') return
    this.#draining = false
    this.#exceeded = true
    this.poke()
  }

  #cancel(then: () => void): void {
    // Routines that the drain has left in the queues never start.
    this.#cancelPending(false, () => this.#askSpawned(then))
  }

  #askSpawned(then: () => void): void {
    const proceed = (): void => {
      this.#flock.releaseLatest()
      then()
    }
    if (this.#mode === 'immediate') this.#force(proceed)
    else this.#ask(this.#flock.registry.askable(false), proceed)
  }

  /** Asks routines to stop. Their shutdown times are kept here, with one timer for each length. */
  #ask(routines: readonly SupervisedRoutine[], then: () => void): void {
    const { seq } = this
    const turn = this.#turn
    const graces = new Map<number, SupervisedRoutine[]>()
    const ask = (routine: SupervisedRoutine): void => {
      const time = registryOf(routine).ask(routine, seq)
      if (time === undefined) return
      const group = graces.get(time)
      if (group !== undefined) group.push(routine)
      else {
        const asked = [routine]
        graces.set(time, asked)
        this.#after(time, () => turn.each(asked, giveUpOn))
      }
    }
    turn.each(routines, ask, then)
  }

  #kill(then: () => void): void {
    if (this.#flock.living === 0) return then()
    if (!this.#overdue) return this.#force(then)
    const { registry } = this.#flock
    const { seq } = this
    this.#turn.each(
      registry.latestFirst(),
      (routine) => registry.kill(routine, seq),
      () => {
        this.#flock.releaseLatest()
        then()
      },
    )
  }

  #clean(): void {
    const { clock } = this.#tree
    for (const timer of this.#timers) clock.clearTimeout(timer)
    this.#timers.clear()
  }

  /** The time is up: asks the routines that were not asked yet, gives them one turn of the event loop, and then waits no more. */
  #force(then: () => void): void {
    if (this.#forced) return then()
    this.#forced = true
    const routines = this.#flock.latestFirst().filter((routine) => !routine.stopRequested)
    const givesTurn = routines.length > 0 || this.#mode === 'immediate'
    this.#ask(routines, () => {
      if (givesTurn) this.#after(0, () => this.setOverdue())
      else this.setOverdue()
      then()
    })
  }

  // --- time ----------------------------------------------------------------------------------

  #now(): number {
    return this.#tree.clock.now()
  }

  #armDeadline(): void {
    const { clock } = this.#tree
    if (this.#deadlineTimer !== undefined) clock.clearTimeout(this.#deadlineTimer)
    this.#deadlineTimer = undefined
    if (this.#deadline === Infinity) return
    const left = Math.max(0, this.#deadline - this.#now())
    this.#deadlineTimer = this.#tree.later(() => this.#expire(), Math.min(left, LONGEST_TIMER))
  }

  #expire(): void {
    this.#deadlineTimer = undefined
    if (this.#now() < this.#deadline) {
      this.#armDeadline()
      return
    }
    this.#timedOut = true
    this.#reason = timeoutReason(this.#closing.path)
    this.#held = false
    this.#draining = false
    this.#closing.tell({ type: 'hurry' })
    if (this.#phase === 'cleaning') this.setOverdue()
    else this.#force(() => this.poke())
  }

  #armPhase(limit: number): void {
    const tree = this.#tree
    tree.clock.clearTimeout(this.#phaseTimer)
    this.#phaseTimer = undefined
    if (limit === Infinity) return
    this.#phaseTimer = tree.later(() => {
      this.#exceeded = true
      this.#advance()
    }, limit)
  }

  /** Arms a timer of this run; what is left of them is disarmed in `cleaning`. */
  #after(delay: number, then: () => void): void {
    const timer = this.#tree.later(() => {
      this.#timers.delete(timer)
      then()
    }, delay)
    this.#timers.add(timer)
  }

  #hook(phase: Phase, promise: PromiseLike<unknown>): void {
    if (phase !== this.#phase) return
    this.#hooks++
    void promise.then(() => {
      if (phase !== this.#phase) return
      this.#hooks--
      this.poke()
    })
  }

  /** Leaves the phase if it is over. */
  #advance(): void {
    if (this.#closing.phase !== this.#phase) return
    const phase = this.#phase
    const living = phase === 'closing' ? this.#flock.livingSpawned : this.#flock.living
    const hooked = this.#hooks > 0 && this.#mode === 'graceful'
    const signs = { phase, held: this.#held, draining: this.#draining, hooked, exceeded: this.#exceeded, overdue: this.#overdue, living }
    if (!phaseIsOver(signs)) return
    const now = this.#now()
    const limit = Math.min(this.#plan.phases[phase] ?? Infinity, phase === 'closing' && this.#drains ? this.#plan.drain : Infinity)
    const deadline = Math.min(limit, this.#deadline - this.#phaseSince)
    const exceeded = this.#exceeded || (this.#overdue && this.#timedOut && this.#phaseSince < this.#deadline && now >= this.#deadline)
    this.#account.phases.push({ phase, duration: now - this.#phaseSince, deadline: Math.max(0, deadline), exceeded })
    this.#tree.clock.clearTimeout(this.#phaseTimer)
    this.#phaseTimer = undefined
    // Listeners may hold up even the last phase, so the deadline stays armed until that is over.
    if (phase === 'cleaning') this.#tree.clock.clearTimeout(this.#deadlineTimer)
    this.#closing.tell({ type: 'phaseDone' })
  }
}

function giveUpOn(routine: SupervisedRoutine): void {
  if (!routine.ended) routine.current.step(GIVE_UP, undefined)
}

function registryOf(routine: SupervisedRoutine): RoutineRegistry {
  return routine.local.registry as RoutineRegistry
}
