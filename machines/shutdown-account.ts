/**
 * Who held up a shutdown: an account of it, made of lifecycle events alone.
 *
 * A1  Whoever was asked to stop in its turn has taken the time from then to its end. Managers stop one after the other, so all who come later
 *     wait meanwhile: the longest chain of such times, back from the end, is the critical path.
 * A2  Who was asked only because the time was up got none of it. It is never named as a holder, whatever became of it.
 * A3  Nobody is blamed by guess: an end that does not say since when it was waited for (`heldUp`) takes nothing.
 * A4  What one account names is bounded; the rest is counted.
 */
import type { LifecycleEvent, Phase } from './lifecycle-event.ts'
import { above } from './path.ts'

/** What an account names of each kind, and stretches of its critical path. */
const NAMED = 200
/** Ends of one shutdown that are looked at; beyond that only those that took time, or were killed. */
const HELD = 20_000
/** Accounts that stay. */
const KEPT = 50

type EndType = 'routine.completed' | 'routine.failed' | 'routine.cancelled' | 'routine.killed'

/** A routine that was waited for. */
export interface Share {
  readonly path: string
  /** When it was asked to stop, and when it had ended, in milliseconds of the clock. */
  readonly asked: number
  readonly to: number
  readonly outcome: 'completed' | 'failed' | 'cancelled' | 'killed'
  /** `seq` of its end. */
  readonly seq: number
}

/** A part of the critical path: somebody who was waited for, or a phase that took its time with nobody to wait for. */
export interface Stretch {
  readonly path: string
  /** Of a manager: the phase that it was in. Absent of a routine. */
  readonly phase?: Phase
  readonly from: number
  readonly to: number
}

/** Some of many. */
export interface Named {
  readonly many: number
  readonly first: readonly Share[]
}

/** What a shutdown has come to. */
export interface ShutdownAccount {
  /** The manager that was shut down, with all below it. */
  readonly path: string
  /** `seq` of the event that began it. */
  readonly seq: number
  readonly startedAt: number
  readonly endedAt: number
  readonly state: 'completed' | 'cancelled' | 'failed'
  /** When it had to be over; undefined if there is no such moment, or it is not known. */
  readonly deadline: number | undefined
  /** True if somebody was stopped only because the time was up, or the deadline has passed. */
  readonly outOfTime: boolean
  /** In order of time, without gaps, except for `shorter`. */
  readonly critical: readonly Stretch[]
  /** Stretches of the critical path that are not named, and their milliseconds. */
  readonly shorter: { readonly many: number; readonly duration: number }
  /** Who was asked in its turn, the longest first. */
  readonly takers: Named
  /** Who was asked only because the time was up: those that were killed first. */
  readonly none: Named
  readonly killed: Named
  /** Who was given up on and goes on. */
  readonly abandoned: { readonly many: number; readonly first: readonly string[] }
  /** Routines that ended meanwhile. */
  readonly ended: number
}

interface Stopping {
  readonly startedAt: number
  readonly phases: { readonly phase: Phase; readonly at: number; readonly seq: number }[]
  endedAt: number | undefined
}

interface Episode {
  readonly path: string
  readonly seq: number
  readonly startedAt: number
  deadline: number | undefined
  readonly managers: Map<string, Stopping>
  readonly shares: Share[]
  readonly abandoned: string[]
  ended: number
}

/** Hears all events of a tree, or those of shutdowns and of the ends of routines, and keeps the latest accounts. */
export class ShutdownAccounts {
  readonly #open = new Map<string, Episode>()
  #closed: ShutdownAccount[] = []

  /** The latest last. */
  get all(): readonly ShutdownAccount[] {
    return this.#closed
  }

  /** True while a shutdown goes on. */
  get isOpen(): boolean {
    return this.#open.size > 0
  }

  /**
   * Takes an event, and returns the account that it completes.
   *
   * @param deadline When a shutdown has to be over, as far as that is known when one of its phases begins.
   */
  note(event: LifecycleEvent, deadline?: number): ShutdownAccount | undefined {
    switch (event.type) {
      case 'manager.phase':
        this.#phase(event, deadline)
        return undefined
      case 'manager.stopped':
        return this.#stopped(event)
      case 'routine.completed':
      case 'routine.failed':
      case 'routine.cancelled':
      case 'routine.killed':
        if (this.isOpen) this.#end(event)
        return undefined
      case 'routine.orphaned':
        this.#episodeOf(event.path)?.abandoned.push(event.path)
        return undefined
      default:
        return undefined
    }
  }

