/**
 * Values for the other side, errors above all. The platform's copy of an error loses its own properties where it is posted, its class where
 * it is thrown, and the message of a DOMException; it refuses to copy anything that holds a function.
 *
 * N1  An error arrives with its name, message, stack, code, own properties, cause chain and `errors`, as the built-in class that it is of; one that
 *     stands in two places is one error there, too.
 * N2  Nothing is refused: what cannot be copied is described.
 * N3  What the other side knows already, such as the reason that it gave, arrives as that very value.
 */

/** A value, or where to find it. */
type Part =
  | readonly [kind: 'value', value: unknown]
  | readonly [kind: 'error', index: number]
  | readonly [kind: 'known', token: string]
  | readonly [kind: 'object', entries: readonly (readonly [key: string, part: Part])[]]

interface EncodedError {
  readonly type: string
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly own: readonly (readonly [key: string, part: Part, enumerable: boolean])[]
  readonly cause: Part | undefined
  readonly errors: readonly Part[] | undefined
}

/** A value on its way. */
export interface Encoded {
  readonly part: Part
  /** The errors in it. */
  readonly errors: readonly EncodedError[]
}

const BUILT_IN = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
  Error,
} as const

const STANDARD = new Set(['name', 'message', 'stack', 'cause', 'errors'])

/** So many errors of one chain, or tree, are taken along. */
const MOST_ERRORS = 1_000

/** @param known Values that the other side has, and the tokens by which it knows them. */
export function encode(value: unknown, known?: ReadonlyMap<unknown, string>): Encoded {
  if (isPlain(value)) return { part: ['value', value], errors: [] }
  return new Encoder(known).encode(value)
}

/** The same of an object whose members may be errors, as the details of a log line are. */
export function encodeMembers(value: object): Encoded {
  return new Encoder(undefined).encodeMembers(value)
}

function isPlain(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
}

class Encoder {
  readonly #known: ReadonlyMap<unknown, string> | undefined
  readonly #indexes = new Map<unknown, number>()
  readonly #errors: EncodedError[] = []
  readonly #pending: Error[] = []

  constructor(known: ReadonlyMap<unknown, string> | undefined) {
    this.#known = known
  }

  encode(value: unknown): Encoded {
    return this.#finish(this.#part(value))
  }

  encodeMembers(value: object): Encoded {
    const entries: [string, Part][] = []
    for (const key of keysOf(value)) entries.push([key, this.#part(read(value, key))])
    return this.#finish(['object', entries])
  }

  /** Without recursion: a chain may be longer than a stack holds. */
  #finish(part: Part): Encoded {
    for (let at = 0; at < this.#pending.length; at++) this.#errors[at] = this.#error(this.#pending[at] as Error)
    return { part, errors: this.#errors }
  }

  #part(value: unknown): Part {
    if (isPlain(value)) return ['value', value]
    const token = this.#known?.get(value)
    if (token !== undefined) return ['known', token]
    if (isErrorLike(value)) {
      const found = this.#indexes.get(value)
      if (found !== undefined) return ['error', found]
      if (this.#pending.length >= MOST_ERRORS) return ['value', describe(value)]
      this.#indexes.set(value, this.#pending.length)
      return ['error', this.#pending.push(value) - 1]
    }
    return ['value', copyable(value)]
  }

  #error(error: Error): EncodedError {
    const own: [string, Part, boolean][] = []
    for (const key of keysOf(error)) {
      if (STANDARD.has(key)) continue
      own.push([key, this.#part(read(error, key)), Object.prototype.propertyIsEnumerable.call(error, key)])
    }
    const errors = read(error, 'errors')
    const stack = read(error, 'stack')
    return {
      type: typeOf(error),
      name: text(read(error, 'name'), 'Error'),
      message: text(read(error, 'message'), ''),
      stack: typeof stack === 'string' ? stack : undefined,
      own,
      cause: has(error, 'cause') ? this.#part(read(error, 'cause')) : undefined,
      errors: Array.isArray(errors) ? errors.map((each) => this.#part(each)) : undefined,
    }
  }
}

function isErrorLike(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object DOMException]'
  } catch {
    return false
  }
}

function typeOf(error: Error): string {
  if (typeof DOMException === 'function' && error instanceof DOMException) return 'DOMException'
  return Object.entries(BUILT_IN).find(([, type]) => error instanceof type)?.[0] ?? 'Error'
}

function keysOf(value: object): string[] {
  try {
    return Object.getOwnPropertyNames(value)
  } catch {
    return []
  }
}

function has(value: object, key: string): boolean {
  try {
    return key in value
  } catch {
    return false
  }
}

/** A getter, or a proxy, may throw. */
function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key]
  } catch (error) {
    return `[it throws when it is read: ${describe(error)}]`
  }
}

const text = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)

/** The value itself if it can be copied, else what it is in words. */
function copyable(value: unknown): unknown {
  try {
    structuredClone(value)
    return value
  } catch {
    return describe(value)
  }
}

/** What a value is, in words. Never throws. */
function describe(value: unknown): string {
  try {
    if (typeof value === 'function') return `[function ${value.name === '' ? 'without a name' : value.name}]`
    if (typeof value === 'object' && value !== null) {
      const type = (value.constructor as { name?: string } | undefined)?.name ?? 'object'
      const keys = Object.keys(value).slice(0, 20)
      return `[${type}${keys.length === 0 ? '' : ` {${keys.join(', ')}}`}]`
    }
    return String(value)
  } catch {
    return '[something that cannot be described]'
  }
}

/** @param known What stands here for the tokens that the other side has used. */
export function decode({ part, errors }: Encoded, known?: (token: string) => unknown): unknown {
  if (part[0] === 'value') return part[1]
  const made = errors.map(bare)
  const value = (of: Part): unknown => {
    if (of[0] === 'value') return of[1]
    if (of[0] === 'error') return made[of[1]]
    if (of[0] === 'object') return Object.fromEntries(of[1].map(([key, each]) => [key, value(each)]))
    return known?.(of[1])
  }
  errors.forEach(({ own, cause, errors: inner }, index) => {
    const error = made[index] as Error
    if (cause !== undefined) define(error, 'cause', value(cause))
    if (inner !== undefined) define(error, 'errors', inner.map(value))
    for (const [key, each, enumerable] of own) define(error, key, value(each), enumerable)
  })
  return value(part)
}

/** An error without what leads to others. */
function bare({ type, name, message, stack }: EncodedError): Error {
  const error = make(type, name, message)
  if (error.name !== name) define(error, 'name', name)
  define(error, 'stack', stack)
  return error
}

function make(type: string, name: string, message: string): Error {
  if (type === 'DOMException') return new DOMException(message, name)
  if (type === 'AggregateError') return new AggregateError([], message)
  const Type = (BUILT_IN as Record<string, unknown>)[type] ?? Error
  return new (Type as ErrorConstructor)(message)
}

function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true })
}
