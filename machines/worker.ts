/**
 * The life of one worker, a thread or the like, that runs the bodies of routines one after the other.
 *
 * K1  It has one body at a time, and is idle only between two.
 * K2  One that was told to end has no body ever again.
 * K3  `gone` is final. Whatever it says then comes too late.
 * K4  Its death under a body is the failure of that; under one that was killed it is what was asked for.
 * K5  It is stuck once it was told to end and did not in time; what it was asked is given up, and it is counted until it is gone.
 */
import { setup } from 'xstate'

/** The events of a worker, in the order of the columns of its table. */
export const WORKER_EVENTS = ['up', 'assign', 'ask', 'done', 'last', 'retire', 'kill', 'lost', 'exit'] as const

export type WorkerEventType = (typeof WORKER_EVENTS)[number]

const noop = (): void => undefined

function defineWorker() {
  return setup({
    types: { events: {} as { type: WorkerEventType } },
    actions: {
      /** It is free for another body. */
      release: noop,
      /** End it, by force. */
      terminate: noop,
      /** Wait for it no longer: what it holds may be replaced. */
      strand: noop,
      /** It is no more: nothing is left of it, and its body, if it had one, has ended with it. */
      bury: noop,
    },
  }).createMachine({
    id: 'worker',
    description: 'One worker of a pool.',
    initial: 'starting',
    on: { exit: { target: '.gone', actions: 'bury' } },
    states: {
      starting: {
        description: 'Made for a body, and not up yet.',
        on: {
          up: 'running',
          ask: 'stopping',
          done: { target: 'idle', actions: 'release' },
          last: { target: 'terminating', actions: 'terminate' },
          kill: { target: 'terminating', actions: 'terminate' },
        },
      },
      idle: {
        description: 'Warm, and free.',
        on: { assign: 'running', retire: { target: 'terminating', actions: 'terminate' } },
      },
      running: {
        description: 'It has a body.',
        on: {
          ask: 'stopping',
          done: { target: 'idle', actions: 'release' },
          last: { target: 'terminating', actions: 'terminate' },
          kill: { target: 'terminating', actions: 'terminate' },
        },
      },
      stopping: {
        description: 'Its body was asked to stop.',
        on: {
          done: { target: 'idle', actions: 'release' },
          last: { target: 'terminating', actions: 'terminate' },
          kill: { target: 'terminating', actions: 'terminate' },
        },
      },
      terminating: {
        description: 'Told to end, by force.',
        on: { lost: { target: 'stuck', actions: 'strand' } },
      },
      stuck: { description: 'It could not be ended in time.' },
      gone: { type: 'final' },
    },
  })
}

/** The machine of a worker. */
export type WorkerMachine = ReturnType<typeof defineWorker>

/** The machine of a worker. What drives one is its table, in src/ground/worker-table.ts. */
export function machineOfWorker(): WorkerMachine {
  return defineWorker()
}
