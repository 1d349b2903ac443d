/** What the programs here wait by: the clock of whoever runs them. */
import type { Clock } from 'curtaincall'

/** Resolves after a while, or when it is told to stop; true in the first case. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isOver: boolean): void => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      resolve(isOver)
    }
    const stop = (): void => end(false)
    const timer = clock.setTimeout(() => end(true), ms)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
  })
}

/** The clock of a program that is run by itself. */
export const ofPlatform: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}
