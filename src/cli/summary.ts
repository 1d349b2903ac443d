/** What a run has come to, in words. */
import type { GlobalManager, ShutdownReport } from '../index.ts'
import type { Colour } from './paint.ts'
import { messageOf } from './words.ts'

/** At most this many errors are listed one by one. */
const ERRORS_SHOWN = 10

function milliseconds(duration: number): string {
  return duration < 10_000 ? `${Math.round(duration)} ms` : `${(duration / 1_000).toFixed(1)} s`
}

/** The shutdown report and the sum that has to come out even. */
export function summaryLines(global: GlobalManager, report: ShutdownReport, elapsed: number): string[] {
  const { totals, phases, errors } = report
  const { restarts, orphaned } = global.metrics()
  const sum = totals.completed + totals.failed + totals.cancelled + totals.killed
  const lines = [
    `run: ${milliseconds(elapsed)}, ${restarts} restarted, ${orphaned} still at work though abandoned`,
    `account: ${totals.spawned} spawned = ${totals.completed} done + ${totals.failed} failed + ${totals.cancelled} cancelled + ${totals.killed} killed${sum === totals.spawned ? '' : ` (${totals.spawned - sum} unaccounted for)`}`,
    `shutdown: ${report.mode}, ${milliseconds(report.duration)}${report.timedOut ? ', out of time' : ''}; ended meanwhile: ${report.completed} done, ${report.failed} failed, ${report.cancelled} cancelled, ${report.killed} killed`,
    `phases: ${phases.map(({ phase, duration, exceeded }) => `${phase} ${milliseconds(duration)}${exceeded ? ' (time up)' : ''}`).join(', ')}`,
  ]
  for (const { path, error } of errors.slice(0, ERRORS_SHOWN)) lines.push(`error: ${path}: ${messageOf(error)}`)
  if (errors.length > ERRORS_SHOWN) lines.push(`error: and ${errors.length - ERRORS_SHOWN} more`)
  return lines
}

/** A line of the summary on a terminal. */
export interface Row {
  readonly label: string
  readonly text: string
  readonly colour?: Colour | undefined
}

/** The same to a tenth of a second, for people. */
const spelt = (duration: number): string => (duration < 1_000 ? `${Math.round(duration)} ms` : `${(duration / 1_000).toFixed(1)} s`)

/** The same in columns; what is 0 is left out. */
export function summaryRows(global: GlobalManager, report: ShutdownReport, elapsed: number): Row[] {
  const { totals, phases, errors, mode, duration, timedOut } = report
  const { restarts } = global.metrics()
  const ends = (['completed', 'failed', 'cancelled', 'killed'] as const)
    .filter((end) => totals[end] > 0)
    .map((end) => `${totals[end]} ${end === 'completed' ? 'done' : end}`)
  const sum = totals.completed + totals.failed + totals.cancelled + totals.killed
  const lost = sum === totals.spawned ? '' : ` (${totals.spawned - sum} unaccounted for)`
  return [
    {
      label: 'routines',
      text: `${totals.spawned} spawned${ends.length === 0 ? '' : ` = ${ends.join(' + ')}`}${lost}${restarts > 0 ? `, ${restarts} restarted` : ''}`,
    },
    {
      label: 'shutdown',
      text: `${mode}, ${spelt(duration)}${timedOut ? ', out of time' : ''}`,
      ...(timedOut ? { colour: 'red' as const } : {}),
    },
    {
      label: 'phases',
      text: phases.map(({ phase, duration: each, exceeded }) => `${phase} ${spelt(each)}${exceeded ? ' (time up)' : ''}`).join(', '),
    },
    { label: 'duration', text: spelt(elapsed) },
    ...errors
      .slice(0, ERRORS_SHOWN)
      .map(({ path, error }) => ({ label: 'error', text: `${path}: ${messageOf(error)}`, colour: 'red' as const })),
    ...(errors.length > ERRORS_SHOWN ? [{ label: 'error', text: `and ${errors.length - ERRORS_SHOWN} more` }] : []),
  ]
}
