/**
 * The closed union of lifecycle events. Metrics, the command's status line, tests and viewers are built on these alone; this file
 * depends on none of them.
 */

/** The five phases of a shutdown, in the order in which every manager passes through them. */
export const PHASES = ['closing', 'cancelling', 'waiting', 'killing', 'cleaning'] as const

/** One phase of a shutdown. The same word names it in state values, events, reports and logs. */
export type Phase = (typeof PHASES)[number]

/** How a shutdown goes about it: `graceful` asks and waits, `immediate` asks and waits one turn of the event loop. */
export type ShutdownMode = 'graceful' | 'immediate'

/**
 * What made a manager stop: somebody asked for it; its own supervisor, or the shutdown of what is above; too many
 * restarts; the end of a significant child; a start that failed, or asked to be ignored; the end of its store.
 */
export type ShutdownTrigger = 'request' | 'supervisor' | 'limit' | 'auto_shutdown' | 'start_failed' | 'ignored' | 'store_failed'

/** Why a spawn was refused. */
export type RefusalCode = 'ERR_NOT_ACCEPTING' | 'ERR_AT_CAPACITY' | 'ERR_QUEUE_FULL'

interface EventBase {
  /** The node that the event is about, such as `shop/api/images/resize#V1StGXR8`. */
  readonly path: string
  /** When, in milliseconds of the injected clock. */
  readonly at: number
  /** Position in the order of all events of one global manager. */
  readonly seq: number
  /** The `seq` of the event that led to this one; `null` where it came from outside the tree. */
  readonly cause: number | null
}

interface RoutineEventBase extends EventBase {
  readonly id: string
  readonly name: string
  /** Which run of the routine, from 1. */
  readonly incarnation: number
}

interface IncarnationEnd extends RoutineEventBase {
  /** Milliseconds from the start of the incarnation to its end; 0 if it never started. */
  readonly duration: number
  /** True if the supervisor is to answer this end with another incarnation; it does not if it gives up, or is stopped, first. */
  readonly willRestart: boolean
  /** Milliseconds from when it was asked to stop to its end; absent if it was not asked. */
  readonly heldUp?: number
}

interface Stuck {
  /** True if its ground could not end it in time: it is at work still. Absent otherwise. */
  readonly stuck?: true
}

/**
 * What blocks a thread or a process that a routine runs in: its own computing, a wait that lets nothing else happen there, or a call that
 * JavaScript cannot interrupt.
 */
export type Blocked = 'spin' | 'sleep' | 'native'

export type RoutineEvent =
  | (RoutineEventBase & {
      readonly type: 'routine.spawned' /** True if a durable one was brought back from the store. */
      readonly restored?: true
    })
  | (RoutineEventBase & { readonly type: 'routine.queued' })
  | (RoutineEventBase & { readonly type: 'routine.started' })
  | (IncarnationEnd & { readonly type: 'routine.completed' })
  | (IncarnationEnd & { readonly type: 'routine.failed'; readonly error: unknown } & Stuck)
  | (IncarnationEnd & {
      readonly type: 'routine.cancelled'
      readonly reason: unknown /** What it threw while it stopped. */
      readonly error?: unknown
    })
  | (IncarnationEnd & { readonly type: 'routine.killed'; readonly reason: unknown } & Stuck)
  | (RoutineEventBase & { readonly type: 'routine.orphaned' })
  | (RoutineEventBase & { readonly type: 'routine.settled' })
  | (RoutineEventBase & {
      readonly type: 'routine.restarted' /** Milliseconds until it starts. */
      readonly delay: number /** True if it goes on from a snapshot, false if it begins at its input; see `resume`. */
      readonly resumed: boolean
    })
  | (RoutineEventBase & {
      readonly type: 'routine.hung' /** Milliseconds since the last heartbeat. */
      readonly silence: number /** What blocks the place that it runs in, where its ground can tell; absent if nothing does. */
      readonly blocked?: Blocked
    })
  | (RoutineEventBase & {
      readonly type: 'routine.revived' /** Milliseconds from the last heartbeat before it was hung to this one. */
      readonly silence: number
    })
  | (RoutineEventBase & {
      readonly type: 'link.broken' /** Path of the routine that failed. */
      readonly from: string
      readonly error: unknown
    })

