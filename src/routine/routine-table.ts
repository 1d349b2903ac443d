/**
 * The table of machines/routine.ts, in integers that routine-steps.ts takes apart. To ask XState for it takes the first routine of a
 * process three milliseconds.
 *
 * N2  It is written by `npx vitest run test/routine/routine-table.test.ts --update=all`, which otherwise holds it to what XState's own
 *     `transition()` decides, state by state and event by event.
 */
import type { StateValue } from 'xstate'

/** The states, a row each; the first is the initial one. */
export const STATES: readonly StateValue[] = [
  'pending',
  { running: 'working' },
  'cancelled',
  'completed',
  'failed',
  { running: 'stopping' },
  { running: 'expiring' },
]

/** The outermost name of each. */
export const STATE_NAMES: readonly string[] = ['pending', 'running', 'cancelled', 'completed', 'failed', 'running', 'running']

/** steps[row * ROUTINE_EVENTS.length + event] */
export const steps: Int32Array = /* @__PURE__ */ Int32Array.from(
  [
    [0x211, 0xba2, 0xaa3, 0xb24, 0xba2, 0x000, 0x000, 0xfa2],
    [0x001, 0xba2, 0xaa3, 0xb24, 0x3b5, 0x336, 0x001, 0xfc2],
    [0x802, 0x802, 0x802, 0x802, 0x802, 0x802, 0x802, 0x802],
    [0x803, 0x803, 0x803, 0x803, 0x803, 0x803, 0x803, 0x803],
    [0x804, 0x804, 0x804, 0x804, 0x804, 0x804, 0x804, 0x804],
    [0x005, 0xa22, 0xaa2, 0xb22, 0x005, 0x005, 0xe42, 0xe42],
    [0x006, 0xa24, 0xa24, 0xa24, 0x385, 0x006, 0xe44, 0xfc2],
  ].flat(),
)
