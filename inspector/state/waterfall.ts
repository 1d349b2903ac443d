/** Groups shutdowns: one that was asked for, and all below that followed from it. */
import type { Blocker, ShutdownsView, ShutdownView } from '../../src/inspector/protocol.ts'

/** One shutdown, and those of everything below that are part of it. */
export interface Episode {
  readonly root: ShutdownView
  /** In order of the tree, the root first. */
  readonly runs: readonly ShutdownView[]
  readonly from: number
  /** When all of it was over; undefined while it goes on. */
  readonly endedAt: number | undefined
}

const isBelow = (path: string, above: string): boolean => path.startsWith(`${above}/`)

function overlap(a: ShutdownView, b: ShutdownView): boolean {
  return a.startedAt <= (b.endedAt ?? Infinity) && b.startedAt <= (a.endedAt ?? Infinity)
}

/** What goes on first, then the latest. */
export function episodesOf({ runs }: ShutdownsView): Episode[] {
  const groups: ShutdownView[][] = []
  // Runs come in order of the tree: these are the ones above the present one.
  const ancestors: { run: ShutdownView; group: ShutdownView[] }[] = []
  for (const run of runs) {
    while (ancestors.length > 0 && !isBelow(run.path, (ancestors.at(-1) as (typeof ancestors)[number]).run.path)) ancestors.pop()
    const group = ancestors.findLast((each) => overlap(each.run, run))?.group ?? []
    if (group.push(run) === 1) groups.push(group)
    ancestors.push({ run, group })
  }
  return groups.map(asEpisode).toSorted((a, b) => later(b) - later(a) || b.from - a.from)
}

const later = ({ endedAt }: Episode): number => endedAt ?? Number.MAX_SAFE_INTEGER

function asEpisode(runs: ShutdownView[]): Episode {
  const ends = runs.map(({ endedAt }) => endedAt)
  const isOver = ends.every((end) => end !== undefined)
  return {
    root: runs[0] as ShutdownView,
    runs,
    from: Math.min(...runs.map(({ startedAt }) => startedAt)),
    endedAt: isOver ? Math.max(...(ends as number[])) : undefined,
  }
}

/** Until when the axis reaches: the deadline while it goes on, so that nothing moves; the end, once it is over. */
export function axisEnd({ from, endedAt, root }: Episode, now: number): number {
  if (endedAt !== undefined) return Math.max(endedAt, from + 10)
  if (root.deadline !== undefined && root.deadline > now) return root.deadline
  // In steps, so that it seldom has to be drawn anew.
  return from + 1_000 * 2 ** Math.ceil(Math.log2(Math.max(1, ((now - from) * 1.1) / 1_000)))
}

/** A routine that is waited for, and the shutdown that waits. */
export interface Blocking extends Blocker {
  readonly by: ShutdownView
}

/** The routines that are waited for now, the one that was asked first at the top. */
export function blockersOf({ runs }: Episode): Blocking[] {
  return runs
    .flatMap((by) => by.blocking.map((blocker) => ({ ...blocker, by })))
    .toSorted((a, b) => (a.asked ?? Infinity) - (b.asked ?? Infinity) || (a.since ?? Infinity) - (b.since ?? Infinity) || 0)
}

/** When a routine is given up on: by its own shutdown time, or that of the whole. */
export function patience({ until, by }: Blocking, root: ShutdownView): number | undefined {
  const times = [until, by.deadline, root.deadline].filter((time) => time !== undefined)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** What a shutdown that goes on is at. */
export function progressOf({ phases, held, hooks }: ShutdownView): string {
  if (held) return 'waits its turn'
  const phase = phases.at(-1)?.phase ?? ''
  if (hooks === 0) return phase
  return `${phase}, held by ${hooks === 1 ? 'a listener' : `${hooks} listeners`}`
}

/** A phase on its track: a share of it, moved on by as many pixels as shorter ones before it need to be seen. */
export interface Segment {
  readonly phase: string
  /** Percents of the track. */
  readonly left: number
  readonly width: number
  readonly shift: number
}

/** Pixels of a track, as far as one can tell, of the shortest segment, and between two. */
const TRACK = 500
const SHORTEST = 4
const GAP = 1

/** Where the phases of a manager are drawn, so that none hides another. */
export function segmentsOf({ phases }: ShutdownView, now: number, at: (time: number) => number): Segment[] {
  let free = 0
  return phases.map(({ phase, from, to }) => {
    const left = at(from)
    const width = at(to ?? now) - left
    const natural = (left / 100) * TRACK
    const begin = Math.max(natural, free)
    free = Math.max(begin + SHORTEST, natural + (width / 100) * TRACK) + GAP
    return { phase, left, width, shift: Math.round(begin - natural) }
  })
}
