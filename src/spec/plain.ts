/**
 * What can be written down: values that JSON gives back as they were.
 *
 * PC1  A copy equals what JSON makes of it and back, and shares nothing with it. What JSON would change in silence is refused: a Date, an
 *     instance of a class, NaN, -0, `undefined` in an array, a key that is a symbol, a `toJSON`.
 * PC2  A key whose value is `undefined` is left out, as by JSON: for most code that is the same.
 * PC3  A refusal names the place: `input.customer.since`.
 */
import { ConfigError } from '../contract/index.ts'
import { show } from './check.ts'

/** What JSON can hold. Where nothing is there, it says why. */
class Copier {
  readonly #root: string
  readonly #path: string
  readonly #keys: (string | number)[] = []
  readonly #above: object[] = []

  constructor(root: string, path: string) {
    this.#root = root
    this.#path = path
  }

  copy(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        if (!Number.isFinite(value) || Object.is(value, -0)) throw this.#refusal(Object.is(value, -0) ? '-0' : show(value))
        return value
      case 'object':
        return value === null ? null : this.#object(value)
      default:
        throw this.#refusal(show(value))
    }
  }

  #object(value: object): unknown {
    if (this.#above.includes(value)) throw this.#refusal('a circle')
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') throw this.#refusal(`${nameOf(value)}, which has a toJSON`)
    this.#above.push(value)
    const copy = Array.isArray(value) ? this.#array(value) : this.#record(value)
    this.#above.pop()
    return copy
  }

  #array(value: readonly unknown[]): unknown[] {
    // That of any realm is an array itself; that of a subclass is none.
    if (!Array.isArray(Object.getPrototypeOf(value))) throw this.#refusal(nameOf(value))
    const { length } = value
    if (Object.keys(value).length > length) throw this.#refusal('an array with keys of its own')
    const copy: unknown[] = Array.from({ length })
    for (let i = 0; i < length; i++) {
      this.#keys.push(i)
      copy[i] = this.copy(value[i])
      this.#keys.pop()
    }
    return copy
  }

  #record(value: object): object {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && prototype !== Object.prototype && !isForeignPlain(prototype as object)) throw this.#refusal(nameOf(value))
    if (Object.getOwnPropertySymbols(value).length > 0) throw this.#refusal('an object with a symbol for a key')
    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(value)) {
      this.#keys.push(key)
      const each = (value as Record<string, unknown>)[key]
      const kept = each === undefined ? undefined : this.copy(each)
      this.#keys.pop()
      if (each === undefined) continue
      if (key === '__proto__') Object.defineProperty(copy, key, { value: kept, enumerable: true, configurable: true, writable: true })
      else copy[key] = kept
    }
    return copy
  }

  /** Where it is looking. */
  get place(): string {
    return this.#keys.reduce<string>((place, key) => `${place}${typeof key === 'number' ? `[${key}]` : stepTo(key)}`, this.#root)
  }

  #refusal(what: string): ConfigError {
    const at = this.place
    return new ConfigError(`${at} can't be written down: it must be what JSON gives back as it was; received ${what}`, {
      path: this.#path,
      option: at,
    })
  }
}

function stepTo(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${show(key)}]`
}

/** The prototype of plain objects of another realm. */
function isForeignPlain(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

function nameOf(value: object): string {
  const { name } = ((value as { constructor?: unknown }).constructor ?? {}) as { name?: unknown }
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object with a prototype of its own'
}

/**
 * A copy for the journal. Looks at all of the value: not in a turn.
 *
 * @param root What the value is, where a refusal says the place in it.
 * @throws ConfigError
 */
export function plainCopy(value: unknown, root: string, path: string): unknown {
  const copier = new Copier(root, path)
  try {
    return copier.copy(value)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    // A proxy or a getter has thrown; or it goes deeper than a stack, and then the place would be endless.
    const isDeep = error instanceof RangeError
    const at = isDeep ? root : copier.place
    const says = isDeep ? 'it goes too deep' : 'it throws when it is looked at'
    throw new ConfigError(`${at} can't be written down: ${says}`, { path, option: at, cause: error })
  }
}
