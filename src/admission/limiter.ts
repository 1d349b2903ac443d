/**
 * Permits at every level, and the queues of the locals.
 *
 * L1  At no instant does a gate count more than its `max`; a routine counts at its local and at all above.
 * L2  A permit is given back exactly once.
 * L3  A freed permit goes to the queue whose head has waited longest, among the queues that can use it.
 * L4  A queue that waits at a gate above stands in that gate's heap. While a gate has room, its heap holds no queue that
 *     could be admitted.
 * L5  A queue that is empty stands in no heap: what has ended is not kept by what it waited for.
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
  /** Promises by which one may take a permit of this gate; see K3 in availability.ts. */
  promised = 0
  /** Those of them that were made to who waited here for a permit or else a place in the queue. */
  promisedEither = 0

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

  /** The first gate, from here upwards, that has less than `wanted` permits left for promises, `own` of those made there left out. */
  lacking(wanted: number, own: number): Gate | undefined {
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up)
      if (gate.max - gate.count - (gate.promised - own) < wanted) return gate
    return undefined
  }

  /** Promises room to a waiter, or takes the promise back. Whoever has it may take a permit, at every level. */
  promise(room: Room, by: 1 | -1): void {
    if (room === 'queue') this.promisedEither += by
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up) gate.promised += by
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

  /** Wakes the waiters here, and at each level above. */
  wakeAll(): void {
    for (let gate: Gate | undefined = this; gate !== undefined; gate = gate.up) gate.wake()
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
  /** Its place in that gate's heap, and the ticket by which it stands there. */
  heapIndex: number
  heapKey: number
  readonly isOpen: boolean
  admitHead(): void
}

/** Whose queue it is. */
interface Admitting<Member> {
  readonly admits: boolean
  /** It has its permit. */
  admit(routine: Member): void
}

/** The queue of one local: first come, first served. */
export class PermitQueue<Member extends Queued<Member>> implements AnyQueue {
  length = 0
  parkedAt: Gate | undefined
  heapIndex = -1
  heapKey = Infinity
  #head: Member | undefined
  #tail: Member | undefined
  readonly gate: Gate
  readonly #registrar: Admitting<Member>

  constructor(gate: Gate, registrar: Admitting<Member>) {
    this.gate = gate
    this.#registrar = registrar
  }

  /** False once nobody is admitted any more. */
  get isOpen(): boolean {
    return this.#registrar.admits
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
    if (this.length === 0 && this.parkedAt !== undefined) unpark(this, this.parkedAt)
    return true
  }

  admitHead(): void {
    const routine = this.#head as Member
    this.remove(routine)
    this.gate.take()
    this.#registrar.admit(routine)
  }
}

function park(queue: AnyQueue, gate: Gate): void {
  if (queue.parkedAt !== undefined) return
  queue.parkedAt = gate
  gate.blocked.push(queue)
}

function unpark(queue: AnyQueue, gate: Gate): void {
  gate.blocked.delete(queue)
  queue.parkedAt = undefined
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
    if (parked !== undefined) unpark(next, parked)
    if (!next.isOpen) {
      if (next === queue) own = false
      continue
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

/**
 * Queues by the ticket of their head. A head may leave its queue, so keys are those at the time of parking and checked when read. Each
 * queue knows its place: one that leaves from the middle is not looked for.
 */
class QueueHeap {
  readonly #items: AnyQueue[] = []

  get size(): number {
    return this.#items.length
  }

  /** The queue whose head has waited longest. */
  first(): AnyQueue | undefined {
    for (let top = this.#items[0]; top !== undefined; top = this.#items[0]) {
      if (top.heapKey === top.headTicket) return top
      this.delete(top)
      this.push(top)
    }
    return undefined
  }

  push(queue: AnyQueue): void {
    queue.heapKey = queue.headTicket
    this.#put(queue, this.#items.length)
    this.#up(queue.heapIndex)
  }

  delete({ heapIndex: index }: AnyQueue): void {
    const last = this.#items.pop()
    if (last === undefined || index === this.#items.length) return
    this.#put(last, index)
    this.#up(index)
    this.#down(index)
  }

  #put(queue: AnyQueue, index: number): void {
    this.#items[index] = queue
    queue.heapIndex = index
  }

  #key(index: number): number {
    return this.#items[index]?.heapKey ?? Infinity
  }

  #swap(a: number, b: number): void {
    const queue = this.#items[a] as AnyQueue
    this.#put(this.#items[b] as AnyQueue, a)
    this.#put(queue, b)
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
