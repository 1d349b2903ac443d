/**
 * An outcome as it lies in the journal.
 *
 * What was thrown can be anything, and is no promise to anybody: of an error its name, message, stack, code, cause and those of its own
 * properties are kept that JSON can hold; of what else was thrown, that, or how it reads. What a routine has returned is a promise: what
 * can't be kept is refused when it returns (chronicle.ts).
 */
import { isError, type Outcome } from '../contract/index.ts'
import { plainCopy } from '../spec/index.ts'

/** So many causes behind each other are kept. */
const DEEPEST = 8

interface KeptError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly cause?: KeptThrown
  readonly own?: Readonly<Record<string, unknown>>
}

/** What was thrown, or the reason of a cancel: an error, a value of JSON, or nothing. */
export type KeptThrown = { readonly error: KeptError } | { readonly value: unknown } | { readonly nothing: true }

export type KeptOutcome =
  | { readonly status: 'completed'; readonly output?: unknown }
  | { readonly status: 'failed'; readonly error: KeptThrown }
  | {
      readonly status: 'cancelled'
      readonly reason: KeptThrown
      readonly killed: boolean
      readonly output?: unknown
      readonly error?: KeptThrown
    }

/** Looks at what was thrown: not in a turn. Never throws. */
export function keepOutcome(outcome: Outcome): KeptOutcome {
  if (outcome.status === 'completed') return { status: 'completed', ...output(outcome.output) }
  if (outcome.status === 'failed') return { status: 'failed', error: keepThrown(outcome.error) }
  const { reason, killed, error } = outcome
  return {
    status: 'cancelled',
    reason: keepThrown(reason),
    killed,
    ...output(outcome.output),
    ...(error === undefined ? {} : { error: keepThrown(error) }),
  }
}

export function readOutcome(kept: unknown): Outcome {
  const outcome = kept as KeptOutcome
  if (outcome.status === 'completed') return { status: 'completed', output: outcome.output }
  if (outcome.status === 'failed') return { status: 'failed', error: readThrown(outcome.error) }
  const { reason, killed, error } = outcome
  return {
    status: 'cancelled',
    reason: readThrown(reason),
    killed,
    ...('output' in outcome ? { output: outcome.output } : {}),
    ...(error === undefined ? {} : { error: readThrown(error) }),
  }
}

function output(value: unknown): { readonly output?: unknown } {
  const kept = copied(value)
  return kept === undefined ? {} : { output: kept.value }
}

function copied(value: unknown): { readonly value: unknown } | undefined {
  if (value === undefined) return undefined
  try {
    return { value: plainCopy(value, 'output', '') }
  } catch {
    return undefined
  }
}

/** What was thrown, as the journal keeps it. */
export function keepThrown(thrown: unknown, depth = 0): KeptThrown {
  if (thrown === undefined) return { nothing: true }
  try {
    return isError(thrown) ? { error: keepError(thrown, depth) } : (copied(thrown) ?? { value: inWords(thrown) })
  } catch {
    return { value: 'a value that cannot be shown' }
  }
}

function inWords(thrown: unknown): string {
  // oxlint-disable-next-line typescript/no-base-to-string -- it is how it reads
  return String(thrown)
}

function keepError(error: Error, depth: number): KeptError {
  const own: Record<string, unknown> = {}
  for (const key of Object.keys(error)) {
    const kept = key === 'name' || key === 'cause' ? undefined : copied((error as unknown as Record<string, unknown>)[key])
    if (kept !== undefined) own[key] = kept.value
  }
  return {
    name: inWords(error.name),
    message: inWords(error.message),
    ...(typeof error.stack === 'string' ? { stack: error.stack } : {}),
    ...(error.cause === undefined || depth >= DEEPEST ? {} : { cause: keepThrown(error.cause, depth + 1) }),
    ...(Object.keys(own).length === 0 ? {} : { own }),
  }
}

function readThrown(kept: KeptThrown): unknown {
  if ('nothing' in kept) return undefined
  if ('value' in kept) return kept.value
  const { name, message, stack, cause, own } = kept.error
  const error = new Error(message, cause === undefined ? undefined : { cause: readThrown(cause) })
  const hidden = { enumerable: false, configurable: true, writable: true }
  Object.defineProperties(error, { name: { ...hidden, value: name }, stack: { ...hidden, value: stack } })
  return Object.assign(error, own)
}
