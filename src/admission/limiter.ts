/**
 * Permits at every level, and the queues of the locals.
 *
 * L1  At no instant does a gate count more than its `max`; a routine counts at its local and at all above.
 * L2  A permit is given back exactly once.
 * L3  A freed permit goes to the queue whose head has waited longest, among the queues that can use it.
 * L4  A queue that waits at a gate above stands in that gate's heap. While a gate has room, its heap holds no queue that
 *     could be admitted.
 */

import { type Room, WaiterQueue } from './availability.ts'

/** A routine in a queue. */
export interface Queued<Self> {
  ticket: number
  previousQueued: Self | undefined
  nextQueued: Self | undefined
}

/** The permits of one manager. */
export class Gate {
  count = 0
  readonly max: number
  readonly up: Gate | undefined
  /** Queues that wait for a permit of this gate, a binary heap by ticket. */
  readonly blocked: QueueHeap = new QueueHeap()
  /** Waiters for a permit of this gate. */
  readonly permitWaiters = new WaiterQueue()
  /** Waiters for a place in the queue of this manager. */
  readonly placeWaiters = new WaiterQueue()
  /** Permits that were promised to waiters; see K2 in availability.ts. */
  promisedPermits = 0
  /** Places in the queue that were promised to waiters. */
  promisedPlaces = 0

  constructor(max: number, up: Gate | undefined) {
    this.max = max
    this.up = up
  }

  /** Permits that are free here and at all levels above. */
  get available(): number {
    let free = Infinity
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up) free = Math.min(free, gate.max - gate.count)
    return free
  }

  /** The first gate without room, from here upwards. */
  full(): Gate | undefined {
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up) if (gate.count >= gate.max) return gate
    return undefined
  }

  /** True if a queue or a waiter waits for a permit of this gate. */
  get isAwaited(): boolean {
    return this.blocked.size > 0 || this.permitWaiters.size > 0 || this.placeWaiters.size > 0
  }

  /** Permits that are free here and at all levels above, and not promised to a waiter. */
  get unpromised(): number {
    let free = Infinity
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up)
      free = Math.min(free, gate.max - gate.count - gate.promisedPermits)
    return free
  }

  /** The first gate of which each permit is taken or promised, from here upwards. */
  exhausted(): Gate | undefined {
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up)
      if (gate.count + gate.promisedPermits >= gate.max) return gate
    return undefined
  }

  /** Promises room to a waiter, or takes the promise back. A permit is promised at every level, a place in the queue at this one. */
  promise(room: Room, by: 1 | -1): void {
    if (room === 'queue') this.promisedPlaces += by
    else for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up) gate.promisedPermits += by
  }

  /** The waiters here for one kind of room. */
  waitersFor(room: Room): WaiterQueue {
    return room === 'queue' ? this.placeWaiters : this.permitWaiters
  }

  /** Wakes the waiters here. */
  wake(): void {
    this.permitWaiters.wake()
    this.placeWaiters.wake()
  }

  /** Wakes the waiters here, and at each level above that has room. */
  wakeAll(): void {
    this.wake()
    for (let gate = this.up; gate !== undefined; gate = gate.up) if (gate.count < gate.max) gate.wake()
  }

  take(): void {
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up) gate.count++
  }

  give(): void {
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up) gate.count--
  }
}

interface AnyQueue {
  readonly gate: Gate
  readonly length: number
  readonly headTicket: number
  parkedAt: Gate | undefined
  admitHead(): void
}

/** The queue of one local: first come, first served. */
export class PermitQueue<Member extends Queued<Member>> implements AnyQueue {
  length = 0
  parkedAt: Gate | undefined
  #head: Member | undefined
  #tail: Member | undefined
  readonly gate: Gate
  readonly #admit: (routine: Member) => void

  constructor(gate: Gate, admit: (routine: Member) => void) {
    this.gate = gate
    this.#admit = admit
  }

  get headTicket(): number {
    return this.#head?.ticket ?? Infinity
  }

