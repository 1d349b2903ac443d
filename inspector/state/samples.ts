/** Samples as columns, and what can be read from them. */
import { SAMPLE } from '../../src/inspector/protocol.ts'

/** What a sample holds, by name. */
export type Measure = (typeof SAMPLE)[number]
/** The same samples, by measure. */
export type Columns = Readonly<Record<Measure, readonly number[]>>

/** Turns samples into columns. */
export function columnsOf(samples: readonly (readonly number[])[]): Columns {
  return Object.fromEntries(SAMPLE.map((name, k) => [name, samples.map((sample) => sample[k] ?? 0)])) as unknown as Columns
}

/** How much a total grows in a second, at each sample but the first. A total that falls began anew. */
export function perSecond(total: readonly number[], at: readonly number[]): number[] {
  return total.map((value, k) => {
    if (k === 0) return 0
    const seconds = ((at[k] as number) - (at[k - 1] as number)) / 1_000
    return seconds <= 0 ? 0 : Math.max(0, value - (total[k - 1] as number)) / seconds
  })
}

/** Points of a line of some width and height, the largest value on top. */
export function sparkline(values: readonly number[], width: number, height: number): string {
  const top = Math.max(1e-9, ...values)
  const step = width / Math.max(1, values.length - 1)
  return values.map((value, k) => `${(k * step).toFixed(1)},${(height - 1 - (value / top) * (height - 2)).toFixed(1)}`).join(' ')
}