  #episodeOf(path: string): Episode | undefined {
    if (!this.isOpen) return undefined
    for (let at = path; at !== ''; at = above(at)) {
      const found = this.#open.get(at)
      if (found !== undefined) return found
    }
    return undefined
  }

  #phase({ path, phase, at, seq }: LifecycleEvent & { type: 'manager.phase' }, deadline: number | undefined): void {
    const episode = this.#episodeOf(path) ?? this.#begin(path, at, seq)
    const stopping = episode.managers.get(path) ?? { startedAt: at, phases: [], endedAt: undefined }
    episode.managers.set(path, stopping)
    stopping.phases.push({ phase, at, seq })
    if (path === episode.path && deadline !== undefined && Number.isFinite(deadline)) episode.deadline = deadline
  }

  /** What stops below already is part of it from here on. */
  #begin(path: string, startedAt: number, seq: number): Episode {
    const managers = new Map<string, Stopping>()
    const episode: Episode = { path, seq, startedAt, deadline: undefined, managers, shares: [], abandoned: [], ended: 0 }
    for (const [below, other] of this.#open) {
      if (!below.startsWith(`${path}/`)) continue
      this.#open.delete(below)
      for (const [each, stopping] of other.managers) managers.set(each, stopping)
      for (const share of other.shares) episode.shares.push(share)
      episode.abandoned.push(...other.abandoned)
      episode.ended += other.ended
    }
    this.#open.set(path, episode)
    return episode
  }

  #end(event: LifecycleEvent & { type: EndType }): void {
    const { path, type, at: to, seq, heldUp, willRestart } = event
    const episode = willRestart ? undefined : this.#episodeOf(path)
    if (episode === undefined) return
    episode.ended++
    // A3.
    if (typeof heldUp !== 'number') return
    const outcome = type.slice('routine.'.length) as Share['outcome']
    if (episode.shares.length >= HELD && heldUp === 0 && outcome !== 'killed') return
    episode.shares.push({ path, asked: to - heldUp, to, outcome, seq })
  }

  #stopped({ path, at, state }: LifecycleEvent & { type: 'manager.stopped' }): ShutdownAccount | undefined {
    const episode = this.#episodeOf(path)
    const stopping = episode?.managers.get(path)
    if (episode === undefined || stopping === undefined) return undefined
    stopping.endedAt = at
    if (path !== episode.path) return undefined
    this.#open.delete(path)
    const account = settle(episode, at, state)
    this.#closed.push(account)
    // Those that nobody held up for long go first: of restarts of managers there may be thousands.
    if (this.#closed.length > KEPT) {
      const least = this.#closed.slice(0, -1).toSorted((a, b) => weight(a) - weight(b))[0]
      this.#closed = this.#closed.filter((each) => each !== least)
    }
    return account
  }
}

const weight = ({ outOfTime, startedAt, endedAt }: ShutdownAccount): number => (outOfTime ? 1e9 : 0) + endedAt - startedAt

function settle(episode: Episode, endedAt: number, state: ShutdownAccount['state']): ShutdownAccount {
  const { path, seq, startedAt, deadline, shares, abandoned, ended } = episode
  const late = latecomers(episode)
  const inTurn = shares.filter((share) => !late.has(share))
  const byLength = inTurn.toSorted((a, b) => b.to - b.asked - (a.to - a.asked))
  const isKilled = ({ outcome }: Share): boolean => outcome === 'killed'
  const none = [...late].toSorted((a, b) => Number(isKilled(b)) - Number(isKilled(a)) || a.seq - b.seq)
  const critical = criticalPath(inTurn, episode, endedAt)
  const account = {
    path,
    seq,
    startedAt,
    endedAt,
    state,
    deadline,
    outOfTime: late.size > 0 || (deadline !== undefined && endedAt >= deadline),
    critical,
    shorter: { many: 0, duration: 0 },
    takers: named(byLength),
    none: named(none),
    killed: named(shares.filter(isKilled)),
    abandoned: { many: abandoned.length, first: abandoned },
    ended,
  }
  return shortened(account, NAMED)
}

const named = (all: readonly Share[]): Named => ({ many: all.length, first: all })

function longest(stretches: readonly Stretch[], most: number): Stretch[] {
  const kept = new Set(stretches.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, most))
  return stretches.filter((each) => kept.has(each))
}

