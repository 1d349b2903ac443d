/** Routines that are queued behind one that has spawned them and goes on: if that waits for them, and none else gives its permit back, none ends. */
import type { Host } from './host.ts'

/** One that may be queued. */
interface Queueing {
  readonly queued: boolean
}

/** The run that has spawned it. */
interface Spawning<Subject> {
  readonly over: boolean
  readonly subject: Subject
}

interface Behind {
  readonly run: Spawning<unknown>
  readonly routine: Queueing
}

/** So many, and twice as many as there are, may be remembered. */
const SWEEP = 32

/** Of each manager, the latest known. */
const KNOWN = new WeakMap<object, { all: Behind[]; sweepAt: number }>()

const isBehind = ({ run, routine }: Behind): boolean => routine.queued && !run.over

/** A run has spawned this from its context. */
export function noteSpawned(host: Host, run: Spawning<unknown>, routine: Queueing): void {
  if (!routine.queued) return
  let known = KNOWN.get(host)
  if (known === undefined) KNOWN.set(host, (known = { all: [], sweepAt: SWEEP }))
  else if (known.all.length >= known.sweepAt) {
    known.all = known.all.filter(isBehind)
    known.sweepAt = 2 * known.all.length + SWEEP
  }
  known.all.push({ run, routine })
}

/** The routines of a manager that have spawned some which are queued, and which they may wait for: what they wait for is not known. */
export function spawnersOfQueued<Subject>(host: Host<Subject>): Set<Subject> {
  return new Set((KNOWN.get(host)?.all ?? []).filter(isBehind).map(({ run }) => run.subject as Subject))
}
