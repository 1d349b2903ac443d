/**
 * Where a thread waits for its next run when it has just ended one: where runs come one by one, to be woken out of the event loop takes
 * longer than the rest of a short one.
 *
 * L1  Before each wait here the event loop turns once: what an earlier run has left there goes on, at most `PATIENCE` late each time.
 * L2  What runs is not held up: it waits only where there is no run.
 * L3  A run that begins here begins in the asynchronous context of nobody, as in the event loop.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers'
import { BEGIN, POSTED, type ToGuest } from '../ground/protocol.ts'

/**
 * So many milliseconds it waits here, before it does so in the event loop. Longer than a tick of the system: for less a timer of the machine
 * is set, which takes more time than is won.
 */
const PATIENCE = 4

interface Incoming {
  readonly shared: Int32Array
  readonly pull: () => ToGuest | undefined
  readonly receive: (message: ToGuest) => void
}

/** Returns what is to be called when a run has ended. */
export function lookout({ shared, pull, receive }: Incoming): () => void {
  const outside = AsyncLocalStorage.snapshot()
  const look = (): void => {
    const posted = Atomics.load(shared, POSTED)
    let message = pull()
    if (message === undefined) {
      Atomics.wait(shared, POSTED, posted, PATIENCE)
      message = pull()
    }
    // What comes behind the beginning of a run comes in turns of its own.
    for (; message !== undefined; message = pull()) {
      receive(message)
      if (message[0] === BEGIN) return
    }
  }
  // Behind what the run has left for the end of this turn, whose errors are told to be its own.
  return () => outside(setImmediate, look)
}
