/**
 * The life of a manager, the same on all three levels.
 *
 * M1  A manager that stops passes through all five phases, in their order, even when empty.
 * M2  It ends `failed` if it gave up, `cancelled` if it was made to hurry, `completed` otherwise.
 * M3  A later request can only hurry a shutdown, never slow it down.
 * M4  Each phase has one effect, named here and carried out by src/shutdown/shutdown.ts.
 */
import { assign, setup } from 'xstate'
import type { Terms } from './decisions.ts'
import type { Phase, ShutdownMode } from './lifecycle-event.ts'

/** The level of a manager in the tree. */
export type ManagerLevel = 'global' | 'app' | 'local'

/** The events of a manager. */
export type ManagerMachineEvent =
  | { type: 'start' }
  | { type: 'shutdown'; mode?: ShutdownMode; timeout?: number }
  /** More restarts than allowed, or a start that failed. */
  | { type: 'giveUp'; error?: unknown }
  | { type: 'hurry' }
  | { type: 'phaseDone' }

/** What a manager remembers of its present life. */
export interface ManagerMachineContext {
  readonly level: ManagerLevel
  /** Why it gave up, if it did. */
  readonly error: unknown
  readonly gaveUp: boolean
  /** True once it was made to hurry: immediate, out of time, or forced from above. */
  readonly hurried: boolean
}

/** What it decides by, and what it writes. */
export const MANAGER_TERMS: Terms = {
  events: ['start', 'shutdown', 'giveUp', 'hurry', 'phaseDone'],
  fields: ['error'],
  flags: ['gaveUp', 'hurried'],
  words: ['mode'],
}

const noop = (): void => undefined

/** The transitions from `pending` and `running` into a shutdown. */
const stops = {
  shutdown: [{ guard: 'immediate' as const, target: 'stopping' as const, actions: 'hurry' as const }, { target: 'stopping' as const }],
  giveUp: { target: 'stopping' as const, actions: 'giveUp' as const },
}

function defineManager<Level extends ManagerLevel>(level: Level) {
  return setup({
    types: {
      context: {} as ManagerMachineContext,
      events: {} as ManagerMachineEvent,
    },
    actions: {
      /** Take up work. */
      open: noop,
      /** Refuse from now on, in the whole subtree; cancel what is queued. */
      close: noop,
      /** Ask everything that runs to stop, latest first. */
      cancel: noop,
      /** Wait for it. */
      wait: noop,
      /** Give up on what has not ended. */
      kill: noop,
      /** Leave the registries; disarm timers and listeners. */
      clean: noop,
      /** Nothing is left: file the report and tell the parent. */
      end: noop,
      hurry: assign({ hurried: true }),
      giveUp: assign(({ event }) => (event.type === 'giveUp' ? { gaveUp: true, error: event.error } : {})),
    },
    guards: {
      immediate: ({ event }) => event.type === 'shutdown' && event.mode === 'immediate',
      gaveUp: ({ context }) => context.gaveUp,
      hurried: ({ context }) => context.hurried,
    },
  }).createMachine({
    id: `${level}Manager`,
    description: `A ${level} manager: the supervisor of what is below it.`,
    initial: 'pending',
    context: { level, error: undefined, gaveUp: false, hurried: false },
    states: {
      pending: {
        description: 'Its children are being started.',
        on: { start: { target: 'running', actions: 'open' }, ...stops },
      },
      running: { on: stops },
      stopping: {
        initial: 'closing',
        on: { hurry: { actions: 'hurry' } },
        states: {
          closing: { entry: 'close', on: { phaseDone: 'cancelling' } },
          cancelling: { entry: 'cancel', on: { phaseDone: 'waiting' } },
          waiting: { entry: 'wait', on: { phaseDone: 'killing' } },
          killing: { entry: 'kill', on: { phaseDone: 'cleaning' } },
          cleaning: {
            entry: 'clean',
            on: {
              phaseDone: [
                { guard: 'gaveUp', target: `#${level}Manager.failed` },
                { guard: 'hurried', target: `#${level}Manager.cancelled` },
                { target: `#${level}Manager.completed` },
              ],
            },
          },
        },
      },
      completed: { type: 'final', entry: 'end' },
      failed: { type: 'final', entry: 'end' },
      cancelled: { type: 'final', entry: 'end' },
    },
  })
}

const made: { [Level in ManagerLevel]?: unknown } = {}

/** The machine of a level; made when it is first asked for, since to make the first of a process takes a millisecond. */
export function managerMachine<Level extends ManagerLevel>(level: Level): ReturnType<typeof defineManager<Level>> {
  return (made[level] ??= defineManager(level)) as ReturnType<typeof defineManager<Level>>
}

/** Any of the three. */
export type ManagerMachine = ReturnType<typeof defineManager<'global'>>

/** The shutdown phase in a state value; undefined if that is not a `stopping` state. */
export function phaseOf(value: unknown): Phase | undefined {
  return typeof value === 'object' && value !== null ? (value as { stopping: Phase }).stopping : undefined
}
