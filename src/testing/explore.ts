/** Exploration: every state that can be reached, the shortest way to each, and whether an end can still be reached from it. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'
import { CurtaincallError } from '../contract/index.ts'
import { anything, callable, check, having, limit, objectOfFunctions, refuse, type Rule } from '../spec/index.ts'
import { beginningOf, describeEvent, EVENT_RULES, eventsToTry, mayCome, stepOf, StepThrew, type TriedEvents } from './machine-events.ts'
import { keyedBy } from './state-key.ts'

/** Anything that goes from state to state in steps that can be enumerated. */
export interface System<State> {
  readonly initial: State
  /** All that may happen in a state, also what leads back to it. */
  readonly steps: (state: State) => Iterable<readonly [event: string, next: State]>
  /** True if a state is an end: nothing has to follow. */
  readonly ended: (state: State) => boolean
  /** What tells states apart; states of one key are taken for the same, which is how symmetry is used. */
  readonly key: (state: State) => string
}

/** A state that was reached. */
export interface Reached<State> {
  readonly key: string
  readonly state: State
  /** Events of a shortest way to it: made when they are read, since all of them together grow with the square of the states. */
  readonly path: readonly string[]
}

/** The step that has first led to a state. */
interface Step {
  readonly event: string
  readonly before: Step | undefined
}

function reached<State>(key: string, state: State, step: Step | undefined): Reached<State> {
  return {
    key,
    state,
    get path() {
      const events: string[] = []
      for (let at = step; at !== undefined; at = at.before) events.push(at.event)
      return events.reverse()
    },
  }
}

/** A step that was found; one that changes nothing has the same key on both sides. */
export interface Edge {
  readonly from: string
  readonly event: string
  readonly to: string
}

/** What an exploration found. */
export interface Exploration<State> {
  readonly states: readonly Reached<State>[]
  readonly edges: readonly Edge[]
  /** States that are no end and in which nothing changes any more. */
  readonly deadlocks: readonly Reached<State>[]
  /** States from which no end can be reached. */
  readonly trapped: readonly Reached<State>[]
  readonly violations: readonly { readonly invariant: string; readonly at: Reached<State> }[]
}

/** Options of {@link explore}. */
export interface ExploreOptions<State> {
  /** What has to hold in every state. */
  readonly invariants?: Readonly<Record<string, (state: State) => boolean>> | undefined
  /** States that may be visited before it is called too many. @default 100_000 */
  readonly limit?: number | undefined
}

/** Options of {@link exploreMachine}. */
export interface ExploreMachineOptions extends ExploreOptions<AnyMachineSnapshot>, TriedEvents {
  readonly input?: unknown
  /** What is the same by symmetry: states of one text are visited once. @default value, context, status and history */
  readonly symmetry?: ((snapshot: AnyMachineSnapshot) => string) | undefined
}

/** States that are visited, unless told otherwise. */
const LIMIT = 100_000

/**
 * Visits every state of a system, breadth first.
 *
 * @throws ConfigError for a wrong option; CurtaincallError ERR_TEST if there are more states than `limit`.
 */
export function explore<State>(system: System<State>, options: ExploreOptions<State> = {}): Exploration<State> {
  const rule = having('steps', 'ended', 'key')
  if (!rule.accepts(system)) throw refuse('explore system', rule.range, system)
  check('explore', options, RULES)
  return visit(system, options)
}

/** The same, without a check of the options. */
export function visit<State>(system: System<State>, { invariants = {}, limit: most = LIMIT }: ExploreOptions<State>): Exploration<State> {
  const first = reached(system.key(system.initial), system.initial, undefined)
  const states = [first]
  /** By key, the step that has led there. */
  const found = new Map<string, Step | undefined>([[first.key, undefined]])
  const edges: Edge[] = []
  for (const at of states) {
    const { key: from } = at
    const before = found.get(from)
    for (const [event, next] of stepsOf(system, at)) {
      const to = system.key(next)
      edges.push({ from, event, to })
      if (found.has(to)) continue
      const step = { event, before }
      if (found.size === most) throw tooMany(states, reached(to, next, step), invariants)
      found.set(to, step)
      states.push(reached(to, next, step))
    }
  }
  const changing = new Set(edges.filter(({ from, to }) => from !== to).map(({ from }) => from))
  const reachEnd = backwards(
    edges,
    states.filter(({ state }) => system.ended(state)).map(({ key }) => key),
  )
  return {
    states,
    edges,
    deadlocks: states.filter(({ key, state }) => !changing.has(key) && !system.ended(state)),
    trapped: states.filter(({ key }) => !reachEnd.has(key)),
    violations: violationsAmong(states, invariants),
  }
}

/** The steps of a state; what a machine throws in one says the way there. */
function* stepsOf<State>(system: System<State>, at: Reached<State>): Iterable<readonly [event: string, next: State]> {
  try {
    yield* system.steps(at.state)
  } catch (error) {
    throw error instanceof StepThrew ? error.after(at.path) : error
  }
}

