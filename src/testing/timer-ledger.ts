/** Which timers of a tree the runs of a campaign have come to. */
import { CurtaincallError } from '../contract/index.ts'
import type { Performed, Simulation } from './simulate.ts'
import { sortOf, type TimerKind, withoutId } from './virtual-clock.ts'

/** A timer that was armed and fired in no run. */
export interface UnreachedTimer {
  readonly kind: TimerKind
  /** Path of the routine that armed it, without its id; undefined where no routine did. */
  readonly owner: string | undefined
  /** Milliseconds for which it was armed. */
  readonly delay: number
}

/** True for timers that the library arms: delays of machines and limits of routines, but those of a shutdown, too. */
function isLibrarys(sort: string): boolean {
  return sort.startsWith('clock ')
}

function describeTimer({ kind, owner, delay }: UnreachedTimer): string {
  return `  ${kind} of ${delay} ms${owner === undefined ? '' : `, of ${owner}`}`
}

/** How many an error names. */
const NAMED = 5

/** Timers of one sort are one: those of one kind, by routines of one name, that are about as long. */
export class TimerLedger {
  readonly #fired = new Set<string>()
  readonly #ahead = new Map<string, UnreachedTimer>()

  /** Notes what has fired in a run, and what was armed at the end of its script. */
  note({ ever, before }: Performed['fired'], { run: { events, reach }, trace: { header } }: Simulation): void {
    // Once something goes wrong, or somebody is told to stop, the library has timers that say nothing of the tree itself.
    const isTold = events.slice(0, reach.events).some(({ type }) => type === 'manager.phase' || type === 'body.asked')
    const isQuiet = !isTold && Object.keys(header.faults).length === 0
    for (const sort of ever) if (!isLibrarys(sort) || (isQuiet && before.has(sort))) this.#fired.add(sort)
    for (const timer of reach.ahead) {
      const sort = sortOf(timer)
      const { kind, owner, delay } = timer
      if (isQuiet || !isLibrarys(sort)) this.#ahead.set(sort, { kind, owner: owner === undefined ? undefined : withoutId(owner), delay })
    }
  }

  /** Those that no run has come to, the shortest first. */
  unreached(): UnreachedTimer[] {
    const ahead = [...this.#ahead].filter(([sort]) => !this.#fired.has(sort))
    return ahead.map(([, timer]) => timer).sort((a, b) => a.delay - b.delay)
  }

  /** Throws if there are timers, and not one of them has ever fired: a campaign that comes to none has shown nothing about what they do. */
  refuseUnreached(runs: string, ms: number, seed: number): void {
    const unreached = this.unreached()
    if (this.#fired.size > 0 || unreached.length === 0) return
    const named = unreached.slice(0, NAMED).map(describeTimer)
    throw new CurtaincallError(
      'ERR_TEST',
      `${runs} came to a timer of the tree; the farthest came to ${ms} ms: raise horizon or steps (seed ${seed})\n${named.join('\n')}`,
    )
  }
}
