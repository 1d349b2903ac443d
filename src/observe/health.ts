/** Reads the health of a tree. */
import { type HealthStatus, judgeHealth } from '../../machines/health.ts'
import type { Manager } from '../manager/manager.ts'

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
export function healthOf(manager: Manager): Health {
  const now = manager.stage.clock.now()
  const children = manager.below().map(healthOf)
  const beats = [manager.registry.oldestBeat(now), ...children.map((child) => child.oldestHeartbeat)].filter((beat) => beat !== undefined)
  const status = judgeHealth({
    accepting: !manager.closed,
    hung: manager.hung,
    recentRestarts: manager.window.count(now),
    children: children.map((child) => child.status),
  })
  return {
    path: manager.path,
    status,
    hung: manager.hung,
    restartsLeft: manager.window.left(now),
    oldestHeartbeat: beats.length === 0 ? undefined : Math.max(...beats),
    children,
  }
}
