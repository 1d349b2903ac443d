/** What comes from the user's actor to who stands above it. */
import type { EventObject } from 'xstate'
import type { Run } from '../port/index.ts'

/** The end of the user's actor is that of the body; nothing else that it says is an order. */
export function relay(run: Run, event: EventObject): void {
  if (run.footing === undefined) return
  const { output, error } = event as { readonly output?: unknown; readonly error?: unknown }
  if (event.type === 'xstate.done.actor.work') run.returned(output)
  else if (event.type === 'xstate.error.actor.work') run.threw(error)
}
