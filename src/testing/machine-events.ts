/** The events that are tried on a machine: which there are, what they carry, in which states they may come. */
import { inspect } from 'node:util'
import { type AnyMachineSnapshot, type AnyStateMachine, type EventObject, initialTransition, transition } from 'xstate'
import { CurtaincallError } from '../contract/index.ts'
import { isObject, refuse, type Rule } from '../spec/index.ts'

/** What an event carries besides its type; several, if it is to be tried with each. */
export type Payload = Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[]

/** Which events are tried. */
export interface TriedEvents {
  /**
   * Events to try in every state.
   *
   * @default each of the machine's types, without payload; for transitions on `*` one of a type that it does not know
   */
  readonly events?: readonly EventObject[] | undefined
  /**
   * By type, what events of it carry: the others are tried as ever. Several in an array are tried one after the other.
   *
   * @default nothing
   */
  readonly payloads?: Readonly<Record<string, Payload>> | undefined
}

export const EVENT_RULES = {
  events: {
    range: 'an array of events',
    accepts: (value) => Array.isArray(value) && value.every((event) => typeof event?.type === 'string'),
  },
  payloads: {
    range: 'an object with an object, or an array of them, for each type of event',
    accepts: (value) =>
      isObject(value) &&
      Object.values(value).every((each) => (Array.isArray(each) ? each.length > 0 && each.every(isObject) : isObject(each))),
  },
} satisfies Record<keyof TriedEvents, Rule>

/** An event of a type that no machine knows, for transitions on `*`. */
export const UNKNOWN: EventObject = { type: 'an event of an unknown type' }

/** An event as a person reads it. */
export function describeEvent({ type, ...payload }: EventObject): string {
  return Object.keys(payload).length === 0 ? type : `${type} ${describePayload(payload)}`
}

function describePayload(payload: object): string {
  try {
    return JSON.stringify(payload)
  } catch {
    return inspect(payload, { breakLength: Infinity })
  }
}

/**
 * The events to try on a machine.
 *
 * @throws ConfigError for a payload of a type that is not tried.
 */
export function eventsToTry(
  owner: string,
  machine: AnyStateMachine,
  { events = eventsOf(machine), payloads = {} }: TriedEvents,
): readonly EventObject[] {
  const types = new Set(events.map(({ type }) => type))
  const stray = Object.keys(payloads).find((type) => !types.has(type))
  if (stray !== undefined) throw refuse(`${owner} option payloads`, `an object with types of events (${[...types].join(', ')})`, stray)
  return events.flatMap((event) => (Object.hasOwn(payloads, event.type) ? withPayloads(event, payloads[event.type] as Payload) : [event]))
}

function withPayloads(event: EventObject, payload: Payload): EventObject[] {
  return [payload].flat().map((each) => ({ ...event, ...each, type: event.type }))
}

/** An event of each type that the machine knows, but for those that it raises itself when an inner state has ended. */
function eventsOf(machine: AnyStateMachine): EventObject[] {
  return machine.events.filter((type) => !type.startsWith('xstate.done.state.')).map((type) => (type === '*' ? UNKNOWN : { type }))
}

/** What comes of an actor below. */
const OF_ACTOR = /^xstate\.(?:done\.actor|error\.actor|snapshot)\.(?<id>.+)$/s

/**
 * False for an event that nobody can send in this state: the end of an actor that does not run in it, and a delay of a state that it is
 * not in. XState answers the error of an actor that it does not know with an error of the machine, and a transition on `*` takes any.
 */
export function mayCome({ type }: EventObject, { children, _nodes }: AnyMachineSnapshot): boolean {
  if (!type.startsWith('xstate.')) return true
  const id = OF_ACTOR.exec(type)?.groups?.['id']
  if (id !== undefined) return id === '*' ? Object.keys(children).length > 0 : Object.hasOwn(children, id)
  if (type.startsWith('xstate.after.')) return _nodes.some(({ after }) => after.some(({ eventType }) => eventType === type))
  return true
}

/**
 * The state that a machine begins in.
 *
 * @throws CurtaincallError ERR_TEST if its context, or what it does first, throws: XState makes a state of that.
 */
export function beginningOf(machine: AnyStateMachine, input: unknown): AnyMachineSnapshot {
  const [initial] = initialTransition(machine, input as never) as unknown as [AnyMachineSnapshot]
  if (initial.status !== 'error') return initial
  const given = input === undefined ? ', without input' : ''
  throw new CurtaincallError('ERR_TEST', `${machine.id} does not begin${given}: ${said(initial.error)}`, { cause: initial.error })
}

/** What a machine threw in a step. */
export class StepThrew extends Error {
  readonly #event: EventObject
  readonly #state: AnyMachineSnapshot

  constructor(event: EventObject, state: AnyMachineSnapshot, cause: unknown) {
    super('a step threw', { cause })
    this.#event = event
    this.#state = state
  }

  /** The same as an error for people, who have to know the way there. */
  after(path: readonly string[]): CurtaincallError {
    const way = path.length === 0 ? 'at the beginning' : `after ${path.join(' → ')}`
    const state = JSON.stringify(this.#state.value)
    const bare = Object.keys(this.#event).length === 1 && !this.#event.type.startsWith('xstate.after.')
    const hint = bare ? '; it was tried without payload: option payloads gives it one' : ''
    return new CurtaincallError('ERR_TEST', `${describeEvent(this.#event)} throws in ${state}, ${way}: ${said(this.cause)}${hint}`, {
      cause: this.cause,
    })
  }
}

/** What an event leads to, and whether it takes a transition that does anything: `ping: {}` only says that it is ignored. */
export function stepOf(
  machine: AnyStateMachine,
  state: AnyMachineSnapshot,
  event: EventObject,
): { readonly next: AnyMachineSnapshot; readonly taken: boolean } {
  try {
    const next = transition(machine, state, event)[0] as AnyMachineSnapshot
    const taken = machine
      .getTransitionData(state, event)
      .some(({ target, actions, reenter }) => target !== undefined || actions.length > 0 || reenter)
    return { next, taken }
  } catch (error) {
    throw new StepThrew(event, state, error)
  }
}

function said(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
