/** What a run has come to, in words. */
import type { GlobalManager, ShutdownReport } from '../index.ts'
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
