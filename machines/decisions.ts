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
  /** Keys of the context that take a field of the event, and which. */
  readonly copies: readonly (readonly [key: string, field: string])[]
  /** Keys of the context that take a value, and which. */
  readonly sets: readonly (readonly [key: string, value: unknown])[]
}

type Fields = Readonly<Record<string, unknown>>

/** One state, and what was decided there. */
interface Place {
  /** With a context that is nobody's. */
  readonly snapshot: AnyMachineSnapshot
  readonly decisions: Map<string, Decision | undefined>
}

const isPlain = (value: unknown): boolean => value === undefined || value === null || typeof value !== 'object'

export class Decisions {
  readonly #machine: AnyStateMachine
  readonly #terms: Terms
  /** By the value that its snapshots share, which XState makes anew for each of its own. */
  readonly #places = new Map<StateValue, Place>()
  readonly #byName = new Map<string, Place>()

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
  of(snapshot: AnyMachineSnapshot, event: EventObject): Decision | undefined {
    const { decisions } = this.#placeOf(snapshot.value as StateValue)
    const key = this.#keyOf(snapshot.context as Fields, event)
    const known = decisions.get(key)
    if (known !== undefined || decisions.has(key)) return known
    if (!this.#terms.events.includes(event.type)) return undefined
    const decision = this.#ask(snapshot.value as StateValue, snapshot.context as Fields, event)
    decisions.set(key, decision)
    return decision
  }

  /** D2. */
  #keyOf(context: Fields, event: EventObject): string {
    let key = event.type
    for (const flag of this.#terms.flags) key += context[flag] === true ? '+' : '-'
    for (const word of this.#terms.words) key += ` ${String((event as unknown as Fields)[word])}`
    return key
  }

  #placeOf(value: StateValue): Place {
    return this.#places.get(value) ?? this.#find(value)
  }

  #find(value: StateValue): Place {
    const name = JSON.stringify(value)
    let place = this.#byName.get(name)
    if (place === undefined) {
      const snapshot = this.#machine.resolveState({ value, context: {} }) as AnyMachineSnapshot
      place = { snapshot, decisions: new Map() }
      this.#byName.set(name, place)
      this.#places.set(snapshot.value as StateValue, place)
    }
    return place
  }

  /** D1. Asked with values that nobody else has, so that it shows where they go. */
  #ask(value: StateValue, given: Fields, { type, ...rest }: EventObject): Decision | undefined {
    const { fields, flags, words } = this.#terms
    const blank = Object.fromEntries(Object.keys(given).map((key) => [key, flags.includes(key) ? given[key] : Symbol(key)]))
    const probe = Object.fromEntries(fields.map((field) => [field, Symbol(field)]))
    const said = Object.fromEntries(words.map((word) => [word, (rest as Fields)[word]]))
    const from = this.#machine.resolveState({ value, context: blank })
    const [next, actions] = transition(this.#machine, from, { type, ...said, ...probe })
    const context = next.context as Fields
    const written = Object.keys(context).filter((key) => context[key] !== blank[key])
    const copies = written.flatMap((key) => fields.filter((field) => probe[field] === context[key]).map((field) => [key, field] as const))
    const sets = written.filter((key) => copies.every(([copied]) => copied !== key)).map((key) => [key, context[key]] as const)
    // D3.
    if (next.status === 'error' || sets.some(([, set]) => !isPlain(set) || typeof set === 'symbol')) return undefined
    const ignored = next === from && actions.length === 0
    return {
      next: this.#placeOf(next.value as StateValue).snapshot,
      ignored,
      actions: actions.map((action) => action.type),
      copies,
      sets,
    }
  }
}

/** The snapshot that a decision leads to from this one. */
export function follow({ next, ignored, copies, sets }: Decision, from: AnyMachineSnapshot, event: EventObject): AnyMachineSnapshot {
  if (ignored) return from
  let { context } = from as { context: Fields }
  if (copies.length > 0 || sets.length > 0) {
    const written: Record<string, unknown> = { ...context }
    for (const [key, field] of copies) written[key] = (event as unknown as Fields)[field]
    for (const [key, value] of sets) written[key] = value
    context = written
  }
  return { ...next, context, children: from.children } as AnyMachineSnapshot
}
