/** Errors of grounds. */
import { CurtaincallError, type CurtaincallErrorOptions } from '../contract/index.ts'

/** How a thread, or a process, has ended. */
export interface GroundExit {
  /** Its exit code; null if a signal has ended it. */
  readonly code: number | null
  /** The signal that has ended it, such as `SIGSEGV`; null for a thread. */
  readonly signal: string | null
  /** What the platform says of it, such as ERR_WORKER_OUT_OF_MEMORY. */
  readonly error?: unknown
}

/** The thread, or the process, that a routine ran in has ended under it. The `cause` is what the platform says of that, if it says anything. */
export class GroundLostError extends CurtaincallError {
  override name = 'GroundLostError'
  readonly exitCode: number | null
  readonly signal: string | null

  constructor(message: string, { code, signal }: GroundExit, options?: CurtaincallErrorOptions) {
    super('ERR_GROUND_LOST', message, options)
    this.exitCode = code
    this.signal = signal
  }
}
