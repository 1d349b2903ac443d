/**
 * How one operation grows with the number of others: the second table of `npm run bench`, alone as `npm run bench -- growth`.
 * Of each row both sizes are measured in fresh processes by turns, and the growth is that of the medians.
 */
import { digits, measure, median } from './measure.ts'

/** What is measured, and among how many. */
export interface Growth {
  readonly benchmark: string
  readonly title: string
  readonly few: number
  readonly many: number
  /** @default 'µs' */
  readonly unit?: string
}

const FEW = 100
const MANY = 100_000

/** Fewer where as many are more than anybody has: a level is a manager, and each child of a simulation a body that fails. */
export const growth: readonly Growth[] = [
  { benchmark: 'retained', title: '`routine(id)`, among retained ones', few: FEW, many: MANY },
  { benchmark: 'whereis', title: '`whereis(id)`, over local managers', few: FEW, many: MANY },
  { benchmark: 'routines-named', title: '`routinesNamed`, over local managers', few: FEW, many: MANY },
  { benchmark: 'rest-for-one', title: 'the last child fails and is restarted, `rest_for_one`', few: FEW, many: MANY },
  { benchmark: 'metrics', title: '`metrics()`, with names', few: FEW, many: MANY },
  { benchmark: 'outstanding', title: '`next()` of one reader that is outstanding, and its message', few: FEW, many: MANY },
  { benchmark: 'returned', title: 'a reader that waits, and its `return()`', few: FEW, many: MANY },
  { benchmark: 'on-off', title: '`on` and off, among listeners', few: FEW, many: MANY },
  { benchmark: 'level', title: 'a level of depth, made and shut down', few: 10, many: 400 },
  { benchmark: 'simulate', title: '`simulate`, each child that fails and is restarted', few: 100, many: 1_000 },
  { benchmark: 'explore-chain', title: '`exploreMachine`, each state of a chain', few: FEW, many: MANY },
  { benchmark: 'explore-star', title: '`exploreMachine`, each state of a star', few: FEW, many: 50_000 },
  { benchmark: 'state-bytes', title: 'memory of the same, each state of a chain', few: 1_000, many: MANY, unit: 'B' },
]

/** The variant that has their jobs. */
const variant = 'curtaincall-growth'

/** Says its lines. */
export function tellGrowth(child: string, rows: readonly Growth[], rounds: number, say: (line: string) => void): void {
  say('')
  say('| growth of | among | each | among | each | growth |')
  say('| --- | ---: | ---: | ---: | ---: | ---: |')
  for (const { benchmark, title, few, many, unit = 'µs' } of rows) {
    const figures = { few: [] as number[], many: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      figures.few.push(measure(child, { benchmark, variant, n: few }))
      figures.many.push(measure(child, { benchmark, variant, n: many }))
    }
    const [a, b] = [median(figures.few), median(figures.many)]
    say(`| ${title} | ${few} | ${digits(a)} ${unit} | ${many} | ${digits(b)} ${unit} | ${(b / a).toFixed(2)}× |`)
  }
}
