/**
 * What was recorded, as files: `*.cct.jsonl`, and Chrome's trace format.
 *
 * Knows neither Node.js nor the DOM: the page saves and opens what the command line does.
 */
import { type BaseNode, KINDS, type KeptEvent, type Recording, STATES } from './protocol.ts'
import { checkFault } from './saved.ts'
import { textOf } from './story.ts'
import { readTraffic, trafficLines } from './traffic-record.ts'

/** An event as it can be written down. */
export function keep(event: KeptEvent): KeptEvent {
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(event)) {
    if (value === undefined) continue
    // What was noted of a failure is written down as it is.
    if (key === 'failure') kept[key] = value
    else kept[key] = typeof value === 'object' && value !== null ? textOf(value) : plain(value)
  }
  return kept as KeptEvent
}

function plain(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value) ? value : textOf(value)
}

/** A trace as the test kit writes and reads it: what is needed of it here. */
export interface TraceLike {
  readonly header: {
    readonly story: string
    readonly recording?: {
      readonly name: string
      readonly from: number
      readonly base: readonly BaseNode[]
      readonly earlier?: number
      readonly after?: number
    }
  }
  readonly events: readonly {
    readonly i: number
    readonly t: number
    readonly actor: string
    readonly type: string
    readonly cause?: number
  }[]
  /** What else was recorded: see traffic-record.ts. */
  readonly recorded?: readonly object[]
  readonly verdict: { readonly violations: Recording['violations'] }
}

/**
 * Makes a recording, which can be shown, of a trace.
 *
 * @throws RangeError that names the line, if what was recorded is not as it was written.
 */
export function fromTrace({ header, events, recorded, verdict }: TraceLike, name: string): Recording {
  const { recording } = header
  try {
    if (recording !== undefined) checkOpening(recording)
  } catch (cause) {
    throw new RangeError(`line 1: ${(cause as Error).message}`, { cause })
  }
  const far = events.findIndex(({ actor }) => !isPath(actor))
  if (far >= 0) throw new RangeError(`line ${far + 2}: its actor has to be a text of at most ${LONG} characters and ${LEVELS} levels`)
  const origin = recording?.from ?? 0
  return {
    name: recording?.name ?? name,
    from: origin + (recording?.after ?? 0),
    base: recording?.base ?? [],
    ...(recording?.earlier === undefined ? {} : { earlier: Math.min(recording.earlier, events.length) }),
    first: 0,
    events: events.map(({ i, t, actor, type, cause, ...rest }) => {
      return { ...rest, seq: i + 1, at: origin + t, type, path: actor, cause: cause === undefined ? null : cause + 1 }
    }),
    violations: verdict.violations.map((each) => ({ ...each, witnesses: each.witnesses.map((i) => i + 1) })),
    story: typeof header.story === 'string' ? header.story : '',
    ...(recorded === undefined ? {} : { traffic: readTraffic(recorded, origin, events.length + 2) }),
  }
}

// --- checks of what comes from a file ----------------------------------------------------------

/** Characters of a name, and of a path. */
const LONG = 100_000
/** Levels of a path: more than there ever are. */
const LEVELS = 12_000
/** Nodes that the tree at the beginning of a recording may have: more than there ever are. */
const NODES = 2_000_000
/** Milliseconds: no clock shows more. */
const LATEST = 1e15

function wrong(why: string): never {
  throw new RangeError(why)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= LONG
/** What lies deep costs the square of its depth. */
const isPath = (value: unknown): boolean => isText(value) && value.split('/', LEVELS + 1).length <= LEVELS
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isMoment = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) < LATEST

/** What a recording begins with: its name, its moment, and the tree as it stood. */
function checkOpening(opening: unknown): void {
  if (typeof opening !== 'object' || opening === null) wrong('recording has to be an object')
  const { name, from, base, earlier, after } = opening as { readonly [Key in 'name' | 'from' | 'base' | 'earlier' | 'after']?: unknown }
  if (!isText(name)) wrong(`recording.name has to be a text of at most ${LONG} characters`)
  if (!isMoment(from)) wrong('recording.from has to be a number of milliseconds')
  if (earlier !== undefined && !isCount(earlier)) wrong('recording.earlier has to be a whole number from 0 on')
  if (after !== undefined && !isMoment(after)) wrong('recording.after has to be a number of milliseconds')
  if (!Array.isArray(base) || base.length > NODES) wrong(`recording.base has to be a list of at most ${NODES}`)
  const k = (base as unknown[]).findIndex((node) => !isNode(node))
  if (k >= 0) wrong(`recording.base[${k}] has to be a list of a path, a kind, a state, restarts and a run`)
}

function isNode(node: unknown): boolean {
  if (!Array.isArray(node)) return false
  const [path, kind, state, restarts, incarnation] = node as unknown[]
  return isPath(path) && KINDS.includes(kind as never) && STATES.includes(state as never) && isCount(restarts) && isCount(incarnation)
}

function isEvent(event: unknown): boolean {
  const { seq, at, type, path, cause } = (event ?? {}) as { readonly [Key in keyof KeptEvent]?: unknown }
  return isCount(seq) && isMoment(at) && isText(type) && isPath(path) && (cause === null || isCount(cause))
}

