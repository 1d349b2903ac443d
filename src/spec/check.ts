/** Checks that all options share: each has a name, an accepted range, and an error that shows what was received. */
import { LONGEST_TIMER } from '../../machines/shutdown.ts'
import { ConfigError } from '../contract/index.ts'

/** One rule: the accepted range in words, and the test. */
export interface Rule {
  readonly range: string
  readonly accepts: (value: unknown) => boolean
}

/** A received value, as errors show it. Never throws, and is never long. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return value.toString()
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return 'an array'
  return 'an object'
}

/** A ConfigError in the one wording that all options share. */
export function refuse(option: string, range: string, value: unknown, path?: string): ConfigError {
  return new ConfigError(`${option} must be ${range}; received ${show(value)}`, { path, option: option.slice(option.lastIndexOf(' ') + 1) })
}

/** True for an object that is no array. */
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Throws unless the value is a plain options object whose keys all have a rule and whose values keep to it. Undefined counts as absent. */
export function check(owner: string, options: object, rules: Readonly<Record<string, Rule>>, path?: string): void {
  if (!isObject(options)) throw refuse(`${owner} options`, 'an object', options, path)
  for (const key in options) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined
    if (rule === undefined)
      throw new ConfigError(`${owner}: unknown option ${show(key)}; known are ${Object.keys(rules).join(', ')}`, { path, option: key })
    const value = (options as Record<string, unknown>)[key]
    if (value !== undefined && !rule.accepts(value)) throw refuse(`${owner} option ${key}`, rule.range, value, path)
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number'

/** Milliseconds that a timer can wait for. */
export const duration: Rule = {
  range: `a number of milliseconds from 0 to ${LONGEST_TIMER}`,
  accepts: (value) => isNumber(value) && value >= 0 && value <= LONGEST_TIMER,
}

/** The same, zero excluded. */
export const positiveDuration: Rule = {
  range: `a number of milliseconds above 0, at most ${LONGEST_TIMER}`,
  accepts: (value) => isNumber(value) && value > 0 && value <= LONGEST_TIMER,
}

/** What a rule accepts, or Infinity. */
const orInfinity = ({ range, accepts }: Rule): Rule => ({
  range: `${range}, or Infinity`,
  accepts: (value) => value === Infinity || accepts(value),
})

/** The same, or Infinity. */
export const positiveOrInfinity: Rule = orInfinity(positiveDuration)

/** Milliseconds that a timer can wait for, or Infinity. */
export const durationOrInfinity: Rule = orInfinity(duration)

/** A whole number of at least one, or Infinity. */
export const limit: Rule = {
  range: 'a whole number of at least 1, or Infinity',
  accepts: (value) => value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 1),
}

/** A whole number of at least zero. */
export const finiteCount: Rule = {
  range: 'a whole number of at least 0',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
}

/** The same, or Infinity. */
export const count: Rule = orInfinity(finiteCount)

/** True or false. */
export const flag: Rule = { range: 'true or false', accepts: (value) => typeof value === 'boolean' }

/** A function. */
export const callable: Rule = { range: 'a function', accepts: (value) => typeof value === 'function' }

/** Anything at all. */
export const anything: Rule = { range: 'anything', accepts: () => true }

/** An AbortSignal, or an object with the same interface. */
export const abortSignal: Rule = {
  range: 'an AbortSignal',
  accepts: (value) => having('addEventListener', 'removeEventListener').accepts(value) && 'aborted' in (value as object),
}

/** One of the given words. */
export function oneOf(...words: readonly string[]): Rule {
  return { range: words.map((word) => `'${word}'`).join(' or '), accepts: (value) => typeof value === 'string' && words.includes(value) }
}

/** An object that may have the given keys. What it has is checked by rules of its own. */
export function objectOf(...keys: readonly string[]): Rule {
  return {
    range: `an object with any of ${keys.join(', ')}`,
    accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  }
}

/** An object of which each value is a function. */
export const objectOfFunctions: Rule = {
  range: 'an object of functions',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === 'function'),
}

/** An object that has all the given methods. */
export function having(...methods: readonly string[]): Rule {
  return {
    range: `an object with the methods ${methods.join(', ')}`,
    accepts: (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
  }
}

/** A name that can stand in a path. */
export const nodeName: Rule = {
  range: "a string of 1 to 200 characters without '/' and '#'",
  accepts: (value) => typeof value === 'string' && value.length > 0 && value.length <= 200 && !value.includes('/') && !value.includes('#'),
}
