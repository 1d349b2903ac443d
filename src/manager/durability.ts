/** The store of a tree, as its root sees to it. */
import { type Outcome, ConfigError, RoutineTimeoutError, type WaitOptions } from '../contract/index.ts'
import { Ledger, Lookup } from '../durable/index.ts'
import type { DurableStore } from '../port/index.ts'
import { type GlobalSpec, nodeName, refuse } from '../spec/index.ts'
import { instrument, type Tree, waitUntil } from '../turn/index.ts'
import { failStore } from './giving-up.ts'
import type { Manager } from './manager.ts'
import { Restoring } from './restoring.ts'

/** The ledger of a tree, whose store is not opened yet. */
export function makeLedger(root: Manager, store: DurableStore, spec: GlobalSpec): Ledger {
  const { tree, name, life } = root
  const { turn, bus, clock } = tree
  const ledger: Ledger = new Ledger(
    {
      name,
      now: () => clock.now(),
      arise: (act) => turn.arise(act),
      log: (level, details, message) => bus.log(level, { path: name, ...details }, message),
      contain: (error, message) => bus.contain(error, message),
      failed: (error, continues) => failStore(life, error, continues),
      lookFor: () => restoring.lookFor(),
    },
    store,
    spec,
  )
  const restoring = new Restoring(root, ledger)
  // Of what waits in the store for a manager of that path.
  const lives = instrument(({ path }: { readonly path: string }) => turn.run(() => restoring.lives(path)))
  root.on('manager.started', lives)
  root.on('manager.restarted', lives)
  return ledger
}

/** @throws by rejection: ConfigError, RoutineTimeoutError, the reason of an aborted signal, the error of the store. */
export async function outcomeOf(tree: Tree, path: string, id: string, options: WaitOptions): Promise<Outcome | undefined> {
  if (!nodeName.accepts(id)) throw refuse('outcomeOf id', nodeName.range, id, path)
  const { ledger } = tree
  if (ledger === undefined) throw new ConfigError(`${path} has no store, and so no outcome that lasts`, { path, option: 'store' })
  const lookup = new Lookup(ledger, id)
  if (!(await waitUntil(() => lookup.isAnswered, [lookup], options, tree)))
    throw new RoutineTimeoutError(`${path}: ${id} has no recorded outcome within ${options.timeout} ms`, { path })
  return lookup.read()
}
