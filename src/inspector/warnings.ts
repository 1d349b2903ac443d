/** What may go wrong next, or holds somebody up now: from the health of all managers, and the shutdowns that go on. */
import type { Warning } from './problem-views.ts'
import type { HealthView, ShutdownsView } from './protocol.ts'

/** The share of what is left of restarts, and of what is taken of permits, from which one is warned. */
const FEW = 0.34
const FULL = 0.95
/** Milliseconds from which a phase of a shutdown counts as held up. */
const LONG = 1_000
/** Warnings that are told. */
const MOST = 20

/** Restarts that are nearly used up, silence, queues that are nearly full, and who holds up a shutdown. */
export function warningsOf({ nodes }: Pick<HealthView, 'nodes'>, { runs, now }: Pick<ShutdownsView, 'runs' | 'now'>): Warning[] {
  const found: Warning[] = []
  for (const { path, phases, blocking, endedAt, hooks } of runs) {
    const since = now - (phases.at(-1)?.from ?? now)
    if (endedAt !== undefined || since < LONG) continue
    const [first] = blocking
    if (first === undefined && hooks === 0) continue
    const others = blocking.length > 1 ? `and ${blocking.length - 1} more hold` : 'holds'
    const who = first === undefined ? 'a listener of manager.phase holds up its shutdown' : `${others} up the shutdown of ${path}`
    found.push({ kind: 'held', path: first?.path ?? path, said: `${who}, for ${seconds(since)} now` })
  }
  const deepest = nodes.filter(({ path, hung }) => hung > 0 && !nodes.some((each) => each.hung > 0 && each.path.startsWith(`${path}/`)))
  for (const { path, hung } of deepest)
    found.push({ kind: 'silent', path, said: `${hung} of its routines ${hung === 1 ? 'has' : 'have'} been silent for too long` })
  for (const { path, restartsLeft, maxRestarts, count, limit } of nodes) {
    if (maxRestarts > 0 && restartsLeft < maxRestarts && restartsLeft / maxRestarts <= FEW)
      found.push({ kind: 'budget', path, said: `${restartsLeft} of ${maxRestarts} restarts left: then it gives up` })
    if (limit > 0 && count / limit >= FULL) found.push({ kind: 'queue', path, said: `${count} of ${limit} permits taken` })
  }
  return found.slice(0, MOST)
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`
