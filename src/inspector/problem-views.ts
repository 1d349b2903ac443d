/** What a page is told of failures and other problems. */

/** One line of a stack. */
export interface StackFrame {
  /** The function; empty if it has no name. */
  readonly name: string
  /** Empty if it is in no file. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** True for the user's own code: of no package, and not of the platform. */
  readonly own: boolean
}

/** Something that was thrown. */
export interface Thrown {
  /** Empty for what is no error. */
  readonly name: string
  readonly message: string
  /** Innermost first; none if it has no stack. */
  readonly frames: readonly StackFrame[]
}

/** A failure of a routine. */
export interface FailureView extends Thrown {
  /** What caused it, the nearest first. */
  readonly causes: readonly Thrown[]
  /** What the routine was given, cut to a bounded size; absent if that is not held. */
  readonly input?: unknown
}

/** What kind of problem it is, the worst first. */
export const PROBLEMS = ['gaveUp', 'killed', 'hung', 'blocked', 'store', 'failed', 'dropped', 'refused'] as const
/** One of them. */
export type ProblemKind = (typeof PROBLEMS)[number]

/** A distinct problem, however often it came. */
export interface ProblemView {
  readonly key: string
  readonly kind: ProblemKind
  /** The latest in words: an error's message. */
  readonly said: string
  /** The name of the error; empty if there is none. */
  readonly error: string
  /** Who: the name of the routine or manager. */
  readonly who: string
  /** Where it was thrown. */
  readonly place: StackFrame | undefined
  readonly count: number
  /** When it came first and last. */
  readonly first: number
  readonly last: number
  /** The latest event of it, and whom that was about. */
  readonly seq: number
  readonly path: string
  /** How many different ones it was about; not counted further than that. */
  readonly paths: number
  /** How often, in each of the last equal parts of time; see `ProblemsView.part`. */
  readonly trend: readonly number[]
  /** True if its supervisor restarts it. */
  readonly restarted: boolean
}

/** Something that may go wrong soon, or holds somebody up now. */
export interface Warning {
  readonly kind: 'budget' | 'silent' | 'queue' | 'held'
  readonly path: string
  readonly said: string
}

/** All problems. */
export interface ProblemsView {
  readonly now: number
  /** Milliseconds of each part of a trend. */
  readonly part: number
  readonly problems: readonly ProblemView[]
  /** Older ones that are not told apart any more: how many, and how often they came. */
  readonly older: { readonly groups: number; readonly count: number }
  readonly warnings: readonly Warning[]
}
