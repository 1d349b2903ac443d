/**
 * How a durable routine comes into its manager: spawned, or read back from the store.
 *
 * CM1 What can't be kept is refused before anything has happened, with its place: `input.customer.since`.
 * CM2 A spawn whose id the journal knows runs nothing twice: it ends as that one has ended, or goes on where that one was left, with the
 *     input that was given first. One whose id was generated is none that the journal may know: it fails.
 * CM3 What it is given, and the messages that it is sent, are copies: the same as after a restart.
 */
import type { Work } from '../contract/index.ts'
import { ConfigError, ManagerExistsError, type Outcome } from '../contract/index.ts'
import { Chronicle, type Ledger, managerOf, type Settled, type SpawnFacts } from '../durable/index.ts'
import type { Commission, StoredRoutine } from '../port/index.ts'
import { CANCEL, DONE, FAIL, KILL, type SupervisedRoutine } from '../routine/index.ts'
import { keptOptions, plainCopy } from '../spec/index.ts'

/** Where the id of a spawned routine comes from: its options, chance, or the user's own generator. */
type IdOrigin = 'given' | 'random' | 'generated'

/** What is to be kept of a spawn. */
class Spawn implements Commission, Settled {
  readonly #ledger: Ledger
  /** The path of its manager. */
  readonly #manager: string
  readonly #facts: SpawnFacts
  readonly #origin: IdOrigin
  #routine: SupervisedRoutine | undefined

  constructor(ledger: Ledger, manager: string, facts: SpawnFacts, origin: IdOrigin) {
    this.#ledger = ledger
    this.#manager = manager
    this.#facts = facts
    this.#origin = origin
  }

  get input(): unknown {
    return this.#facts.input
  }

  refusal(id: string, maxHeld: number): string | undefined {
    const ledger = this.#ledger
    const path = this.#manager
    if (ledger.isTaken(id)) throw new ManagerExistsError(`${path}: a durable routine of the id ${id} lives in this tree`, { path })
    return ledger.isFull && ledger.held >= maxHeld ? 'as much waits for the store as it may hold' : undefined
  }

  /** The routine is registered: the journal is asked what it knows of it, and told. In a turn. */
  take(routine: SupervisedRoutine): void {
    this.#routine = routine
    const chronicle = new Chronicle(this.#ledger, routine.id, routine.path, this.#facts, this.#origin === 'random')
    keep(routine, chronicle)
    this.#ledger.take(chronicle, this)
  }

  resume(stored: StoredRoutine): boolean {
    const routine = this.#routine as SupervisedRoutine
    const { path } = routine
    if (this.#origin === 'generated' || stored.path !== path) {
      const says = `${path}: the store has a routine of this id that has yet to end, ${stored.path}`
      this.endAs({ status: 'failed', error: new ManagerExistsError(says, { path }) })
      return false
    }
    routine.input = stored.input
    giveBack(routine, stored)
    return true
  }

  endAs(outcome: Outcome): void {
    const routine = this.#routine as SupervisedRoutine
    const { path } = routine
    routine.chronicle?.conclude()
    const says = `${path}: generateId has returned an id that the store knows`
    endAs(routine, this.#origin === 'generated' ? { status: 'failed', error: new ManagerExistsError(says, { path }) } : outcome)
  }
}

/** CM1. @throws ConfigError */
export function commissionOf(ledger: Ledger, idsAreLazy: boolean, name: string, work: Work, options: object, path: string): Commission {
  if (ledger.work.get(name) !== work)
    throw new ConfigError(
      `${name} is not registered: the name of a durable routine must be a key of the global manager's work, and its work what stands there`,
      { path, option: 'durable' },
    )
  const { input, id } = options as { readonly input?: unknown; readonly id?: string }
  const facts = { work: name, input: input === undefined ? undefined : plainCopy(input, 'input', path), options: keptOptions(options) }
  return new Spawn(ledger, managerOf(path), facts, id === undefined ? (idsAreLazy ? 'random' : 'generated') : 'given')
}

/** From here on the journal is told of it. */
export function keep(routine: SupervisedRoutine, chronicle: Chronicle): void {
  const memory = routine.ownMemory
  memory.chronicle = chronicle
  if (memory.resumption !== undefined) memory.resumption.chronicle = chronicle
  routine.mailbox.keptBy(chronicle)
}

/** It goes on where an earlier process has left it. In a turn. */
export function giveBack(routine: SupervisedRoutine, stored: StoredRoutine): void {
  const { snapshot, delays, messages } = stored
  if (snapshot !== undefined) routine.resumption?.restore(snapshot, delays)
  routine.chronicle?.resume(stored, routine.mailbox.restore(messages.map(({ message }) => message)))
}

/** It ends, without a run, as it has ended before. In a turn. */
function endAs(routine: SupervisedRoutine, outcome: Outcome): void {
  const { current } = routine
  if (current.over) return
  // Nothing is made of this end.
  routine.stopRequested = true
  if (outcome.status === 'completed') current.step(DONE, outcome.output)
  else if (outcome.status === 'failed') current.step(FAIL, outcome.error)
  else {
    current.output = outcome.output
    current.error = outcome.error
    current.step(outcome.killed ? KILL : CANCEL, outcome.reason)
  }
}
