/** Laws about what outlasts a process: what has to hold of several lives of one tree, whatever the disk does. */
import { above } from '../../machines/path.ts'
import type { StoredEntry } from '../port/index.ts'
import { type DurableLaw, durableLaw, type Life } from './durable-law.ts'
import { JournalState } from './journal-state.ts'
import { sameAs } from './journal-watch.ts'
import type { TraceEvent } from './trace.ts'

/** A journal is used, and answers, as its port says: J1, J5, J6, J7 of `Journal`. */
export const journalKeepsItsWord: DurableLaw = durableLaw('journalKeepsItsWord', function* (lives) {
  for (const [life, { journal }] of lives.entries()) for (const message of journal.faults) yield { message, life }
})

/** What there is to be read back: the entries of the lives before, in order, and how many of them at least. */
interface Kept {
  readonly entries: readonly StoredEntry[]
  readonly atLeast: number
}

/** What the next life may find. */
function keptAfter(before: Kept, { journal, end, fsync }: Life): Kept {
  const isForced = end !== 'power' || fsync === 'group'
  if (journal.found === undefined) return { ...before, atLeast: isForced ? before.atLeast : 0 }
  const { position } = journal.found
  const lasting = journal.appended.filter(({ said, error }) => said !== 'refused' || (error as { code?: string })?.code !== 'ERR_CONFIG')
  const acknowledged = lasting.findLastIndex(({ said }) => said === 'lasts') + 1
  const entries = [...before.entries.slice(0, position), ...lasting.map(({ entry }) => entry)]
  return { entries, atLeast: isForced ? position + acknowledged : 0 }
}

/**
 * What is read back is a prefix of what was appended, and holds all that was acknowledged (J3), unless the power has taken what the store was
 * told not to force through; and it means what machines/journal.ts says (J4).
 */
export const nothingAcknowledgedIsLost: DurableLaw = durableLaw('nothingAcknowledgedIsLost', function* (lives) {
  let kept: Kept = { entries: [], atLeast: 0 }
  for (const [life, each] of lives.entries()) {
    const { found } = each.journal
    if (found !== undefined) {
      const { entries, atLeast } = kept
      const { position, unfinished, outcomes } = found
      if (position < atLeast) yield { message: `${atLeast} entries were acknowledged, and ${position} are left`, life }
      if (position > entries.length) yield { message: `${entries.length} entries were appended, and ${position} are there`, life }
      const state = new JournalState()
      for (const entry of entries.slice(0, position)) state.learn(entry)
      if (!sameAs(state.unfinished, unfinished))
        yield { message: `after ${position} entries, what is unfinished is not what was left`, life }
      for (const id of new Set(entries.map((entry) => entry.id)))
        if (!sameAs(state.outcomeOf(id), outcomes.get(id))) yield { message: `the outcome of ${id} is not the one that was recorded`, life }
    }
    kept = keptAfter(kept, each)
  }
})

/** What has an outcome never runs again, and nothing more is said of it (DR5, CM2). */
export const endedStaysEnded: DurableLaw = durableLaw('endedStaysEnded', function* (lives) {
  for (const [life, { journal, run }] of lives.entries()) {
    const ended = new Set(journal.found?.outcomes.keys())
    for (const { type, actor, i } of run.events)
      if (type === 'routine.started' && ended.has(idOf(actor)))
        yield { message: `${actor} runs, though its outcome was recorded in an earlier life`, life, witnesses: [i] }
    for (const { entry } of journal.appended) {
      if (ended.has(entry.id)) yield { message: `${entry.type} of ${entry.id} was appended after its outcome`, life }
      if (entry.type === 'outcome') ended.add(entry.id)
    }
  }
})

/** Of each routine it is said in order what becomes of it: its spawn once, its messages by consecutive numbers, none done before it was accepted (DR1, DR2, DR3). */
export const toldInOrder: DurableLaw = durableLaw('toldInOrder', function* (lives) {
  for (const [life, { journal }] of lives.entries()) {
    const last = new Map<string, number>()
    for (const { id, handled, messages } of journal.found?.unfinished ?? []) last.set(id, Math.max(handled, messages.at(-1)?.number ?? 0))
    for (const { entry } of journal.appended) {
      const { type, id } = entry
      const number = last.get(id)
      if (type === 'spawned') {
        if (number !== undefined) yield { message: `${id} was spawned though it was known`, life }
        last.set(id, 0)
      } else if (number === undefined) yield { message: `${type} of ${id}, which was never spawned`, life }
      else if (type === 'message') {
        if (entry.number !== number + 1) yield { message: `message ${entry.number} of ${id} follows ${number}`, life }
        last.set(id, entry.number)
      } else if (type !== 'outcome' && entry.number > number)
        yield { message: `${type} of ${id} is up to message ${entry.number}, and ${number} were accepted`, life }
    }
  }
})

/** What was left unfinished is brought back, once, where it was, in the order of its first spawn: unless its manager is not there, or is about to stop (RE1, RE2). */
export const unfinishedGoesOn: DurableLaw = durableLaw('unfinishedGoesOn', function* (lives) {
  for (const [life, { journal, run }] of lives.entries()) {
    if (journal.found === undefined || journal.failures.length > 0) continue
    const { t: opened, unfinished } = journal.found
    const spawned = new Map<string, TraceEvent>()
    for (const event of run.events) if (event.type === 'routine.spawned' && !spawned.has(event.actor)) spawned.set(event.actor, event)
    const unclaimed = new Set(run.events.flatMap(({ type, ...event }) => (type === 'store.unclaimed' ? [event['work']] : [])))
    for (const { path, work } of unfinished) {
      if (spawned.has(path) || unclaimed.has(work)) continue
      if (isLeftAlone(run.events, above(path), opened)) yield { message: `${path} was left unfinished, and is not brought back`, life }
    }
    const order = new Map(unfinished.map(({ path }, at) => [path, at]))
    // In each life of its manager anew.
    const latest = new Map<string, TraceEvent>()
    for (const event of run.events) {
      if (event.type === 'manager.restarted') latest.delete(event.actor)
      if (event.type !== 'routine.spawned' || event['restored'] !== true) continue
      const earlier = latest.get(above(event.actor))
      latest.set(above(event.actor), event)
      if (earlier !== undefined && (order.get(earlier.actor) ?? -1) > (order.get(event.actor) ?? Infinity))
        yield {
          message: `${event.actor} was brought back after ${earlier.actor}, which was spawned later`,
          life,
          witnesses: [earlier.i, event.i],
        }
    }
  }
})

/** True if a manager lived for long enough that what was left in it had to come back: time went on while it ran. */
function isLeftAlone(events: readonly TraceEvent[], path: string, opened: number): boolean {
  const begun = events.find(({ type, actor }) => type === 'manager.started' && actor === path)
  if (begun === undefined) return false
  const from = Math.max(begun.t, opened)
  const stops = events.find(
    ({ type, actor, phase }) => type === 'manager.phase' && phase === 'closing' && (path === actor || path.startsWith(`${actor}/`)),
  )
  return (stops?.t ?? events.at(-1)?.t ?? 0) > from
}

function idOf(path: string): string {
  return path.slice(path.lastIndexOf('#') + 1)
}

/** All of them. */
export const durableLaws: readonly DurableLaw[] = [
  journalKeepsItsWord,
  nothingAcknowledgedIsLost,
  endedStaysEnded,
  toldInOrder,
  unfinishedGoesOn,
]
