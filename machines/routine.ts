/**
 * The life of one incarnation of a routine.
 *
 * R1  A final state is final: a restart is another actor, never a way back.
 * R2  A cancel that reaches a living incarnation ends it as `cancelled`, whatever the body does then.
 * R3  A timeout ends it as `failed`, unless a cancel overtakes it.
 * R4  Nothing but `kill`, `giveUp` and `lost` ends a running incarnation whose body has not.
 * R5  Every transition has at most one effect, named here and carried out by src/routine/incarnation.ts.
 * R6  Where a ground needs time to end a body, `end` comes in the place of `kill` and `giveUp`: the incarnation is over once the body is gone, or
 *     is `lost` because that took too long. What the body says meanwhile, it has said too late.
 */
import { assign, setup } from 'xstate'
import type { Terms } from './decisions.ts'

/** The events of an incarnation. By `exit` it ends itself, in an orderly way, before or during its run. */
export type RoutineMachineEvent =
  | { type: 'start' }
  | { type: 'exit'; reason?: unknown }
  | { type: 'done'; output?: unknown }
  | { type: 'fail'; error?: unknown }
  | { type: 'cancel'; reason?: unknown }
  | { type: 'timeout'; error?: unknown }
  | { type: 'giveUp' }
  | { type: 'kill'; reason?: unknown }
  | { type: 'end' }
  | { type: 'lost' }

/** What an incarnation remembers. */
export interface RoutineMachineContext {
  readonly input: unknown
  readonly output: unknown
  readonly error: unknown
  readonly reason: unknown
  /** True if it had to be abandoned: its body had not ended when it was given up on. */
  readonly killed: boolean
  /** True if its ground could not end its body in time. */
  readonly stuck: boolean
}

/** The events that drive an incarnation, in the order of the derived table's columns. */
export const ROUTINE_EVENTS = ['start', 'exit', 'done', 'fail', 'cancel', 'timeout', 'giveUp', 'kill', 'end', 'lost'] as const

/** What it decides by, and what it writes. */
export const ROUTINE_TERMS: Terms = { events: ROUTINE_EVENTS, fields: ['output', 'error', 'reason'], flags: [], words: [] }

const noop = (): void => undefined

// oxlint-disable-next-line max-lines-per-function -- a statechart, in one piece
function defineRoutine() {
  return setup({
    types: {
      context: {} as RoutineMachineContext,
      events: {} as RoutineMachineEvent,
      input: {} as { input?: unknown } | undefined,
    },
    actions: {
      /** Run the body; arm timeout and heartbeat watch. */
      begin: noop,
      /** Abort the signal, or stop the user's actor; arm the shutdown time. */
      abort: noop,
      /** The body has not ended and is not waited for any longer. */
      abandon: noop,
      /** Have the ground end the body; arm the time that it has for that. */
      terminate: noop,
      /** Disarm, leave the registries, release the permit, tell the supervisor. */
      settle: noop,
      remember: assign(({ event }) => {
        switch (event.type) {
          case 'done':
            return { output: event.output }
          case 'fail':
          case 'timeout':
            return { error: event.error }
          case 'cancel':
          case 'kill':
          case 'exit':
            return { reason: event.reason }
          default:
            return {}
        }
      }),
      force: assign({ killed: true }),
      strand: assign({ stuck: true }),
    },
  }).createMachine({
    id: 'routine',
    description: 'One incarnation of a routine.',
    initial: 'pending',
    context: ({ input }) => ({ input: input?.input, output: undefined, error: undefined, reason: undefined, killed: false, stuck: false }),
    states: {
      pending: {
        description: 'Accepted: queued, waiting for its turn, or backing off before a restart.',
        on: {
          start: 'running',
          done: { target: 'completed', actions: ['remember', 'settle'] },
          exit: { target: 'cancelled', actions: ['remember', 'settle'] },
          fail: { target: 'failed', actions: ['remember', 'settle'] },
          cancel: { target: 'cancelled', actions: ['remember', 'settle'] },
          kill: { target: 'cancelled', actions: ['remember', 'force', 'settle'] },
        },
      },
      running: {
        initial: 'working',
        states: {
          working: {
            entry: 'begin',
            on: {
              done: { target: '#routine.completed', actions: ['remember', 'settle'] },
              exit: { target: '#routine.cancelled', actions: ['remember', 'settle'] },
              fail: { target: '#routine.failed', actions: ['remember', 'settle'] },
              cancel: { target: 'stopping', actions: ['remember', 'abort'] },
              timeout: { target: 'expiring', actions: ['remember', 'abort'] },
              kill: { target: '#routine.cancelled', actions: ['remember', 'force', 'abandon'] },
            },
          },
          stopping: {
            description: 'Asked to stop; obeying, or deaf.',
            on: {
              done: { target: '#routine.cancelled', actions: ['remember', 'settle'] },
              exit: { target: '#routine.cancelled', actions: 'settle' },
              fail: { target: '#routine.cancelled', actions: ['remember', 'settle'] },
              giveUp: { target: '#routine.cancelled', actions: ['force', 'abandon'] },
              kill: { target: '#routine.cancelled', actions: ['force', 'abandon'] },
              end: { target: 'ending', actions: ['force', 'terminate'] },
            },
          },
          expiring: {
            description: 'Out of time; asked to stop.',
            on: {
              done: { target: '#routine.failed', actions: 'settle' },
              exit: { target: '#routine.failed', actions: 'settle' },
              fail: { target: '#routine.failed', actions: 'settle' },
              cancel: { target: 'stopping', actions: 'remember' },
              giveUp: { target: '#routine.failed', actions: ['force', 'abandon'] },
              kill: { target: '#routine.cancelled', actions: ['remember', 'force', 'abandon'] },
              end: { target: 'lapsing', actions: ['force', 'terminate'] },
            },
          },
          ending: {
            description: 'Given up on; its ground ends the body.',
            on: {
              done: { target: '#routine.cancelled', actions: 'settle' },
              lost: { target: '#routine.cancelled', actions: ['strand', 'abandon'] },
            },
          },
          lapsing: {
            description: 'Out of time, and given up on; its ground ends the body.',
            on: {
              done: { target: '#routine.failed', actions: 'settle' },
              cancel: { target: 'ending', actions: 'remember' },
              lost: { target: '#routine.failed', actions: ['strand', 'abandon'] },
            },
          },
        },
      },
      completed: { type: 'final' },
      failed: { type: 'final' },
      cancelled: { type: 'final' },
    },
  })
}

/** The machine of an incarnation. */
export type RoutineMachine = ReturnType<typeof defineRoutine>

let made: RoutineMachine | undefined

/** It is made when it is first asked for: a routine that nobody looks at does without. */
export function machineOfRoutine(): RoutineMachine {
  return (made ??= defineRoutine())
}
