/** Checks the questions of a page, in one place: whoever answers them can rely on their shape. */
import { anything, check, finiteCount, oneOf, type Rule } from '../spec/index.ts'
import type { Question, Questions } from './protocol.ts'

/** Paths, types and keys in one question. */
const MANY = 100
/** Characters of a text: a path of many levels with long names is shorter. */
const LONG = 10_000

const text: Rule = {
  range: `a string of at most ${LONG} characters`,
  accepts: (value) => typeof value === 'string' && value.length <= LONG,
}
const texts: Rule = {
  range: `an array of at most ${MANY} strings of at most ${LONG} characters`,
  accepts: (value) => Array.isArray(value) && value.length <= MANY && value.every(text.accepts),
}
const keys: Rule = {
  range: `an array of at most ${MANY} keys: strings, or whole numbers of at least 0`,
  accepts: (value) => Array.isArray(value) && value.length <= MANY && value.every((key) => text.accepts(key) || finiteCount.accepts(key)),
}
const numbers: Rule = {
  range: `an array of at most ${MANY * 2} whole numbers of at least 0`,
  accepts: (value) => Array.isArray(value) && value.length <= MANY * 2 && value.every(finiteCount.accepts),
}
const lineCount: Rule = {
  range: 'a whole number from 1 to 10000',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= 10_000,
}
/** As many bars; with 0 only how many there are, over time. */
const barCount: Rule = {
  range: 'a whole number from 0 to 10000',
  accepts: (value) => value === 0 || lineCount.accepts(value),
}
const moment: Rule = { range: 'a finite number of milliseconds', accepts: Number.isFinite }

type Rules<Ask> = Readonly<Record<string, Rule>> & { readonly [Key in keyof Ask]-?: Rule }

const RULES: { readonly [Name in Question]: Rules<Questions[Name]['ask']> } = {
  log: { before: finiteCount, limit: lineCount, text, only: texts, path: text },
  actor: { path: text },
  chart: { path: text, which: oneOf('work', 'life') },
  look: { path: text, n: finiteCount, at: keys },
  diff: { path: text, from: finiteCount, to: finiteCount },
  messages: { paths: texts, limit: lineCount },
  strangers: { paths: texts },
  why: { seq: finiteCount, path: text },
  shutdown: {},
  health: {},
  timeline: { from: moment, to: moment, limit: barCount, path: text },
  recording: { after: finiteCount, which: finiteCount },
  failure: { seq: finiteCount },
  scene: { seq: finiteCount },
  problems: {},
  traffic: { from: oneOf('living', 'held', 'found'), at: finiteCount, fetch: finiteCount, charts: numbers },
}

/** What can't be left out. */
const NEEDED: Partial<Record<Question, readonly string[]>> = {
  actor: ['path'],
  chart: ['path', 'which'],
  look: ['path'],
  diff: ['path', 'from', 'to'],
  messages: ['paths'],
  strangers: ['paths'],
  failure: ['seq'],
  scene: ['seq'],
}

/** A question that may be answered. Throws what the page is to be told. */
export function checkQuestion(name: unknown, given: unknown = {}): { question: Question; ask: never } {
  if (typeof name !== 'string' || !Object.hasOwn(RULES, name)) {
    throw new Error(`there is no question ${typeof name === 'string' ? JSON.stringify(name.slice(0, 80)) : `of type ${typeof name}`}`)
  }
  const question = name as Question
  check(question, given as object, RULES[question])
  for (const key of NEEDED[question] ?? []) {
    // An absent field is refused as a wrong one is.
    const rule = RULES[question][key as never] ?? anything
    check(question, { [key]: (given as Record<string, unknown>)[key] ?? null }, { [key]: rule })
  }
  return { question, ask: given as never }
}
