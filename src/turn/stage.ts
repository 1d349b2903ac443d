/** What all nodes of one tree share: time, chance, ids, events. One per global manager; no module state. */
import { nanoid } from 'nanoid'
import type { AnyActorRef, AnyStateMachine } from 'xstate'
import type { ManagerMachine } from '../../machines/manager.ts'
import { ROUTINE_EVENTS, routineMachine } from '../../machines/routine.ts'
import { type TransitionTable, tabulate } from '../../machines/transition-table.ts'
import { withEffects } from './actor.ts'
import { type Clock, PlatformClock } from '../port/clock.ts'
import { ConfigError } from '../contract/errors.ts'
import type { Incarnation } from '../routine/incarnation.ts'
import type { Interceptor } from '../port/interceptor.ts'
import type { LifecycleActor } from './lifecycle-actor.ts'
import { LifecycleBus } from './lifecycle-bus.ts'
import type { Logger } from '../port/logger.ts'
import type { Manager } from '../manager/manager.ts'
import type { NameGroup } from '../count/name-group.ts'
import type { RoutineRow } from '../routine/routine.ts'
import { OwnClock } from './own-clock.ts'
import { stepsOf } from '../routine/routine-steps.ts'
import { SignalHub } from './signal-hub.ts'
import { type Tap, Taps } from '../port/tap.ts'
import { Turn } from './turn.ts'
import { nodeName, refuse } from '../spec/check.ts'
import type { GlobalSpec } from '../spec/manager-spec.ts'

/** Characters of a generated id: 48 bits, and each is checked against those that live. */
const ID_LENGTH = 8

/** The most that a given id generator may repeat itself before it is called broken. */
const ID_TRIES = 100

/** Constants, derived at first use so that importing this file does no work: the same for all trees. */
let routineTable: TransitionTable | undefined
let routineSteps: Int32Array | undefined

export class Stage {
  /** One turn at a time: see turn.ts. */
  readonly turn: Turn
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly strict: boolean
  readonly interceptor: Interceptor | undefined
  /** Who looks closer, while somebody does: one, or all of them as one. */
  tap: Tap | undefined = undefined
  readonly bus: LifecycleBus
  readonly signals: SignalHub
  readonly table: TransitionTable
  readonly steps: Int32Array
  readonly routineLogic: typeof routineMachine
  /** Whose actor is whose, for the effects of those routines that are genuine actors. */
  readonly incarnations = new WeakMap<AnyActorRef, Incarnation>()
  readonly managers = new WeakMap<AnyActorRef, Manager>()
  /** Groups of names with counts that the levels above do not know yet. */
  readonly uncounted = new Set<NameGroup<RoutineRow>>()
  /** How many routines a shutdown has asked to stop, ever. */
  asked = 0
  /** Order of joining a queue, over all queues. */
  ticket = 0
  /** True if an id may wait until somebody asks for it. */
  readonly idsAreLazy: boolean
  readonly #generateId: () => string
  #starting: RoutineRow[] = []
  #taps: readonly Tap[] = []

  constructor(spec: GlobalSpec) {
    this.turn = new Turn((error) => this.bus.contain(error, 'a step of the tree threw'))
    this.bus = new LifecycleBus(this.turn, spec.logger)
    this.clock =
      spec.clock instanceof PlatformClock
        ? spec.clock
        : new OwnClock(spec.clock, this.turn, (error) => this.bus.contain(error, 'the clock threw'))
    this.random = spec.random
    this.logger = spec.logger
    this.strict = spec.strict
    this.interceptor = spec.interceptor
    this.signals = new SignalHub(this.bus)
    this.table = routineTable ??= tabulate(routineMachine, ROUTINE_EVENTS, ['output', 'error', 'reason'])
    this.steps = routineSteps ??= stepsOf(this.table)
    this.routineLogic = withEffects(
      routineMachine,
      (self, snapshot, event) => this.incarnations.get(self)?.perform(snapshot, event),
      ({ self, stopChild }) => ((self as LifecycleActor).stopChild = stopChild),
    )
    this.idsAreLazy = spec.generateId === undefined
    this.#generateId = spec.generateId ?? (() => nanoid(ID_LENGTH))
  }

  /** The logic of a manager's machine with its effects. */
  logicOf(machine: AnyStateMachine): ManagerMachine {
    return withEffects(machine as ManagerMachine, (self, snapshot, _event, actions) => this.managers.get(self)?.perform(snapshot, actions))
  }

  /** Somebody looks closer. */
  addTap(tap: Tap): void {
    this.#tappedBy([...this.#taps, tap])
  }

  /** It looks no more. */
  removeTap(tap: Tap): void {
    this.#tappedBy(this.#taps.filter((each) => each !== tap))
  }

  #tappedBy(taps: readonly Tap[]): void {
    this.#taps = taps
    this.tap = taps.length > 1 ? new Taps(taps) : taps[0]
  }

  /** An id that `taken` does not know. Between two turns, where the generator is the user's. */
  generateId(taken: (id: string) => boolean): string {
    for (let attempt = 0; attempt < ID_TRIES; attempt++) {
      const id = this.idsAreLazy ? this.#generateId() : this.turn.ask(this.#generateId)
      if (!this.idsAreLazy && !nodeName.accepts(id)) throw refuse('what generateId returns', nodeName.range, id)
      if (!taken(id)) return id
    }
    throw new ConfigError(`generateId must return ids that are not taken; received ${ID_TRIES} in a row that are`)
  }

  /** Calls `act(target)` once, which begins a turn; `now` is for who has just asked the clock. No closure where the clock is the platform's. */
  arm<Target>(act: (target: Target) => void, target: Target, delay: number, now?: number): unknown {
    const { clock } = this
    return clock instanceof PlatformClock ? clock.arm(act, target, delay, now) : clock.setTimeout(() => act(target), delay)
  }

  /** Calls back once, which is a turn. */
  later(callback: () => void, delay: number): unknown {
    return this.clock.setTimeout(() => this.turn.run(callback, undefined), delay)
  }

  /** Lets a routine begin in a later microtask, after those that were admitted before it. */
  begin(row: RoutineRow): void {
    if (this.#starting.push(row) === 1) queueMicrotask(this.#beginAll)
  }

  readonly #beginAll = (): void => {
    const rows = this.#starting
    this.#starting = []
    for (const row of rows) this.turn.run(launch, row)
  }
}

function launch(row: RoutineRow): void {
  row.launch()
}
