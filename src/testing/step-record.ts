/** What laws know of a step of the script: its text is for people, and names may have blanks. */
import type { Step } from './script.ts'
import type { TraceEvent } from './trace.ts'

export interface StepRecord {
  readonly do: string
  /** Name of the routine, or id of the child. */
  readonly target?: string
  /** Path of the manager. */
  readonly at?: string
  /** True for a function, whatever it is called. */
  readonly free?: true
  /** True if such a function killed somebody. */
  kills?: true
}

/** What is to be known of it. */
export function recordOf(step: Step): StepRecord {
  if ('run' in step) return { do: step.do, free: true }
  const at = 'at' in step ? { at: step.at } : {}
  const target = targetOf(step)
  return { do: step.do, ...(target === undefined ? {} : { target }), ...at }
}

function targetOf(step: Exclude<Step, { run: unknown }>): string | undefined {
  if ('routine' in step) return step.routine
  if ('id' in step) return step.id
  if ('work' in step) return step.work.name
  return 'child' in step ? step.child.name : undefined
}

/** The events of a run, where each step says what it was. A trace has them without that: it holds the script itself. */
export function withSteps(events: readonly TraceEvent[], records: ReadonlyMap<number, StepRecord>): TraceEvent[] {
  return events.map((event) => {
    const record = records.get(event.i)
    return record === undefined ? event : { ...event, ...record }
  })
}

/** The step that an event is; undefined if it is none. Of one that was read from a file only the text is known. */
export function stepOf(event: TraceEvent): StepRecord | undefined {
  if (event.type !== 'step') return undefined
  return typeof event['do'] === 'string' ? (event as unknown as StepRecord) : read(event.text ?? '')
}

/** `cancel front till`, `startChild front till at shop`. */
const TEXT = /^(?:(?<deed>cancel|kill|restart) (?<routine>.+)|(?<order>spawn|\w+Child) (?<child>.+) at (?<at>.+))$/

function read(text: string): StepRecord | undefined {
  const { deed, routine, order, child, at } = TEXT.exec(text)?.groups ?? {}
  if (deed !== undefined && routine !== undefined) return { do: deed, target: routine }
  return order === undefined || child === undefined || at === undefined ? undefined : { do: order, target: child, at }
}

/** True for a step of plain data that does one of these. */
export function does(event: TraceEvent, ...deeds: readonly string[]): boolean {
  const step = stepOf(event)
  return step !== undefined && step.free !== true && deeds.includes(step.do)
}
