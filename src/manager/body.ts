/** Bodies and their context, as users write them: the manager in it is a local one. */
import type { BodyOf, ContextOf, Envelope, Routine } from '../contract/index.ts'
import type { LocalManager } from './local-manager.ts'

/** The context of one incarnation. */
export interface RoutineContext<Input = unknown, Message = never, Reply = never> extends ContextOf<LocalManager, Input, Message, Reply> {}

/** Work as a function of its context. */
export type Body<Input = unknown, Output = unknown, Message = never, Reply = never> = BodyOf<LocalManager, Input, Output, Message, Reply>

/** Any function that is work. */
// oxlint-disable-next-line typescript/no-explicit-any -- whatever its input and its messages are
export type AnyBody = (context: RoutineContext<any, any, any>) => unknown

type IsUnion<Type, Whole = Type> = Type extends unknown ? ([Whole] extends [Type] ? false : true) : never

/** One of several functions: of a list of them, or by a condition. Of one alone what it takes and gives is inferred part by part. */
export type OneOf<Bodies extends AnyBody> = IsUnion<Bodies> extends true ? Bodies : never

/** What all of several functions take. */
type TakenByAll<Taking> = (Taking extends unknown ? Taking : never) extends (value: infer Value) => void ? Value : never

type TakesInput<Body> = Body extends (context: infer Context) => unknown
  ? Context extends { readonly input: infer Input }
    ? (value: Input) => void
    : (value: unknown) => void
  : never

type TakesMessages<Body> = Body extends (context: infer Context) => unknown
  ? Context extends { readonly messages: AsyncIterable<Envelope<infer Message, never>> }
    ? (value: Message) => void
    : (value: never) => void
  : never

type RepliesOf<Body> = Body extends (context: infer Context) => unknown
  ? Context extends { readonly messages: AsyncIterable<{ readonly reply: (value: infer Reply) => void }> }
    ? Reply
    : never
  : never

/** The input that all of several bodies take. */
export type InputFor<Bodies extends AnyBody> = TakenByAll<TakesInput<Bodies>>

/** The handle of one of several bodies: it takes the messages that all of them take. */
export type RoutineOf<Bodies extends AnyBody> = Routine<
  Awaited<ReturnType<Bodies>>,
  TakenByAll<TakesMessages<Bodies>>,
  RepliesOf<Bodies>,
  undefined
>
