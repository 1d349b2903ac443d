/** One way to wait, for everything that can be waited for: with a timeout, with a signal, and with nothing left behind. */
import type { Clock } from '../port/index.ts'
import type { SignalHub } from './signal-hub.ts'
import type { WaitOptions } from '../contract/index.ts'
import { abortSignal, check, durationOrInfinity } from '../spec/index.ts'

/** Rules for {@link WaitOptions}. */
export const WAIT_RULES = { timeout: durationOrInfinity, signal: abortSignal }

/** What a wait needs from its surroundings. */
export interface WaitingRoom {
  readonly clock: Clock
  readonly signals: SignalHub
}

/** A set of waiters. Each `look` is called when the condition may have come true. */
export interface Waiters {
  add(look: () => void): void
  delete(look: () => void): void
}

/**
 * Waits until `ready()` holds.
 *
 * W1  Whichever way it ends, no timer, listener or waiter of it remains.
 *
 * @param ready Asked until it says yes, and never again then.
 * @param rooms Where to stand meanwhile.
 * @returns True when it holds, at once if it does already; false on timeout. Rejects with the reason of an aborted signal.
 */
export function waitUntil(
  ready: () => boolean,
  rooms: readonly Waiters[],
  options: WaitOptions,
  { clock, signals }: WaitingRoom,
): Promise<boolean> {
  check('wait', options, WAIT_RULES)
  const { timeout = Infinity, signal } = options
  if (signal?.aborted) return Promise.reject(signal.reason)
  if (ready()) return Promise.resolve(true)
  if (timeout === 0) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      for (const room of rooms) room.delete(look)
      if (timer !== undefined) clock.clearTimeout(timer)
      if (signal !== undefined) signals.unbind(signal, member)
    }
    const look = (): void => {
      if (!ready()) return
      leave()
      resolve(true)
    }
    const member = {
      aborted(reason: unknown): void {
        leave()
        reject(reason)
      },
    }
    const expire = (): void => {
      leave()
      resolve(false)
    }
    for (const room of rooms) room.add(look)
    const timer = timeout === Infinity ? undefined : clock.setTimeout(expire, timeout)
    if (signal !== undefined) signals.bind(signal, member)
  })
}
