/**
 * For modules of work, which each thread and process loads for itself: it brings nothing else along.
 *
 * @module
 */
export { type Movable, move } from '../ground/move.ts'
export type { WorkContext } from '../ground/typed-work.ts'
