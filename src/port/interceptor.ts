/** The port through which the test kit gets between a tree and its work. Nothing else uses it. */
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import type { Subject } from './subject.ts'
import type { AnyBody } from '../contract/index.ts'

export interface Interceptor {
  /** Hears everything, from the first event on. */
  event(event: LifecycleEvent): void
  /** Runs before the `start` of a routine; a throw is a failed start. */
  start(subject: Subject, context: object): void
  /** Runs the beginning of an incarnation's work. */
  begin(subject: Subject, run: () => void): void
  /** What is run in the place of a body. */
  body(subject: Subject, body: AnyBody): AnyBody
}

/** The key of the option that takes it. */
export const INTERCEPTOR: unique symbol = Symbol('curtaincall.interceptor')
