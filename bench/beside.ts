/**
 * This working tree beside a commit, in one run: `npm run bench:beside -- REVISION [BENCHMARK…] [--rounds N]`.
 * Each figure is a fresh process; in each round both builds have their turn, one right after the other, and the one that went first
 * goes second in the next: a slow spell of the machine hits both, and what is left of it is in the bounds. Time is that of the CPU,
 * all threads together: on an idle machine it is the wall's, and on a busy one the neighbours are not in it. Ends with 1 if a row has
 * become dearer beyond doubt; measure that row again, alone and with more rounds, before anything is concluded from it.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { digits, measure, median, type Task } from './measure.ts'
import { rows } from './rows.ts'

interface Comparison extends Task {
  readonly title: string
  readonly unit: string
  /** The lower bound of the ratio may be this. Growth may be nothing at all, and has no ratio: it is shown, and not judged. */
  readonly allowed: number | undefined
}

const root = join(import.meta.dirname, '..')
const scratch = join(root, '.tmp')
/** Bounds of 95 % need six pairs. */
const FEWEST = 6

const TIME = { unit: 'µs', allowed: 1.03 }
const MEMORY = { unit: 'B', allowed: 1.02 }
const alone = { variant: 'curtaincall-alone' }
/** To begin a process and warm it up is what takes long: once there, its clock may as well run more than once. */
const PASSES = 3

/** What the table has no row for: no peer does it. Each count makes a tenth of a second, or more. */
const own: readonly Comparison[] = [
  { ...alone, benchmark: 'strict', title: 'streamed, strict', n: 5_000, ...TIME },
  { ...alone, benchmark: 'start', title: 'streamed, each with a start', n: 100_000, ...TIME },
  { ...alone, benchmark: 'clock', title: "streamed, on a clock that is not the library's", n: 100_000, ...TIME },
  { ...alone, benchmark: 'machine', title: 'life of a machine, two events', n: 5_000, ...TIME },
  { ...alone, benchmark: 'promise', title: 'life of a fromPromise', n: 5_000, ...TIME },
  { ...alone, benchmark: 'callback', title: 'life of a fromCallback, cancelled', n: 5_000, ...TIME },
  { ...alone, benchmark: 'send-machine', title: 'send to a machine', n: 100_000, ...TIME },
  { ...alone, benchmark: 'send-resumed', title: 'send to a machine that is persisted each time', n: 100_000, ...TIME },
  { ...alone, benchmark: 'after', title: 'end of a machine that has an `after`, beside 1000 such', n: 1_000, ...TIME },
  { ...alone, benchmark: 'bytes-resumed', title: 'bytes of a live machine that is persisted each time', n: 5_000, ...MEMORY },
  { ...alone, benchmark: 'cancel', title: '100000 that run, cancelled one by one', n: 100_000, ...TIME },
  { ...alone, benchmark: 'restart-child', title: 'crash to restart of a child', n: 40_000, ...TIME },
  { ...alone, benchmark: 'one-for-all', title: 'crash to restart of ten, one_for_all', n: 4_000, ...TIME },
  { ...alone, benchmark: 'locals', title: 'an empty local manager, made and shut down', n: 3_000, ...TIME },
  { ...alone, benchmark: 'bytes-machine', title: 'bytes of a live machine', n: 5_000, ...MEMORY },
  { ...alone, benchmark: 'bytes-local', title: 'bytes of an empty local manager', n: 5_000, ...MEMORY },
]

/** A million of a thing is half a minute for one figure, and a hundred thousand of what takes no time are a hundredth of a second. */
const counts: Readonly<Record<string, number>> = {
  million: 300_000,
  'million-peak': 300_000,
  soak: 200_000,
  send: 1_000_000,
  ask: 200_000,
  restart: 60_000,
}

/** The rows of the table. */
const shared: readonly Comparison[] = rows.flatMap(({ benchmark, title, n, unit, peers, ours: variantOfOurs }) => {
  // What stands beside XState alone is among our own.
  if (variantOfOurs !== undefined) return []
  const count = counts[benchmark] ?? n
  const allowed = benchmark === 'soak' ? undefined : unit === 'µs' ? TIME.allowed : MEMORY.allowed
  const row = { benchmark, n: count, unit, allowed, title: title.replace(String(n), String(count)) }
  const ours = peers.filter((peer) => peer.startsWith('curtaincall-'))
  // With nobody listening it is what is streamed above.
  if (benchmark !== 'events') return [{ ...row, variant: 'curtaincall' }]
  return ours.map((variant) => ({ ...row, variant, title: `streamed, ${variant.slice('curtaincall-'.length)}` }))
})

const comparisons = [...shared, ...own]

