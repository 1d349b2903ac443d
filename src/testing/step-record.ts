/** What laws know of a step of the script. Its text is for people: names may have blanks in them. */
import { refuse } from '../spec/index.ts'
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

/** The record of a step. */
export function recordOf(step: Step): StepRecord {
  if ('run' in step) return { do: step.do, free: true }
  const at = 'at' in step ? { at: step.at } : {}
  const target = targetOf(step)
  return { do: step.do, ...(target === undefined ? {} : { target }), ...at }
}

/** Whom a script may name: who came to be, or was planned to. */
interface Comers {
  /** Names of routines. */
  readonly names: ReadonlySet<string>
  /** Paths of managers. */
  readonly managers: ReadonlySet<string>
  /** Paths of all. */
  readonly paths: ReadonlySet<string>
}

/**
 * Refuses a step that names somebody who never is, which is a mistake in the script. One that comes too early or too late has met nobody,
 * and says so in its event.
 */
export function refuseStrangers(steps: readonly Step[], { names, managers, paths }: Comers): void {
  const ids = new Set([...names, ...[...paths].map((path) => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('#')) + 1))])
  const known = (many: ReadonlySet<string>): string => [...many].join(', ')
  for (const [i, step] of steps.entries()) {
    if ('run' in step) continue
    const owner = `simulate script step ${i} (${step.do})`
    if ('routine' in step && !names.has(step.routine))
      throw refuse(`${owner} option routine`, `the name of a routine that comes to be (${known(names)})`, step.routine)
    if ('at' in step && !managers.has(step.at))
      throw refuse(`${owner} option at`, `the path of a manager that comes to be (${known(managers)})`, step.at)
    if ('id' in step && !ids.has(step.id)) throw refuse(`${owner} option id`, `the id of a child that comes to be (${known(ids)})`, step.id)
  }
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

/** The record of the step that an event is; undefined if it is none. Of an event that was read from a file only the text is known. */
export function stepOf(event: TraceEvent): StepRecord | undefined {
  if (event.type !== 'step') return undefined
  return typeof event['do'] === 'string' ? (event as unknown as StepRecord) : read(event.text ?? '')
}

/** `cancel front till`, `startChild front till at shop`. */
const TEXT = /^(?:(?<control>cancel|kill|restart) (?<routine>.+)|(?<call>spawn|\w+Child) (?<child>.+) at (?<at>.+))$/

function read(text: string): StepRecord | undefined {
  const { control, routine, call, child, at } = TEXT.exec(text)?.groups ?? {}
  if (control !== undefined && routine !== undefined) return { do: control, target: routine }
  return call === undefined || child === undefined || at === undefined ? undefined : { do: call, target: child, at }
}

/** True for a step of plain data that does one of these. */
export function does(event: TraceEvent, ...names: readonly string[]): boolean {
  const step = stepOf(event)
  return step !== undefined && step.free !== true && names.includes(step.do)
}
