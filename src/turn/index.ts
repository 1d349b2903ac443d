/** How a tree changes, one turn at a time, and what all its nodes share. */
export { abortContained, containedController, type SignalOwner } from './contained-signal.ts'
export { type Door, inspectInWords, inWords, LifecycleActor } from './lifecycle-actor.ts'
export { isThenable, type LifecycleListener, Listeners, type PhaseHold, type Unsubscribe, unsubscribe } from './lifecycle-bus.ts'
export { instead, withEffects } from './machine-logic.ts'
export { type Launch, Tree } from './tree.ts'
export type { Turn } from './turn.ts'
export { instrument } from './unseen-errors.ts'
export { WAIT_RULES, type Waiters, waitUntil } from './wait-until.ts'