  /** Joins at the end. */
  push(routine: Member, ticket: number): void {
    routine.ticket = ticket
    routine.previousQueued = this.#tail
    if (this.#tail === undefined) this.#head = routine
    else this.#tail.nextQueued = routine
    this.#tail = routine
    this.length++
    const full = this.gate.full()
    if (full !== undefined && full !== this.gate) park(this, full)
  }

  /** Leaves, from wherever it stands. False if it stands in no queue. */
  remove(routine: Member): boolean {
    if (routine.ticket === 0) return false
    if (routine.previousQueued === undefined) this.#head = routine.nextQueued
    else routine.previousQueued.nextQueued = routine.nextQueued
    if (routine.nextQueued === undefined) this.#tail = routine.previousQueued
    else routine.nextQueued.previousQueued = routine.previousQueued
    routine.previousQueued = undefined
    routine.nextQueued = undefined
    routine.ticket = 0
    this.length--
    return true
  }

  admitHead(): void {
    const routine = this.#head as Member
    this.remove(routine)
    this.gate.take()
    this.#admit(routine)
  }

  /** The queue is gone for good: it leaves the heap of its gate. */
  leave(): void {
    this.parkedAt?.blocked.delete(this)
    this.parkedAt = undefined
  }
}

function park(queue: AnyQueue, gate: Gate): void {
  if (queue.parkedAt !== undefined) return
  queue.parkedAt = gate
  gate.blocked.push(queue)
}

/** After a permit of this queue's gate was given back: admits the routine that has waited longest, at any level. */
export function grant(queue: AnyQueue): void {
  let awaited = queue.length > 0
  for (let gate: Gate | undefined = queue.gate; gate !== undefined && !awaited; gate = gate.up) awaited = gate.isAwaited
  if (awaited) grantFor(queue)
}

function grantFor(queue: AnyQueue): void {
  let own = queue.parkedAt === undefined && queue.length > 0
  for (;;) {
    const next = oldest(queue, own)
    if (next === undefined) break
    const parked = next.parkedAt
    if (parked !== undefined) {
      parked.blocked.delete(next)
      next.parkedAt = undefined
    }
    const full = next.gate.full()
    if (full === undefined) {
      next.admitHead()
      // There is a place in that queue again, though its gate may be as full as before.
      if (next !== queue) next.gate.wake()
      if (next !== queue && next.length > 0 && parked !== undefined) park(next, parked)
      else own = queue.parkedAt === undefined && queue.length > 0
    } else {
      // Full at its own gate: that gate's next release comes here again. Full above: it waits there.
      if (full !== next.gate) park(next, full)
      if (next === queue) own = false
    }
  }
  queue.gate.wakeAll()
}

function oldest(queue: AnyQueue, own: boolean): AnyQueue | undefined {
  let best: AnyQueue | undefined = own && queue.length > 0 ? queue : undefined
  for (let gate: Gate | undefined = queue.gate; gate !== undefined; gate = gate.up) {
    if (gate.count >= gate.max) continue
    const first = gate.blocked.first()
    if (first !== undefined && (best === undefined || first.headTicket < best.headTicket)) best = first
  }
  return best
}

/** Queues by the ticket of their head. A head may leave its queue, so keys are those at the time of parking and checked when read. */
class QueueHeap {
  readonly #items: { queue: AnyQueue; key: number }[] = []

  get size(): number {
    return this.#items.length
  }

  /** The queue whose head has waited longest; queues that have emptied are dropped on the way. */
  first(): AnyQueue | undefined {
    for (let top = this.#items[0]; top !== undefined; top = this.#items[0]) {
      if (top.queue.length > 0 && top.key === top.queue.headTicket) return top.queue
      this.#removeAt(0)
      if (top.queue.length > 0) this.push(top.queue)
      else top.queue.parkedAt = undefined
    }
    return undefined
  }

  push(queue: AnyQueue): void {
    this.#items.push({ queue, key: queue.headTicket })
    this.#up(this.#items.length - 1)
  }

  delete(queue: AnyQueue): void {
    // It is the first item, except in the rare case of a queue that goes away while it waits.
    const index = this.#items[0]?.queue === queue ? 0 : this.#items.findIndex((item) => item.queue === queue)
    if (index >= 0) this.#removeAt(index)
  }

  #removeAt(index: number): void {
    const last = this.#items.pop()
    if (last === undefined || index === this.#items.length) return
    this.#items[index] = last
    this.#up(index)
    this.#down(index)
  }

  #key(index: number): number {
    return this.#items[index]?.key ?? Infinity
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a] as { queue: AnyQueue; key: number }
    this.#items[a] = this.#items[b] as { queue: AnyQueue; key: number }
    this.#items[b] = item
  }

  #up(index: number): void {
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1
      if (this.#key(parent) <= this.#key(at)) return
      this.#swap(parent, at)
      at = parent
    }
  }

  #down(index: number): void {
    for (let at = index; ; ) {
      const left = at * 2 + 1
      const least = this.#key(left + 1) < this.#key(left) ? left + 1 : left
      if (this.#key(least) >= this.#key(at)) return
      this.#swap(least, at)
      at = least
    }
  }
}
