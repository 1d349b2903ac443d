/** Bodies and their context, as users write them: the manager in it is a local one. */
import type { AnyActorLogic } from 'xstate'
import type { BodyOf, ContextOf, Envelope, Routine, RoutineFrom } from '../contract/index.ts'
import type { LogicArguments, OptionsFor, RoutineOptions } from '../spec/index.ts'
import type { LocalManager } from './local-manager.ts'

/** The context of one incarnation. */
export interface RoutineContext<Input = unknown, Message = never, Reply = never> extends ContextOf<LocalManager, Input, Message, Reply> {}

/** Work as a function of its context. */
export type Body<Input = unknown, Output = unknown, Message = never, Reply = never> = BodyOf<LocalManager, Input, Output, Message, Reply>

/** Any function that is work, also one whose context is annotated. What messages it takes is not known: `any` is not `never`. */
// oxlint-disable-next-line typescript/no-explicit-any -- whatever its input and its replies are
export type AnyBody = (context: RoutineContext<any, never, any>) => unknown

/**
 * What a body returns, inferred whole: of a union of promises no member can be told from the others. Where it is said and not inferred, a
 * promise of it is one as well.
 */
export type Whole<Output> = Output | PromiseLike<NoInfer<Awaited<Output>>>

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

/** What several functions take, each for itself. */
type TakenByOne<Taking> = Taking extends (value: infer Value) => void ? Value : never

/** The input that all of several bodies take; where nothing is that, as of a number and a text, what one of them takes. */
export type InputFor<Bodies extends AnyBody> = [TakenByAll<TakesInput<Bodies>>] extends [never]
  ? TakenByOne<TakesInput<Bodies>>
  : TakenByAll<TakesInput<Bodies>>

/** The handle of one of several bodies: it takes the messages that all of them take. */
export type RoutineOf<Bodies extends AnyBody> = Routine<
  Awaited<ReturnType<Bodies>>,
  TakenByAll<TakesMessages<Bodies>>,
  RepliesOf<Bodies>,
  undefined
>

/** Whatever can be spawned: one of several bodies too, of a list of them or by a condition. */
export type AnyWork = AnyActorLogic | AnyBody

/** The options of a spawn of this work. `More` are those that not every routine has. Of what may be either, the input is not checked. */
export type ArgumentsFor<Given extends AnyWork, More = unknown> = [Given] extends [AnyActorLogic]
  ? LogicArguments<Given, More>
  : [Given] extends [AnyBody]
    ? OptionsFor<InputFor<Given>, More>
    : [options?: RoutineOptions & More]

/** The handle of a spawn of this work. */
export type HandleOf<Given extends AnyWork> = [Given] extends [AnyActorLogic]
  ? RoutineFrom<Given>
  : [Given] extends [AnyBody]
    ? RoutineOf<Given>
    : Routine

/** What no work is: the compiler names it where the options are left out of work that needs an input. */
export interface InputIsMissing {
  readonly 'the option input is missing': never
}
