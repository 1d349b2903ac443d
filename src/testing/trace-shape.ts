/**
 * Checks the shape of a trace: a file may have been edited by anybody, and a trace made by hand.
 *
 * J1  Whatever stands in a file, it is refused with its line, or can be explained.
 */
import { ConfigError } from '../contract/index.ts'
import { duration, finiteCount, flag, isObject, oneOf, refuse, type Rule, show } from '../spec/index.ts'
import { checkPlan } from './plan-shape.ts'
import type { TraceEvent, TraceHeader, Verdict } from './trace.ts'

/** Throws an error that says what is wrong. */
type Wrong = (why: string) => never

const isText = (value: unknown): value is string => typeof value === 'string'
const text: Rule = { range: 'a text', accepts: isText }
const number: Rule = { range: 'a number', accepts: Number.isFinite }
const object: Rule = { range: 'an object', accepts: isObject }
const optional = ({ range, accepts }: Rule): Rule => ({ range, accepts: (value) => value === undefined || accepts(value) })
const listOf = (what: string, isOne: (value: unknown) => boolean): Rule => ({
  range: `an array of ${what}`,
  accepts: (value) => Array.isArray(value) && value.every(isOne),
})

/** Fields that a replay, an explanation and the inspector rely on. */
const HEADER = {
  on: { range: 'an object of texts', accepts: (value) => isObject(value) && Object.values(value).every(isText) },
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
    if (error instanceof RangeError) wrong('its tree is too deep')
    throw error
  }
}

/** Characters that a name of an event and its path may have, and levels of the path: more than any tree has. */
const LONG = 100_000
const LEVELS = 12_000

/** Fields of events that an explanation and the inspector rely on. Others, such as errors, may be anything. */
const EVENT: Readonly<Record<string, Rule>> = {
  incarnation: optional(finiteCount),
  willRestart: optional(flag),
  late: optional(flag),
  delay: optional(number),
  duration: optional(number),
  heldUp: optional(number),
  silence: optional(number),
  id: optional(text),
  name: optional(text),
  control: optional(text),
  phase: optional(text),
  state: optional(text),
  trigger: optional(text),
  code: optional(text),
  from: optional(text),
  how: optional(text),
  text: optional(text),
}

/** Checks events; `wrong` is told which of them it is. */
export function checkEvents(events: readonly TraceEvent[], wrong: (why: string, index: number) => never): void {
  for (const [index, event] of events.entries()) {
    const { i, t, type, actor, cause } = (event ?? {}) as TraceEvent
    if (i !== index) wrong(`event ${show(i)} stands in the place of ${index}: a line was added or taken away`, index)
    if (!Number.isFinite(t)) wrong(refuse('its t', number.range, t).message, index)
    if (!isText(type) || !isText(actor)) wrong('an event needs a type and an actor', index)
    if (type.length > LONG || actor.length > LONG || actor.split('/', LEVELS + 1).length > LEVELS)
      wrong(`no type and no actor has more than ${LONG} characters, and no actor more than ${LEVELS} levels`, index)
    if (cause !== undefined && !(finiteCount.accepts(cause) && cause < index)) wrong(`its cause ${show(cause)} is not before it`, index)
    for (const field in EVENT) {
      const { range, accepts } = EVENT[field] as Rule
      if (!accepts(event[field])) wrong(refuse(`its ${field}`, range, event[field]).message, index)
    }
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
