/** A thread, or a process, that a guest lives in: what the pool asks of it, and what it tells. */
import type { Blocked } from '../../machines/lifecycle-event.ts'
import type { GroundExit } from './errors.ts'
import type { ToGuest, ToHost } from './protocol.ts'

export interface Lodge {
  /** Throws if the message cannot be copied. */
  post(message: ToGuest, moved?: readonly unknown[]): void
  /** Ends it by force; that it has ended is told. The second time it does nothing. */
  terminate(): void
  /** True if it keeps this process alive. */
  hold(holds: boolean): void
  /** Memory that it shares. */
  readonly shared: Int32Array | undefined
  /** What blocks it, without its help; undefined if nothing does, or nobody can tell. */
  diagnose(): Promise<Blocked | undefined>
}

/** Who is told of it. */
export interface Landlord {
  up(): void
  said(message: ToHost): void
  /** It has written a line. */
  wrote(stream: 'stdout' | 'stderr', line: string): void
  /** Nothing is left of it. */
  exited(exit: GroundExit): void
}

/** Makes one. */
export type MakeLodge = (landlord: Landlord) => Lodge
