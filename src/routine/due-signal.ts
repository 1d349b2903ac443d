/**
 * The signal of a routine's options, where that tells so many that it takes slices (turn/slices.ts, SL5): whatever befalls one of them
 * meanwhile comes behind what it is to be told.
 */
import type { Abortable, Tree } from '../turn/index.ts'

/** A routine that may be stopped by a signal. */
export interface Bound extends Abortable {
  readonly tree: Tree
  readonly spec: { readonly signal: AbortSignal | undefined }
  readonly stopRequested: boolean
}

/** It is stopped, if its signal was aborted and has not come to it. In a turn. */
export function heedSignal(routine: Bound): void {
  const { signal } = routine.spec
  if (signal !== undefined && !routine.stopRequested) routine.tree.signals.heed(signal, routine)
}

/** Why, if it is to be stopped by that. */
export function dueReason(routine: Bound): unknown {
  const { signal } = routine.spec
  return signal === undefined ? undefined : routine.tree.signals.reasonFor(signal, routine)
}
