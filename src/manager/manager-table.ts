/**
 * The table of machines/manager.ts, in integers that manager-steps.ts takes apart. To make that machine, and to ask XState for its first
 * decision, takes the first manager of a process four milliseconds.
 *
 * MT1 It is written by `npx vitest run test/manager/manager-table.test.ts --update=all`, which otherwise holds it to what XState's own
 *     `transition()` decides, state by state and event by event.
 */
import type { StateValue } from 'xstate'

/** The states, the final ones last; the first is the initial one. */
export const STATES: readonly StateValue[] = [
  'pending',
  'running',
  { stopping: 'closing' },
  { stopping: 'cancelling' },
  { stopping: 'waiting' },
  { stopping: 'killing' },
  { stopping: 'cleaning' },
  'completed',
  'cancelled',
  'failed',
]

/** steps[state * MANAGER_EVENTS.length + column]; of final states there are none. */
export const steps: readonly number[] = /* @__PURE__ */ [
  [0x241, 0x282, 0x292, 0x2a2, 0x000, 0x000, 0x000, 0x000],
  [0x000, 0x282, 0x292, 0x2a2, 0x000, 0x000, 0x000, 0x000],
  [0x000, 0x000, 0x000, 0x000, 0x212, 0x2c3, 0x2c3, 0x2c3],
  [0x000, 0x000, 0x000, 0x000, 0x213, 0x304, 0x304, 0x304],
  [0x000, 0x000, 0x000, 0x000, 0x214, 0x345, 0x345, 0x345],
  [0x000, 0x000, 0x000, 0x000, 0x215, 0x386, 0x386, 0x386],
  [0x000, 0x000, 0x000, 0x000, 0x216, 0x3c7, 0x3c8, 0x3c9],
].flat()
