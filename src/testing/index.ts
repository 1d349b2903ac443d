/**
 * The test kit: virtual time for whole trees.
 *
 * @module
 */
export { virtualTime, type VirtualTime, type VirtualTimeOptions } from './virtual-time.ts'
export type { PendingTimer, RunOptions, TimerKind } from './virtual-clock.ts'
