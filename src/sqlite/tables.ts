/** The tables beside the journal: each change of a row is a change of what the head counts and sums. */
import type { DatabaseSync } from 'node:sqlite'
import type { Head } from './head.ts'
import type { ReadRoutine } from './messages.ts'
import { rowCheck } from './row-check.ts'
import { damaged } from './store-fault.ts'
import { checkRow } from './verify.ts'

interface Checked {
  readonly check: number
}

interface BodyRow extends Checked {
  readonly number: number
  readonly at: number
  readonly id: string
  readonly body: Uint8Array
}

/** Where something of an id lies: by the number of its spawn while it lives, of its outcome after that. */
export interface Place {
  readonly number: number
  readonly ended: boolean
}

function prepareAll(db: DatabaseSync) {
  return {
    find: db.prepare('SELECT number, ended, "check" FROM routine WHERE id = ?'),
    addId: db.prepare('INSERT INTO routine (id, number, ended, "check") VALUES (?, ?, ?, ?)'),
    removeId: db.prepare('DELETE FROM routine WHERE id = ? AND number = ? RETURNING "check"'),
    addSpawn: db.prepare('INSERT INTO spawn (number, "check", at, id, body) VALUES (?, ?, ?, ?, ?)'),
    removeSpawn: db.prepare('DELETE FROM spawn WHERE number = ? RETURNING "check"'),
    spawns: db.prepare('SELECT number, "check", at, id, body FROM spawn WHERE number > ? AND number <= ? ORDER BY number LIMIT ?'),
    handled: db.prepare('SELECT handled, "check" FROM progress WHERE routine = ?'),
    setHandled: db.prepare('INSERT OR REPLACE INTO progress (routine, "check", handled) VALUES (?, ?, ?)'),
    removeHandled: db.prepare('DELETE FROM progress WHERE routine = ? RETURNING "check"'),
    snapshot: db.prepare('SELECT body, "check" FROM snapshot WHERE routine = ?'),
    setSnapshot: db.prepare('INSERT INTO snapshot (routine, "check", body) VALUES (?, ?, ?)'),
    removeSnapshot: db.prepare('DELETE FROM snapshot WHERE routine = ? RETURNING "check"'),
    messages: db.prepare('SELECT number, body, "check" FROM message WHERE routine = ? ORDER BY number'),
    addMessage: db.prepare('INSERT OR IGNORE INTO message (routine, number, "check", body) VALUES (?, ?, ?, ?)'),
    removeMessages: db.prepare('DELETE FROM message WHERE routine = ? AND number <= ? RETURNING "check"'),
    addOutcome: db.prepare('INSERT INTO outcome (number, "check", at, id, body) VALUES (?, ?, ?, ?, ?)'),
    outcome: db.prepare('SELECT number, "check", at, id, body FROM outcome WHERE number = ?'),
    oldest: db.prepare('SELECT number, at, id FROM outcome ORDER BY number LIMIT ?'),
    removeOutcome: db.prepare('DELETE FROM outcome WHERE number = ?'),
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()

/** No message has a higher number. */
const ALL = Number.MAX_SAFE_INTEGER

export class Tables {
  readonly #journal: string
  readonly #statements: ReturnType<typeof prepareAll>

  constructor(db: DatabaseSync, journal: string) {
    this.#journal = journal
    this.#statements = prepareAll(db)
  }

  /** @throws StoreFault if what is found is not what was written. */
  find(id: string): Place | undefined {
    const row = this.#statements.find.get(id) as (Checked & { number: number; ended: number }) | undefined
    if (row === undefined) return undefined
    checkRow(this.#journal, 'routine', `${row.number} ${row.ended} ${id}`, row)
    return { number: row.number, ended: row.ended === 1 }
  }

  handled(routine: number): number {
    const row = this.#statements.handled.get(routine) as (Checked & { handled: number }) | undefined
    if (row === undefined) return 0
    checkRow(this.#journal, 'progress', `${routine} ${row.handled}`, row)
    return row.handled
  }

  addLiving(head: Head, number: number, at: number, id: string, body: Uint8Array): void {
    this.#addId(head, id, number, 0)
    const check = rowCheck(this.#journal, 'spawn', `${number} ${at} ${id}`, body)
    this.#statements.addSpawn.run(number, check, at, id, body)
    head.living.add(check)
  }

  setHandled(head: Head, routine: number, handled: number, mayBeThere: boolean): void {
    const { removeHandled, setHandled, removeMessages } = this.#statements
    if (mayBeThere) {
      this.#gone(head, removeHandled.all(routine))
      this.#gone(head, removeMessages.all(routine, handled))
    }
    const check = rowCheck(this.#journal, 'progress', `${routine} ${handled}`)
    setHandled.run(routine, check, handled)
    head.living.add(check)
  }

  setSnapshot(head: Head, routine: number, body: Uint8Array, mayBeThere: boolean): void {
    if (mayBeThere) this.#gone(head, this.#statements.removeSnapshot.all(routine))
    const check = rowCheck(this.#journal, 'snapshot', `${routine}`, body)
    this.#statements.setSnapshot.run(routine, check, body)
    head.living.add(check)
  }

  addMessage(head: Head, routine: number, number: number, body: Uint8Array): void {
    const check = rowCheck(this.#journal, 'message', `${routine} ${number}`, body)
    const { changes } = this.#statements.addMessage.run(routine, number, check, body)
    if (changes === 1) head.living.add(check)
  }

  /** All that is kept of a routine that has ended. */
  removeLiving(head: Head, routine: number, id: string): void {
    const { removeSpawn, removeHandled, removeSnapshot, removeMessages } = this.#statements
    this.#removeId(head, id, routine)
    this.#gone(head, removeSpawn.all(routine))
    this.#gone(head, removeHandled.all(routine))
    this.#gone(head, removeSnapshot.all(routine))
    this.#gone(head, removeMessages.all(routine, ALL))
  }

  addOutcome(head: Head, number: number, at: number, id: string, body: Uint8Array): void {
    this.#addId(head, id, number, 1)
    const check = rowCheck(this.#journal, 'outcome', `${number} ${at} ${id}`, body)
    this.#statements.addOutcome.run(number, check, at, id, body)
    head.outcomes++
  }

  oldestOutcomes(many: number): readonly { readonly number: number; readonly at: number; readonly id: string }[] {
    return this.#statements.oldest.all(many) as never
  }

  forget(head: Head, number: number, id: string): void {
    this.#removeId(head, id, number)
    this.#statements.removeOutcome.run(number)
    head.outcomes--
  }

  /** @throws StoreFault if it is not as it was written, or has to be there and is not. */
  outcome(id: string): { readonly at: number; readonly outcome: string } | undefined {
    const place = this.find(id)
    if (place?.ended !== true) return undefined
    const row = this.#statements.outcome.get(place.number) as BodyRow | undefined
    if (row === undefined || row.id !== id) throw damaged(`the outcome of ${id} is gone`)
    checkRow(this.#journal, 'outcome', `${row.number} ${row.at} ${id}`, row)
    return { at: row.at, outcome: text(row.body) }
  }

  /** Routines without an outcome, in order of their spawn. @throws StoreFault */
  page(after: number, upTo: number, size: number): ReadRoutine[] {
    const rows = this.#statements.spawns.all(after, upTo, size) as unknown as BodyRow[]
    return rows.map(({ number, at, id, body, check }) => {
      checkRow(this.#journal, 'spawn', `${number} ${at} ${id}`, { check, body })
      return { number, id, at, spawn: text(body), handled: this.handled(number), ...this.#rest(number) }
    })
  }

  #rest(routine: number): Pick<ReadRoutine, 'snapshot' | 'messages'> {
    const snapshot = this.#statements.snapshot.get(routine) as (Checked & { body: Uint8Array }) | undefined
    if (snapshot !== undefined) checkRow(this.#journal, 'snapshot', `${routine}`, snapshot)
    const messages = this.#statements.messages.all(routine) as unknown as readonly BodyRow[]
    return {
      snapshot: snapshot === undefined ? undefined : text(snapshot.body),
      messages: messages.map((row) => {
        checkRow(this.#journal, 'message', `${routine} ${row.number}`, row)
        return { number: row.number, message: text(row.body) }
      }),
    }
  }

  #addId(head: Head, id: string, number: number, ended: number): void {
    const check = rowCheck(this.#journal, 'routine', `${number} ${ended} ${id}`)
    this.#statements.addId.run(id, number, ended, check)
    head.ids.add(check)
  }

  #removeId(head: Head, id: string, number: number): void {
    const [row, ...others] = this.#statements.removeId.all(id, number) as unknown as readonly Checked[]
    if (row === undefined || others.length > 0) throw damaged(`${id} is not where it was put`)
    head.ids.remove(row.check)
  }

  #gone(head: Head, rows: readonly unknown[]): void {
    for (const row of rows) head.living.remove((row as Checked).check)
  }
}
