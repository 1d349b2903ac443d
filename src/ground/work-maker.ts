/** How work of one kind of ground is made, as it is typed. */
import type { BodyAt, BodyNames, InputOf, NameAt, WorkOf } from './typed-work.ts'
import type { WorkOptions } from './workshop.ts'

type Given<Input, Own, Lacking extends PropertyKey> = Omit<WorkOptions<Input>, Lacking> & Own

type At<Place extends string, Own, Lacking extends PropertyKey> = <Module extends object>(
  url: URL | string,
  name: NameAt<Module, Place>,
  options?: Given<InputOf<BodyAt<Module, Place>>, Own, Lacking>,
) => WorkOf<BodyAt<Module, Place>>

type Named<Own, Lacking extends PropertyKey> = <Module extends object, Name extends BodyNames<Module> = BodyNames<Module>>(
  url: URL | string,
  name: Name,
  options?: Given<InputOf<Module[Name]>, Own, Lacking>,
) => WorkOf<Module[Name]>

/**
 * One call signature for each place of a function in its module, up to eight, and one that is given the name as a type. `Own` are the options of
 * that kind alone, `Lacking` those of others that it has not.
 */
export type WorkMaker<Own extends object, Lacking extends PropertyKey = never> = At<'0', Own, Lacking> &
  At<'1', Own, Lacking> &
  At<'2', Own, Lacking> &
  At<'3', Own, Lacking> &
  At<'4', Own, Lacking> &
  At<'5', Own, Lacking> &
  At<'6', Own, Lacking> &
  At<'7', Own, Lacking> &
  Named<Own, Lacking>
