/** A shutdown that a user asks for. */
import type { ShutdownOptions, ShutdownReport } from '../contract/index.ts'
import { checkShutdownOptions, DEFAULT_SHUTDOWN_TIMEOUT, plainShutdown, type ShutdownPlan } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'
import type { ShutdownRun } from './shutdown.ts'

/** A manager that a user asks to stop. */
interface Requested {
  readonly path: string
  readonly tree: Tree
  /** `seq` of the event that announced an order by hand. */
  readonly orderedBy: number
  /** The shutdown of its present life, once there is one. */
  readonly run: ShutdownRun | undefined
  /** Begins one, or tightens the one that there is. In a turn. */
  shutDown(plan: ShutdownPlan): void
}

/** Begins a shutdown, or tightens the one that there is. Throws ConfigError; the promise never rejects. */
export function requestShutdown(manager: Requested, options: ShutdownOptions): Promise<ShutdownReport> {
  const { mode, timeout, drain, phases, signal } = checkShutdownOptions(options, manager.path)
  const aborted = signal?.aborted === true
  const { turn, signals } = manager.tree
  const cause = manager.orderedBy
  turn.run(() => manager.shutDown({ mode: aborted ? 'immediate' : mode, timeout, drain, phases, held: false, cause }))
  const { report } = manager.run as ShutdownRun
  if (signal !== undefined && !aborted) {
    const member = { aborted: () => manager.shutDown({ ...plainShutdown(DEFAULT_SHUTDOWN_TIMEOUT, 0), mode: 'immediate' }) }
    signals.bind(signal, member)
    void report.then(() => signals.unbind(signal, member))
  }
  return report
}
