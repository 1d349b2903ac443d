/** What a page asks, and what it is told: by a living tree and by a recording alike. */
import type { RecordedFault } from './saved.ts'
import type { ShutdownAccount } from '../../machines/shutdown-account.ts'
import type { LogLine, NodeKind, NodeState } from './protocol.ts'
import type { FailureView, ProblemsView } from './problem-views.ts'
import type { RecordedTraffic, TrafficPart, TrafficPlace } from './traffic-record.ts'

/** What the page asks, and what it is told. */
export interface Questions {
  /** Lines of the log, the latest last. `before` is a seq; `text` has to be in the line; `only` are types; `path` with all below it. */
  log: {
    ask: {
      readonly before?: number | undefined
      readonly limit?: number | undefined
      readonly text?: string | undefined
      readonly only?: readonly string[] | undefined
      readonly path?: string | undefined
    }
    answer: {
      readonly lines: readonly LogLine[]
      readonly total: number
      readonly lost: number
      /** The `seq` from which on nothing is missing: before it there are only rare events. Undefined if nothing is missing at all. */
      readonly whole?: number | undefined
    }
  }
  /** One actor, as it is now. */
  actor: { ask: { readonly path: string }; answer: ActorView | undefined }
  /** The statechart of an actor: its own work's if that is a machine, or the one of its lifecycle. */
  chart: { ask: { readonly path: string; readonly which: 'work' | 'life' }; answer: ChartState | undefined }
  /** One snapshot of an actor: the latest, or one of those in its view; `at` leads to a value inside it. */
  look: {
    ask: { readonly path: string; readonly n?: number | undefined; readonly at?: readonly (string | number)[] | undefined }
    answer: unknown
  }
  /** What differs between two snapshots of an actor. */
  diff: { ask: { readonly path: string; readonly from: number; readonly to: number }; answer: readonly Difference[] }
  /** Messages to and from any of these, the latest last. */
  messages: { ask: { readonly paths: readonly string[]; readonly limit?: number | undefined }; answer: readonly MessageLine[] }
  /** Which of these had begun too early for their messages to be known. */
  strangers: { ask: { readonly paths: readonly string[] }; answer: readonly string[] }
  /** Why something happened: from the first cause to what followed from it. Without `seq`, the latest that went wrong. */
  why: { ask: { readonly seq?: number | undefined; readonly path?: string | undefined }; answer: WhyView | undefined }
  /** Shutdowns that go on, or have gone. */
  shutdown: { ask: object; answer: ShutdownsView }
  /** Health and metrics. */
  health: { ask: object; answer: HealthView }
  /** Bars of lifecycles between two moments; of what is below `path`. */
  timeline: {
    ask: {
      readonly from?: number | undefined
      readonly to?: number | undefined
      readonly limit?: number | undefined
      readonly path?: string | undefined
    }
    answer: TimelineView
  }
  /** A part of the recording, from after a seq on; the first part says what there was before. */
  recording: { ask: { readonly after?: number | undefined; readonly which?: number | undefined }; answer: RecordingPart }
  /** A part of the messages and snapshots that belong to the recording of a living tree; `charts` need not be told again. */
  traffic: {
    ask: { readonly [Key in keyof TrafficPlace]?: TrafficPlace[Key] | undefined } & { readonly charts?: readonly number[] | undefined }
    answer: TrafficPart
  }
  /** What was thrown, and what the routine had been given, of one `routine.failed`. */
  failure: { ask: { readonly seq: number }; answer: FailureView | undefined }
  /** What somebody did just before it failed, and what that took down. */
  scene: { ask: { readonly seq: number }; answer: SceneView | undefined }
  /** All that went wrong, each distinct problem once, and what may go wrong next. */
  problems: { ask: object; answer: ProblemsView }
}

/** What a question is called. */
export type Question = keyof Questions

/** A state of a statechart, and all inside it. */
export interface ChartState {
  readonly id: string
  readonly key: string
  readonly type: string
  readonly initial: string | undefined
  readonly description: string | undefined
  readonly entry: readonly string[]
  readonly exit: readonly string[]
  readonly invoke: readonly string[]
  readonly transitions: readonly ChartTransition[]
  readonly states: readonly ChartState[]
}

/** A way from one state to others. */
export interface ChartTransition {
  /** What it is counted by. */
  readonly key: string
  readonly event: string
  /** Ids; empty for one that stays. */
  readonly targets: readonly string[]
  readonly guard: string | undefined
  readonly actions: readonly string[]
}

/** The state of a statechart, and the transitions that were taken so far. */
export interface Position {
  /** The value of the machine's state. */
  readonly value: unknown
  /** How often each transition was taken, by its key, since a page began to look. */
  readonly taken: Readonly<Record<string, number>>
}

