/** Suites from machines: paths that take every transition, each a test against an implementation. */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventObject } from 'xstate'
import { transition } from 'xstate'
import { CurtaincallError } from '../contract/index.ts'
import { callable, check, having, objectOfFunctions, refuse, type Rule } from '../spec/index.ts'
import { checkMachine, type Edge, type ExploreMachineOptions, MACHINE_RULES, systemOf, visit } from './explore.ts'
import { beginningOf, describeEvent, eventsToTry, UNKNOWN } from './machine-events.ts'

/** The runner's own functions: vitest's, node:test's, Jest's. */
export interface Runner {
  readonly describe: (name: string, suite: () => void) => unknown
  readonly test: (name: string, run: () => Promise<void>) => unknown
}

/** How a model meets what it is a model of. */
export interface Implementation<Subject> extends Pick<ExploreMachineOptions, 'events' | 'payloads' | 'input' | 'symmetry' | 'limit'> {
  /** Makes what is tested, anew for each path. */
  readonly create: () => Subject | PromiseLike<Subject>
  /** Does to it what an event stands for, by type; `*` for one of a type that the machine does not know, if it has transitions on `*`. */
  readonly do: Readonly<Record<string, (subject: Subject, event: EventObject, snapshot: AnyMachineSnapshot) => unknown>>
  /** Looks whether it is as the model says, by state, such as `open.locked`; `*` after every step. */
  readonly expect: Readonly<Record<string, (subject: Subject, snapshot: AnyMachineSnapshot) => unknown>>
  /** Ends what is tested. */
  readonly dispose?: (subject: Subject) => unknown
}

/** A way through a machine. */
export interface ModelPath {
  /** As a person reads it: `closed → open → locked`. */
  readonly name: string
  readonly events: readonly EventObject[]
}

/**
 * Paths that together take every transition that can be taken, also from a state to itself, each beginning anew. A path that is the
 * beginning of another one is left out.
 *
 * @throws ConfigError for a wrong option; CurtaincallError ERR_TEST if there are more states than `limit`, and for what the machine throws.
 */
export function transitionPaths(machine: AnyStateMachine, options: ExploreMachineOptions = {}): ModelPath[] {
  checkMachine('transitionPaths', machine)
  check('transitionPaths', options, MACHINE_RULES)
  const events = eventsToTry('transitionPaths', machine, options)
  const byText = new Map(events.map((event) => [describeEvent(event), event]))
  const { states, edges } = visit(systemOf(machine, events, options), options)
  const pathTo = new Map(states.map(({ key, path }) => [key, path]))
  const texts = edges.map(({ from, event }: Edge) => [...(pathTo.get(from) as readonly string[]), event])
  const prefixes = new Set(texts.flatMap((path) => path.map((_, k) => path.slice(0, k).join('\n'))))
  return texts
    .filter((path) => !prefixes.has(path.join('\n')))
    .map((path) => ({ name: path.join(' → '), events: path.map((text) => byText.get(text) as EventObject) }))
}

const { events, payloads, input, symmetry, limit } = MACHINE_RULES
const RULES = {
  events,
  payloads,
  input,
  symmetry,
  limit,
  create: callable,
  do: objectOfFunctions,
  expect: objectOfFunctions,
  dispose: callable,
} satisfies Record<keyof Implementation<unknown>, Rule>

/**
 * Makes a suite of an XState machine: for each path one test that does to the implementation what the events stand for, and
 * after each step looks whether it is as the machine says.
 *
 * @throws ConfigError for a wrong option, if `do` has nothing for an event, or if `expect` names no state, or one that there is not;
 * CurtaincallError ERR_TEST if there are more states than `limit`.
 * @example
 * describeModel({ describe, test }, doorMachine, {
 *   create: () => new Door(),
 *   do: { open: (door) => door.open(), close: (door) => door.close() },
 *   expect: { open: (door) => expect(door.isOpen).toBe(true), closed: (door) => expect(door.isOpen).toBe(false) },
 * })
 */
export function describeModel<Subject>(runner: Runner, machine: AnyStateMachine, implementation: Implementation<Subject>): void {
  checkModel(runner, machine, implementation)
  const { input, symmetry, limit } = implementation
  const events = eventsToTry('describeModel', machine, implementation)
  for (const { type } of events) {
    if (implementation.do[nameInDo(type)] === undefined) throw refuse(`describeModel do.${nameInDo(type)}`, 'a function', undefined)
  }
  runner.describe(`${machine.id}, every transition`, () => {
    for (const path of transitionPaths(machine, { events, input, symmetry, limit }))
      runner.test(path.name, () => walk(machine, path, implementation))
  })
}

/** The name in `do` for events of a type. */
function nameInDo(type: string): string {
  return type === UNKNOWN.type ? '*' : type
}

function checkModel<Subject>(runner: unknown, machine: unknown, implementation: Implementation<Subject>): void {
  const runs = having('describe', 'test')
  if (!runs.accepts(runner)) throw refuse('describeModel runner', runs.range, runner)
  checkMachine('describeModel', machine)
  check('describeModel', implementation, RULES)
  for (const name of ['create', 'do', 'expect'] as const)
    if (implementation[name] === undefined) throw refuse(`describeModel option ${name}`, RULES[name].range, undefined)
  const expected = Object.keys(implementation.expect)
  if (expected.length === 0) throw refuse('describeModel expect', 'an object with a function for some state', implementation.expect)
  const names = ['*', ...statesOf(machine.root)]
  const unknownState = expected.find((name) => !names.includes(name))
  if (unknownState !== undefined)
    throw refuse('describeModel expect', `an object with functions for states (${names.join(', ')})`, unknownState)
}

/** Names of all states below: `open`, `open.locked`. */
function statesOf(node: AnyStateNode): string[] {
  return Object.values(node.states).flatMap((state) => [state.path.join('.'), ...statesOf(state)])
}

async function walk<Subject>(
  machine: AnyStateMachine,
  { events }: ModelPath,
  { create, do: actions, expect, dispose, input }: Implementation<Subject>,
): Promise<void> {
  let snapshot = beginningOf(machine, input)
  const subject = await create()
  const checkState = async (): Promise<void> => {
    for (const name of [...namesOf(snapshot.value), '*']) await expect[name]?.(subject, snapshot)
  }
  const done: string[] = []
  try {
    await checkState()
    for (const event of events) {
      done.push(describeEvent(event))
      const before = snapshot
      snapshot = transition(machine, snapshot, event)[0] as AnyMachineSnapshot
      await actions[nameInDo(event.type)]?.(subject, event, before)
      await checkState()
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    const after = done.length === 0 ? 'at the beginning' : `after ${done.join(' → ')}`
    throw new CurtaincallError('ERR_TEST', `${after}, where the model is in ${namesOf(snapshot.value).at(-1)}: ${message}`, { cause })
  } finally {
    await dispose?.(subject)
  }
}

/** Names of all states that a value is in: `open`, `open.locked`. */
function namesOf(value: unknown, prefix = ''): string[] {
  if (typeof value === 'string') return [`${prefix}${value}`]
  return Object.entries(value as object).flatMap(([name, inner]) => [
    `${prefix}${name}`,
    ...(isEmpty(inner) ? [] : namesOf(inner, `${prefix}${name}.`)),
  ])
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && Object.keys(value as object).length === 0
}
