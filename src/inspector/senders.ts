/**
 * Whose code is running: who sends what, over whatever it awaits.
 *
 * K1  Who has sent something is known, or is said not to be known: never is it somebody else.
 * K2  What a body has begun keeps nothing of its routine but its name.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type GlobalManager, Manager } from '../manager/index.ts'
import type { Subject, TrafficObserver } from '../port/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'

/** Before, the platform watches every promise of the process as soon as one storage is used. */
const CHEAP_FROM = 24

/** Milliseconds after which it is looked again whether anybody is left of those who are not known. */
const LOOK = 1_000

/** A routine, in one of its runs, to all that follows from its body. */
class Origin implements Subject {
  readonly path: string
  readonly id: string
  readonly name: string
  readonly incarnation: number
  readonly isActor: boolean

  constructor({ path, id, name, incarnation, isActor }: Subject) {
    this.path = path
    this.id = id
    this.name = name
    this.incarnation = incarnation
    this.isActor = isActor
  }
}

export class Senders implements TrafficObserver {
  readonly #global: GlobalManager
  /** True where to know costs next to nothing: then it is known from when on the inspector was started, and else while a page is open. */
  readonly #isCheap: boolean
  #running = new AsyncLocalStorage<Origin>()
  #isOn = false
  /** Who began later is known. */
  #since = { at: 0, seq: 0 }
  /** When it was looked last for who had begun before; undefined once there is none left. */
  #looked: number | undefined
  #isAnyLeft = false

  constructor(global: GlobalManager, version = process.versions.node) {
    this.#global = global
    this.#isCheap = Number.parseInt(version, 10) >= CHEAP_FROM
    if (this.#isCheap) this.#attach()
  }

  /** A page is open. */
  begin(): void {
    if (!this.#isCheap) this.#attach()
  }

  /** None is any more. */
  end(): void {
    if (!this.#isCheap) this.close()
  }

  #attach(): void {
    if (this.#isOn) return
    this.#isOn = true
    const { tree } = this.#global
    // Of what began under an earlier one, contexts have lived on in what began when nobody was looking.
    this.#running = new AsyncLocalStorage()
    this.#since = { at: tree.clock.now(), seq: tree.bus.next() }
    this.#looked = -Infinity
    tree.addObserver(this)
  }

  close(): void {
    if (!this.#isOn) return
    this.#isOn = false
    this.#global.tree.removeObserver(this)
  }

  // --- as an observer of traffic ---------------------------------------------------------------

  spawned(): void {}

  message(): Subject | undefined {
    return this.sender()
  }

  sender(): Subject | undefined {
    return this.#running.getStore()
  }

  run(subject: Subject, work: () => void): void {
    this.#running.run(new Origin(subject), work)
  }

  // --- what is not known -----------------------------------------------------------------------

  /** True if somebody runs whose messages can't be told from those of nobody. */
  get isAnyUnknown(): boolean {
    if (this.#looked === undefined) return false
    const now = this.#global.tree.clock.now()
    if (now - this.#looked < LOOK) return this.#isAnyLeft
    this.#isAnyLeft = this.#isAnyIn(this.#global)
    this.#looked = this.#isAnyLeft ? now : undefined
    return this.#isAnyLeft
  }

  #isAnyIn(manager: Manager): boolean {
    for (const routine of manager.registry.living.values()) if (this.isUnknown(routine)) return true
    for (const below of manager.below()) if (this.#isAnyIn(below)) return true
    return false
  }

  /** True for one whose present run began before it could be known what it sends. */
  isUnknown(routine: SupervisedRoutine): boolean {
    // A queued routine has no incarnation yet, and to read `current` would make it.
    if (routine.ticket > 0) return false
    const { startedAt } = routine.current
    const { at, seq } = this.#since
    return startedAt !== undefined && (startedAt < at || (startedAt === at && routine.seq < seq))
  }
}
