/**
 * Those who wait for room: for a permit, or for a place in the queue.
 *
 * K1  Who waits stands in one queue: that of the gate that keeps it waiting, whose next release is the first that can help it.
 * K2  As many are told as there is room for, those first who have stood there longest. Room that somebody was told of is promised:
 *     others do not hear of it until he has had his turn. Whoever spawns without asking may be faster all the same.
 */
import type { Gate } from './limiter.ts'

/** What is waited for. */
export type Room = 'permit' | 'queue'

/** Microtasks that somebody has after he was told. An async function around the wait, and one around that, take three each. */
const TURN = 8

/** A manager, to those who wait for its room. */
export interface Capacity {
  readonly gate: Gate
  readonly closed: boolean
  /** Those who wait, to be told when nothing is accepted any more. */
  readonly capacityWaiters: Set<() => void>
  /** How many more there is room for, what is promised left out. */
  roomFor(room: Room): number
  /** True if it is its own gate that keeps those waiting, whatever those above have. */
  keepsWaiting(room: Room): boolean
}

/** Who waits at one gate for one kind of room, the first come first. */
export class WaiterQueue {
  size = 0
  #first: CapacityWaiter | undefined = undefined
  #last: CapacityWaiter | undefined = undefined

  push(waiter: CapacityWaiter): void {
    waiter.queue = this
    waiter.previous = this.#last
    if (this.#last === undefined) this.#first = waiter
    else this.#last.next = waiter
    this.#last = waiter
    this.size++
  }

  remove(waiter: CapacityWaiter): void {
    const { previous, next } = waiter
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    waiter.queue = undefined
    waiter.previous = undefined
    waiter.next = undefined
    this.size--
  }

  /** There may be room. */
  wake(): void {
    for (let first = this.#first; first !== undefined; first = this.#first) {
      first.look()
      if (first.queue !== this) continue
      const queue = first.due()
      // Those behind it wait for the same.
      if (queue === this) return
      this.remove(first)
      queue.push(first)
    }
  }
}

/** One wait; also the room of {@link waitUntil} that it stands in. */
export class CapacityWaiter {
  queue: WaiterQueue | undefined = undefined
  previous: CapacityWaiter | undefined = undefined
  next: CapacityWaiter | undefined = undefined
  look: () => void = () => undefined
  readonly #capacity: Capacity
  readonly #room: Room

  constructor(capacity: Capacity, room: Room) {
    this.#capacity = capacity
    this.#room = room
  }

  /** True if there is room, which is promised then, or will be none. */
  readonly ready = (): boolean => {
    if (this.#capacity.closed) return true
    if (this.#capacity.roomFor(this.#room) <= 0) return false
    this.#promise()
    return true
  }

  /** Begins to wait. */
  add(look: () => void): void {
    this.look = look
    this.#capacity.capacityWaiters.add(look)
    this.due().push(this)
  }

  /** It waits no more. */
  delete(look: () => void): void {
    this.#capacity.capacityWaiters.delete(look)
    this.queue?.remove(this)
  }

  /** The queue that it has to stand in. */
  due(): WaiterQueue {
    const { gate } = this.#capacity
    const at = this.#capacity.keepsWaiting(this.#room) ? gate : (gate.spoken() ?? gate)
    return at.waitersFor(this.#room)
  }

  #promise(): void {
    const room = this.#room
    const { gate } = this.#capacity
    gate.promise(room, 1)
    afterTurns(TURN, () => {
      gate.promise(room, -1)
      gate.wakeAll()
    })
  }
}

function afterTurns(turns: number, act: () => void): void {
  queueMicrotask(turns === 1 ? act : () => afterTurns(turns - 1, act))
}
