/** Keys of the states of a machine, as text: of everything that its next steps may depend on. */
import { types } from 'node:util'
import type { AnyHistoryValue, AnyMachineSnapshot } from 'xstate'
import { refuse } from '../spec/index.ts'

/** Marks what JSON has no form for; an object that has this key itself is marked, too. */
const MARK = '~'

/**
 * Makes a function that gives two snapshots of one machine the same text if they have the same value, context, status and
 * history, and otherwise not.
 *
 * @param option What an error names where a context holds what can't be compared.
 * @param remedy What it says is to be done then.
 */
export function keyedBy(option: string, remedy: string): (snapshot: AnyMachineSnapshot) => string {
  // The same snapshots are asked about again and again, and never change.
  const known = new WeakMap<AnyMachineSnapshot, string>()
  const refused: Refused = (place, what) => {
    throw refuse(option, `${remedy}, since ${place} is ${what}, of which two can't be told apart`, undefined)
  }
  return (snapshot) => {
    const key = known.get(snapshot) ?? describeState(snapshot, refused)
    known.set(snapshot, key)
    return key
  }
}

type Refused = (place: string, what: string) => never

function describeState({ value, context, status, historyValue }: AnyMachineSnapshot, refused: Refused): string {
  const history = idsOf(historyValue)
  const parts = [value, comparable(context, { place: 'context', above: [], refused }), status]
  return JSON.stringify(Object.keys(history).length === 0 ? parts : [...parts, history])
}

/** What each history state would lead back to. */
function idsOf(history: AnyHistoryValue): Record<string, readonly string[]> {
  const entries = Object.entries(history).map(([id, nodes]) => [id, nodes.map((node: { readonly id: string }) => node.id)] as const)
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

interface Place {
  /** As a person reads it: `context.cart[0]`. */
  readonly place: string
  /** What it is inside of. */
  readonly above: readonly object[]
  readonly refused: Refused
}

/** A value in a form that JSON can hold, such that no two different values have the same text. */
function comparable(value: unknown, at: Place): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : marked('number', describeNumber(value))
  if (typeof value === 'undefined') return marked('undefined')
  if (typeof value === 'bigint') return marked('bigint', String(value))
  if (typeof value === 'function') return at.refused(at.place, 'a function')
  if (typeof value === 'symbol') return marked('symbol', Symbol.keyFor(value) ?? at.refused(at.place, 'a symbol'))
  if (at.above.includes(value)) return at.refused(at.place, 'a circle')
  return structured(value, { ...at, above: [...at.above, value] })
}

function structured(value: object, at: Place): unknown {
  const inner = (each: unknown, name: string): unknown => comparable(each, { ...at, place: `${at.place}${name}` })
  const fieldsOf = (of: object): object => Object.fromEntries(Object.entries(of).map(([name, each]) => [name, inner(each, `.${name}`)]))
  if (Array.isArray(value)) return Array.from(value, (each: unknown, i) => inner(each, `[${i}]`))
  if (types.isMap(value))
    return marked(
      'Map',
      Array.from(value, ([key, of]) => [inner(key, '.keys()'), inner(of, '.values()')]),
    )
  if (types.isSet(value))
    return marked(
      'Set',
      Array.from(value, (each) => inner(each, '.values()')),
    )
  if (types.isDate(value)) return marked('Date', describeNumber(value.getTime()))
  if (types.isRegExp(value)) return marked('RegExp', [String(value), value.lastIndex])
  if (types.isTypedArray(value))
    return marked(
      nameOf(value),
      Array.from(value as Iterable<unknown>, (each) => inner(each, '[]')),
    )
  if (types.isNativeError(value)) return marked('Error', [value.name, value.message, inner(value.cause, '.cause'), fieldsOf(value)])
  // What toJSON returns is taken for all there is: actors have it, and snapshots of them.
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return marked(nameOf(value), inner((value as { toJSON: () => unknown }).toJSON(), ''))
  if (!isPlainObject(value)) return at.refused(at.place, `an instance of ${nameOf(value)}`)
  const fields = fieldsOf(value)
  return Object.hasOwn(value, MARK) ? marked('object', fields) : fields
}

function marked(kind: string, of?: unknown): object {
  return { [MARK]: kind, of }
}

function describeNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

/** An object literal, of whichever realm, or one without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function nameOf(value: object): string {
  return (value.constructor as { readonly name?: string } | undefined)?.name ?? 'an unnamed class'
}
