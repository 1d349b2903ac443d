/** The answers of a supervisor that has no children and has had none, as machines/supervisor.ts would give them. */
import type { Call, Child, ChildCounts, Verdict } from './supervisor.ts'

const NONE: ChildCounts = { specs: 0, active: 0, supervisors: 0, workers: 0 }

/** To all calls but `startChild`, which brings it its first child. */
export function answerChildless<C extends Child>({ op }: Call<C>): Verdict<C> {
  if (op === 'whichChildren') return { ok: true, children: [] }
  return op === 'countChildren' ? { ok: true, counts: NONE } : { ok: false, error: 'not_found' }
}
