/**
 * Ratios against peers, all from one run: `npm run bench -- [BENCHMARK…] [--peers A,B] [--rounds N] [--quick] [--write]`.
 * `--write` also writes bench/RESULTS.md, if all was measured, and the curve of the soak: bench/soak.csv, docs/soak.svg.
 * Each measurement is a fresh process; the variants of a row take turns, so that a slow spell of the machine hits all of them.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { drawCurve } from './curve.ts'

interface Row {
  readonly benchmark: string
  readonly title: string
  readonly n: number
  readonly unit: string
  readonly peers: readonly string[]
  /** At most so many rounds: for what takes a minute. */
  readonly rounds?: number
}

/** Megabytes. V8 collects when it has to: how little a million can do with is only seen where there is no more. */
const SMALL_HEAP = 1_800

const QUEUED = ['p-queue', 'effect', 'effect-for-each', 'rxjs', 'by-hand', 'xstate-machine']
const rows: readonly Row[] = [
  ...[1_000, 10_000, 100_000].map((n) => ({
    benchmark: 'spawn',
    title: `same job, ${n} at once, 100 at a time`,
    n,
    unit: 'µs',
    peers: n > 10_000 ? QUEUED : [...QUEUED, 'xstate-spawn-child'],
  })),
  ...[1_000, 10_000, 100_000].map((n) => ({
    benchmark: 'streamed',
    title: `same job, ${n} streamed, 100 live`,
    n,
    unit: 'µs',
    peers: ['nact', 'p-queue', 'effect', 'effect-for-each', 'rxjs', 'by-hand', 'xstate-machine'],
  })),
  {
    benchmark: 'events',
    title: 'streamed, nobody listening',
    n: 100_000,
    unit: 'µs',
    peers: ['curtaincall-one-listener', 'curtaincall-otel-api', 'curtaincall-all-events'],
  },
  { benchmark: 'call-p50', title: 'the call that spawns, median', n: 100_000, unit: 'µs', peers: ['nact', 'p-queue'] },
  { benchmark: 'call-p99', title: 'the call that spawns, 99 of 100', n: 100_000, unit: 'µs', peers: ['nact', 'p-queue'] },
  { benchmark: 'restart', title: 'crash to restart', n: 20_000, unit: 'µs', peers: ['by-hand', 'nact', 'effect', 'xstate-machine'] },
  { benchmark: 'send', title: 'send a message', n: 100_000, unit: 'µs', peers: ['nact', 'effect', 'xstate-machine'] },
  { benchmark: 'ask', title: 'ask and be answered', n: 50_000, unit: 'µs', peers: ['nact', 'effect', 'xstate-machine'] },
  { benchmark: 'shutdown', title: 'shutdown of 100000 live, each', n: 100_000, unit: 'µs', peers: ['by-hand', 'effect'] },
  { benchmark: 'shutdown-scattered', title: 'the same, spawned on 100 local managers by turns', n: 100_000, unit: 'µs', peers: [] },
  { benchmark: 'bytes-bare', title: 'bytes per live task over its own promise, bare', n: 20_000, unit: 'B', peers: [] },
  {
    benchmark: 'bytes',
    title: 'the same with timeout, signal, result',
    n: 20_000,
    unit: 'B',
    peers: ['by-hand', 'p-queue', 'effect'],
  },
  { benchmark: 'million', title: 'shutdown of 1000000 live within 30 s, each', n: 1_000_000, unit: 'µs', peers: [], rounds: 1 },
  {
    benchmark: 'million-peak',
    title: `peak memory of the same, with ${SMALL_HEAP} MB of heap`,
    n: 1_000_000,
    unit: 'MB',
    peers: [],
    rounds: 1,
  },
  { benchmark: 'soak', title: 'heap growth over 10000000 tasks', n: 10_000_000, unit: 'B', peers: [], rounds: 1 },
]

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        peers: { type: 'string' },
        rounds: { type: 'string', default: '5' },
        quick: { type: 'boolean' },
        write: { type: 'boolean' },
      },
    })
    const known = new Set(rows.map(({ benchmark }) => benchmark))
    const wrong = positionals.find((name) => !known.has(name))
    if (wrong !== undefined) throw new Error(`There is no benchmark ${wrong}; there are ${[...known].join(', ')}.`)
    const peers = values.peers?.split(',')
    const all = new Set(rows.flatMap((row) => row.peers))
    const stranger = peers?.find((peer) => !all.has(peer))
    if (stranger !== undefined) throw new Error(`There is no peer ${stranger}; there are ${[...all].join(', ')}.`)
    const rounds = values.quick === true ? 1 : Number(values.rounds)
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error(`--rounds must be a whole number of at least 1; received ${values.rounds}.`)
    return { wanted: positionals, peers, rounds, write: values.write === true }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exit(2)
  }
}

