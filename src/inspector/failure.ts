/**
 * What is shown of something that was thrown: its name and message, its stack frame by frame, and what caused it.
 *
 * Knows neither Node.js nor the DOM.
 *
 * G1  It never throws and calls nothing of the user's, whatever was thrown; what comes of it is bounded.
 * G2  What comes from a file is checked, and cut to the same size.
 */
import type { FailureView, StackFrame, Thrown } from './problem-views.ts'
import { toWire } from './to-wire.ts'

/** Frames of a stack, errors of a chain of causes, and characters of a text. */
const FRAMES = 30
const CAUSES = 5
const LONG = 500
/** Characters of an input. */
const INPUT = 4_000

/** True for a file that is not the user's. */
export type IsLibrary = (file: string) => boolean

/** Of packages and the platform. */
export const isOfOthers: IsLibrary = (file) =>
  file.includes('/node_modules/') || file.includes('\\node_modules\\') || file.startsWith('node:') || file === ''

/** What was thrown, and the chain of its causes. */
export function failureOf(thrown: unknown, isLibrary: IsLibrary = isOfOthers): Omit<FailureView, 'input'> {
  const causes: Thrown[] = []
  const seen = new Set<unknown>([thrown])
  for (let at = causeOf(thrown); at !== undefined && !seen.has(at) && causes.length < CAUSES; at = causeOf(at)) {
    seen.add(at)
    causes.push(thrownOf(at, isLibrary))
  }
  return { ...thrownOf(thrown, isLibrary), causes }
}

function thrownOf(thrown: unknown, isLibrary: IsLibrary): Thrown {
  const said = toWire(thrown)
  const text = typeof said === 'string' ? said : JSON.stringify(said)
  const stack = stackOf(thrown)
  return { ...namedIn(text, typeof thrown === 'object'), frames: stack === undefined ? [] : framesOf(stack, isLibrary) }
}

/** An error is shown as `Name: message`; anything else has no name. */
export function namedIn(text: string, isError = true): Pick<Thrown, 'name' | 'message'> {
  const found = isError ? /^([\w$.]{1,100}): (.*)$/s.exec(text) : null
  return found === null
    ? { name: '', message: text.slice(0, LONG) }
    : { name: found[1] as string, message: (found[2] as string).slice(0, LONG) }
}

/** The platform's own getter of `stack`: that one may be called. */
// oxlint-disable-next-line typescript/unbound-method -- it is called on the error that it is asked of
const own = Object.getOwnPropertyDescriptor(new Error('for its stack'), 'stack')?.get

function stackOf(thrown: unknown): string | undefined {
  const field = fieldOf(thrown, 'stack')
  try {
    const stack: unknown = field?.get !== undefined && field.get === own ? Reflect.apply(own, thrown, []) : field?.value
    return typeof stack === 'string' ? stack : undefined
  } catch {
    // A program may format its stacks itself, and fail.
    return undefined
  }
}

const causeOf = (thrown: unknown): unknown => fieldOf(thrown, 'cause')?.value as unknown

function fieldOf(thrown: unknown, name: string): PropertyDescriptor | undefined {
  try {
    return typeof thrown === 'object' && thrown !== null ? Object.getOwnPropertyDescriptor(thrown, name) : undefined
  } catch {
    return undefined
  }
}

const PLACE = /^(.*?):(\d+):(\d+)$/

/** The frames of a stack as V8 writes it, innermost first. */
export function framesOf(stack: string, isLibrary: IsLibrary = isOfOthers): StackFrame[] {
  const frames: StackFrame[] = []
  for (const line of stack.slice(0, FRAMES * LONG).split('\n')) {
    if (frames.length === FRAMES) break
    const text = /^\s+at (.+)$/.exec(line.slice(0, LONG))?.[1]
    if (text !== undefined) frames.push(frameOf(text, isLibrary))
  }
  return frames
}

function frameOf(text: string, isLibrary: IsLibrary): StackFrame {
  // `name (file:1:2)`, or `file:1:2` where the function has no name.
  const open = text.endsWith(')') ? text.lastIndexOf(' (') : -1
  const [name, where] = open < 0 ? ['', text.replace(/^async /, '')] : [text.slice(0, open), text.slice(open + 2, -1)]
  const found = PLACE.exec(where)
  if (found === null) return { name: name || text, file: '', line: 0, column: 0, own: false }
  const file = fileOf(found[1] as string)
  return { name, file, line: Number(found[2]), column: Number(found[3]), own: !isLibrary(file) }
}

function fileOf(url: string): string {
  if (!url.startsWith('file://')) return url.startsWith('<') ? '' : url
  try {
    return decodeURIComponent(url.slice('file://'.length))
  } catch {
    return url.slice('file://'.length)
  }
}

/** Where it was thrown, as far as that is the user's code; else where it was thrown at all. */
export const placeOf = (frames: readonly StackFrame[]): StackFrame | undefined => frames.find((frame) => frame.own) ?? frames[0]

/** What a routine was given, cut to a bounded size. */
export function inputOf(input: unknown): unknown {
  const wire = toWire(input)
  const text = JSON.stringify(wire)
  return text.length <= INPUT ? wire : `${text.slice(0, INPUT)}… ${text.length} characters`
}

// --- from a file -------------------------------------------------------------------------------

const textIn = (value: unknown): string => (typeof value === 'string' ? value.slice(0, LONG) : '')
const numberIn = (value: unknown): number => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0)
const listIn = (value: unknown, most: number): unknown[] => (Array.isArray(value) ? (value as unknown[]).slice(0, most) : [])
type Fields = { readonly [field: string]: unknown }

/** A failure as it was written down; undefined if that is none. */
export function readFailure(value: unknown): FailureView | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Fields
  const causes = listIn(fields['causes'], CAUSES).map((each) => readThrown((each ?? {}) as Fields))
  return { ...readThrown(fields), causes, ...('input' in fields ? { input: inputOf(fields['input']) } : {}) }
}

function readThrown({ name, message, frames }: Fields): Thrown {
  return { name: textIn(name), message: textIn(message), frames: listIn(frames, FRAMES).map((each) => readFrame((each ?? {}) as Fields)) }
}

function readFrame({ name, file, line, column, own: isOwn }: Fields): StackFrame {
  return { name: textIn(name), file: textIn(file), line: numberIn(line), column: numberIn(column), own: isOwn === true }
}