/** A message that nobody will receive: turned away by a mailbox, or sent to what has ended. */
export type MessageEvent =
  | (RoutineEventBase & { readonly type: 'message.dropped'; readonly message: unknown })
  | (RoutineEventBase & { readonly type: 'message.deadLetter'; readonly message: unknown })

export type RefusedEvent = EventBase & { readonly type: 'routine.refused'; readonly name: string; readonly code: RefusalCode }

export type ManagerEvent =
  | (EventBase & { readonly type: 'manager.started'; readonly incarnation: number })
  | (EventBase & { readonly type: 'manager.restarted'; readonly incarnation: number })
  | (EventBase & { readonly type: 'manager.gaveUp'; readonly restarts: number; readonly window: number })
  | (EventBase & { readonly type: 'manager.phase'; readonly phase: Phase })
  | (EventBase & {
      readonly type: 'manager.stopped'
      readonly state: 'completed' | 'cancelled' | 'failed'
      readonly trigger: ShutdownTrigger
    })

/** An order given by hand in the inspector, to a routine or a manager. What follows from it names it as its cause. */
export type ControlEvent = EventBase & { readonly type: 'control.ordered' /** Such as 'cancel' or 'shutdown'. */; readonly control: string }

/**
 * The event loop of the main thread has turned again after it was blocked; told by a watchdog. `path` is that of the routine that was
 * running; of the root, where that is not known.
 */
export type LoopEvent = EventBase & {
  readonly type: 'loop.blocked'
  /** Milliseconds for which nothing else could run. */
  readonly duration: number
  /** When that began, in milliseconds of the injected clock. */
  readonly since: number
  /** What the main thread was at: JavaScript, a call that runs no JavaScript, such as a synchronous hash, or not known. */
  readonly doing: 'javascript' | 'native' | 'unknown'
  /** Its stack while it was blocked, innermost first, one frame a line: `at name (file:line:column)`. Empty if it is not known. */
  readonly stack: string
}

/** Of the store of the tree. */
export type StoreEvent =
  | (EventBase & {
      /** It could not be opened, or can't be used any more. */
      readonly type: 'store.failed'
      readonly error: unknown
      /** True if the tree goes on, with nothing durable; see `storeFailure`. */
      readonly continues: boolean
    })
  | (EventBase & {
      /** A routine stays in the store, since no work is registered under its name; told once for each name. */
      readonly type: 'store.unclaimed'
      readonly id: string
      readonly work: string
    })

/** Everything that `on` can hear. */
export type LifecycleEvent = RoutineEvent | MessageEvent | RefusedEvent | ManagerEvent | ControlEvent | LoopEvent | StoreEvent

export type LifecycleEventType = LifecycleEvent['type']

const TYPES: Readonly<Record<LifecycleEventType, true>> = {
  'routine.spawned': true,
  'routine.queued': true,
  'routine.started': true,
  'routine.completed': true,
  'routine.failed': true,
  'routine.cancelled': true,
  'routine.killed': true,
  'routine.orphaned': true,
  'routine.settled': true,
  'routine.restarted': true,
  'routine.hung': true,
  'routine.revived': true,
  'routine.refused': true,
  'link.broken': true,
  'message.dropped': true,
  'message.deadLetter': true,
  'manager.started': true,
  'manager.restarted': true,
  'manager.gaveUp': true,
  'manager.phase': true,
  'manager.stopped': true,
  'control.ordered': true,
  'loop.blocked': true,
  'store.failed': true,
  'store.unclaimed': true,
}

/** True for the type of a lifecycle event. */
export function isLifecycleEventType(type: unknown): type is LifecycleEventType {
  return typeof type === 'string' && Object.hasOwn(TYPES, type)
}

/** The event of one type: `LifecycleEventOf<'routine.failed'>`. */
export type LifecycleEventOf<T extends LifecycleEventType> = Extract<LifecycleEvent, { type: T }>
