/** Work that runs elsewhere, as it is typed: by the module that holds it. */
import type { ContextOf, Envelope } from '../contract/index.ts'
import type { GroundedWork } from '../port/index.ts'

/** The context of a body that runs in a thread or a process: the same as inline, but for `local`. */
export interface WorkContext<Input = unknown, Message = never, Reply = never>
  extends Omit<ContextOf<never, Input, Message, Reply>, 'local'> {}

// oxlint-disable-next-line typescript/no-explicit-any -- whatever it takes and gives
type AnyFunction = (...given: any[]) => unknown

/** The names of the functions that a module exports. */
export type BodyNames<Module> = { [Name in keyof Module & string]: Module[Name] extends AnyFunction ? Name : never }[keyof Module & string]

type Last<Names> = (Names extends unknown ? (name: () => Names) => void : never) extends (all: infer All) => void
  ? All extends () => infer Name
    ? Name
    : never
  : never

type Listed<Names, Found extends readonly unknown[] = []> = [Names] extends [never]
  ? Found
  : Listed<Exclude<Names, Last<Names>>, readonly [Last<Names>, ...Found]>

/**
 * The name of the function at one place among those that a module exports. Of a call that names the module TypeScript infers nothing else: so
 * there is an overload for each place, and the one whose name is given is taken.
 */
export type NameAt<Module, Place extends string> =
  Listed<BodyNames<Module>> extends infer Names ? (Place extends keyof Names ? Names[Place] & BodyNames<Module> : never) : never

/** The function that stands there. */
export type BodyAt<Module, Place extends string> = NameAt<Module, Place> extends infer Name extends keyof Module ? Module[Name] : never

type ContextIn<Body> = Body extends (...given: infer Given) => unknown
  ? Given extends readonly [infer Context, ...unknown[]]
    ? Context
    : unknown
  : never

type InputIn<Context> = Context extends { readonly input: infer Input } ? Input : undefined

type MessageIn<Context> = Context extends { readonly messages: AsyncIterable<Envelope<infer Message, never>> } ? Message : never

type ReplyIn<Context> = Context extends { readonly messages: AsyncIterable<{ readonly reply: (value: infer Reply) => void }> }
  ? Reply
  : never

/**
 * Work for `spawn`, `routine` and templates that runs on a ground of its own. It is typed as the function that it stands for, and is no function:
 * it cannot be called.
 */
export type WorkOf<Body> = GroundedWork &
  (Body extends (...given: never[]) => infer Output
    ? (context: WorkContext<InputIn<ContextIn<Body>>, MessageIn<ContextIn<Body>>, ReplyIn<ContextIn<Body>>>) => Promise<Awaited<Output>>
    : never)

/** The input of a function that is a body. */
export type InputOf<Body> = InputIn<ContextIn<Body>>

/** Work of each function that a module exports, by its name. */
export type WorksOf<Module> = { readonly [Name in BodyNames<Module>]: WorkOf<Module[Name]> }
