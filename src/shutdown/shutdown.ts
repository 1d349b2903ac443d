/**
 * Carries out the `stopping` states by machines/shutdown.ts: one shutdown of one manager.
 *
 * The manager's machine says which phase is next; `enter` does what the phase is for, and
 * `#advance` tells the machine when machines/shutdown.ts calls the phase over.
 *
 * D1  No routine is killed before it was asked to stop and given one turn of the event loop.
 * D2  A later request only tightens.
 * D3  Managers below are stopped one by one, latest first; routines of one local together.
 * D4  Durations in its report count from its own beginning, which is that of the shutdown above if that has closed it; what had ended before,
 *     but not for good, has 0.
 * D5  From its first turn on nothing is accepted and nothing restarted at any level below, though managers and routines follow in slices.
 */
import type { Phase, ShutdownMode } from '../../machines/lifecycle-event.ts'
import { phaseIsOver, tighten } from '../../machines/shutdown.ts'
import type { ErrorReport, RoutineCancelledError, RoutineReport, ShutdownReport } from '../contract/index.ts'
import { soon } from '../port/index.ts'
import type { ShutdownPlan } from '../spec/index.ts'
import { MANAGER, type PhaseHold, Slices, type Tree } from '../turn/index.ts'
import { Account } from './account.ts'
import type { Closing, Flock } from './closing.ts'
import { DeadlineTimer } from './deadline-timer.ts'
import { type Ancestry, noteError, reasonFromAbove } from './ended-routine.ts'
import { PhaseWork } from './phase-work.ts'
import { timeoutReason } from './stop-reason.ts'

