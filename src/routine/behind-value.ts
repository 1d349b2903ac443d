/** Whose a value is that was found in code that is running: what a body has of its run, and what runs it. */
import { Messages } from '../message/index.ts'
import { ownerOfSignal } from '../turn/index.ts'
import { BodyContext } from './body-context.ts'
import { Incarnation } from './incarnation.ts'
import { WorkActor } from './work-actor.ts'

/** The run that a value belongs to: a context, its signal, its messages, an actor that is the work, the run itself. */
export function runBehind(value: unknown): Incarnation | undefined {
  const run =
    value instanceof WorkActor
      ? value.run
      : value instanceof Messages
        ? value.receiver
        : value instanceof AbortSignal
          ? ownerOfSignal(value)
          : (BodyContext.runOf(value) ?? value)
  return run instanceof Incarnation ? run : undefined
}
