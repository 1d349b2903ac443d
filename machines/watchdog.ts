/**
 * What a watchdog makes of what it sees of the event loop, look by look.
 *
 * WD1  Blocked is what has not moved for the threshold; who it was is asked once for each time.
 * WD2  Only time in which the watchdog could look counts: of a process that stood still as a whole, nothing was blocked.
 * WD3  What has not moved for the limit is ended, once, and nothing comes after that.
 */
import { setup } from 'xstate'

/** One look: whether the loop has moved since the last one, how long it has not, and how late the look is, in milliseconds. */
export interface WatchdogLook {
  readonly type: 'look'
  readonly moved: boolean
  readonly still: number
  readonly late: number
}

/** When it counts as blocked, and when the process is ended, in milliseconds. */
export interface WatchdogLimits {
  readonly threshold: number
  readonly endAfter: number
}

export type WatchdogEffect = 'ask' | 'end' | 'startOver'

const noop = (): void => undefined

function defineWatchdog() {
  return setup({
    types: { context: {} as WatchdogLimits, events: {} as WatchdogLook, input: {} as WatchdogLimits },
    actions: {
      /** Ask the main thread what it is at. */
      ask: noop,
      /** Report, and end the process. */
      end: noop,
      /** Count from this look on. */
      startOver: noop,
    } satisfies Record<WatchdogEffect, () => void>,
    guards: {
      slept: ({ context, event }) => event.late >= context.threshold,
      moved: ({ event }) => event.moved,
      blocked: ({ context, event }) => event.still >= context.threshold,
      overdue: ({ context, event }) => event.still >= context.endAfter,
    },
  }).createMachine({
    id: 'watchdog',
    description: 'A watchdog of the event loop.',
    context: ({ input }) => input,
    initial: 'turning',
    states: {
      turning: { on: { look: [{ guard: 'slept', actions: 'startOver' }, { guard: 'moved' }, { guard: 'blocked', target: 'blocked' }] } },
      blocked: {
        entry: 'ask',
        on: {
          look: [
            { guard: 'moved', target: 'turning' },
            { guard: 'slept', target: 'turning', actions: 'startOver' },
            { guard: 'overdue', target: 'ended' },
          ],
        },
      },
      ended: { type: 'final', entry: 'end' },
    },
  })
}

/** What `machineOfWatchdog` makes. */
export type WatchdogMachine = ReturnType<typeof defineWatchdog>

/** The machine of a watchdog. Made for whoever asks: most programs have no use for it. */
export function machineOfWatchdog(): WatchdogMachine {
  return defineWatchdog()
}