const { wanted, peers: chosen, rounds, write } = options()
const child = join(import.meta.dirname, 'child.ts')
const curve = join(import.meta.dirname, 'soak.csv')
function measure(benchmark: string, variant: string, n: number): number {
  const heap = benchmark === 'million-peak' ? SMALL_HEAP : 8_192
  const flags = ['--expose-gc', `--max-old-space-size=${heap}`, '--disable-warning=ExperimentalWarning']
  const env = { ...process.env, NODE_ENV: 'production' }
  return Number(
    execFileSync(process.execPath, [...flags, child, benchmark, variant, String(n), ...(benchmark === 'soak' && write ? [curve] : [])], {
      encoding: 'utf8',
      env,
    }),
  )
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
const digits = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2))

function version(name: string): string {
  const path = join(import.meta.dirname, '..', 'node_modules', name, 'package.json')
  return `${name} ${(JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version}`
}

const lines: string[] = []
const say = (line: string): void => {
  lines.push(line)
  process.stdout.write(`${line}\n`)
}

say(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`)
say(['xstate', 'p-queue', 'effect', 'rxjs', 'nact', '@opentelemetry/api'].map(version).join(', '))
say(`Median of ${rounds} interleaved rounds in fresh processes (least to most); a ratio below 1 means curtaincall takes less.`)
say('')
say('| what | variant | each | least to most | curtaincall ÷ it |')
say('| --- | --- | ---: | ---: | ---: |')
const growth: Record<string, number[]> = {}
for (const { benchmark, title, n, unit, peers, rounds: most = rounds } of rows) {
  if (wanted.length > 0 && !wanted.includes(benchmark)) continue
  const variants = ['curtaincall', ...peers.filter((peer) => chosen?.includes(peer) ?? true)]
  const figures = new Map<string, number[]>(variants.map((variant) => [variant, []]))
  for (let round = 0; round < Math.min(rounds, most); round++)
    for (const variant of variants) figures.get(variant)?.push(measure(benchmark, variant, n))
  const ours = median(figures.get('curtaincall') as number[])
  if (benchmark === 'spawn' || benchmark === 'streamed') (growth[benchmark] ??= []).push(ours)
  for (const [variant, values] of figures) {
    const own = variant === 'curtaincall'
    const spread = `${digits(Math.min(...values))} to ${digits(Math.max(...values))}`
    say(
      `| ${own ? title : ''} | ${variant} | ${digits(median(values))} ${unit} | ${spread} | ${own ? '' : (ours / median(values)).toFixed(2)} |`,
    )
  }
}
for (const [benchmark, values] of Object.entries(growth)) {
  if (values.length === 3)
    say(`| growth of ${benchmark}, 1000 to 100000 | curtaincall | ${((values[2] as number) / (values[0] as number)).toFixed(2)}× | | |`)
}
if (write && (wanted.length === 0 || wanted.includes('soak'))) drawCurve(curve, join(import.meta.dirname, '..', 'docs', 'soak.svg'))
if (write && wanted.length === 0)
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), `# Results of \`npm run bench -- --write\`\n\n${lines.join('\n')}\n`)
