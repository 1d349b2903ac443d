/** The store of a tree, as its root sees to it. */
import { type Outcome, RoutineTimeoutError, type WaitOptions, type Work } from '../contract/index.ts'
import { Ledger, Lookup } from '../durable/index.ts'
import { failStore, type Manager } from '../manager/index.ts'
import type { AttachDurability, Commission, Durability, DurableStore, StorePolicy, StoreState } from '../port/index.ts'
import { instrument, type Tree, waitUntil } from '../turn/index.ts'
import { commissionOf } from './commission.ts'
import { Restoring } from './restoring.ts'

class StoredTree implements Durability {
  readonly ledger: Ledger
  readonly #tree: Tree
  readonly #path: string

  constructor({ tree, path }: Manager, ledger: Ledger) {
    this.#tree = tree
    this.#path = path
    this.ledger = ledger
  }

  get state(): StoreState {
    return this.ledger.state
  }

  get position(): number | undefined {
    return this.ledger.position
  }

  open(): void {
    this.ledger.open()
  }

  close(): Promise<void> {
    return this.ledger.close()
  }

  commission(name: string, work: Work, options: object, path: string): Commission {
    return commissionOf(this.ledger, this.#tree.idsAreLazy, name, work, options, path)
  }

  async outcomeOf(id: string, options: WaitOptions): Promise<Outcome | undefined> {
    const path = this.#path
    const lookup = new Lookup(this.ledger, id)
    if (!(await waitUntil(() => lookup.isAnswered, [lookup], options, this.#tree)))
      throw new RoutineTimeoutError(`${path}: ${id} has no recorded outcome within ${options.timeout} ms`, { path })
    return lookup.read()
  }
}

/** The ledger of a tree, whose store is not opened yet. */
function makeLedger(root: Manager, store: DurableStore, policy: StorePolicy): Ledger {
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
    policy,
  )
  const restoring = new Restoring(root, ledger)
  // Of what waits in the store for a manager of that path.
  const lives = instrument(({ path }: { readonly path: string }) => turn.run(() => restoring.lives(path)))
  root.on('manager.started', lives)
  root.on('manager.restarted', lives)
  return ledger
}

/** What a store brings along into its tree. */
export const attachDurability: AttachDurability = (root, store, policy) =>
  new StoredTree(root as Manager, makeLedger(root as Manager, store, policy))