function violationsAmong<State>(
  states: readonly Reached<State>[],
  invariants: NonNullable<ExploreOptions<State>['invariants']>,
): Exploration<State>['violations'] {
  return states.flatMap((at) => Object.entries(invariants).flatMap(([invariant, holds]) => (holds(at.state) ? [] : [{ invariant, at }])))
}

/** Names the first violation so far, too: in a system without end it would never be reported otherwise. */
function tooMany<State>(
  states: readonly Reached<State>[],
  last: Reached<State>,
  invariants: NonNullable<ExploreOptions<State>['invariants']>,
): CurtaincallError {
  const [first] = violationsAmong(states, invariants)
  const wrong = first === undefined ? '' : `\nand ${first.invariant} does not hold in ${first.at.key} by ${describePath(first.at.path)}`
  return new CurtaincallError(
    'ERR_TEST',
    `more than ${states.length} states; one of the last is ${last.key} by ${describePath(last.path)}${wrong}`,
  )
}

/** So many events of a path are named from either end. */
const NAMED = 50

function describePath(path: readonly string[]): string {
  const left = path.length - 2 * NAMED
  return (left <= 0 ? path : [...path.slice(0, NAMED), `… ${left} more …`, ...path.slice(-NAMED)]).join(', ')
}

/** Keys of all states from which one of these can be reached. */
function backwards(edges: readonly Edge[], ends: readonly string[]): Set<string> {
  const into = new Map<string, string[]>()
  for (const { from, to } of edges) {
    const known = into.get(to)
    if (known === undefined) into.set(to, [from])
    else known.push(from)
  }
  const seen = new Set(ends)
  for (const key of seen) for (const from of into.get(key) ?? []) seen.add(from)
  return seen
}

const RULES = { invariants: objectOfFunctions, limit } satisfies Record<keyof ExploreOptions<unknown>, Rule>

export const MACHINE_RULES = {
  ...RULES,
  ...EVENT_RULES,
  input: anything,
  symmetry: callable,
} satisfies Record<keyof ExploreMachineOptions, Rule>

/** Throws ConfigError unless it is a machine. */
export function checkMachine(owner: string, machine: unknown): asserts machine is AnyStateMachine {
  if (typeof (machine as Partial<AnyStateMachine> | undefined)?.transition !== 'function')
    throw refuse(`${owner} machine`, 'an XState machine', machine)
}

/**
 * Visits every state of an XState machine. Delays count as steps that may happen at any time in their state, ends of actors below
 * as steps wherever those run; a transition that leads back to its state is an edge, too, and an event that takes no transition is none.
 *
 * @throws ConfigError for a wrong option, and without `symmetry` for a context that holds what can't be compared, such as functions
 * and instances of classes; CurtaincallError ERR_TEST if there are more states than `limit`, and for
 * what the machine throws, with the event, the state, and the way there.
 * @example
 * const { deadlocks, trapped, violations } = exploreMachine(doorMachine, { invariants: { 'never open and locked': ({ context }) => !(context.open && context.locked) } })
 * expect([...deadlocks, ...trapped, ...violations]).toEqual([])
 */
export function exploreMachine(machine: AnyStateMachine, options: ExploreMachineOptions = {}): Exploration<AnyMachineSnapshot> {
  checkMachine('exploreMachine', machine)
  check('exploreMachine', options, MACHINE_RULES)
  const events = eventsToTry('exploreMachine', machine, options)
  return visit(systemOf(machine, events, options), options)
}

/** A machine as a system, with the events that are tried on it. */
export function systemOf(
  machine: AnyStateMachine,
  events: readonly EventObject[],
  { input, symmetry = keyedBy('option symmetry', 'a function that says which states are the same') }: ExploreMachineOptions,
): System<AnyMachineSnapshot> {
  const eventsIn = among(events)
  return {
    initial: beginningOf(machine, input),
    *steps(state) {
      if (state.status !== 'active') return
      for (const event of eventsIn(state)) {
        if (!mayCome(event, state)) continue
        const { next, taken } = stepOf(machine, state, event)
        if (taken || symmetry(next) !== symmetry(state)) yield [describeEvent(event), next]
      }
    },
    ended: ({ status }) => status === 'done',
    key: symmetry,
  }
}

/**
 * Of these events those that may do something in a state, in their order: all of them where a node has a transition that is taken by
 * itself, whose guard may look at the event, or one on a wildcard; else those of the types that some node knows.
 */
function among(events: readonly EventObject[]): (state: AnyMachineSnapshot) => Iterable<EventObject> {
  const byType = new Map<string, { readonly at: number; readonly event: EventObject }[]>()
  events.forEach((event, at) => {
    const known = byType.get(event.type)
    if (known === undefined) byType.set(event.type, [{ at, event }])
    else known.push({ at, event })
  })
  return ({ _nodes: nodes }) => {
    const types = new Set<string>()
    for (const node of nodes) {
      if (node.always !== undefined && node.always.length > 0) return events
      for (const type of node.transitions.keys()) {
        if (type.includes('*')) return events
        types.add(type)
      }
    }
    const some = [...types].flatMap((type) => byType.get(type) ?? [])
    return some.toSorted((a, b) => a.at - b.at).map(({ event }) => event)
  }
}
