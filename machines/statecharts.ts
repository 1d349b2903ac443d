/** The machines as values, for who looks at them. They are made as this is loaded, and whoever imports the library alone does without. */
import { managerMachine } from './manager.ts'
import { machineOfRoutine } from './routine.ts'
import { machineOfSignals } from './signals.ts'
import { machineOfWorker } from './worker.ts'

/**
 * One incarnation: pending → running → completed | failed | cancelled.
 *
 * @example
 * import { createActor } from 'xstate'
 * const actor = createActor(routineMachine, { input: { input: undefined } }).start()
 * actor.send({ type: 'start' })
 */
export const routineMachine = /* @__PURE__ */ machineOfRoutine()

/** One thread, or process, of a pool: starting → running ⇄ idle → terminating → gone. */
export const workerMachine = /* @__PURE__ */ machineOfWorker()

/** The machine of the global manager, root of the tree. */
export const globalManagerMachine = /* @__PURE__ */ managerMachine('global')
/** The machine of an app manager. */
export const appManagerMachine = /* @__PURE__ */ managerMachine('app')
/** The machine of a local manager, the supervisor of routines. */
export const localManagerMachine = /* @__PURE__ */ managerMachine('local')

/** The machine of the signals that `handleSignals` listens to. */
export const signalsMachine = /* @__PURE__ */ machineOfSignals()
