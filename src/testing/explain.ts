/** Explains traces in words. */
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { ShutdownAccounts } from '../../machines/shutdown-account.ts'
import { holderOf, linesOfAccount } from '../../machines/shutdown-words.ts'
import { describePlan } from './plan.ts'
import { checkTrace, type Trace, type TraceEvent, type TraceHeader } from './trace.ts'

/** Fields of events that an explanation mentions. */
const FIELDS = [
  'incarnation',
  'error',
  'reason',
  'delay',
  'phase',
  'state',
  'trigger',
  'code',
  'willRestart',
  'from',
  'how',
  'late',
] as const

/** Levels that a story is indented by, at most. */
const DEEPEST = 40

/**
 * The story of a trace: indented by the tree, with what led to what, and the witnesses of each violation marked.
 *
 * @throws ConfigError for what is no trace.
 * @example
 * console.log(explainTrace(readTrace('found.cct.jsonl')))
 */
export function explainTrace(trace: Trace): string {
  checkTrace('explainTrace', trace)
  const { header, events, verdict } = trace
  const witnesses = new Map<number, string[]>()
  for (const { law, witnesses: seen } of verdict.violations) for (const i of seen) witnesses.set(i, [...(witnesses.get(i) ?? []), law])
  const story = events.map((event) => describeEvent(event, witnesses.get(event.i)))
  const wrong = verdict.violations.map(({ law, message }) => `✗ ${law}: ${message}`)
  return [...describeHeader(header), '', ...story, '', ...heldUp(events), ...(wrong.length === 0 ? ['✓ every law holds'] : wrong)].join(
    '\n',
  )
}

/** Who held up a shutdown, if somebody did: the same words as in the terminal and in the inspector. */
function heldUp(events: readonly TraceEvent[]): string[] {
  const accounts = new ShutdownAccounts()
  for (const { i, t, actor, cause = null, ...event } of events)
    accounts.note({ ...event, seq: i + 1, at: t, path: actor, cause } as unknown as LifecycleEvent)
  return accounts.all
    .filter((account) => holderOf(account) !== undefined)
    .flatMap((account) => [`shutdown of ${account.path}: ${linesOfAccount(account).join('\n  ')}`, ''])
}

/** What a run was made of. */
function describeHeader({ seed, tape, mode, strict, tree, faults, story }: TraceHeader): string[] {
  const given = Object.entries(faults).map(([name, list]) => `  ${name}: ${list.join(', ')}`)
  const modes = [...(mode === 'native' ? [] : [mode]), ...(strict ? ['strict'] : [])]
  return [
    `seed ${seed}${tape.length === 0 ? '' : `, tape [${tape.join(', ')}]`}${modes.length === 0 ? '' : `, ${modes.join(', ')}`}`,
    ...(tree === undefined ? [] : ['tree', ...describePlan(tree, '  ')]),
    ...(given.length === 0 ? [] : ['faults', ...given]),
    `script: ${story}`,
  ]
}

function describeEvent(event: TraceEvent, marks: readonly string[] | undefined): string {
  const depth = event.actor === '' ? 0 : event.actor.split('/', DEEPEST).length
  const because = event.cause === undefined ? '' : `  ← ${event.cause}`
  const place = `${String(event.i).padStart(4)} ${String(event.t).padStart(7)} ms ${'  '.repeat(depth)}`
  return `${marks === undefined ? '  ' : '▶ '}${place}${sentence(event)}${because}${marks === undefined ? '' : `   ◀ ${marks.join(', ')}`}`
}

/** Values come from a file, and may be anything that JSON has. */
function told(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function sentence(event: TraceEvent): string {
  const details = FIELDS.filter((field) => event[field] !== undefined && event[field] !== false).map((field) =>
    event[field] === true ? field : `${field} ${told(event[field])}`,
  )
  const inBrackets = details.length === 0 ? '' : ` (${details.join(', ')})`
  if (event.type === 'step') return `» ${event.text}${inBrackets}`
  const [subject, verb] = event.type.split('.') as [string, string]
  return `${event.actor.slice(event.actor.lastIndexOf('/') + 1)} ${subject === 'body' ? event.type : verb}${inBrackets}`
}
