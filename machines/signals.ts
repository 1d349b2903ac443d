/**
 * What becomes of the signals of the operating system, from the first one to the end of the process.
 *
 * SG1  The first one begins the shutdown, the second one makes it immediate, and whatever comes after it changes nothing of that.
 * SG2  Once the tree has ended, or the process exits, a signal has its usual effect again.
 * SG3  The last resort is for a process that was told twice: it is taken when the time of the shutdown is over and the tree has not ended,
 *     or has left something that could not be ended; of such, when the process exits, if that is earlier. It ends the process by the
 *     signal, as if nobody had listened. Once all is undone it is not taken any more.
 * SG4  The process is killed only where it has survived that.
 */
import { setup } from 'xstate'

/**
 * `overdue`: the time of the shutdown is over. `ended`: the tree has. `exit`: the process begins to; `exited`: all who listen to that were
 * told. `holds` says whether something is left that could not be ended.
 */
export type SignalsMachineEvent =
  | { type: 'signal' }
  | { type: 'overdue' | 'ended' | 'exit' | 'exited'; holds: boolean }
  | { type: 'survived' }

/** What it has done. Each is carried out by src/manager/process-signals.ts. */
export type SignalsEffect = 'shutDown' | 'hasten' | 'takeOff' | 'raise' | 'kill'

const noop = (): void => undefined

function defineSignals() {
  return setup({
    types: { events: {} as SignalsMachineEvent },
    actions: {
      /** Begin the shutdown, and count its time. */
      shutDown: noop,
      /** Make the shutdown immediate. */
      hasten: noop,
      /** Listen to signals no more. */
      takeOff: noop,
      /** Send the process the signal again: nobody of us listens any more. */
      raise: noop,
      /** Send the process SIGKILL. */
      kill: noop,
    } satisfies Record<SignalsEffect, () => void>,
    guards: { holds: ({ event }) => 'holds' in event && event.holds },
  }).createMachine({
    id: 'signals',
    description: 'The signals of the operating system that a tree listens to.',
    initial: 'listening',
    states: {
      listening: { on: { signal: { target: 'stopping', actions: 'shutDown' }, ended: 'over', exit: 'over' } },
      stopping: {
        description: 'One has come.',
        on: { signal: { target: 'hastened', actions: 'hasten' }, overdue: 'late', ended: 'over', exit: 'over' },
      },
      late: {
        description: 'One has come, and the time is over.',
        on: { signal: 'raised', ended: 'over', exit: 'over' },
      },
      hastened: {
        description: 'Two have come.',
        on: {
          overdue: 'raised',
          ended: [{ guard: 'holds', target: 'held' }, { target: 'over' }],
          exit: [{ guard: 'holds', target: 'held' }, { target: 'over' }],
        },
      },
      held: {
        description: 'All is over; what is left could not be ended.',
        entry: 'takeOff',
        on: {
          ended: 'over',
          overdue: [{ guard: 'holds', target: 'raised' }, { target: 'over' }],
          exited: { guard: 'holds', target: 'raised' },
        },
      },
      raised: { entry: ['takeOff', 'raise'], on: { survived: 'killed' } },
      killed: { type: 'final', entry: 'kill' },
      over: { type: 'final', entry: 'takeOff' },
    },
  })
}

/** What `machineOfSignals` makes. */
export type SignalsMachine = ReturnType<typeof defineSignals>

/** The machine of the signals that a tree listens to. Made for whoever asks: most programs have no use for it. */
export function machineOfSignals(): SignalsMachine {
  return defineSignals()
}
