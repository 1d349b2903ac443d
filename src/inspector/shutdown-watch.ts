/**
 * Watches how a living tree shuts down, so that afterwards it is known who held it up.
 *
 * K1  Ends of routines are listened to only while something shuts down: until then it costs one listener of two rare events.
 */
import type { LifecycleEvent, LifecycleEventType } from '../../machines/lifecycle-event.ts'
import { type ShutdownAccount, ShutdownAccounts } from '../../machines/shutdown-account.ts'
import { type GlobalManager, Manager } from '../manager/index.ts'
import { instrument, type Unsubscribe } from '../turn/index.ts'
import { find } from './describe.ts'

const BOUNDS: readonly LifecycleEventType[] = ['manager.phase', 'manager.stopped']
const ENDS: readonly LifecycleEventType[] = [
  'routine.completed',
  'routine.failed',
  'routine.cancelled',
  'routine.killed',
  'routine.orphaned',
]

export class ShutdownWatch {
  readonly #global: GlobalManager
  readonly #accounts = new ShutdownAccounts()
  readonly #told: (account: ShutdownAccount) => void
  readonly #always: readonly Unsubscribe[]
  #meanwhile: Unsubscribe[] = []

  /** @param told Called with each account, when its shutdown is over. */
  constructor(global: GlobalManager, told: (account: ShutdownAccount) => void = () => undefined) {
    this.#global = global
    this.#told = told
    this.#always = BOUNDS.map((type) =>
      global.on(
        type,
        instrument((event: LifecycleEvent) => this.#note(event)),
      ),
    )
  }

  get accounts(): readonly ShutdownAccount[] {
    return this.#accounts.all
  }

  close(): void {
    for (const off of [...this.#always, ...this.#meanwhile]) off()
    this.#meanwhile = []
  }

  #note(event: LifecycleEvent): void {
    const account = this.#accounts.note(event, event.type === 'manager.phase' ? deadlineOf(this.#global, event.path) : undefined)
    this.#listen()
    if (account !== undefined) this.#told(account)
  }

  /** K1. */
  #listen(): void {
    const { isOpen } = this.#accounts
    if (isOpen === this.#meanwhile.length > 0) return
    if (isOpen) {
      const note = instrument((event: LifecycleEvent) => void this.#accounts.note(event))
      this.#meanwhile = ENDS.map((type) => this.#global.on(type, note))
      return
    }
    for (const off of this.#meanwhile) off()
    this.#meanwhile = []
  }
}

/** When the shutdown of a manager has to be over; undefined if there is no such moment, or those above see to it. */
function deadlineOf(global: GlobalManager, path: string): number | undefined {
  const manager = find(global, path)
  const deadline = manager instanceof Manager ? (manager.life.run?.deadline ?? Infinity) : Infinity
  return deadline === Infinity ? undefined : deadline
}

/** An event as it is recorded: with the deadline, which only the living tree knows. */
export function withDeadline<Event extends { readonly type: string; readonly path: string }>(global: GlobalManager, event: Event): Event {
  if (event.type !== 'manager.phase') return event
  const deadline = deadlineOf(global, event.path)
  return deadline === undefined ? event : { ...event, deadline }
}