/** One actor, in detail. */
export interface ActorView {
  readonly path: string
  readonly kind: NodeKind
  readonly state: string
  readonly incarnation: number
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly life: Position
  /** Of its own machine; undefined if its work is none. */
  readonly work: Position | undefined
  readonly context: unknown
  /** The latest snapshots, the latest last. */
  readonly snapshots: readonly SnapshotLine[]
  readonly messages: { readonly in: number; readonly out: number }
  /** Events that its machine knows. */
  readonly events: readonly string[]
  /** Used and allowed restarts, for a manager. */
  readonly budget: { readonly used: number; readonly max: number; readonly window: number } | undefined
  /** Milliseconds since its heartbeat, and how many are too many. */
  readonly heartbeat: { readonly silent: number; readonly hungAfter: number } | undefined
  /** Where it was spawned: `file:line:column`; undefined if that was not captured. */
  readonly source: string | undefined
  readonly history: readonly LogLine[]
  /** The present, by the clock of what is watched. */
  readonly now?: number | undefined
  /** When its next run begins, and the event that ended the last one; while it waits for that. */
  readonly next?: { readonly at: number; readonly ended: number } | undefined
}

/** A snapshot that can be looked at. */
export interface SnapshotLine {
  readonly n: number
  readonly at: number
  /** The event that led to it. */
  readonly event: string
  readonly value: unknown
}

/** One difference: `before` is absent for what was added, `after` for what was taken away. */
export interface Difference {
  readonly at: readonly (string | number)[]
  readonly kind: 'added' | 'removed' | 'changed'
  readonly before?: unknown
  readonly after?: unknown
}

/** A message. */
export interface MessageLine {
  readonly n: number
  readonly at: number
  /** A path; empty if it came from outside the tree; `?` if it is not known, since somebody in it had begun before the inspector had. */
  readonly from: string
  /** A path; empty for an answer to such a one, and `?` likewise. */
  readonly to: string
  readonly type: string
  readonly kind: 'event' | 'send' | 'ask' | 'reply'
  readonly text: string
}

/** An event in the explanation of another one. */
export interface WhyStep extends LogLine {
  /** How deep it lies in the chain of causes; 0 is the first cause. */
  readonly depth: number
  readonly sentence: string
  /** True for the event that was asked about. */
  readonly asked: boolean
}

/** Why something happened. */
export interface WhyView {
  readonly headline: string
  readonly steps: readonly WhyStep[]
  /** What can be done about it. */
  readonly advice: string | undefined
  /** True if the first cause is not recorded any more. */
  readonly cut: boolean
  /** Who used up the time, where somebody was stopped in a shutdown without any: a path, a sentence, and the `seq` of its end. */
  readonly holder?: { readonly path: string; readonly said: string; readonly seq?: number }
  /** What is wrong at this moment, there and below: the first few. Absent if nothing is, or an event was asked about. */
  readonly now?: readonly StateNow[]
}

/** Something that is wrong at this moment, whether the event of it is held or not. */
export interface StateNow {
  readonly path: string
  /** `down`: it waits to be restarted. */
  readonly state: 'hung' | 'down'
  /** When it was last heard; undefined if that is not known. */
  readonly since: number | undefined
  readonly sentence: string
}

/** The latest shutdown of each manager, in order of the tree. */
export interface ShutdownsView {
  /** Now, by the clock of what is watched. */
  readonly now: number
  /** How many there are, named or not. */
  readonly total: number
  readonly runs: readonly ShutdownView[]
  /** Who held up those that are over, the latest last. */
  readonly accounts: readonly ShutdownAccount[]
}

/** A routine that has not ended, and is waited for. */
export interface Blocker {
  readonly path: string
  readonly state: string
  /** When it began to run; undefined if that is not known. */
  readonly since: number | undefined
  /** When it was asked to stop; undefined if it was not yet, or that is not known. */
  readonly asked: number | undefined
  /** When it is given up on, since its own shutdown time is over; undefined if that does not run, or is not known. */
  readonly until: number | undefined
}

/** One shutdown of one manager. */
export interface ShutdownView {
  readonly path: string
  readonly depth: number
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly phases: readonly {
    readonly phase: string
    readonly from: number
    readonly to: number | undefined
  }[]
  /** When the whole has to be over; undefined if there is no such time, or it is not known. */
  readonly deadline: number | undefined
  /** Its own routines that are waited for in this phase, the first few. */
  readonly blocking: readonly Blocker[]
  /** Routines below that have not ended; undefined if that is not known. */
  readonly living: number | undefined
  /** True while it is closed, and waits until the manager above stops it. */
  readonly held: boolean
  /** Promises of listeners of `manager.phase` that hold up the present phase. */
  readonly hooks: number
  /** What it ended as; undefined while it goes on. */
  readonly state: string | undefined
}

