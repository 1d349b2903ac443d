/** The state of health of a node, decided from what is known of it. */

/**
 * `stopping` once it, or a manager below, takes no more work; `hung` if something below is silent; `degraded` if something was restarted
 * of late, a child that is to run does not, a routine could not be ended, the store is lost, or all permits are held by those that others
 * are queued behind, which they have spawned.
 */
export type HealthStatus = 'healthy' | 'degraded' | 'hung' | 'stopping'

/** What the decision is based on. */
export interface HealthSigns {
  readonly accepting: boolean
  readonly hung: number
  /** Routines that hold every permit of a manager while others, which they have spawned, are queued behind them. @default 0 */
  readonly blocked?: number
  /** Children that wait for a delayed restart, or have failed and are not restarted. @default 0 */
  readonly down?: number
  /** Routines that their ground could not end. @default 0 */
  readonly stuck?: number
  /** True if its store has failed, and it goes on without. @default false */
  readonly isStoreLost?: boolean | undefined
  /** Restarts that its window still holds. */
  readonly recentRestarts: number
  readonly children: readonly HealthStatus[]
}

/** Judges one node; the worst sign wins. */
export function judgeHealth(signs: HealthSigns): HealthStatus {
  const { children, blocked = 0, down = 0, stuck = 0, isStoreLost = false } = signs
  if (!signs.accepting || children.includes('stopping')) return 'stopping'
  if (signs.hung > 0 || children.includes('hung')) return 'hung'
  const troubled = blocked > 0 || down > 0 || stuck > 0 || isStoreLost
  if (signs.recentRestarts > 0 || troubled || children.includes('degraded')) return 'degraded'
  return 'healthy'
}
