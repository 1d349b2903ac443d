/**
 * Values of any kind, made small and safe enough to be shown.
 *
 * V1  It never throws, whatever it looks at.
 * V2  What comes of it is bounded, and so is the work: of what is long only the beginning is looked at. The names of an object
 *     the language gives only all at once; so they are asked for once, however often a wide one is shown.
 * V3  It calls no getter of an object's own: to look at a program must not change what it does.
 */

/** How much of a value is shown. */
const DEPTH = 6
const ENTRIES = 50
const LENGTH = 500
const NODES = 2_000
/** What an object with more entries than are shown costs besides them: to list the names of a hundred thousand takes its time. */
const WIDE = 150
/** To write out a longer one takes seconds. */
const LARGEST = 10n ** BigInt(LENGTH)

/** The same value as plain JSON, cut where it is deep, wide or long, and marked where it was. */
export function toWire(value: unknown): unknown {
  const budget = { left: NODES }
  return shown(value, DEPTH, new Set(), budget)
}

/** What lies inside a value, by the names that are shown for it: as little is called as for showing it. */
export function inside(value: unknown, at: readonly (string | number)[]): unknown {
  let found = value
  for (const key of at) {
    if (typeof found !== 'object' || found === null) return undefined
    found = under(found, String(key))
  }
  return found
}

function under(value: object, key: string): unknown {
  // What is in a set or a map is shown a level further down, under a line that says what it is.
  if (value instanceof Set) {
    return key === `Set of ${sizeOf(Set.prototype, value)}` ? value : first(Set.prototype.values.call(value))[Number(key)]
  }
  if (!(value instanceof Map)) return fieldOf(value, key)
  if (key === `Map of ${sizeOf(Map.prototype, value)}`) return value
  const entries = new Entries()
  for (const [name, each] of first(Map.prototype.entries.call(value))) entries.add(keyText(name), each)
  return entries.get(key)
}

/** What the type of a message is, in a line; without one that can be told, something else. Never throws: it is the user's message. */
export function typeOf(message: unknown, otherwise: string): string {
  try {
    const type = typeof message === 'object' && message !== null ? Object.getOwnPropertyDescriptor(message, 'type')?.value : undefined
    return typeof type === 'string' ? brief(type) : typeof type === 'number' ? String(type) : otherwise
  } catch {
    return otherwise
  }
}

function shown(value: unknown, depth: number, above: ReadonlySet<object>, budget: { left: number }): unknown {
  if (budget.left-- <= 0) return '… more than is shown'
  switch (typeof value) {
    case 'string':
      return brief(value)
    case 'number':
      // JSON has neither −0 nor what is no number.
      return Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    case 'bigint':
      return bigText(value)
    case 'symbol':
      return brief(value.toString())
    case 'function':
      return contained(() => `ƒ ${nameOf(value)}`, value)
    case 'undefined':
      return 'undefined'
    default:
      return value === null ? null : contained(() => object(value as object, depth, above, budget), value as object)
  }
}

function brief(text: string): string {
  return text.length > LENGTH ? `${text.slice(0, LENGTH)}… ${text.length} characters` : text
}

function bigText(value: bigint): string {
  return value > -LARGEST && value < LARGEST ? `${value}n` : `a bigint of more than ${LENGTH} digits`
}

/** What is shown of a value that throws while it is looked at. */
function contained(look: () => unknown, value: object): unknown {
  try {
    return look()
  } catch (error) {
    return `${typeNameOf(value)}, which throws when it is looked at: ${messageOf(error)}`
  }
}

function object(value: object, depth: number, above: ReadonlySet<object>, budget: { left: number }): unknown {
  if (above.has(value)) return '↑ itself'
  if (isError(value)) return errorText(value)
  if (value instanceof Date) return dateText(value)
  if (value instanceof RegExp) return brief(String(value))
  // A String object has as many entries as characters.
  // oxlint-disable-next-line unicorn/no-instanceof-builtins
  if (value instanceof String) return brief(String.prototype.valueOf.call(value))
  if (depth === 0) return `${typeNameOf(value)} …`
  const inside = new Set(above).add(value)
  const next = (each: unknown): unknown => shown(each, depth - 1, inside, budget)
  if (Array.isArray(value)) return list(value, next)
  if (ArrayBuffer.isView(value)) return `${typeNameOf(value)} of ${value.byteLength} bytes`
  // By the methods of the platform, whatever a class of the user's has made of them.
  if (value instanceof Set) {
    const size = sizeOf(Set.prototype, value)
    return { [`Set of ${size}`]: cut(first(Set.prototype.values.call(value)).map(next), size) }
  }
  if (value instanceof Map) {
    const size = sizeOf(Map.prototype, value)
    const entries = new Entries()
    for (const [key, each] of first(Map.prototype.entries.call(value))) entries.add(keyText(key), next(each))
    if (size > ENTRIES) entries.add('…', 'more entries')
    return { [`Map of ${size}`]: entries.shape() }
  }
  return fields(value, next, budget)
}

