import type { Phase, ShutdownMode } from '../../machines/lifecycle-event.ts'

/** What a shutdown is asked to do. All durations are milliseconds. */
export interface ShutdownOptions {
  /** @default 'graceful' */
  readonly mode?: ShutdownMode | undefined
  /** The whole of it. @default 10_000 */
  readonly timeout?: number | undefined
  /**
   * How long running and queued routines may end by themselves before they are asked to. Nothing is restarted meanwhile, whatever `attempts`
   * are left; who waits for a restart is cancelled at once. @default 0
   */
  readonly drain?: number | undefined
  /** Limits of single phases. @default none but the whole */
  readonly phases?: Partial<Readonly<Record<Phase, number>>> | undefined
  /** Aborted: the shutdown becomes immediate. @default none */
  readonly signal?: AbortSignal | undefined
}
