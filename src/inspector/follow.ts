/** Follows a tree as the terminal does: what goes wrong as it comes, who is waited for now, and who held up a shutdown. */
import type { LifecycleEvent, LifecycleEventType } from '../../machines/lifecycle-event.ts'
import type { ShutdownAccount } from '../../machines/shutdown-account.ts'
import { linesOfAccount, sentenceOfAccount } from '../../machines/shutdown-words.ts'
import { GlobalManager, type Manager } from '../manager/index.ts'
import { callable, check, refuse, type Rule } from '../spec/index.ts'
import { instrument } from '../turn/index.ts'
import type { KeptEvent } from './protocol.ts'
import { ShutdownWatch } from './shutdown-watch.ts'
import { sentenceOf } from './story.ts'

/** What goes wrong, in the order of the union. */
const FAULTS: readonly LifecycleEventType[] = [
  'routine.failed',
  'routine.killed',
  'routine.orphaned',
  'routine.hung',
  'routine.revived',
  'routine.refused',
  'manager.gaveUp',
  'loop.blocked',
  'store.failed',
]

/** What {@link follow} tells. */
export interface FollowOptions {
  /** Called with each event of what went wrong, and what it is in a sentence. */
  readonly fault?: ((event: LifecycleEvent, sentence: string) => void) | undefined
  /** Called when a shutdown is over, with who held it up: the account, the same in one sentence, and in a few lines. */
  readonly closed?: ((account: ShutdownAccount, sentence: string, lines: readonly string[]) => void) | undefined
}

/** Somebody who is waited for in a shutdown that goes on. */
export interface Awaited {
  readonly path: string
  /** Milliseconds since it was asked to stop. */
  readonly waited: number
  /** Milliseconds until it is given up on at the latest; undefined if there is no such moment. */
  readonly left: number | undefined
}

/** A tree that is followed. */
export interface Following {
  /** Who is waited for now, the one that was asked first at the front: the first few. Empty unless a shutdown goes on. */
  awaited(): readonly Awaited[]
  close(): void
}

const optional = { range: `${callable.range}, or nothing`, accepts: (value: unknown) => value === undefined || callable.accepts(value) }
const RULES = { fault: optional, closed: optional } satisfies Record<keyof FollowOptions, Rule>

/**
 * Tells what goes wrong in a tree, and who held up its shutdown: for a terminal, or a log. That it listens does not mean that somebody
 * looks: what has failed for good and nobody looks at is printed all the same.
 *
 * @throws ConfigError for a wrong option.
 * @example
 * follow(global, { closed: (account, sentence) => console.error(sentence) })
 */
export function follow(global: GlobalManager, options: FollowOptions = {}): Following {
  if (!(global instanceof GlobalManager)) throw refuse('follow global', 'a global manager', global)
  check('follow', options, RULES)
  const { fault, closed } = options
  const watch = new ShutdownWatch(global, (account) => closed?.(account, sentenceOfAccount(account), linesOfAccount(account)))
  const listener = instrument((event: LifecycleEvent) => fault?.(event, sentenceOf(event as unknown as KeptEvent)))
  const offs = fault === undefined ? [] : FAULTS.map((type) => global.on(type, listener))
  return {
    awaited: () => awaitedIn(global),
    close: () => {
      watch.close()
      for (const off of offs) off()
    },
  }
}

/** Managers and routines that are looked through for those that are waited for, and how many of these are told. */
const LOOKED = 2_000
const TOLD = 20

function awaitedIn(global: GlobalManager): readonly Awaited[] {
  const { run } = global.life
  const now = global.tree.clock.now()
  const found: Awaited[] = []
  let looked = 0
  const visit = (manager: Manager): void => {
    const { run: own } = manager.life
    // Before its turn nobody in it was asked.
    if (own !== undefined && own.phase !== 'closing') {
      for (const routine of manager.registry.living.values()) {
        if (++looked > LOOKED) return
        if (routine.ticket > 0 || routine.ended) continue
        const { askedAt, over } = routine.current
        if (askedAt !== undefined && !over)
          found.push(awaitedOf(routine.path, now - askedAt, routine.spec.shutdown, (run?.deadline ?? Infinity) - now))
      }
    }
    for (const below of manager.below()) if (++looked <= LOOKED) visit(below)
  }
  if (run !== undefined) visit(global)
  return found.toSorted((a, b) => b.waited - a.waited).slice(0, TOLD)
}

function awaitedOf(path: string, waited: number, shutdown: unknown, untilDeadline: number): Awaited {
  const left = Math.min(typeof shutdown === 'number' ? shutdown - waited : Infinity, untilDeadline)
  return { path, waited, left: left === Infinity ? undefined : Math.max(0, left) }
}