function options() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '9' } } })
    const [revision, ...wanted] = positionals
    if (revision === undefined) throw new Error('Say which commit: npm run bench:beside -- REVISION [BENCHMARK…] [--rounds N].')
    const known = new Set(comparisons.map(({ benchmark }) => benchmark))
    const wrong = wanted.find((name) => !known.has(name))
    if (wrong !== undefined) throw new Error(`There is no benchmark ${wrong}; there are ${[...known].join(', ')}.`)
    const rounds = Number(values.rounds)
    if (!Number.isInteger(rounds) || rounds < FEWEST)
      throw new Error(`--rounds must be a whole number of at least ${FEWEST}; received ${values.rounds}.`)
    return { commit: git('rev-parse', '--verify', '--short', `${revision}^{commit}`).toString().trim(), wanted, rounds }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exit(2)
  }
}

function git(...given: string[]): Buffer {
  return execFileSync('git', given, { cwd: root, maxBuffer: 2 ** 30 })
}

/** What the library is: all else is the present bench's, and the present node_modules, which both find further up. */
const LIBRARY = ['src', 'machines', 'package.json']

/** Two trees with paths of one length. This one is copied too, so that it can be worked on meanwhile. */
function lay(commit: string): { before: string; now: string } {
  mkdirSync(scratch, { recursive: true })
  const folder = mkdtempSync(join(scratch, 'beside-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  const [before, now] = ['old', 'new'].map((name) => join(folder, name)) as [string, string]
  mkdirSync(before)
  execFileSync('tar', ['-x', '-C', before], { input: git('archive', commit, ...LIBRARY) })
  for (const part of LIBRARY) cpSync(join(root, part), join(now, part), { recursive: true })
  for (const tree of [before, now]) cpSync(import.meta.dirname, join(tree, 'bench'), { recursive: true })
  return { before: join(before, 'bench', 'child.ts'), now: join(now, 'bench', 'child.ts') }
}

/**
 * The bounds of 95 % of the median, exact whatever the ratios are like: the sign test. Of n ratios at most k lie below the median
 * with the chance of at most k heads in n throws; the k-th from either end are as far in as leaves 2.5 % outside of each.
 */
function bounds(ratios: readonly number[]): [number, number] {
  const sorted = ratios.toSorted((a, b) => a - b)
  const n = sorted.length
  let outside = 0
  let chance = 0.5 ** n
  let inward = -1
  for (; outside + chance <= 0.025; inward++) {
    outside += chance
    chance = (chance * (n - inward - 1)) / (inward + 2)
  }
  return [sorted[inward] as number, sorted[n - 1 - inward] as number]
}

function judge(allowed: number | undefined, lower: number, upper: number): string {
  if (allowed === undefined) return 'not judged'
  if (lower > allowed) return '**dearer**'
  if (lower > 1) return 'dearer, within what is allowed'
  return upper < 1 ? 'cheaper' : 'no difference shown'
}

const { commit, wanted, rounds } = options()
const builds = lay(commit)
const begun = performance.now()
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

/** Says its line; true if it is dearer than allowed, or what the commit can do this tree cannot. */
function compare({ title, unit, allowed, ...task }: Comparison): boolean {
  const figures = { before: [] as number[], now: [] as number[] }
  for (let round = 0; round < rounds; round++)
    for (const build of round % 2 === 0 ? (['now', 'before'] as const) : (['before', 'now'] as const))
      try {
        figures[build].push(measure(builds[build], { ...task, passes: PASSES, cpu: true }))
      } catch {
        // Its error is on stderr already, and the other rows are worth the wait.
        say(`| ${task.benchmark} | ${title} | | | | | fails ${build === 'now' ? 'in this tree' : `in ${commit}`} |`)
        return build === 'now'
      }
  const { before, now } = figures
  const ratios = now.map((value, i) => value / (before[i] as number))
  const [lower, upper] = bounds(ratios)
  const medians = `${digits(median(before))} ${unit} | ${digits(median(now))} ${unit}`
  const paired = allowed === undefined ? ' | ' : `${median(ratios).toFixed(3)} | ${lower.toFixed(3)} to ${upper.toFixed(3)}`
  say(`| ${task.benchmark} | ${title} | ${medians} | ${paired} | ${judge(allowed, lower, upper)} |`)
  return allowed !== undefined && lower > allowed
}

say(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`)
say(`This tree beside ${commit}: medians of ${rounds} interleaved pairs in fresh processes, the median of their ratios, and its bounds of`)
say(`95 % by the sign test. Dearer is what has a lower bound above ${TIME.allowed}, of memory above ${MEMORY.allowed}.`)
say('')
say(`| benchmark | what | ${commit} | this tree | ratio | 95 % | |`)
say('| --- | --- | ---: | ---: | ---: | ---: | --- |')
const dearer = comparisons.filter(({ benchmark }) => wanted.length === 0 || wanted.includes(benchmark)).filter(compare)
say('')
say(`${dearer.length} dearer than allowed, or failing; ${((performance.now() - begun) / 60_000).toFixed(1)} minutes.`)
process.exitCode = dearer.length > 0 ? 1 : 0
