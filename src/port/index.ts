/** Where others can be put in the place of the platform, or look on: time, grounds, stores, asynchronous contexts, the test kit, the inspector. */
export { ASYNC_CONTEXT, type AsyncContext } from './async-context.ts'
export { type Clock, PlatformClock } from './clock.ts'
export { type Ground, GROUND, groundOf, type GroundedWork, isGrounded, type Pending, type Run, type Standing } from './ground.ts'
export {
  type AttachDurability,
  type Commission,
  type Durability,
  DURABILITY,
  type StorePolicy,
  type StoreState,
} from './durability.ts'
export { INTERCEPTOR, type Interceptor } from './interceptor.ts'
export type { DurableStore, Journal, StoredDelay, StoredEntry, StoredOutcome, StoredRoutine, StoreHost } from './journal.ts'
export { platformContext } from './platform-context.ts'
export { TIMEKEEPER } from './platform-time.ts'
export { type Round, type Watched } from './rounds.ts'
export { running } from './running.ts'
export { soon } from './soon.ts'
export type { Subject } from './subject.ts'
export { type MessageKind, type TrafficObserver, TrafficObservers } from './traffic-observer.ts'