export class ShutdownRun implements PhaseHold {
  readonly report: Promise<ShutdownReport>
  readonly #resolve: (report: ShutdownReport) => void
  readonly #closing: Closing & Ancestry
  readonly #flock: Flock
  readonly #tree: Tree
  readonly #plan: ShutdownPlan
  /** That of the manager above, which has closed this one. */
  readonly #above: ShutdownRun | undefined
  readonly startedAt: number
  readonly #account = new Account()
  #mode: ShutdownMode
  #deadline: number
  #timedOut = false
  #held: boolean
  /** True once it is its turn to stop, among its siblings. */
  released = false
  /** True if no routine is waited for any more. */
  isOverdue = false
  #forced = false
  phase: Phase = 'closing'
  #phaseSince = 0
  #exceeded = false
  #draining = false
  /** True if it began with a drain. */
  #drains = false
  /** Promises of listeners that hold up the present phase. */
  hooks = 0
  #scheduled = false
  readonly #keeper: DeadlineTimer
  /** That of this shutdown itself, once there is one. */
  ownReason: RoutineCancelledError | undefined
  #phaseTimer: unknown
  #works = false
  /** True if it has become overdue, and its phase has yet to heed that. */
  #owesHeed = false
  readonly #work: PhaseWork
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
    this.#above = plan.held ? closing.up?.run : undefined
    this.#work = new PhaseWork(closing, this.#above?.slices ?? new Slices(closing.tree))
    // What closes together begins together.
    this.startedAt = this.#above?.startedAt ?? this.#now()
    this.#deadline = this.startedAt + plan.timeout
    this.#keeper = new DeadlineTimer(closing.tree, () => this.#expire())
    if (!plan.held) this.#keeper.arm(this.#deadline)
  }

  /** Why those below are told to stop: that of the shutdown above, if it comes from there. */
  get reason(): RoutineCancelledError {
    return this.ownReason ?? reasonFromAbove(this.#closing) ?? (this.ownReason = this.#closing.stopReason)
  }

  /** When it has to be over; Infinity if its parent sees to that. */
  get deadline(): number {
    return this.#held ? Infinity : this.#deadline
  }

  /** Those of the whole change: what a shutdown from above leads to belongs to that. */
  get slices(): Slices {
    return this.#work.slices
  }

  /** A later request, or one from above: it can only tighten. */
  tighten(mode: ShutdownMode, timeout: number): void {
    if (this.#closing.over) return
    const deadline = tighten(this.#deadline, this.#now() + timeout)
    if (deadline < this.#deadline) {
      this.#deadline = deadline
      this.#keeper.arm(this.#deadline)
    }
    if (mode === 'immediate' && this.#mode !== 'immediate') {
      this.#mode = 'immediate'
      this.#closing.tell({ type: 'hurry' })
      // Asked for this manager alone, it does not wait for its turn among its siblings.
      this.#held = false
      this.#drain(false)
      if (this.phase === 'closing') this.poke()
      else this.#force(() => this.poke())
    }
  }

  /** It is this manager's turn to stop, among its siblings: as soon as the slices of the shutdown above come to it. */
  release(slices: Slices): void {
    if (this.released) return
    this.released = true
    // Counted once for all that it goes through until its end.
    slices.once((run) => run.stop(), this as ShutdownRun, 4 * MANAGER)
  }

  /** @internal */
  stop(): void {
    this.#held = false
    this.#drain(false)
    this.tighten('graceful', this.#closing.patience)
    this.poke()
  }

  /** The machine has entered a phase: begins its work. */
  enter(phase: Phase): void {
    this.phase = phase
    // The others begin as the one before ends.
    if (phase === 'closing') this.#phaseSince = this.#now()
    this.#exceeded = false
    this.hooks = 0
    // What is held was told to accept nothing, and has nothing to do before its turn.
    const closesBelow = phase === 'closing' && !this.#held
    if (closesBelow) {
      this.#drain(this.#plan.drain > 0 && this.#mode === 'graceful')
      this.#drains = this.#draining
      this.#work.refuse()
    }
    this.seq = this.#closing.announcePhase(phase, this.seq, this)
    this.#armPhase(this.#plan.phases[phase] ?? Infinity)
    if (phase === 'closing' && this.#held) {
      if (this.#above?.isOverdue === true) this.becomeOverdue()
      return
    }
    this.#works = true
    if (this.#above === undefined) this.slices.shrink()
    const work = (): void => this.#tree.turn.next(() => this.#do(phase))
    // The whole subtree closes together; the rest of the phase follows once all of it has been announced.
    if (closesBelow) this.#work.close(work)
    else work()
  }

  /** Does the work of a phase, and then checks whether it is over: after the routines that end at once have ended. A turn. */
  #do(phase: Phase): void {
    const check = (error?: unknown): void => {
      if (error !== undefined) this.blame({ path: this.#closing.path, error })
      this.#works = false
      this.poke()
    }
    // Made here, and not by whoever first needs it: an error keeps what it was made in, and who was asked to stop with it. To make one
    // for nobody is half of an empty manager's life.
    if (this.#above === undefined && this.#flock.living > 0) void this.reason
    if (phase === 'closing') this.#close(check)
    else if (phase === 'cancelling') this.#cancel(check)
    else if (phase === 'killing') this.#kill(check)
    else if (phase === 'cleaning') this.#work.clean(this.#timedOut, check)
    else check()
  }

  /** A listener holds up the phase that it hears of: no phase is left before its listeners were called. */
  wait(promise: PromiseLike<unknown>): void {
    const phase = this.phase
    this.hooks++
    void promise.then(() => {
      if (phase !== this.phase) return
      this.hooks--
      this.poke()
    })
  }

  /** A listener of a phase has thrown. */
  threw(error: unknown): void {
    this.#tree.turn.arise(() => noteError(this.#closing, this.#closing.path, error))
  }

  /** Something may have ended: checks in a microtask whether the phase is over. */
  poke(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    soon(() => {
      this.#scheduled = false
      this.#tree.turn.run(() => this.#advance())
    })
  }

  /** A routine below has ended. */
  routineEnded(entry: RoutineReport, orphan: boolean, error: ErrorReport | undefined): void {
    this.#account.add(entry, orphan)
    if (error !== undefined) this.blame(error)
    // To look 100,000 times whether the last has ended takes a quarter of the time of a shutdown.
    if (this.#isEmpty) this.poke()
  }

  /** True if nothing is left that the present phase may wait for. */
  get #isEmpty(): boolean {
    return this.phase === 'closing' ? this.#draining && this.#flock.livingSpawned === 0 : this.#flock.living === 0
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
    if (this.phase !== 'closing' && this.phase !== 'cleaning') this.#flock.releaseLatest(this.slices)
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

  /** All routines below were asked and had a turn of the event loop: from here on none is waited for, here and below. */
  setOverdue(): void {
    if (this.isOverdue) return
    this.becomeOverdue()
    this.#work.overdue(() => this.heedOverdue())
  }

  /** The same for itself alone; what its phase makes of that comes behind. */
  becomeOverdue(): void {
    if (this.isOverdue) return
    this.isOverdue = true
    this.#owesHeed = true
    this.#drain(false)
    this.#closing.tell({ type: 'hurry' })
  }

  heedOverdue(): void {
    if (!this.#owesHeed) return
    this.#owesHeed = false
    if (this.phase === 'killing') this.#kill(() => this.poke())
    else if (!this.#held) this.poke()
  }

  // --- the phases ----------------------------------------------------------------------------

  #close(then: () => void): void {
    if (this.#draining) this.#work.after(this.#plan.drain, () => this.#endDrain())
    // Only the manager at which the shutdown began drains. It also acts for the managers below, which are held.
    this.#work.cancelPending(this.seq, this.#draining, then)
  }

  #drain(drains: boolean): void {
    if (drains === this.#draining) return
    this.#draining = drains
    this.#tree.drains += drains ? 1 : -1
  }

  #endDrain(): void {
    if (this.phase !== 'closing') return
    this.#drain(false)
    this.#exceeded = true
    this.poke()
  }

  #cancel(then: () => void): void {
    const ask = (): void => this.#askSpawned(then)
    // Routines that the drain has left in the queues never start.
    if (this.#plan.held) this.#work.cancelOwnPending(this.seq, ask)
    else this.#work.cancelPending(this.seq, false, ask)
  }

  #askSpawned(then: () => void): void {
    const proceed = (): void => {
      this.#flock.releaseLatest(this.slices)
      then()
    }
    if (this.#mode === 'immediate') this.#force(proceed)
    else this.#work.askSpawned(this.seq, proceed)
  }

  #kill(then: () => void): void {
    if (this.#flock.living === 0) return then()
    if (!this.isOverdue) return this.#force(then)
    this.#work.kill(this.seq, () => {
      this.#flock.releaseLatest(this.slices)
      then()
    })
  }

  /** The time is up: asks the routines that were not asked yet, gives them one turn of the event loop, and then waits no more. */
  #force(then: () => void): void {
    if (this.#forced) return then()
    this.#forced = true
    this.#work.askAll(this.seq, (asked) => {
      if (asked || this.#mode === 'immediate') this.#work.after(0, () => this.setOverdue())
      else this.setOverdue()
      then()
    })
  }

  // --- time ----------------------------------------------------------------------------------

  #now(): number {
    return this.#tree.clock.now()
  }

  #expire(): void {
    this.#timedOut = true
    this.ownReason = timeoutReason(this.#closing.path)
    this.#held = false
    this.#drain(false)
    this.#closing.tell({ type: 'hurry' })
    this.slices.press()
    if (this.phase === 'cleaning') this.#work.giveUpStore()
    if (this.phase === 'cleaning') this.setOverdue()
    else this.#force(() => this.poke())
  }

  #armPhase(limit: number): void {
    const tree = this.#tree
    tree.clock.clearTimeout(this.#phaseTimer)
    this.#phaseTimer = undefined
    if (limit === Infinity) return
    this.#phaseTimer = tree.later(() => {
      this.#exceeded = true
      this.#work.giveUpStore()
      this.#advance()
    }, limit)
  }

  /** Leaves the phase if it is over. */
  #advance(): void {
    if (this.#closing.phase !== this.phase) return
    const phase = this.phase
    const living = phase === 'closing' ? this.#flock.livingSpawned : this.#flock.living
    const hooked = this.hooks > 0 && this.#mode === 'graceful'
    const [works, held, draining] = [this.#works, this.#held, this.#draining]
    const signs = { phase, works, held, draining, hooked, exceeded: this.#exceeded, overdue: this.isOverdue, living }
    if (!phaseIsOver(signs)) return
    const now = this.#now()
    const limit = Math.min(this.#plan.phases[phase] ?? Infinity, phase === 'closing' && this.#drains ? this.#plan.drain : Infinity)
    const deadline = Math.min(limit, this.#deadline - this.#phaseSince)
    const exceeded = this.#exceeded || (this.isOverdue && this.#timedOut && this.#phaseSince < this.#deadline && now >= this.#deadline)
    this.#account.phases.push({ phase, duration: now - this.#phaseSince, deadline: Math.max(0, deadline), exceeded })
    this.#tree.clock.clearTimeout(this.#phaseTimer)
    this.#phaseTimer = undefined
    // Listeners may hold up even the last phase, so the deadline stays armed until that is over.
    if (phase === 'cleaning') this.#keeper.disarm()
    this.#drain(false)
    this.#phaseSince = now
    this.#closing.tell({ type: 'phaseDone' })
  }
}
