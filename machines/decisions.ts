/**
 * What a machine decides, remembered: each decision is asked of XState's own `transition()`, once.
 *
 * D1  A decision is XState's: the next state, the names of the actions in their order, and what is written into context.
 * D2  It is remembered under all that the machine's guards read: the state, the type of the event, flags in context and words of the event.
 * D3  What cannot be said of a decision in these terms is not remembered, and not guessed: whoever asks is to ask the machine.
 */
import { type AnyMachineSnapshot, type AnyStateMachine, type EventObject, type StateValue, transition } from 'xstate'

/** What of its events and its context a machine decides by, and what it writes. */
export interface Terms {
  /** The types of its events. Others are not remembered. */
  readonly events: readonly string[]
  /** The fields of events that it may copy into context. */
  readonly fields: readonly string[]
  /** What its guards read in context: booleans. */
  readonly flags: readonly string[]
  /** What its guards read in events: words, of which there are few. */
  readonly words: readonly string[]
}

/** What follows from an event in a state. */
export interface Decision {
  /** The next state, as XState has it, with a context that is nobody's. */
  readonly next: AnyMachineSnapshot
  /** True if the machine does not react. */
  readonly ignored: boolean
  /** Names of the actions, in order. */
  readonly actions: readonly string[]
  /** What is written into context. */
  readonly writes: readonly Write[]
}

/** What a key of the context becomes: a field of the event, if one is named, or a value. */
interface Write {
  readonly key: string
  readonly field: string | undefined
  readonly value: unknown
}

type Fields = Readonly<Record<string, unknown>>

/** One state, and what was decided there. */
interface Place {
  /** With a context that is nobody's. */
  readonly snapshot: AnyMachineSnapshot
  readonly decisions: Map<string, Decision>
}

const PLAIN: ReadonlySet<string> = new Set(['boolean', 'number', 'string', 'undefined'])

export class Decisions {
  readonly #machine: AnyStateMachine
  readonly #terms: Terms
  readonly #places: Place[] = []

  /** @param machine A machine without `always`, `after`, delays or invocations. */
  constructor(machine: AnyStateMachine, terms: Terms) {
    this.#machine = machine
    this.#terms = terms
  }

  /** A snapshot of the machine in this state. */
  snapshotOf(value: StateValue, context: unknown): AnyMachineSnapshot {
    return { ...this.#placeOf(value).snapshot, context, children: {} } as AnyMachineSnapshot
  }

  /** What the machine decides; undefined if that is not to be remembered. */
  of({ value, context }: AnyMachineSnapshot, event: EventObject): Decision | undefined {
    const { decisions } = this.#placeOf(value as StateValue)
    const key = this.#keyOf(context as Fields, event)
    let decision = decisions.get(key)
    if (decision === undefined && this.#terms.events.includes(event.type)) {
      decision = this.#ask(value as StateValue, context as Fields, event)
      if (decision !== undefined) decisions.set(key, decision)
    }
    return decision
  }

  /** D2. */
  #keyOf(context: Fields, event: EventObject): string {
    let key = event.type
    for (const flag of this.#terms.flags) key += context[flag] === true ? '+' : '-'
    for (const word of this.#terms.words) key += ` ${String((event as unknown as Fields)[word])}`
    return key
  }

  /** The snapshots that come of decisions share their values, which XState makes anew for each of its own. */
  #placeOf(value: StateValue): Place {
    return this.#places.find(({ snapshot }) => snapshot.value === value) ?? this.#find(value)
  }

  #find(value: StateValue): Place {
    const name = JSON.stringify(value)
    let place = this.#places.find(({ snapshot }) => JSON.stringify(snapshot.value) === name)
    if (place === undefined) {
      place = { snapshot: this.#machine.resolveState({ value, context: {} }) as AnyMachineSnapshot, decisions: new Map() }
      this.#places.push(place)
    }
    return place
  }

  /** D1. Asked with values that nobody else has, so that it shows where they go. */
  #ask(value: StateValue, given: Fields, event: EventObject): Decision | undefined {
    const { fields, flags, words } = this.#terms
    const marked = (keys: readonly string[]): Record<string, unknown> => Object.fromEntries(keys.map((key) => [key, Symbol(key)]))
    const before = marked(Object.keys(given))
    for (const flag of flags) before[flag] = given[flag]
    const probe = marked(fields)
    for (const word of words) probe[word] = (event as unknown as Fields)[word]
    const from = this.#machine.resolveState({ value, context: before })
    const [next, actions] = transition(this.#machine, from, { ...probe, type: event.type })
    const context = next.context as Fields
    const written = Object.keys(context).filter((key) => context[key] !== before[key])
    const writes = written.map((key) => ({ key, field: fields.find((field) => probe[field] === context[key]), value: context[key] }))
    // D3.
    if (next.status === 'error' || writes.some((write) => write.field === undefined && !PLAIN.has(typeof write.value))) return undefined
    return {
      next: this.#placeOf(next.value as StateValue).snapshot,
      ignored: next === from && actions.length === 0,
      actions: actions.map(({ type }) => type),
      writes,
    }
  }
}

/** The snapshot that a decision leads to from this one. */
export function follow({ next, ignored, writes }: Decision, from: AnyMachineSnapshot, event: EventObject): AnyMachineSnapshot {
  if (ignored) return from
  let { context } = from as { context: Fields }
  if (writes.length > 0) {
    const written: Record<string, unknown> = { ...context }
    for (const { key, field, value } of writes) written[key] = field === undefined ? value : (event as unknown as Fields)[field]
    context = written
  }
  return { ...next, context, children: from.children } as AnyMachineSnapshot
}
