/** The actor logic that is measured, supervised and not. */
import { fromCallback, fromPromise, setup } from 'xstate'
import { type Sum, task } from '../job.ts'

/** Alive until it has had both events. */
export const twoEvents = setup({ types: { events: {} as { type: 'begin' } | { type: 'end' } } }).createMachine({
  initial: 'idle',
  states: { idle: { on: { begin: 'busy' } }, busy: { on: { end: 'over' } }, over: { type: 'final' } },
})

/** Alive until it is told to end, or for a minute. */
export const patient = setup({ types: { events: {} as { type: 'end' } } }).createMachine({
  initial: 'waiting',
  states: { waiting: { on: { end: 'over' }, after: { 60_000: 'over' } }, over: { type: 'final' } },
})

/** Adds up what it is sent. */
export const adding = (sum: Sum) =>
  setup({ types: { events: {} as { type: 'add'; i: number } } }).createMachine({
    on: { add: { actions: ({ event }) => sum.add(event.i) } },
  })

export const asPromise = fromPromise(({ input, signal }: { input: number; signal: AbortSignal }) => task(input, signal))

/** Does nothing, until it is stopped. */
export const quiet = fromCallback(() => () => undefined)

/** A machine of a manager's kind, which stops in phases if it is told to. */
export const inPhases = setup({ types: { events: {} as { type: 'shutdown' | 'phaseDone' } } }).createMachine({
  initial: 'running',
  context: { hurried: false, error: undefined },
  states: {
    running: { on: { shutdown: 'stopping' } },
    stopping: {
      initial: 'closing',
      states: {
        closing: { on: { phaseDone: 'cancelling' } },
        cancelling: { on: { phaseDone: 'waiting' } },
        waiting: { on: { phaseDone: 'killing' } },
        killing: { on: { phaseDone: 'cleaning' } },
        cleaning: { on: { phaseDone: '#over' } },
      },
    },
    over: { id: 'over', type: 'final' },
  },
})
