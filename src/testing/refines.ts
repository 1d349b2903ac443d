/** Model against reality: whether what a trace shows is something that the machines allow. */
import { type AnyMachineSnapshot, type AnyStateMachine, type EventObject, initialTransition, transition } from 'xstate'
import { appManagerMachine, globalManagerMachine, localManagerMachine, routineMachine } from '../../machines/statecharts.ts'
import { type Finding, type Law, law } from './law.ts'
import { keyedBy } from './state-key.ts'
import type { Trace, TraceEvent } from './trace.ts'

/** What one event of a trace says about the actor that it is about. */
export interface Sight {
  /** Types of machine events, one of which has led to it. */
  readonly by: readonly string[]
  /** True if the machine may be in this state then. */
  readonly in: (snapshot: AnyMachineSnapshot) => boolean
}

/** How traces are read as runs of a machine. */
export interface Model {
  readonly name: string
  readonly machine: AnyStateMachine
  /** Types of events that may come at any time and leave no event in the trace. */
  readonly hidden: readonly string[]
  /** True if a new actor begins with this event. */
  readonly begins: (event: TraceEvent) => boolean
  /** What an event says; undefined if it says nothing about this machine. */
  readonly sees: (event: TraceEvent) => Sight | undefined
  /** The machine event of a type, where it needs more than its type. */
  readonly event?: (type: string) => readonly EventObject[]
}

const named = (name: string) => (snapshot: AnyMachineSnapshot) => snapshot.value === name
const forced = ({ context }: AnyMachineSnapshot): boolean => (context as { killed: boolean }).killed

const ROUTINE_SIGHTS: Readonly<Record<string, Sight>> = {
  'routine.started': { by: ['start'], in: ({ value }) => typeof value === 'object' },
  'routine.completed': { by: ['done'], in: named('completed') },
  'routine.failed': { by: ['fail', 'done', 'exit', 'giveUp'], in: named('failed') },
  'routine.cancelled': { by: ['cancel', 'done', 'fail', 'exit'], in: (snapshot) => snapshot.value === 'cancelled' && !forced(snapshot) },
  'routine.killed': { by: ['kill', 'giveUp'], in: (snapshot) => snapshot.value === 'cancelled' && forced(snapshot) },
}

/** Routines as machines/routine.ts has them. */
const routineModel: Model = {
  name: 'routine',
  machine: routineMachine,
  hidden: ['cancel', 'timeout'],
  begins: ({ type }) => type === 'routine.spawned' || type === 'routine.restarted',
  sees: ({ type }) => ROUTINE_SIGHTS[type],
}

const levels = { global: globalManagerMachine, app: appManagerMachine, local: localManagerMachine }
const depthOf = (path: string): number => path.split('/').length

/** Managers of one level as machines/manager.ts has them. */
function managerModel(level: keyof typeof levels, at: (depth: number) => boolean): Model {
  return {
    name: `${level} manager`,
    machine: levels[level],
    hidden: ['hurry'],
    // A life begins with its first event, whichever that is.
    begins: () => false,
    sees: ({ type, actor, phase, state, trigger }) => {
      if (!at(depthOf(actor))) return undefined
      if (type === 'manager.started' || type === 'manager.restarted') return { by: ['start'], in: named('running') }
      if (type === 'manager.stopped') {
        const gaveUp = trigger === 'limit' || trigger === 'start_failed' || trigger === 'store_failed'
        return { by: ['phaseDone'], in: ({ value, context }) => value === state && (context as { gaveUp: boolean }).gaveUp === gaveUp }
      }
      if (type !== 'manager.phase') return undefined
      const entered = ({ value }: AnyMachineSnapshot): boolean =>
        typeof value === 'object' && (value as { stopping?: string }).stopping === phase
      return { by: phase === 'closing' ? ['shutdown', 'giveUp'] : ['phaseDone'], in: entered }
    },
    event: (type) => (type === 'shutdown' ? [{ type }, { type, mode: 'immediate' } as EventObject] : [{ type }]),
  }
}

