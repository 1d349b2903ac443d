/**
 * Ratios against peers, all from one run: `npm run bench -- [BENCHMARK…] [--peers A,B] [--rounds N] [--quick] [--write]`.
 * `growth` is all rows of the second table, which holds one size beside another; see growth.ts.
 * `--write` also writes bench/RESULTS.md, if all was measured, and the curve of the soak: bench/soak.csv, docs/soak.svg.
 * Each measurement is a fresh process; the variants of a row take turns, so that a slow spell of the machine hits all of them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { drawCurve } from './curve.ts'
import { growth, tellGrowth } from './growth.ts'
import { digits, measure, median } from './measure.ts'
import { rows as warmRows, startUpRows } from './rows.ts'
import { isStartUp, measureStartUp } from './start-up.ts'

const rows = [...warmRows, ...startUpRows]

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
    const known = new Set(['growth', ...[...rows, ...growth].map(({ benchmark }) => benchmark)])
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
const ofGrowth = wanted.length === 0 || wanted.includes('growth') ? growth : growth.filter(({ benchmark }) => wanted.includes(benchmark))
const hasPeers = wanted.length === 0 || rows.some(({ benchmark }) => wanted.includes(benchmark))
if (hasPeers) say('| what | variant | each | least to most | curtaincall ÷ it |')
if (hasPeers) say('| --- | --- | ---: | ---: | ---: |')
const larger: Record<string, number[]> = {}
for (const { benchmark, title, n, unit, peers, ours: own = 'curtaincall', rounds: most = rounds, processes = 1 } of rows) {
  if (wanted.length > 0 && !wanted.includes(benchmark)) continue
  const variants = [own, ...peers.filter((peer) => chosen?.includes(peer) ?? true)]
  const figures = new Map<string, number[]>(variants.map((variant) => [variant, []]))
  for (let round = 0; round < Math.min(rounds, most) * processes; round++)
    for (const variant of variants)
      figures
        .get(variant)
        ?.push(
          isStartUp(benchmark)
            ? measureStartUp(benchmark, variant)
            : measure(child, { benchmark, variant, n, ...(benchmark === 'soak' && write ? { file: curve } : {}) }),
        )
  const ours = median(figures.get(own) as number[])
  if (benchmark === 'spawn' || benchmark === 'streamed') (larger[benchmark] ??= []).push(ours)
  for (const [variant, values] of figures) {
    const isOurs = variant === own
    const spread = `${digits(Math.min(...values))} to ${digits(Math.max(...values))}`
    say(
      `| ${isOurs ? title : ''} | ${variant} | ${digits(median(values))} ${unit} | ${spread} | ${isOurs ? '' : (ours / median(values)).toFixed(2)} |`,
    )
  }
}
for (const [benchmark, values] of Object.entries(larger)) {
  if (values.length === 3)
    say(`| growth of ${benchmark}, 1000 to 100000 | curtaincall | ${((values[2] as number) / (values[0] as number)).toFixed(2)}× | | |`)
}
if (ofGrowth.length > 0) tellGrowth(child, ofGrowth, rounds, say)
if (write && (wanted.length === 0 || wanted.includes('soak'))) drawCurve(curve, join(import.meta.dirname, '..', 'docs', 'soak.svg'))
if (write && wanted.length === 0)
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), `# Results of \`npm run bench -- --write\`\n\n${lines.join('\n')}\n`)