/** Health of the tree, node by node, and numbers. */
export interface HealthView {
  readonly nodes: readonly {
    readonly path: string
    readonly depth: number
    readonly status: string
    readonly hung: number
    readonly restartsLeft: number
    readonly maxRestarts: number
    readonly oldestBeat: number | undefined
    /** Routines of its own that wait for a thread or a process, and that could not be ended; not known of a recording. */
    readonly waiting?: number
    readonly stuck?: number
    /** Permits that are held, and at most may be; -1 where there is no limit. */
    readonly count: number
    readonly limit: number
  }[]
  /** Managers by status: all of them, also where `nodes` has only the worst. */
  readonly statuses: Readonly<Record<string, number>>
  readonly metrics: Readonly<Record<string, number>>
  /** The latest samples, one a second, in the order of SAMPLE; none of a recording. */
  readonly samples: readonly (readonly number[])[]
}

/** A lifecycle. */
export interface Bar {
  readonly path: string
  readonly incarnation: number
  readonly from: number
  readonly to: number | undefined
  readonly state: string
  readonly seq: number
}

/** Bars between two moments. */
export interface TimelineView {
  readonly from: number
  readonly to: number
  /** When the first one that is held began. */
  readonly first: number
  /** From here on all of it is known; of the time before only what is rare, or nothing. */
  readonly known: number
  readonly now: number
  readonly bars: readonly Bar[]
  /** How many there are, drawn or not. */
  readonly total: number
  /** Starts, and failures, in equal parts of the time between. */
  readonly starts: readonly number[]
  readonly failures: readonly number[]
}

/** A node as it stood when a recording began. */
export type BaseNode = readonly [path: string, kind: NodeKind, state: NodeState, restarts: number, incarnation: number]

/** A lifecycle event as it is kept: what can't be written down is a text. */
export type KeptEvent = {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly path: string
  readonly cause: number | null
  readonly [field: string]: unknown
}

/** A part of a recording. */
export interface RecordingPart {
  /** Absent in later parts. */
  readonly base: readonly BaseNode[] | undefined
  /** When it begins. */
  readonly from: number
  readonly events: readonly KeptEvent[]
  /** How many of these, at the front, are rare ones from before; see {@link Recording.earlier}. Absent in later parts, and where there are none. */
  readonly earlier?: number | undefined
  readonly more: boolean
  /** Of a file: messages, snapshots and charts, all at once. */
  readonly traffic?: RecordedTraffic | undefined
  /** What is known of it, where it is a file; and how many others stand beside it. */
  readonly about?: Omit<Recording, 'from' | 'base' | 'events' | 'traffic' | 'earlier'> & { readonly beside: number }
}

/** A whole recording. */
export interface Recording {
  readonly name: string
  readonly from: number
  readonly base: readonly BaseNode[]
  readonly events: readonly KeptEvent[]
  /**
   * How many of the events, at the front, are rare ones from before: `base` is the tree as it was after them, and of what was ordinary
   * before `from` nothing is known. Absent if there are none.
   */
  readonly earlier?: number | undefined
  /** What the first event is called, and the others from there on: 0 in a file. Absent where each is called by its `seq`. */
  readonly first?: number | undefined
  /** Laws that were broken, and the `seq` of the events that show it; of a counterexample. */
  readonly violations: readonly { readonly law: string; readonly message: string; readonly witnesses: readonly number[] }[]
  /** What made it, in a few lines; of a counterexample. */
  readonly story: string
  /** Messages, snapshots and charts; absent if none were recorded. */
  readonly traffic?: RecordedTraffic | undefined
  /** What it was written for, where it was written by itself: the page opens with that. */
  readonly fault?: RecordedFault | undefined
}

/** What somebody did just before something went wrong, and what that led to. */
export interface SceneView {
  /** Of its own machine; undefined if its work is none, or nobody looked then. */
  readonly machine:
    | {
        readonly chart: ChartState
        /** The state that it was in. */
        readonly value: unknown
        /** The event that it was handling when it failed; empty if it was none. */
        readonly event: string
        /** What led to the state that it was in, and what that changed. */
        readonly before: string
        readonly changes: readonly Difference[]
        readonly context: unknown
      }
    | undefined
  /** The last messages to and from it, the latest last. */
  readonly messages: readonly MessageLine[]
  /** What it took down with it: ends and restarts of others that have it as their cause. */
  readonly struck: readonly LogLine[]
}
