/**
 * One of each kind of object that the hot path is made of, kept as long as the process.
 *
 * The engine forgets what it knows of a kind of object, and throws away all code that it has optimised for it, once three full
 * collections in a row find none of that kind alive: a process that had nothing to do for a while would begin at the speed of
 * its first second again, a third of the usual one (5.9 instead of 2.2 µs of CPU for each of the next 50,000 routines).
 *
 * P1  Nothing is left to happen: no actor, no timer, no microtask; nothing of any user's is held, and no tree knows of it.
 */
import { localManagerMachine, type ManagerMachine } from '../machines/manager.ts'
import { idleTimer } from './clock.ts'
import { LocalManager } from './local-manager.ts'
import { Manager } from './manager.ts'
import { Question } from './question.ts'
import type { RoutineContext } from './routine-context.ts'
import type { RoutineRow } from './routine.ts'
import { compileGlobalSpec, compileLocalSpec } from './spec/manager-spec.ts'
import { compileRoutineSpec } from './spec/routine-spec.ts'
import { Stage } from './stage.ts'
import { Supervisor } from './supervisor.ts'

/** A root that has not begun to live, so that there is no actor. */
class Backstage extends Manager {
  /** @internal */ readonly logic = localManagerMachine as unknown as ManagerMachine

  constructor() {
    const spec = compileGlobalSpec({ name: 'rehearsal' })
    super(new Stage(spec), undefined, spec.name, spec)
  }

  /** @internal */
  makeChild(): never {
    throw new Error('nobody lives here')
  }
}

type Context = RoutineContext<undefined, number, number>

/** Bodies that end at once. What they have touched stays with them. */
const PARTS: readonly ((context: Context) => unknown)[] = [
  (context) => [context, context.signal],
  (context) => {
    throw context
  },
  ({ messages }) => {
    const letters = messages[Symbol.asyncIterator]()
    void letters.next()
    void letters.return?.()
    return letters
  },
]

function play(local: LocalManager, part: (context: Context) => unknown): RoutineRow {
  const { registry, gate } = local
  const row = registry.add('rehearsal', part as never, compileRoutineSpec({ timeout: undefined }, local.path), undefined, undefined)
  gate.take()
  row.send(0)
  void row.outcome
  row.launch()
  return row
}

/** All of it. */
export function rehearse(): object {
  const root = new Backstage()
  root.on('*', () => undefined)
  const local = new LocalManager(root, 'rehearsal', compileLocalSpec(undefined, 'rehearsal'))
  // As if it lived.
  local.supervisor = new Supervisor(local)
  const rows = PARTS.map((part) => play(local, part))
  const stage = { arm: () => undefined, clock: { clearTimeout: () => undefined } }
  const question = new Question({} as never, { local: { stage } } as never, 0, 1, {}, undefined)
  question.answer(0)
  return { rows, question, timer: idleTimer() }
}
