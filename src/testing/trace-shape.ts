/** Checks the shape of a trace: a file may have been edited by anybody, and a trace made by hand. */
import { ConfigError } from '../contract/index.ts'
import { duration, finiteCount, flag, isObject, oneOf, refuse, type Rule } from '../spec/index.ts'
import { checkPlan } from './plan-shape.ts'
import type { TraceEvent, TraceHeader, Verdict } from './trace.ts'

/** Throws an error that says what is wrong. */
type Wrong = (why: string) => never

const isText = (value: unknown): value is string => typeof value === 'string'
const object: Rule = { range: 'an object', accepts: isObject }
const text: Rule = { range: 'a text', accepts: isText }
const optional = ({ range, accepts }: Rule): Rule => ({ range, accepts: (value) => value === undefined || accepts(value) })
const listOf = (what: string, isOne: (value: unknown) => boolean): Rule => ({
  range: `an array of ${what}`,
  accepts: (value) => Array.isArray(value) && value.every(isOne),
})

/** Fields that a replay, an explanation and the inspector rely on. */
const HEADER = {
  on: object,
  seed: { range: 'a whole number', accepts: Number.isSafeInteger },
  tape: listOf('whole numbers of at least 0', finiteCount.accepts),
  mode: oneOf('native', 'actor-model'),
  strict: flag,
  faults: {
    range: 'an object of arrays of texts',
    accepts: (value) => isObject(value) && Object.values(value).every((each) => Array.isArray(each) && each.every(isText)),
  },
  // Of free steps the functions are lost: a replay has to be given them.
  script: listOf('steps', (step) => isObject(step) && isText((step as { do?: unknown }).do)),
  end: optional(object),
  steps: optional(finiteCount),
  horizon: optional(duration),
  allowEscapes: optional(flag),
  story: text,
} satisfies Partial<Record<keyof TraceHeader, Rule>>

/** Checks the fields of a header. */
export function checkHeader(header: TraceHeader, wrong: Wrong): void {
  for (const [field, { range, accepts }] of Object.entries(HEADER) as [keyof typeof HEADER, Rule][])
    if (!accepts(header[field])) wrong(refuse(`its header's ${field}`, range, header[field]).message)
  if (header.tree === undefined) return
  try {
    checkPlan(header.tree, 'tree')
  } catch (error) {
    if (error instanceof ConfigError) wrong(error.message)
    throw error
  }
}

/** Checks a verdict, and that its witnesses are among these events. */
export function checkVerdict({ violations, deviations }: Verdict, events: readonly TraceEvent[], wrong: Wrong): void {
  for (const violation of violations) {
    const { law, message, witnesses } = (violation ?? {}) as Partial<Verdict['violations'][number]>
    if (!isText(law) || !isText(message) || !Array.isArray(witnesses))
      wrong(refuse('a broken law', 'an object with a law, a message and witnesses', violation).message)
    if (!witnesses?.every((i) => finiteCount.accepts(i) && i < events.length)) wrong(`a witness of ${law} is not among the events`)
  }
  if (!finiteCount.accepts(deviations)) wrong(refuse("its verdict's deviations", finiteCount.range, deviations).message)
}