/** The machines that this library runs on. */
export const models: readonly Model[] = [
  routineModel,
  managerModel('global', (depth) => depth === 1),
  managerModel('app', (depth) => depth === 2),
  managerModel('local', (depth) => depth > 2),
]

/** The states that one actor may be in. They are few, since events without payload lead to few contexts. */
class PossibleStates {
  readonly #model: Model
  readonly #memory: Map<string, AnyMachineSnapshot[]>
  #states: AnyMachineSnapshot[]

  constructor(model: Model, memory: Map<string, AnyMachineSnapshot[]>) {
    this.#model = model
    this.#memory = memory
    this.#states = [initialTransition(model.machine, undefined)[0] as AnyMachineSnapshot]
  }

  /** True once nothing more can come of it. */
  get over(): boolean {
    return this.#states.every(({ status }) => status === 'done')
  }

  /** Keeps those that agree with what is seen. False if there are none; then all are kept, as if it had not been seen. */
  see({ by, in: holds }: Sight): boolean {
    const before = this.#closure()
    const after = before.flatMap((state) => by.flatMap((type) => this.#next(state, type))).filter((state) => holds(state))
    if (after.length > 0) this.#states = distinct(after)
    return after.length > 0
  }

  /** These, and all that hidden events lead to. */
  #closure(): AnyMachineSnapshot[] {
    const seen = new Map(this.#states.map((state) => [keyOf(state), state]))
    for (const state of seen.values()) {
      for (const type of this.#model.hidden)
        for (const next of this.#next(state, type)) if (!seen.has(keyOf(next))) seen.set(keyOf(next), next)
    }
    return [...seen.values()]
  }

  /** Where an event leads; nowhere if the machine ignores it. */
  #next(state: AnyMachineSnapshot, type: string): AnyMachineSnapshot[] {
    const key = `${keyOf(state)} ${type}`
    const known = this.#memory.get(key)
    if (known !== undefined) return known
    const events = this.#model.event?.(type) ?? [{ type }]
    const next = events
      .map((event) => transition(this.#model.machine, state, event)[0] as AnyMachineSnapshot)
      .filter((each) => each.value !== state.value || keyOf(each) !== keyOf(state))
    this.#memory.set(key, next)
    return next
  }
}

const keyOf = keyedBy('refines model', 'a model of a machine with a context of plain data')

function distinct(states: readonly AnyMachineSnapshot[]): AnyMachineSnapshot[] {
  return [...new Map(states.map((state) => [keyOf(state), state])).values()]
}

/** Transitions are the same for each trace, so they are computed once for each machine. */
const memories = new WeakMap<AnyStateMachine, Map<string, AnyMachineSnapshot[]>>()

/**
 * Holds what a run did against a machine: for each event there has to be a way that the machine allows.
 *
 * @returns What it does not allow; nothing if all is as the machine says.
 * @example
 * for (const model of models) expect([...refines(model, simulation.trace)]).toEqual([])
 */
export function* refines(model: Model, { events }: Pick<Trace, 'events'>): Iterable<Finding> {
  let memory = memories.get(model.machine)
  if (memory === undefined) memories.set(model.machine, (memory = new Map()))
  const actors = new Map<string, PossibleStates>()
  const last = new Map<string, number>()
  for (const event of events) {
    const { actor, i, type } = event
    if (model.begins(event)) actors.set(actor, new PossibleStates(model, memory))
    const sight = model.sees(event)
    if (sight === undefined) continue
    let possible = actors.get(actor)
    if (possible === undefined || (possible.over && !type.startsWith('routine.')))
      actors.set(actor, (possible = new PossibleStates(model, memory)))
    if (!possible.see(sight)) {
      const before = last.get(actor)
      yield {
        message: `the ${model.name} machine does not allow ${type}${event.phase === undefined ? '' : ` ${event.phase}`} of ${actor} here`,
        witnesses: before === undefined ? [i] : [before, i],
      }
    }
    last.set(actor, i)
  }
}

/** What the runtime did is what the machines allow. */
export const refinesMachines: Law = law('refinesMachines', function* (run) {
  for (const model of models) yield* refines(model, run)
})
