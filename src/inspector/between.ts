/** The present of a routine; between two runs: how its last run ended, and when the next one begins. */
import type { Ledger } from './ledger.ts'
import type { ActorView, KeptEvent, LogLine } from './protocol.ts'
import type { SceneMachine } from './scene.ts'

/**
 * The view of a routine that waits for its next run: the state that its machine was in at last stays.
 *
 * @param now By the clock of what is watched.
 * @param machineOf What the machine of a run was at, at last.
 */
export function betweenRuns(
  view: ActorView,
  ledger: Ledger,
  now: number,
  machineOf: (path: string, incarnation: number) => SceneMachine | undefined,
): ActorView {
  const restarted = restartIn(ledger, view.history)
  if (view.state !== 'pending' || restarted === undefined) return { ...view, now }
  const { at, delay, cause } = restarted
  const last = view.work === undefined ? undefined : machineOf(view.path, Number(restarted['incarnation']) - 1)?.last
  const work = last === undefined ? view.work : { value: last.value, taken: view.work?.taken ?? {} }
  return { ...view, now, work, next: { at: at + Number(delay), ended: cause ?? 0 } }
}

function restartIn(ledger: Ledger, history: readonly LogLine[]): KeptEvent | undefined {
  const last = history.at(-1)
  return last?.type === 'routine.restarted' ? ledger.at(ledger.indexOf(last.seq)) : undefined
}
