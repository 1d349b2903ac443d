/**
 * Brings back what an earlier process has left unfinished.
 *
 * RE1 The store is read in pages, and each routine is spawned in a turn of its own, in order of its first spawn: the first runs before the
 *     last has been read. After a slice, and between two pages, the event loop turns.
 * RE2 One goes where its manager is. Of a manager that there is not yet, or not any more, it waits in the store: once one of that path
 *     lives, the store is read again.
 * RE3 Limits hold: where there is no permit it waits for one, whatever `overflow` and `maxQueue` say.
 * RE4 One whose work is not registered stays in the store; that is said once for each name.
 */
import { type Ledger, Chronicle, managerOf } from '../durable/index.ts'
import { LocalManager, type Manager } from '../manager/index.ts'
import type { StoredRoutine } from '../port/index.ts'
import { announce } from '../routine/index.ts'
import { specFromKept } from '../spec/index.ts'
import { SLICE } from '../turn/index.ts'
import { giveBack, keep } from './commission.ts'

export class Restoring {
  readonly #root: Manager
  readonly #ledger: Ledger
  #isSearching = false
  /** True if it is to search again, once it has searched. */
  #again = false
  /** Paths of managers that something waits for. */
  #missed = new Set<string>()
  readonly #unclaimed = new Set<string>()

  constructor(root: Manager, ledger: Ledger) {
    this.#root = root
    this.#ledger = ledger
  }

  /** A manager begins a life: something may have waited for that. */
  lives(path: string): void {
    const left = this.#ledger.tookLeave(path)
    if (this.#missed.delete(path) || left) this.lookFor()
  }

  /** Something may be there to be restored. */
  lookFor(): void {
    this.#again = true
    if (!this.#isSearching) void this.#search()
  }

  async #search(): Promise<void> {
    this.#isSearching = true
    // Behind the turn.
    await Promise.resolve()
    while (this.#again && this.#ledger.state === 'open') {
      this.#again = false
      try {
        await this.#searchOnce()
      } catch (error) {
        // That the store has failed is said by the store.
        if (this.#ledger.state === 'open') this.#root.tree.bus.contain(error, `${this.#root.path}: the store could not be read`)
      }
      // One that a shutdown has cut off has not looked at all.
      this.#root.tree.turn.run(() => this.#ledger.searched(!this.#again && !this.#root.closed))
    }
    this.#isSearching = false
  }

  async #searchOnce(): Promise<void> {
    let steps = 0
    for await (const page of this.#ledger.search() ?? []) {
      for (const stored of page) {
        if (this.#root.closed) return
        this.#root.tree.turn.run(() => this.#restore(stored))
        if (++steps % SLICE === 0) await this.#turnOfTheLoop()
      }
    }
  }

  #turnOfTheLoop(): Promise<void> {
    return new Promise((resolve) => void this.#root.tree.later(resolve, 0))
  }

  #restore(stored: StoredRoutine): void {
    if (this.#ledger.handOver(stored) || this.#ledger.isPresent(stored.id)) return
    const path = managerOf(stored.path)
    const local = this.#managerAt(path)
    if (local === undefined || local.closed) {
      this.#missed.add(path)
      return
    }
    if (!this.#ledger.work.has(stored.work)) this.#tellUnclaimed(stored)
    else this.#bringBack(local, stored)
  }

  #managerAt(path: string): LocalManager | undefined {
    const [first, ...rest] = path.split('/')
    let at: Manager | undefined = first === this.#root.name ? this.#root : undefined
    for (const name of rest) at = at?.child(name)
    return at instanceof LocalManager ? at : undefined
  }

  #tellUnclaimed({ id, path, work }: StoredRoutine): void {
    if (this.#unclaimed.has(work)) return
    this.#unclaimed.add(work)
    const { tree, place } = this.#root
    tree.bus.log('error', { path, work }, 'left in the store: its work is not registered')
    place.announce({ type: 'store.unclaimed', id, work }, 0)
  }

  #bringBack(local: LocalManager, stored: StoredRoutine): void {
    try {
      bringBack(local, stored, this.#ledger)
    } catch (error) {
      local.tree.bus.contain(error, `${stored.path}: left in the store, since it can't be brought back`)
    }
  }
}

/** In a turn. */
function bringBack(local: LocalManager, stored: StoredRoutine, ledger: Ledger): void {
  const { registry, life, tree } = local
  const { id, work: name, input, options, path } = stored
  const work = ledger.work.get(name)
  if (work === undefined) return
  const spec = specFromKept(options, id, path)
  const waits = registry.queued > 0 || life.gate.full() !== undefined
  const routine = registry.add(name, work, spec, input, id)
  if (registry.asyncContext !== undefined) routine.ownMemory.asyncContext = registry.asyncContext
  const chronicle = new Chronicle(ledger, id, path, { work: name, input, options }, false)
  keep(routine, chronicle)
  giveBack(routine, stored)
  ledger.restored(chronicle)
  if (waits) registry.queue.push(routine, ++tree.ticket)
  else life.gate.take()
  tree.observer?.spawned(routine)
  announce(routine, 'routine.spawned', { restored: true })
  if (waits) announce(routine, 'routine.queued')
  else registry.admit(routine)
}
