/** A store of a user's own, as a tree is given it. */
import { DURABILITY, type DurableStore } from '../port/index.ts'
import { having, refuse } from '../spec/index.ts'
import { attachDurability } from './stored-tree.ts'

/**
 * Makes a store of your own one that a tree can be given. Those of `curtaincall/sqlite` and `curtaincall/testing` are so already: a store brings
 * along what keeps durable routines, and a program without one has none of that in its bundle.
 *
 * @param store Opens a journal, which keeps J1 to J8 of the type Journal.
 * @throws ConfigError if it has no method `open`.
 * @example
 * const global = createGlobalManager({ store: durableStore({ open: (host) => openMyJournal(host) }) })
 */
export function durableStore(store: DurableStore): DurableStore {
  const rule = having('open')
  if (!rule.accepts(store)) throw refuse('durableStore store', rule.range, store)
  return { open: (host) => store.open(host), [DURABILITY]: attachDurability }
}
