/**
 * Digests groups of the journal into the tables, and forgets what is retained no more: in steps, each a transaction of its own, between
 * which the journal goes on.
 *
 * D1  A step takes whole groups from the front, changes the tables by what their entries mean (machines/journal.ts), takes them out of the
 *     journal, and moves the head: all of it lasts or nothing.
 * D2  What begins and ends within a step leaves one outcome, and nothing else is written of it.
 * D3  What can be told of an id is told from the tables, once all groups were digested.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type Known, learn, unheardOf } from '../../machines/journal.ts'
import { chainLink, sameLink } from './chain.ts'
import { entriesOf } from './frame.ts'
import { type Head, HeadWriter } from './head.ts'
import { SCHEMA_VERSION } from './schema.ts'
import { damaged } from './store-fault.ts'
import { Tables } from './tables.ts'
import type { GroupRow } from './verify.ts'

/** A step ends with the group that fills it. */
const STEP_ENTRIES = 1_024

/** So many outcomes are forgotten in a step. */
const STEP_OUTCOMES = 512

/** An id within a step. */
interface Change {
  readonly known: Known<Uint8Array>
  /** The number of its spawn, where it lived before the step. */
  readonly before: number | undefined
  handledBefore: number
  spawned: number
  spawnedAt: number
  ended: number
  endedAt: number
}

/** What changes the tables of a store. */
export class Digest {
  readonly #db: DatabaseSync
  readonly #tables: Tables
  readonly #heads: HeadWriter
  readonly #statements
  #head: Head

  constructor(db: DatabaseSync, head: Head) {
    this.#db = db
    this.#head = head
    this.#tables = new Tables(db, head.journal)
    this.#heads = new HeadWriter(db, SCHEMA_VERSION)
    this.#statements = {
      groups: db.prepare('SELECT number, first, count, hash, body FROM entries WHERE number > ? ORDER BY number LIMIT 1'),
      drop: db.prepare('DELETE FROM entries WHERE number <= ?'),
    }
  }

  get head(): Head {
    return this.#head
  }

  get tables(): Tables {
    return this.#tables
  }

  /** One step, up to a group at most. How many entries it took. @throws what SQLite throws: then nothing has changed. */
  step(upTo: number): number {
    return this.#change((head) => {
      const changes = new Map<string, Change>()
      const { records } = head
      while (head.number < upTo && head.records - records < STEP_ENTRIES) this.#take(head, changes)
      for (const [id, change] of changes) this.#apply(head, id, change)
      this.#statements.drop.run(head.number)
      return head.records - records
    })
  }

  /** Forgets outcomes, the oldest first. How many. */
  retain(count: number, before: number): number {
    return this.#change((head) => {
      let many = 0
      for (const { number, at, id } of this.#tables.oldestOutcomes(STEP_OUTCOMES)) {
        if (head.outcomes <= count && at >= before) break
        this.#tables.forget(head, number, id)
        many++
      }
      return many
    })
  }

  /** Writes the head as it is: for a transaction that is to be forced through to the disk. */
  touch(): void {
    this.#change(() => undefined)
  }

  #change<Result>(act: (head: Head) => Result): Result {
    const head = this.#head.copy()
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = act(head)
      this.#heads.write(head)
      this.#db.exec('COMMIT')
      this.#head = head
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /** One group. */
  #take(head: Head, changes: Map<string, Change>): void {
    const group = this.#statements.groups.get(head.number) as unknown as GroupRow | undefined
    if (group === undefined || group.number !== head.number + 1) throw damaged(`group ${head.number + 1} is gone`)
    const chain = chainLink(head.chain, group, group.body)
    if (!sameLink(chain, group.hash)) throw damaged(`group ${group.number} is not as it was written`)
    let record = head.records
    for (const entry of entriesOf(group.body)) {
      record++
      let change = changes.get(entry.id)
      if (change === undefined) changes.set(entry.id, (change = this.#look(entry.id)))
      if (!learn(change.known, entry)) continue
      if (entry.kind === 'spawned') {
        change.spawned = record
        change.spawnedAt = entry.number
      } else if (entry.kind === 'outcome') {
        change.ended = record
        change.endedAt = entry.number
      }
    }
    if (record !== head.records + group.count) throw damaged(`group ${group.number} has other entries than it says`)
    head.number = group.number
    head.records = record
    head.chain = chain
  }

  /** What the tables say of an id. */
  #look(id: string): Change {
    const known = unheardOf<Uint8Array>()
    const place = this.#tables.find(id)
    if (place !== undefined) {
      known.stage = place.ended ? 'ended' : 'living'
      if (!place.ended) known.handled = this.#tables.handled(place.number)
    }
    const before = place?.ended === false ? place.number : undefined
    return { known, before, handledBefore: known.handled, spawned: before ?? 0, spawnedAt: 0, ended: 0, endedAt: 0 }
  }

  #apply(head: Head, id: string, change: Change): void {
    const { known, before, handledBefore, spawned, spawnedAt, ended, endedAt } = change
    const tables = this.#tables
    if (ended > 0) {
      if (before !== undefined) tables.removeLiving(head, before, id)
      tables.addOutcome(head, ended, endedAt, id, known.outcome as Uint8Array)
      return
    }
    if (spawned === 0) return
    if (before === undefined) tables.addLiving(head, spawned, spawnedAt, id, known.spawn as Uint8Array)
    if (known.handled > handledBefore) tables.setHandled(head, spawned, known.handled, before !== undefined)
    if (known.snapshot !== undefined) tables.setSnapshot(head, spawned, known.snapshot, before !== undefined)
    for (const [number, body] of known.messages) tables.addMessage(head, spawned, number, body)
  }
}
