/** Where others can be put in the place of the platform, or look on: time, grounds, stores, asynchronous contexts, the test kit, the inspector. */
export { ambient, ASYNC_CONTEXT, type AsyncContext } from './async-context.ts'
export { type Clock, PlatformClock } from './clock.ts'
export { type Ground, groundOf, isGrounded, type Pending, type Run } from './ground.ts'
export { INTERCEPTOR, type Interceptor } from './interceptor.ts'
export { running } from './running.ts'
export { type JournalEntry, STORE, type Store } from './store.ts'
export type { Subject } from './subject.ts'
export { type MessageKind, type TrafficObserver, TrafficObservers } from './traffic-observer.ts'
