/** Values of any kind, made small and safe enough to be shown: never throws, never runs long, never calls back twice. */

/** How much of a value is shown. */
const DEPTH = 6
const ENTRIES = 50
const LENGTH = 500
const NODES = 2_000

/** The same value as plain JSON, cut where it is deep, wide or long, and marked where it was. */
export function toWire(value: unknown): unknown {
  const budget = { left: NODES }
  return shown(value, DEPTH, new Set(), budget)
}

function shown(value: unknown, depth: number, above: ReadonlySet<object>, budget: { left: number }): unknown {
  if (budget.left-- <= 0) return '… more than is shown'
  switch (typeof value) {
    case 'string':
      return value.length > LENGTH ? `${value.slice(0, LENGTH)}… ${value.length} characters` : value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    case 'bigint':
      return `${String(value).slice(0, LENGTH)}n`
    case 'symbol':
      return value.toString()
    case 'function':
      return `ƒ ${nameOf(value)}`
    case 'undefined':
      return 'undefined'
    default:
      return value === null ? null : contained(() => object(value as object, depth, above, budget), value as object)
  }
}

/** What throws while it is looked at says so. */
function contained(look: () => unknown, value: object): unknown {
  try {
    return look()
  } catch (error) {
    return `${typeNameOf(value)}, which throws when it is looked at: ${messageOf(error)}`
  }
}

function object(value: object, depth: number, above: ReadonlySet<object>, budget: { left: number }): unknown {
  if (above.has(value)) return '↑ itself'
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (depth === 0) return `${typeNameOf(value)} …`
  const inside = new Set(above).add(value)
  const next = (each: unknown): unknown => shown(each, depth - 1, inside, budget)
  if (Array.isArray(value)) return cut(value.slice(0, ENTRIES).map(next), value.length)
  if (ArrayBuffer.isView(value)) return `${typeNameOf(value)} of ${value.byteLength} bytes`
  if (value instanceof Set) return { [`Set of ${value.size}`]: cut(first(value).map(next), value.size) }
  if (value instanceof Map) {
    const entries = first(value).map(([key, each]) => [String(contained(() => keyText(key), value)), next(each)])
    return { [`Map of ${value.size}`]: Object.fromEntries(entries) as unknown }
  }
  return fields(value, next)
}

function fields(value: object, next: (each: unknown) => unknown): unknown {
  const shape: Record<string, unknown> = {}
  const name = typeNameOf(value)
  if (name !== 'Object') shape['(type)'] = name
  let count = 0
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue
    if (++count > ENTRIES) {
      shape['…'] = 'more entries'
      break
    }
    shape[key] = contained(() => next((value as Record<string, unknown>)[key]), value)
  }
  return shape
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
  return typeof key === 'object' && key !== null ? typeNameOf(key) : String(key).slice(0, LENGTH)
}

function typeNameOf(value: object): string {
  try {
    const { constructor } = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } }
    return typeof constructor?.name === 'string' && constructor.name !== '' ? constructor.name : 'Object'
  } catch {
    return 'Object'
  }
}

function nameOf(value: unknown): string {
  const { name } = value as { name?: unknown }
  return typeof name === 'string' && name !== '' ? name : '(anonymous)'
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message.slice(0, LENGTH) : String(error).slice(0, LENGTH)
  } catch {
    return 'something that cannot be shown'
  }
}
