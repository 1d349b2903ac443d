/** Reads the health of a tree. */
import { type HealthStatus, judgeHealth } from '../../machines/health.ts'
import type { StoreState } from '../port/index.ts'
import { blockedBelow } from './blocked.ts'
import { type Standings, standingsIn } from './grounds.ts'
import type { Life } from './life.ts'
import { downwards } from './walk.ts'

/** The health of one manager. */
export interface Health {
  readonly path: string
  readonly status: HealthStatus
  /** Routines below that have been silent for longer than their `hungAfter`. */
  readonly hung: number
  /** Restarts left before the manager gives up. */
  readonly restartsLeft: number
  /** Milliseconds since the longest silent routine below was heard; of those with `hungAfter`. Undefined if there is none. */
  readonly oldestHeartbeat: number | undefined
  /**
   * Paths of routines here and below that hold every permit of a manager while others that they have spawned are queued behind them. If
   * they wait for these, none of them ends.
   */
  readonly blocked: readonly string[]
  /**
   * Paths of its own children that are to run and do not: those that wait for a delayed restart, and those that have failed and are not
   * restarted, until they are started again or forgotten.
   */
  readonly down: readonly string[]
  /** Paths of its own routines that run on a ground and wait for a thread, or a process, that is free. */
  readonly waiting: readonly string[]
  /** Paths of its own routines whose ground could not end them in time, and that are at work still. */
  readonly stuck: readonly string[]
  /** Of the root, if it has a store. */
  readonly store?: StoreState
  readonly children: readonly Health[]
}

/** Judges a manager and everything below it, the deepest first: a tree may be wider and deeper than a stack holds. */
export function healthOf(top: Life): Health {
  const now = top.tree.clock.now()
  const lives = [...downwards(top)]
  const blocked = blockedBelow(top, lives)
  const standings = standingsIn(top.tree)
  const healths = new Map<Life, Health>()
  for (let k = lives.length - 1; k >= 0; k--) {
    const life = lives[k] as Life
    const children = Array.from(life.flock.below(), (child) => healths.get(child) as Health)
    healths.set(life, judge(life, children, now, [...(blocked.get(life) ?? [])], standings.get(life.host)))
  }
  return healths.get(top) as Health
}

const NONE: Standings = { waiting: [], stuck: [] }

function judge(life: Life, children: readonly Health[], now: number, blocked: readonly string[], standings: Standings = NONE): Health {
  const store = life.up === undefined ? life.tree.durability?.state : undefined
  const down = life.supervisor.down.paths()
  const { path, place, flock, supervisor, closed } = life
  let oldestHeartbeat = flock.registry.oldestBeat(now)
  for (const { oldestHeartbeat: beat } of children)
    if (beat !== undefined && !(oldestHeartbeat !== undefined && oldestHeartbeat >= beat)) oldestHeartbeat = beat
  const { hung } = place
  const status = judgeHealth({
    accepting: !closed,
    hung,
    blocked: blocked.length,
    down: down.length,
    stuck: standings.stuck.length,
    isStoreLost: store === 'failed',
    recentRestarts: supervisor.window.count(now),
    children: children.map((child) => child.status),
  })
  return {
    path,
    status,
    hung,
    restartsLeft: supervisor.window.left(now),
    oldestHeartbeat,
    blocked,
    down,
    waiting: standings.waiting,
    stuck: standings.stuck,
    ...(store === undefined ? {} : { store }),
    children,
  }
}
