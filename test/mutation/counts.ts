/**
 * Counts the mutants of the last run, file by file. Stryker leaves alone whatever stands inside `expr as T` without a word,
 * so code that moves into a cast is held against nothing any more: a count below its floor says so.
 */
import { readFileSync } from 'node:fs'

/** About nineteen in twenty of the mutants that there were when the floor was set. */
const FLOORS: Readonly<Record<string, number>> = {
  'machines/health.ts': 20,
  'machines/manager.ts': 84,
  'machines/restart-policy.ts': 87,
  'machines/routine.ts': 143,
  'machines/shutdown.ts': 42,
  'machines/statecharts.ts': 3,
  'machines/supervisor.ts': 361,
  'machines/transition-table.ts': 58,
  'machines/worker.ts': 66,
  'src/turn/turn.ts': 162,
  'src/routine/announcing.ts': 55,
  'src/supervision/child-calls.ts': 133,
  'src/supervision/commands.ts': 228,
  'src/supervision/routine-registry.ts': 384,
  'src/supervision/service.ts': 55,
  'src/supervision/supervisor.ts': 221,
  'src/shutdown/shutdown.ts': 348,
}

interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: string }[] }>>
  readonly config: { readonly mutate: readonly string[] }
}

const { files, config } = JSON.parse(readFileSync(new URL('../../.tmp/mutation.json', import.meta.url), 'utf8')) as Report
const { mutate } = JSON.parse(readFileSync(new URL('../../stryker.config.json', import.meta.url), 'utf8')) as Report['config']
const whole = mutate.join() === config.mutate.join()
const STATES = ['Killed', 'Timeout', 'Survived', 'NoCoverage'] as const
const total = [0, 0, 0, 0, 0]
const row = (name: string, counts: readonly number[]): string => {
  const [all = 0, killed = 0, timeout = 0] = counts
  return `| ${name} | ${counts.join(' | ')} | ${(((killed + timeout) / all) * 100).toFixed(1)} |\n`
}

let faults = ''
process.stdout.write(
  '| file | mutants | killed | timeout | survived | no coverage | score |\n| --- | --- | --- | --- | --- | --- | --- |\n',
)
for (const [file, floor] of Object.entries(FLOORS)) {
  const mutants = files[file]?.mutants
  if (mutants === undefined && !whole) continue
  const valid = (mutants ?? []).filter(({ status }) => (STATES as readonly string[]).includes(status))
  const counts = [valid.length, ...STATES.map((state) => valid.filter(({ status }) => status === state).length)]
  counts.forEach((count, i) => (total[i] = (total[i] ?? 0) + count))
  process.stdout.write(row(file, counts))
  // A run of some lines of a file says nothing of its count.
  if ((whole || config.mutate.includes(file)) && valid.length < floor)
    faults += `${file} has ${valid.length} mutants, fewer than ${floor}: has code moved into a cast?\n`
}
process.stdout.write(row('all', total))
for (const file of Object.keys(files)) if (!(file in FLOORS)) faults += `${file} has no floor in test/mutation/counts.ts.\n`
process.stderr.write(faults)
process.exitCode = faults === '' ? 0 : 1
