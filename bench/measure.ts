/** One measurement as a process of its own, and how a figure is written. */
import { execFileSync } from 'node:child_process'
import { SMALL_HEAP } from './rows.ts'

/** What bench/child.ts is to measure. */
export interface Task {
  readonly benchmark: string
  readonly variant: string
  readonly n: number
  /** Where the curve of the soak goes. */
  readonly file?: string
  /** How often its clock runs. @default 1 */
  readonly passes?: number
  /** The clock is that of the CPU, where it times a job. @default false */
  readonly cpu?: boolean
}

/** Runs this child.ts, which is the one of the build that it stands beside. */
export function measure(child: string, { benchmark, variant, n, file, passes = 1, cpu = false }: Task): number {
  const heap = benchmark === 'million-peak' ? SMALL_HEAP : 8_192
  const flags = ['--expose-gc', `--max-old-space-size=${heap}`, '--disable-warning=ExperimentalWarning']
  const env = { ...process.env, NODE_ENV: 'production' }
  const given = [
    benchmark,
    variant,
    String(n),
    '--passes',
    String(passes),
    ...(cpu ? ['--cpu'] : []),
    ...(file === undefined ? [] : ['--file', file]),
  ]
  return Number(execFileSync(process.execPath, [...flags, child, ...given], { encoding: 'utf8', env }))
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
export const digits = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2))
