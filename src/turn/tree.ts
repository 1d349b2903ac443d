/** What all nodes of one tree share: its turns, time, chance, ids, events and ports. One per global manager; no module state. */
import { nanoid } from 'nanoid'
import type { InspectionEvent, Observer } from 'xstate'
import { ConfigError, type Logger } from '../contract/index.ts'
import {
  type AsyncContext,
  type Durability,
  type Ground,
  type Interceptor,
  PlatformClock,
  running,
  soon,
  type TrafficObserver,
  TrafficObservers,
} from '../port/index.ts'
import { type GlobalSpec, nodeName, refuse } from '../spec/index.ts'
import { clockOf } from './delays.ts'
import { LifecycleBus } from './lifecycle-bus.ts'
import { OwnClock } from './own-clock.ts'
import { SignalHub } from './signal-hub.ts'
import type { System } from './system.ts'
import { inWords } from './told.ts'
import { Turn } from './turn.ts'
import { UnseenErrors } from './unseen-errors.ts'

/** Characters of a generated id: 48 bits. Each id is checked against the living ones. */
const ID_LENGTH = 8

/** Of an id that is not to be met again in any later process: 126 bits. */
const LASTING_ID_LENGTH = 21

/** The most that a given id generator may repeat itself before it is called broken. */
const ID_TRIES = 100

/** Something that begins in a later microtask. */
export interface Launch {
  /** Whose it is: it begins in the asynchronous context of that. */
  readonly subject: { readonly asyncContext: unknown }
  /** In a turn of its own. */
  launch(): void
}

/** A set of counters that has yet to be added to the levels above. */
export interface Uncounted {
  addUp(): void
}

export class Tree {
  readonly turn: Turn
  readonly clock: PlatformClock | OwnClock
  readonly random: () => number
  readonly logger: Logger
  readonly strict: boolean
  readonly interceptor: Interceptor | undefined
  readonly asyncContext: AsyncContext
  /** Prints errors that nobody looks at; undefined if a logger was given, or none is wanted. */
  readonly unseen: UnseenErrors | undefined
  /** The observer of the traffic, if there is one; several are combined into one. */
  observer: TrafficObserver | undefined
  readonly bus: LifecycleBus
  readonly signals: SignalHub
  /** The life of its root, with whose actor the system is made. */
  declare root: { readonly actor: unknown }
  #system: System | undefined
  /** What the actor of the root is made with. */
  readonly actorOptions: () => object
  readonly uncounted = new Set<Uncounted>()
  /** Those outside of the core that its routines have stood on. */
  grounds: Set<Ground> | undefined
  /** How many shutdowns have yet to come to all managers below: while there is one, who is below asks the levels above whether they close. */
  spreading = 0
  /** How many shutdowns let what was spawned end by itself first. */
  drains = 0
  /** Kept, and never looked at. */
  spare: unknown
  /** How many managers are beginning, each within the last. */
  starting = 0
  /** How many routines a shutdown has asked to stop, ever. */
  asked = 0
  /** Order of joining a queue, over all queues. */
  ticket = 0
  /** What its store has brought along, if it has one. */
  durability: Durability | undefined
  /** What begins at this moment, in its own asynchronous context. */
  launched: Launch | undefined
  /** True if an id may be generated as late as it is first read. */
  readonly idsAreLazy: boolean
  readonly #generateId: () => string
  #launches: Launch[] = []
  #observers: readonly TrafficObserver[] = []

  constructor(spec: GlobalSpec) {
    this.turn = new Turn((error) => this.bus.contain(error, 'a step of the tree threw'))
    this.bus = new LifecycleBus(this.turn, spec.logger)
    this.clock =
      spec.clock instanceof PlatformClock
        ? spec.clock
        : new OwnClock(spec.clock, this.turn, (error) => this.bus.contain(error, 'the clock threw'))
    this.unseen = spec.printsUnseen ? new UnseenErrors(this.turn, this.clock) : undefined
    this.random = spec.random
    this.logger = spec.logger
    this.strict = spec.strict
    this.interceptor = spec.interceptor
    this.asyncContext = spec.asyncContext
    this.signals = new SignalHub(this.bus, this.clock)
    const { clock, inspect } = spec
    this.actorOptions = () => ({
      clock: clockOf(this, clock),
      ...(inspect === undefined ? {} : { inspect: inWords(inspect as Observer<InspectionEvent>, this.turn) }),
    })
    this.idsAreLazy = spec.generateId === undefined
    this.#generateId = spec.generateId ?? (() => nanoid(ID_LENGTH))
  }

  addObserver(observer: TrafficObserver): void {
    this.#observedBy([...this.#observers, observer])
  }

  removeObserver(observer: TrafficObserver): void {
    this.#observedBy(this.#observers.filter((each) => each !== observer))
  }

  #observedBy(observers: readonly TrafficObserver[]): void {
    this.#observers = observers
    this.observer = observers.length > 1 ? new TrafficObservers(observers) : observers[0]
  }

  /** True if what happens may be looked at as it happens, by listeners, observers or actors: then the time of it may be read. */
  get isWatched(): boolean {
    return this.strict || this.observer !== undefined || this.bus.isHeard
  }

  /** Made with the actor of the root: when somebody first looks at one, or an actor of a user's begins. */
  get system(): System {
    if (this.#system === undefined) void this.root.actor
    return this.#system as System
  }

  set system(system: System) {
    this.#system = system
  }

  /** True if somebody inspects its actors. */
  get isInspected(): boolean {
    return this.#system !== undefined && this.#system.isInspected
  }

  /** The asynchronous context of the caller; undefined if there is nothing to keep. Calls foreign code, so it is not called in a turn. */
  captureContext(): unknown {
    // What is begun there is not the caller's code.
    const who = running.pause()
    const captured = this.asyncContext.capture()
    running.resume(who)
    return captured
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

  /** The id of a durable routine that is given none; undefined where the user's generator makes ids. */
  generateLastingId(): string | undefined {
    return this.idsAreLazy ? nanoid(LASTING_ID_LENGTH) : undefined
  }

  /** Calls back once, in a turn of its own. */
  later(callback: () => void, delay: number): unknown {
    return this.clock.setTimeout(() => this.turn.run(callback, undefined), delay)
  }

  /** The same in the asynchronous context that was captured. */
  laterIn(captured: unknown, callback: () => void, delay: number): unknown {
    return this.clock.setTimeout(() => this.runIn(captured, callback), delay)
  }

  /** A turn in the asynchronous context that was captured. */
  runIn(captured: unknown, act: () => void): void {
    this.asyncContext.run(captured, runTurn, this.turn, act)
  }

  /** Lets something begin in a later microtask, after what was admitted before it. */
  begin(launch: Launch): void {
    if (this.#launches.push(launch) === 1) soon(this.#beginAll)
  }

  readonly #beginAll = (): void => {
    const launches = this.#launches
    this.#launches = []
    const { asyncContext } = this
    // Looked at each time: a body may have entered another one for good.
    for (const each of launches) {
      const own = each.subject.asyncContext
      if (asyncContext.capture() === own) launch(this, each)
      else asyncContext.run(own, launch, this, each)
    }
  }
}

function runTurn(turn: Turn, act: () => void): void {
  turn.run(act, undefined)
}

/** What comes of it is heard in its context, too. */
function launch(tree: Tree, what: Launch): void {
  const { turn } = tree
  const outer = turn.begin()
  tree.launched = what
  try {
    what.launch()
  } finally {
    if (outer) turn.end()
    tree.launched = undefined
  }
}
