/** What is printed: words for whatever was thrown, and nothing that a terminal obeys. */
import { inspect } from 'node:util'

/** Characters that a terminal obeys or that turn the order of others round, except the end of a line and the tab. */
const OBEYED = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu

/** The same text, with what a terminal would obey written out: names, errors and files may hold anything. */
export function harmless(text: string): string {
  return text.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What a question about a value says; undefined if that throws. A value that was thrown may be a proxy, or have getters. */
function ask<Answer>(question: () => Answer): Answer | undefined {
  try {
    return question()
  } catch {
    return undefined
  }
}

/** A field of a value, if it is a text. */
function textOf(value: unknown, field: 'code' | 'message' | 'stack'): string | undefined {
  const found = ask(() => (value as { readonly [Field in typeof field]?: unknown })[field])
  return typeof found === 'string' ? found : undefined
}

/** True if a value is of a class; anything may be asked. */
export function isOf<Type>(value: unknown, type: abstract new (...args: never) => Type): value is Type {
  return ask(() => value instanceof type) === true
}

/** The `code` of what was thrown; empty if it has none. */
export const codeOf = (thrown: unknown): string => textOf(thrown, 'code') ?? ''

/** A value in a line, more or less. Never throws. */
export function shown(value: unknown): string {
  try {
    return inspect(value, { depth: 0, breakLength: Infinity, maxArrayLength: 10, maxStringLength: 80 })
  } catch (error) {
    return `something that throws when it is looked at: ${textOf(error, 'message') ?? 'something as odd'}`
  }
}

/** What was thrown, in a few words. Never throws. */
export function messageOf(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : (textOf(thrown, 'message') ?? shown(thrown))
}

/** The same with its stack, if it has one. Never throws. */
export function stackOf(thrown: unknown): string | undefined {
  return textOf(thrown, 'stack')
}
