/** Reads the health of a tree. */
import { type HealthStatus, judgeHealth } from '../../machines/health.ts'
import type { Life } from './life.ts'

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
  readonly children: readonly Health[]
}

/** Judges a manager and everything below it. */
export function healthOf({ path, tree, place, flock, supervisor, closed }: Life): Health {
  const now = tree.clock.now()
  const children = flock.below().map(healthOf)
  const beats = [flock.registry.oldestBeat(now), ...children.map((child) => child.oldestHeartbeat)].filter((beat) => beat !== undefined)
  const { hung } = place
  const status = judgeHealth({
    accepting: !closed,
    hung,
    recentRestarts: supervisor.window.count(now),
    children: children.map((child) => child.status),
  })
  return {
    path,
    status,
    hung,
    restartsLeft: supervisor.window.left(now),
    oldestHeartbeat: beats.length === 0 ? undefined : Math.max(...beats),
    children,
  }
}
