/** Children of a manager, as values. */
import type { AnyActorLogic } from 'xstate'
import {
  type ChildOptions,
  checkName,
  checkWork,
  compileLocalSpec,
  compileRoutineSpec,
  type LocalManagerOptions,
  type LogicArguments,
  type ManagerChild,
  type OptionsFor,
  refuse,
  type RoutineChild,
  type RoutineOptions,
  seal,
} from '../spec/index.ts'
import { upbringing } from '../supervision/index.ts'
import type { AnyWork, ArgumentsFor, InputIsMissing, RoutineContext, Whole } from './body.ts'

/**
 * A routine for the `children` of a manager, or for `startChild`: `permanent` unless said otherwise, its `id` its name.
 *
 * @throws ConfigError naming the option, the allowed range and what came.
 * @example
 * global.createApp('api', { strategy: 'rest_for_one', children: [routine('db', connect), routine('cache', warm)] })
 */
export function routine<Logic extends AnyActorLogic>(
  name: string,
  work: Logic,
  ...options: LogicArguments<Logic, ChildOptions>
): RoutineChild
export function routine<Output, Input = undefined, Message = never, Reply = never>(
  name: string,
  work: (context: RoutineContext<Input, Message, Reply>) => Whole<Output>,
  ...options: OptionsFor<NoInfer<Input>, ChildOptions> | [options: RoutineOptions<Input> & ChildOptions & { readonly input: Input }]
): RoutineChild
export function routine(name: string, work: AnyWork & InputIsMissing): RoutineChild
export function routine<Given extends AnyWork>(name: string, work: Given, ...options: ArgumentsFor<Given, ChildOptions>): RoutineChild
export function routine(name: string, work: unknown, ...[options]: unknown[]): RoutineChild {
  checkName('routine', name)
  const given = options as RoutineOptions | undefined
  const compiled = compileRoutineSpec(given as RoutineOptions<never> | undefined, name, 'permanent')
  const spec = given?.input === undefined ? compiled : { ...compiled, input: given.input }
  const { restart, significant, attempts, durable, id = name } = spec
  if (durable) throw refuse('routine option durable', 'left out for a child, which its manager begins at each start', durable, name)
  if (attempts !== undefined) throw refuse('routine option attempts', 'left out for a child, which has a restart type', attempts, name)
  return seal({ type: 'worker', id, name, restart, significant, work: checkWork(work, spec.resume, name), spec }, upbringing)
}

/**
 * A manager for the `children` of a manager, with children of its own: to any depth.
 *
 * @throws ConfigError naming the option, the allowed range and what came.
 * @example
 * const api = manager('api', { strategy: 'one_for_all', children: [routine('db', connect), manager('jobs', { maxRoutines: 8 })] })
 * await using global = createGlobalManager({ children: [api] })
 */
export function manager(name: string, options: LocalManagerOptions = {}): ManagerChild {
  checkName('manager', name)
  const { restart, significant } = compileLocalSpec(options, name)
  return seal({ type: 'supervisor', id: name, name, restart, significant, options: { ...options } }, upbringing)
}
