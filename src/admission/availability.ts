/**
 * Waiters for room: for a permit, or for a place in the queue.
 *
 * K1  A waiter stands in one queue: that of the gate that keeps it waiting. The next release there is the first that can help it.
 * K2  As many waiters are woken as there is room for, the longest waiting first. Room that a waiter was woken for is promised: it is
 *     not offered to others until that waiter could act. A spawn that does not wait may still take it first.
 * K3  A promise is kept whichever of those who have one act first. Who was promised a place in the queue takes a permit if he finds one,
 *     so each promise counts as a permit, at every level; and where permits are free, room in the queue is promised only as far as
 *     those that such spawns will take were promised to nobody else.
 */
import { soon } from '../port/index.ts'
import type { Gate } from './limiter.ts'

/** The kind of room that is waited for: a permit; or whatever a spawn can do with, a permit or else a place in the queue. */
export type Room = 'permit' | 'queue'

/** Microtasks that a waiter has to act after it was woken. An async function around the wait, and one around that, take three each. */
const MICROTASKS_TO_ACT = 8

/** A manager, as its waiters see it. */
export interface Capacity {
  readonly gate: Gate
  readonly closed: boolean
  /** All waiters, to be called when nothing is accepted any more. */
  readonly capacityWaiters: Set<() => void>
  /** How many are queued here. */
  readonly queued: number
  /** How many may be; 0 if there is no queue. */
  readonly maxQueue: number
}

/** The gate that has no room of this kind for one more; undefined if there is room. */
function lacking({ gate, queued, maxQueue }: Capacity, room: Room): Gate | undefined {
  if (room === 'permit') return queued > 0 ? gate : gate.lacking(1, 0)
  const promised = gate.promisedEither + 1
  const free = queued > 0 ? 0 : gate.available
  // Beyond the permits that they will find, they need places.
  if (promised - free > maxQueue - queued) return maxQueue > 0 ? gate : (gate.lacking(1, 0) ?? gate)
  return free > 0 ? gate.lacking(Math.min(promised, free), gate.promisedEither) : undefined
}

/** The waiters at one gate for one kind of room, first come, first served. */
export class WaiterQueue {
  size = 0
  #first: CapacityWaiter | undefined
  #last: CapacityWaiter | undefined

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

  /** There may be room: wakes waiters, the longest waiting first, and moves on those that another gate keeps waiting. */
  wake(): void {
    for (let first = this.#first; first !== undefined; first = this.#first) {
      first.look()
      if (first.queue !== this) continue
      const queue = first.due()
      // It still waits here, and those behind it wait for the same.
      if (queue === this) return
      this.remove(first)
      queue.push(first)
    }
  }
}

/** One wait for room; also the set of waiters that `waitUntil` adds itself to. */
export class CapacityWaiter {
  queue: WaiterQueue | undefined
  previous: CapacityWaiter | undefined
  next: CapacityWaiter | undefined
  /** Checks whether it may stop waiting. */
  look: () => void = () => undefined
  readonly #capacity: Capacity
  readonly #room: Room

  constructor(capacity: Capacity, room: Room) {
    this.#capacity = capacity
    this.#room = room
  }

  /** True if there is room, which is then promised, or if nothing is accepted any more. */
  readonly ready = (): boolean => {
    if (this.#capacity.closed) return true
    if (lacking(this.#capacity, this.#room) !== undefined) return false
    this.#promise()
    return true
  }

  /** Begins to wait. */
  add(look: () => void): void {
    this.look = look
    this.#capacity.capacityWaiters.add(look)
    this.due().push(this)
  }

  /** Stops waiting. */
  delete(look: () => void): void {
    this.#capacity.capacityWaiters.delete(look)
    this.queue?.remove(this)
  }

  /** The queue that it has to stand in: see K1. */
  due(): WaiterQueue {
    const at = lacking(this.#capacity, this.#room) ?? this.#capacity.gate
    return at.waitersFor(this.#room)
  }

  #promise(): void {
    const room = this.#room
    const { gate } = this.#capacity
    gate.promise(room, 1)
    afterMicrotasks(MICROTASKS_TO_ACT, () => {
      gate.promise(room, -1)
      gate.wakeAll()
    })
  }
}

function afterMicrotasks(count: number, act: () => void): void {
  soon(count === 1 ? act : () => afterMicrotasks(count - 1, act))
}