/**
 * A2. Those whose turn had not come when they were asked: at the deadline; when their manager killed already; or while somebody was still
 * waited for who was asked before, and with whom nobody is asked together.
 */
function latecomers({ shares, managers, deadline = Infinity, startedAt }: Episode): Set<Share> {
  const late = new Set<Share>()
  // By manager the latest end of those that were asked so far: of the two latest one is of another manager.
  let [first, second] = [NOBODY, NOBODY]
  // One by one in the same manager: children are asked when what was spawned has ended, or a child before them.
  const here = new Map<string, { asked: number; to: number; before: number }>()
  for (const share of shares.toSorted((a, b) => a.asked - b.asked || a.seq - b.seq)) {
    const { path, asked, to, seq } = share
    const manager = above(path)
    const phases = managers.get(manager)?.phases ?? []
    const killing = phases.find(({ phase }) => phase === 'killing')
    const waiting = phases.find(({ phase }) => phase === 'waiting')
    const own = here.get(manager)
    const before = own === undefined ? -Infinity : own.asked < asked ? own.to : own.before
    const other = first.manager === manager ? second : first
    const isLate =
      asked >= deadline ||
      (killing !== undefined && seq > killing.seq && asked >= killing.at) ||
      (asked >= startedAt && other.asked < asked && other.to > asked) ||
      (waiting !== undefined && asked > waiting.at && before > asked)
    if (isLate) late.add(share)
    here.set(manager, { asked, to: Math.max(to, own?.to ?? to), before })
    if (isLate || asked < startedAt) continue
    if (manager === first.manager) first = { manager, asked: first.asked, to: Math.max(first.to, to) }
    else if (to > first.to) [first, second] = [{ manager, asked, to }, first]
    else if (to > second.to) second = { manager, asked, to }
  }
  return late
}

const NOBODY = { manager: '', asked: Infinity, to: -Infinity }

/** A1. From the end back: of those who were waited for at a moment, the one that was asked first; where nobody was, the phase. */
function criticalPath(inTurn: readonly Share[], episode: Episode, endedAt: number): Stretch[] {
  const { startedAt } = episode
  const ends = inTurn.filter(({ asked, to }) => to > asked).toSorted((a, b) => b.to - a.to)
  const stretches: Stretch[] = []
  let cursor = endedAt
  let best: Share | undefined
  for (let k = 0; cursor > startedAt; ) {
    for (; k < ends.length && (ends[k] as Share).to >= cursor; k++)
      if (best === undefined || (ends[k] as Share).asked < best.asked) best = ends[k]
    const from = Math.max(startedAt, best !== undefined && best.asked < cursor ? best.asked : (ends[k]?.to ?? startedAt))
    if (best !== undefined && best.asked < cursor) stretches.push({ path: best.path, from, to: cursor })
    else stretches.push({ ...busyAt(episode, from), from, to: cursor })
    cursor = from
  }
  return stretches.reverse()
}

/** The deepest manager whose turn it was at a moment, and its phase. */
function busyAt({ path, managers }: Episode, at: number): { path: string; phase: Phase } {
  let found: { path: string; phase: Phase } = { path, phase: 'closing' }
  for (const [each, { phases, endedAt = Infinity }] of managers) {
    const phase = phases.findLast((one) => one.at <= at)?.phase
    // A manager below is closed with those above it, and has nothing to do until its turn comes.
    if (phase === undefined || endedAt <= at || (phase === 'closing' && each !== path)) continue
    if (each.length >= found.path.length || found.phase === 'closing') found = { path: each, phase }
  }
  return found
}

/** The same account, with no more than so many of each kind named, for what is to be small. */
export function shortened(account: ShutdownAccount, most: number): ShutdownAccount {
  const { critical, shorter, takers, none, killed, abandoned } = account
  const cut = ({ many, first }: Named): Named => ({ many, first: first.slice(0, most) })
  const kept = critical.length <= most ? critical : longest(critical, most)
  const length = (stretches: readonly Stretch[]): number => stretches.reduce((sum, { from, to }) => sum + to - from, 0)
  return {
    ...account,
    critical: kept,
    shorter: { many: shorter.many + critical.length - kept.length, duration: shorter.duration + length(critical) - length(kept) },
    takers: cut(takers),
    none: cut(none),
    killed: cut(killed),
    abandoned: { many: abandoned.many, first: abandoned.first.slice(0, most) },
  }
}
