/** What a step of the routine's table does, and what it keeps; see routine-steps.ts. */

/** Effects, as machines/routine.ts names them; a step has at most one. */
export const EFFECTS = ['none', 'begin', 'settle', 'abort', 'abandon', 'terminate'] as const
export const BEGIN = 1
export const SETTLE = 2
export const ABORT = 3
export const ABANDON = 4
export const TERMINATE = 5

/** The field of its event that a step keeps. */
export const FIELDS = ['none', 'output', 'error', 'reason'] as const
export const OUTPUT = 1
export const ERROR = 2
export const REASON = 3
