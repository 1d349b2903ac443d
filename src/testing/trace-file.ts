/**
 * Traces as files: `*.cct.jsonl`, a line of JSON for the header, for each event, and for the verdict. Between events and verdict may
 * stand what the inspector has recorded, in lines that say what of it they are; they are kept, and not looked into.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { CurtaincallError } from '../contract/index.ts'
import { show } from '../spec/index.ts'
import { checkTrace, type Trace, TRACE_VERSION, type TraceEvent, type TraceHeader } from './trace.ts'
import { checkEvents, checkHeader, checkVerdict } from './trace-shape.ts'

/** The text of a trace. */
export function printTrace({ header, events, recorded = [], verdict }: Trace): string {
  const lines = [...events, ...recorded, { verdict }].map((line) => JSON.stringify(line))
  return `${[JSON.stringify(header, withInfinity), ...lines].join('\n')}\n`
}

/** Stands for Infinity, which options may contain and JSON has no form for. */
const INFINITY = { number: 'Infinity' }

function withInfinity(_key: string, value: unknown): unknown {
  return value === Infinity ? INFINITY : value
}

function readInfinity(_key: string, value: unknown): unknown {
  const { number, ...others } = (value ?? {}) as { number?: unknown }
  return number === INFINITY.number && Object.keys(others).length === 0 ? Infinity : value
}

/**
 * Writes a trace to a file, by convention `*.cct.jsonl`.
 *
 * @throws ConfigError for what is no trace; what the file system throws.
 * @example
 * writeTrace('found.cct.jsonl', simulation.trace)
 */
export function writeTrace(file: string, trace: Trace): void {
  checkTrace('writeTrace', trace)
  writeFileSync(file, printTrace(trace))
}

/**
 * Reads a trace.
 *
 * @throws CurtaincallError ERR_TRACE that names the line, if the file is cut, of another version, or was edited; what the
 * file system throws.
 */
export function readTrace(file: string): Trace {
  return parseTrace(readFileSync(file, 'utf8'), file)
}

type Wrong = (line: number, why: string) => never

/** The same of a text; `name` is what errors call it. */
export function parseTrace(text: string, name: string): Trace {
  const wrong: Wrong = (line, why) => {
    throw new CurtaincallError('ERR_TRACE', `${name}:${line}: ${why}`)
  }
  const lines = text.split('\n')
  if (lines.pop() !== '') wrong(lines.length + 1, 'the file is cut: its last line does not end')
  const [header, ...rest] = lines.map((line, index) => parseLine(line, index + 1, wrong))
  checkKind(header as Partial<TraceHeader> | undefined, wrong)
  checkHeader(header as unknown as TraceHeader, (why) => wrong(1, why))
  const { verdict } = (rest.pop() ?? {}) as Partial<Trace>
  if (!Array.isArray(verdict?.violations)) wrong(lines.length, 'the file is cut: the verdict is missing')
  const [events, recorded] = parted(rest, wrong)
  checkEvents(events as unknown as TraceEvent[], (why, index) => wrong(index + 2, why))
  checkOrder(events as unknown as TraceEvent[], wrong)
  const trace = { header, events, ...(recorded.length === 0 ? {} : { recorded }), verdict } as unknown as Trace
  checkVerdict(trace.verdict, trace.events, (why) => wrong(lines.length, why))
  return trace
}

type Line = Record<string, unknown>

/** Events, and what was recorded beside them. */
function parted(lines: readonly Line[], wrong: Wrong): [events: readonly Line[], recorded: readonly Line[]] {
  const isRecorded = (line: Line): boolean => 'recorded' in line && !('i' in line)
  const end = lines.findIndex(isRecorded)
  if (end < 0) return [lines, []]
  const recorded = lines.slice(end)
  const stray = recorded.findIndex((line) => !isRecorded(line))
  if (stray >= 0) wrong(end + stray + 2, 'an event stands behind what was recorded beside the events')
  return [lines.slice(0, end), recorded]
}

function checkOrder(events: readonly TraceEvent[], wrong: Wrong): void {
  let last = 0
  for (const { i, t } of events) {
    if (t < last) wrong(i + 2, `time runs backwards, from ${last} to ${t}`)
    last = t
  }
}

/** So many brackets may be as many levels. */
const SUSPICIOUS = 1_000

function parseLine(line: string, number: number, wrong: Wrong): Record<string, unknown> {
  try {
    const parsed = JSON.parse(line, number === 1 ? readInfinity : undefined) as unknown
    // What is deeper than this can't be written down again.
    if (line.split(/[[{]/, SUSPICIOUS).length === SUSPICIOUS) JSON.stringify(parsed)
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>
  } catch {
    // Said below, with the line's number.
  }
  return wrong(number, 'not a line of JSON')
}

function checkKind(header: Partial<TraceHeader> | undefined, wrong: Wrong): void {
  if (header?.format !== 'curtaincall.trace') wrong(1, 'not the header of a trace')
  if (header?.version !== TRACE_VERSION)
    wrong(1, `a trace of version ${show(header?.version)}; this library reads version ${TRACE_VERSION}`)
  if (typeof header?.seed !== 'number' || !Array.isArray(header.tape) || !Array.isArray(header.script)) {
    wrong(1, 'the header lacks its seed, tape or script')
  }
}
