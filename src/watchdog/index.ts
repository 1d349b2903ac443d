/**
 * A watchdog of the event loop: a thread of its own that sees when the main thread is blocked, by whom, and since when.
 *
 * The main thread writes a number into shared memory as often as its event loop turns, five times in a `threshold`. A thread
 * looks at it (thread.ts), and asks a main thread that stands still what it is at (interrogation.ts); what it finds on the stack
 * tells whose code it is (witness.ts). The event is told by the main thread, as soon as it turns again (watchdog.ts). What is decided
 * meanwhile stands in machines/watchdog.ts.
 *
 * @module
 */
export { startWatchdog, type Watchdog, type WatchdogOptions } from './watchdog.ts'
