/** How a tree changes, one turn at a time, and what all its nodes share. */
export { abortContained, containedController, type SignalOwner } from './contained-signal.ts'
export { type Door, inspectInWords, inWords, LifecycleActor } from './lifecycle-actor.ts'
export { type LifecycleListener, Listeners, type Unsubscribe, unsubscribe } from './lifecycle-bus.ts'
export { instead, withEffects } from './machine-logic.ts'
export { isThenable } from './thenable.ts'
export { type Launch, Tree } from './tree.ts'
export type { Turn } from './turn.ts'
export { WAIT_RULES, waitUntil } from './wait-until.ts'
