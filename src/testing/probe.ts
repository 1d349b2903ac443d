/** A probe: waits for lifecycle events, in virtual time or real. */
import {
  isLifecycleEventType,
  type LifecycleEvent,
  type LifecycleEventOf,
  type LifecycleEventType,
} from '../../machines/lifecycle-event.ts'
import { CurtaincallError } from '../contract/index.ts'
import { instrument, isThenable } from '../turn/index.ts'
import type { Manager } from '../manager/index.ts'
import { check, duration, having, refuse } from '../spec/index.ts'
import { noteExpected } from './surrender.ts'
import { presentClock } from './virtual-time.ts'

/** What an event has to look like: fields of it, or a test. */
export type EventMatch<T extends LifecycleEventType> = Partial<LifecycleEventOf<T>> | ((event: LifecycleEventOf<T>) => boolean)

/** Listens to a tree, for a test that asks what has happened. */
export interface TestProbe {
  /** All that was heard so far, the latest last. */
  readonly events: readonly LifecycleEvent[]
  /**
   * Waits for an event; those before it are passed over, and not seen again.
   *
   * @param options `within` is how many milliseconds it may take. @default 1_000
   * @throws CurtaincallError ERR_TEST that lists what came instead.
   */
  expectEvent<T extends LifecycleEventType>(
    type: T,
    match?: EventMatch<T>,
    options?: { readonly within?: number },
  ): Promise<LifecycleEventOf<T>>
  /**
   * Waits and fails if such an event comes, or has come already: it looks back as far as `expectEvent` does, and passes nothing over. A
   * new probe looks forward alone.
   *
   * @param options `for` is how many milliseconds to wait. @default 100
   * @throws CurtaincallError ERR_TEST that says when it came.
   */
  expectNoEvent<T extends LifecycleEventType>(type: T, match?: EventMatch<T>, options?: { readonly for?: number }): Promise<void>
  /**
   * Waits for the last end of a routine, or for a manager to stop for good.
   *
   * @param options `within` is how many milliseconds it may take. @default 1_000
   * @throws CurtaincallError ERR_TEST if it goes on.
   */
  expectTerminated(
    subject: { readonly path: string; readonly outcome: Promise<unknown> },
    options?: { readonly within?: number },
  ): Promise<void>
  /** Stops listening. */
  [Symbol.dispose](): void
}

/** Milliseconds that an event or an end may take to come. */
const WITHIN = 1_000
/** Milliseconds to wait for what is not to come. */
const FOR = 100
/** How many of the events that came instead an error names. */
const NAMED = 10

/**
 * Listens to a manager and to everything below it. Inside `virtualTime`, waiting moves time.
 *
 * @example
 * const probe = createTestProbe(global)
 * local.spawn('job', work, { restart: 'transient' })
 * await probe.expectEvent('routine.failed', { willRestart: true })
 * await probe.expectEvent('routine.restarted', { name: 'job' }, { within: 5_000 })
 */
export function createTestProbe(manager: Pick<Manager, 'on' | 'path'>): TestProbe {
  if (!having('on').accepts(manager)) throw refuse('createTestProbe manager', 'a manager', manager)
  const events: LifecycleEvent[] = []
  let seen = 0
  const off = manager.on(
    '*',
    instrument((event) => void events.push(event)),
  )
  const find = (type: LifecycleEventType, match: EventMatch<never> | undefined, from: number): number =>
    events.findIndex((event, i) => i >= from && event.type === type && matches(event, match))
  return {
    events,
    expectEvent: async (type, match, options = {}) => {
      checkEvent('expectEvent', type, match)
      check('expectEvent', options, { within: duration })
      const { within = WITHIN } = options
      const from = seen
      const found = (): number => find(type, match as EventMatch<never> | undefined, from)
      await wait(() => found() >= 0, within)
      const at = found()
      if (at < 0)
        throw new CurtaincallError(
          'ERR_TEST',
          `${manager.path}: no ${type}${describe(match)} within ${within} ms; ${came(events.slice(from))}`,
        )
      seen = at + 1
      const event = events[at] as LifecycleEventOf<typeof type>
      noteExpected(event)
      return event
    },
    expectNoEvent: async (type, match, options = {}) => {
      checkEvent('expectNoEvent', type, match)
      check('expectNoEvent', options, { for: duration })
      const { for: ms = FOR } = options
      const from = seen
      const found = (): number => find(type, match as EventMatch<never> | undefined, from)
      await wait(() => found() >= 0, ms)
      const event = events[found()]
      if (event !== undefined) throw new CurtaincallError('ERR_TEST', `${event.path}: ${type}${describe(match)} came, and was not to`)
    },
    expectTerminated: async (subject, options = {}) => {
      if (!isThenable((subject as Partial<typeof subject> | undefined)?.outcome))
        throw refuse('expectTerminated subject', 'a routine or a manager', subject)
      const { path, outcome } = subject
      check('expectTerminated', options, { within: duration })
      const { within = WITHIN } = options
      const from = events.length
      let over = false
      void outcome.then(() => {
        over = true
      })
      await wait(() => over, within)
      if (!over) throw new CurtaincallError('ERR_TEST', `${path} has not ended within ${within} ms; ${came(events.slice(from))}`, { path })
    },
    [Symbol.dispose]: () => off(),
  }
}

function checkEvent(owner: string, type: unknown, match: unknown): void {
  if (!isLifecycleEventType(type)) throw refuse(`${owner} type`, 'the type of a lifecycle event', type)
  const matchable = match === undefined || typeof match === 'function' || (typeof match === 'object' && match !== null)
  if (!matchable) throw refuse(`${owner} match`, 'fields of the event, or a function', match)
}

function matches(event: LifecycleEvent, match: EventMatch<never> | undefined): boolean {
  if (match === undefined) return true
  if (typeof match === 'function') return (match as (event: LifecycleEvent) => boolean)(event)
  return Object.entries(match).every(([field, value]) => (event as unknown as Record<string, unknown>)[field] === value)
}

function describe(match: unknown): string {
  if (match === undefined) return ''
  return typeof match === 'function' ? ' of that kind' : ` with ${JSON.stringify(match)}`
}

function came(events: readonly LifecycleEvent[]): string {
  if (events.length === 0) return 'nothing came'
  return `came:\n${events
    .slice(-NAMED)
    .map(({ type, path }) => `  ${type} ${path}`)
    .join('\n')}`
}

/** Waits until it is over, at most so long: by moving virtual time, or by a timer. */
async function wait(over: () => boolean, ms: number): Promise<void> {
  const clock = presentClock()
  if (clock !== undefined) {
    await clock.runUntil(over, undefined, ms)
    return
  }
  for (const end = performance.now() + ms; !over() && performance.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 1))
}
