/** Moments that an axis of time names: round ones, as people count them. */

export interface Tick {
  readonly at: number
  readonly label: string
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY
const times = (unit: number, ...counts: number[]): number[] => counts.map((each) => each * unit)
const STEPS = [
  times(1, 1, 2, 5, 10, 20, 50, 100, 200, 500),
  times(SECOND, 1, 2, 5, 10, 15, 30),
  times(MINUTE, 1, 2, 5, 10, 15, 30),
  times(HOUR, 1, 2, 3, 6, 12),
  times(DAY, 1, 2, 7, 14, 28, 84, 168),
  YEAR,
].flat()

/** A clock before this is not that of the platform: it counts from its own beginning. */
const CALENDAR = 1e11

const two = (value: number): string => String(value).padStart(2, '0')

/** The smallest round step that leaves at most so many ticks between. */
export function stepFor(span: number, most: number): number {
  const wanted = span / Math.max(1, most)
  // Beyond the widest there are several of it.
  return STEPS.find((step) => step >= wanted) ?? Math.ceil(wanted / YEAR) * YEAR
}

/** A moment, as exact as the step between two of them. */
export function tickLabel(at: number, step: number): string {
  if (at < CALENDAR) return step < SECOND ? `${Math.round(at)} ms` : `${(at / SECOND).toLocaleString('en')} s`
  const date = new Date(at)
  if (step >= DAY) return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`
  if (step >= MINUTE) return minutes
  const seconds = `${minutes}:${two(date.getSeconds())}`
  return step >= SECOND ? seconds : `${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** Ticks between two moments, both included. */
export function ticks(from: number, to: number, most: number): Tick[] {
  if (!(to > from)) return []
  const step = stepFor(to - from, most)
  // Full hours are those of the place where one sits.
  const shift = from < CALENDAR ? 0 : new Date(from).getTimezoneOffset() * MINUTE
  const found: Tick[] = []
  for (let k = Math.ceil((from - shift) / step); k * step + shift <= to; k++) {
    const at = k * step + shift
    found.push({ at, label: tickLabel(at, step) })
  }
  return found
}
