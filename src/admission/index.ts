/** Permits at every level, the queues of routines, and the waiters for room. */
export { type Capacity, CapacityWaiter, type Room } from './availability.ts'
export { Gate, grant, PermitQueue, type Queued } from './limiter.ts'
