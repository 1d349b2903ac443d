/**
 * Where bars are drawn: each routine in one lane, with all its runs; as few lanes as may be; managers one under the other.
 *
 * L1  No two routines overlap in a lane, the gap between them included.
 * L2  A routine keeps the lane that it has had for as long as L1 allows, so that nothing jumps when more comes in.
 */
import type { Bar } from '../../src/inspector/protocol.ts'

export interface Placed {
  readonly bar: Bar
  readonly group: number
  readonly lane: number
  /** The run before this one, if it is drawn, too. */
  readonly before: Bar | undefined
}

/** The lanes of one manager. */
export interface Group {
  readonly path: string
  readonly lanes: number
}

export interface Layout {
  readonly groups: readonly Group[]
  /** In the order in which they are given. */
  readonly placed: readonly Placed[]
  /** The lane of each routine, for the next time. */
  readonly laneOf: ReadonlyMap<string, number>
}

interface Life {
  readonly path: string
  from: number
  to: number
  readonly bars: Bar[]
}

/** The path of a routine's manager. */
const groupOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

/** @param gap milliseconds that have to be free between two routines in one lane. */
export function layOut(bars: readonly Bar[], gap: number, laneBefore: ReadonlyMap<string, number> = new Map()): Layout {
  const lives = livesOf(bars)
  const byGroup = Map.groupBy(lives.values(), ({ path }) => groupOf(path))
  const laneOf = new Map<string, number>()
  const groups: Group[] = []
  const indexes = new Map<string, number>()
  for (const path of [...byGroup.keys()].toSorted()) {
    indexes.set(path, groups.length)
    groups.push({ path, lanes: pack(byGroup.get(path) as Life[], gap, laneBefore, laneOf) })
  }
  const placed = bars.map((bar): Placed => {
    const { path, incarnation } = bar
    const before = incarnation === 1 ? undefined : lives.get(path)?.bars.find((each) => each.incarnation === incarnation - 1)
    return { bar, group: indexes.get(groupOf(path)) as number, lane: laneOf.get(path) as number, before }
  })
  return { groups, placed, laneOf }
}

function livesOf(bars: readonly Bar[]): Map<string, Life> {
  const lives = new Map<string, Life>()
  for (const bar of bars) {
    const { path, from, to = Infinity } = bar
    const life = lives.get(path)
    if (life === undefined) lives.set(path, { path, from, to, bars: [bar] })
    else {
      life.from = Math.min(life.from, from)
      life.to = Math.max(life.to, to)
      life.bars.push(bar)
    }
  }
  return lives
}

/** Gives a lane to each; returns how many there are. */
function pack(lives: readonly Life[], gap: number, laneBefore: ReadonlyMap<string, number>, laneOf: Map<string, number>): number {
  const lanes: Life[][] = []
  const latest: Life[] = []
  const isApart = ({ from, to }: Life, other: Life): boolean => from > other.to + gap || to + gap < other.from
  const isFree = (lane: number, life: Life): boolean => {
    const last = latest[lane]
    // Since nothing overlaps in a lane, all others there are over before the latest one begins.
    if (last === undefined || life.from >= last.from) return last === undefined || isApart(life, last)
    return (lanes[lane] as Life[]).every((other) => isApart(life, other))
  }
  const put = (lane: number, life: Life): void => {
    while (lanes.length <= lane) lanes.push([])
    lanes[lane]?.push(life)
    const last = latest[lane]
    if (last === undefined || life.from >= last.from) latest[lane] = life
    laneOf.set(life.path, lane)
  }
  const inOrder = lives.toSorted((a, b) => a.from - b.from)
  const unplaced: Life[] = []
  for (const life of inOrder) {
    const lane = laneBefore.get(life.path)
    if (lane !== undefined && isFree(lane, life)) put(lane, life)
    else unplaced.push(life)
  }
  for (const life of unplaced) {
    let lane = 0
    while (!isFree(lane, life)) lane++
    put(lane, life)
  }
  return lanes.length
}