/** How far up a prototype is looked for: those of errors lie right above. */
const ABOVE = 5

/** Also one of another realm, such as a vm context: by what its prototypes are called, since to ask it for a tag may call its code. */
function isError(value: object): value is Error {
  if (value instanceof Error) return true
  if (!Object.hasOwn(value, 'stack')) return false
  let at = Object.getPrototypeOf(value) as object | null
  for (let k = 0; at !== null && k < ABOVE; k++) {
    const made = Object.getOwnPropertyDescriptor(at, 'constructor')?.value as unknown
    if (typeof made === 'function' && nameOf(made) === 'Error') return true
    at = Object.getPrototypeOf(at) as object | null
  }
  return false
}

function errorText(value: { readonly name: unknown; readonly message: unknown }): string {
  // Those of the platform, such as DOMException, have them as getters of their class; what somebody has put on one is not called.
  const [name, message] = (['name', 'message'] as const).map((key) => (Object.hasOwn(value, key) ? fieldOf(value, key) : value[key]))
  return `${brief(String(name))}: ${brief(String(message))}`
}

function dateText(value: Date): string {
  const time = Date.prototype.getTime.call(value)
  return Number.isNaN(time) ? 'Invalid Date' : new Date(time).toISOString()
}

function list(value: readonly unknown[], next: (each: unknown) => unknown): unknown[] {
  const { length } = value
  // One by one: holes are shown too, and nothing of the user's is called.
  const items = Array.from({ length: Math.min(length, ENTRIES) }, (_, k) => contained(() => next(fieldOf(value, String(k))), value))
  return cut(items, length)
}

function fields(value: object, next: (each: unknown) => unknown, budget: { left: number }): unknown {
  const entries = new Entries()
  const name = typeNameOf(value)
  if (name !== 'Object') entries.add('(type)', name)
  const names = namesOf(value)
  for (const key of names.slice(0, ENTRIES)) {
    entries.add(
      brief(key),
      contained(() => next(fieldOf(value, key)), value),
    )
  }
  if (names.length > ENTRIES) {
    entries.add('…', 'more entries')
    budget.left -= WIDE
  }
  return entries.shape()
}

/** Of wide objects, the names that are shown, and one more. */
const WIDE_ONES = new WeakMap<object, readonly string[]>()

/** As many names as are shown, and one more if there are more. */
function namesOf(value: object): readonly string[] {
  const known = WIDE_ONES.get(value)
  // As long as it has these, there is more than is shown, whatever else has changed.
  if (known?.every((key) => Object.prototype.propertyIsEnumerable.call(value, key)) === true) return known
  const names: string[] = []
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue
    names.push(key)
    if (names.length <= ENTRIES) continue
    WIDE_ONES.set(value, names)
    break
  }
  return names
}

/** A field, without calling anything for it. */
function fieldOf(value: object, key: string): unknown {
  const field = Object.getOwnPropertyDescriptor(value, key)
  return field === undefined || 'value' in field ? field?.value : '(a getter, not called)'
}

function sizeOf(prototype: object, value: object): number {
  return Reflect.get(prototype, 'size', value) as number
}

/** Names and values, in which two of one name are told apart, and none means anything to the language. */
class Entries {
  readonly #entries = new Map<string, unknown>()

  add(name: string, value: unknown): void {
    let free = name
    for (let k = 2; this.#entries.has(free); k++) free = `${name} (${k})`
    this.#entries.set(free, value)
  }

  get(name: string): unknown {
    return this.#entries.get(name)
  }

  shape(): unknown {
    return Object.fromEntries(this.#entries)
  }
}

function first<Item>(items: Iterable<Item>): Item[] {
  const some: Item[] = []
  for (const item of items) {
    if (some.length === ENTRIES) break
    some.push(item)
  }
  return some
}

function cut(shownItems: unknown[], length: number): unknown[] {
  return length > shownItems.length ? [...shownItems, `… ${length} in all`] : shownItems
}

function keyText(key: unknown): string {
  if (typeof key === 'object' && key !== null) return typeNameOf(key)
  return typeof key === 'function' ? `ƒ ${nameOf(key)}` : typeof key === 'bigint' ? bigText(key) : brief(String(key))
}

function typeNameOf(value: object): string {
  try {
    const { constructor } = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } }
    const name = constructor?.name
    return typeof name === 'string' && name !== '' ? brief(name) : 'Object'
  } catch {
    return 'Object'
  }
}

function nameOf(value: object): string {
  const name = Object.getOwnPropertyDescriptor(value, 'name')?.value as unknown
  return typeof name === 'string' && name !== '' ? brief(name) : '(anonymous)'
}

function messageOf(error: unknown): string {
  try {
    return brief(String(error instanceof Error ? error.message : error))
  } catch {
    return 'something that cannot be shown'
  }
}
