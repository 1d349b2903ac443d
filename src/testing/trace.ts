/** Traces: what happened in a simulation, as lines that can be kept, read, played again and explained. */
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { isError } from '../contract/index.ts'
import { refuse } from '../spec/index.ts'
import type { TreePlan } from './plan.ts'
import type { ScheduleMode } from './schedule.ts'
import { checkEvents, checkHeader, checkVerdict } from './trace-shape.ts'

/** The present version of the format. */
export const TRACE_VERSION = 1

/** What a run was made of: enough to make it again. */
export interface TraceHeader {
  readonly format: 'curtaincall.trace'
  readonly version: number
  /** Versions of what it ran on. */
  readonly on: { readonly curtaincall: string; readonly xstate: string; readonly node: string }
  readonly seed: number
  /** Choices that were made otherwise than first come, first served. */
  readonly tape: readonly number[]
  readonly mode: ScheduleMode
  readonly strict: boolean
  /** The tree, if it is one of plain data; otherwise who replays has to bring it. */
  readonly tree?: TreePlan
  /** Faults, by the name of the routine, beside those of the tree itself. */
  readonly faults: Readonly<Record<string, readonly string[]>>
  /** What was done to the tree. */
  readonly script: readonly { readonly do: string }[]
  /** What the simulation did in the end; absent if nothing. */
  readonly end?: object
  /** Timers that might fire before it was called endless, if that was said. */
  readonly steps?: number
  /** Virtual milliseconds behind which no wait of the script went on, if that was said. */
  readonly horizon?: number
  /** Whether real input and output might pass, if that was said. */
  readonly allowEscapes?: boolean
  /** The script in one readable line. */
  readonly story: string
  /** Where fast-check found it: `fc.assert(…, { seed, path })` goes there. */
  readonly found?: { readonly seed: number; readonly path: string }
}

/** A lifecycle event, something that was done from outside, or what a body saw: told to stop, ended. */
export type TraceEventType = LifecycleEvent['type'] | 'step' | 'body.asked' | 'body.ended'

/** One event. */
export interface TraceEvent {
  /** Its place in the trace, from 0. */
  readonly i: number
  /** Milliseconds since the beginning. */
  readonly t: number
  /** The path it is about; empty for a step. */
  readonly actor: string
  readonly type: TraceEventType
  /** `i` of the event that led to it. */
  readonly cause?: number
  readonly incarnation?: number
  readonly willRestart?: boolean
  readonly phase?: string
  readonly state?: string
  readonly trigger?: string
  /** Of `body.ended`: 'returned' or 'threw'. Of a step: what became of it, if not what was wanted. */
  readonly how?: string
  /** Of what a body saw: true if another incarnation has taken its place. */
  readonly late?: boolean
  readonly text?: string
  /** Whatever else the lifecycle event says, as far as it can be written down. */
  readonly [field: string]: unknown
}

/** A law that was broken, and by what. */
export interface Violation {
  readonly law: string
  readonly message: string
  /** `i` of the events that show it. */
  readonly witnesses: readonly number[]
}

/** What the laws say of a run. */
export interface Verdict {
  readonly violations: readonly Violation[]
  /** How often the schedule deviated from first come, first served. */
  readonly deviations: number
}

/** A run, written down. */
export interface Trace {
  readonly header: TraceHeader
  readonly events: readonly TraceEvent[]
  /** What the inspector has recorded beside: it is kept as it stands, and means nothing to a replay. */
  readonly recorded?: readonly { readonly recorded: string }[]
  readonly verdict: Verdict
}

/** Throws ConfigError unless it has the parts of a trace. */
export function checkTrace(owner: string, trace: Trace): void {
  const { header, events, verdict } = (trace ?? {}) as Partial<Trace>
  const range = "a trace: a simulation's, or one that was read"
  if (header?.format !== 'curtaincall.trace' || !Array.isArray(events) || !Array.isArray(verdict?.violations))
    throw refuse(`${owner} trace`, range, trace)
  const wrong = (why: string): never => {
    throw refuse(`${owner} trace`, `${range} (${why})`, trace)
  }
  checkHeader(header, wrong)
  checkEvents(events, (why, index) => wrong(`event ${index}: ${why}`))
  checkVerdict(verdict, events, wrong)
}

/** Writes events down, relative to the beginning and to each other, as long as there is somebody whose they are. */
export class Recorder {
  readonly events: TraceEvent[] = []
  readonly #begun: number
  readonly #bySeq = new Map<number, number>()

  readonly #isOver: () => boolean

  constructor(begun: number, isOver: () => boolean) {
    this.#begun = begun
    this.#isOver = isOver
  }

  record(event: LifecycleEvent): void {
    if (this.#isOver()) return
    const { type, path: actor, at, seq, cause, ...rest } = event
    const i = this.events.length
    this.#bySeq.set(seq, i)
    const from = cause === null ? undefined : this.#bySeq.get(cause)
    const fields: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(rest)) fields[key] = plain(value)
    this.events.push({ i, t: at - this.#begun, actor, type, ...(from === undefined ? {} : { cause: from }), ...fields })
  }

  /** Records something that is no lifecycle event. */
  note(type: 'step' | 'body.asked' | 'body.ended', actor: string, now: number, fields: object): void {
    if (this.#isOver()) return
    this.events.push({ i: this.events.length, t: now - this.#begun, actor, type, ...fields })
  }
}

/** What can be written down, and reads the same each time. */
function plain(value: unknown): unknown {
  if (isError(value)) return `${value.name}: ${value.message}`
  if (typeof value === 'object' && value !== null) {
    try {
      return JSON.parse(JSON.stringify(value)) as unknown
    } catch {
      return 'an object that cannot be written down'
    }
  }
  return typeof value === 'symbol' || typeof value === 'function' || typeof value === 'bigint' ? String(value) : value
}
