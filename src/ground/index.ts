/** Grounds away from the event loop of their tree, whatever they are: the pool, what is said on the way, and the guest at its end. */
export { GroundLostError } from './errors.ts'
export type { Landlord, Lodge, MakeLodge } from './lodge.ts'
export { type Movable, move } from './move.ts'
export type { PoolCounts } from './pool.ts'
export { PING, PONG, POSTED, SHARED_WORDS, type ToGuest, type ToHost } from './protocol.ts'
export { answerWithin, NO_ANSWER, pause } from './patience.ts'
export type { BodyNames, WorkContext, WorkOf, WorksOf } from './typed-work.ts'
export type { WorkMaker } from './work-maker.ts'
export {
  anObject,
  type Kind,
  makePool,
  makeWork,
  makeWorks,
  type PoolOptions,
  texts,
  usualMost,
  WorkerPool,
  type WorkOptions,
} from './workshop.ts'