/**
 * Checks a recording that was saved whole, as a file is checked when it is read.
 *
 * @throws Error in words, if it is not as it was written.
 */
export function checkedRecording(saved: unknown): Recording {
  checkOpening(saved)
  const { events, violations, story, traffic, fault, first, earlier } = saved as Recording
  if (!Array.isArray(events) || !events.every(isEvent)) wrong('events have to be a list of events')
  if (first !== undefined && !isCount(first)) wrong('first has to be a whole number from 0 on')
  if ((earlier ?? 0) > events.length) wrong('earlier has to be at most as many as there are events')
  const isViolation = ({ law, message, witnesses }: Recording['violations'][number]): boolean =>
    isText(law) && isText(message) && Array.isArray(witnesses) && witnesses.every(isCount)
  if (!Array.isArray(violations) || !violations.every(isViolation)) wrong('violations have to be a list of broken laws')
  if (typeof story !== 'string') wrong('story has to be a text')
  checkFault(fault)
  return traffic === undefined ? (saved as Recording) : { ...(saved as Recording), traffic: readTraffic(trafficLines(traffic, 0), 0, 1) }
}

/** A recording as the lines of a `*.cct.jsonl` file, which the test kit reads too. */
export function toTraceLines(
  { name, from, base, events, violations, story, traffic, earlier }: Recording,
  versions: Readonly<Record<string, string>>,
): string {
  const places = new Map(events.map(({ seq }, i) => [seq, i]))
  // What is held from before it began has its moments, too, and none of them is before the beginning of a file.
  const origin = earlier === undefined ? from : Math.min(from, events[0]?.at ?? from)
  const header = {
    format: 'curtaincall.trace',
    version: 1,
    on: versions,
    seed: 0,
    tape: [],
    mode: 'native',
    strict: false,
    faults: {},
    script: [],
    story: story === '' ? `recorded from ${name}` : story,
    recording: { name, from: origin, base, ...(earlier === undefined ? {} : { earlier, after: from - origin }) },
  }
  let last = 0
  const lines = events.map(({ at, type, path, cause, ...event }, i) => {
    const { seq: _seq, ...rest } = event
    // Clocks of the platform may step back; a trace may not.
    last = Math.max(last, at - origin)
    const because = cause === null ? undefined : places.get(cause)
    return { i, t: last, actor: path, type, ...(because === undefined ? {} : { cause: because }), ...rest }
  })
  const witnessed = violations.map((each) => ({ ...each, witnesses: each.witnesses.flatMap((seq) => places.get(seq) ?? []) }))
  const recorded = traffic === undefined ? [] : trafficLines(traffic, origin)
  return `${[header, ...lines, ...recorded, { verdict: { violations: witnessed, deviations: 0 } }].map((line) => JSON.stringify(line)).join('\n')}\n`
}

interface Slice {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly [field: string]: unknown
}

/** A recording in Chrome's trace format: a process for each app, a thread for each actor, arrows from causes to what they led to. */
export function toChromeTrace({ from, events }: Recording): string {
  const processes = new Map<string, number>()
  const threads = new Map<string, number>()
  const slices: Slice[] = []
  const number = (of: Map<string, number>, key: string, named: (id: number) => Slice): number => {
    const known = of.get(key)
    if (known !== undefined) return known
    const id = of.size + 1
    of.set(key, id)
    slices.push(named(id))
    return id
  }
  const begun = new Map<string, KeptEvent>()
  const seen = new Map<number, Slice>()
  for (const event of events) {
    const { seq, at, type, path, cause } = event
    const app = path.split('/').slice(0, 2).join('/')
    const pid = number(processes, app, (id) => meta('process_name', id, 0, app))
    const tid = number(threads, path, (id) => meta('thread_name', pid, id, path.slice(path.lastIndexOf('/') + 1)))
    const place = { pid, tid, ts: Math.round((at - from) * 1_000) }
    const start = begun.get(path)
    if (type === 'routine.started') begun.set(path, event)
    else if ('willRestart' in event && start !== undefined) {
      begun.delete(path)
      const ts = Math.round((start.at - from) * 1_000)
      slices.push({
        name: `${type.replace('routine.', '')} (run ${String(event['incarnation'])})`,
        ph: 'X',
        ...place,
        ts,
        // Clocks of the platform may step back.
        dur: Math.max(0, place.ts - ts),
      })
    }
    const instant: Slice = { name: type, ph: 'i', s: 't', ...place, args: event }
    slices.push(instant)
    seen.set(seq, instant)
    const because = cause === null ? undefined : seen.get(cause)
    if (because === undefined) continue
    const { pid: fromPid, tid: fromTid, ts } = because
    slices.push({ name: 'cause', cat: 'cause', ph: 's', id: seq, pid: fromPid, tid: fromTid, ts })
    slices.push({ name: 'cause', cat: 'cause', ph: 'f', bp: 'e', id: seq, ...place })
  }
  return JSON.stringify({ traceEvents: slices, displayTimeUnit: 'ms' })
}

function meta(name: string, pid: number, tid: number, label: string): Slice {
  return { name, ph: 'M', pid, tid, ts: 0, args: { name: label } }
}
