/**
 * Snapshots of actors, and messages between them, at any moment of a recording: the same answers that a living tree gives.
 *
 * Y3  What happened later than the moment that is asked about is not told.
 * Y4  The latest snapshot before a moment holds. Where there is none, nothing is told, whatever came later.
 */
import { differences } from './diff.ts'
import { UNKNOWN_SENDER } from './protocol.ts'
import type { ActorView, ChartState, Difference, MessageLine, Position } from './questions.ts'
import type { RecordedActor, RecordedChart, RecordedSnapshot, RecordedTraffic } from './traffic-record.ts'
import type { SceneMachine } from './scene.ts'
import { inside } from './to-wire.ts'
import { firstWhere } from './search.ts'
import { countsOf, messagesOf } from './message-lines.ts'

/** Snapshots of one actor that an answer lists. */
const LISTED = 40
/** What stands for something that was too deep, or too much, when it was written down. */
const CUT = /^(?:[\w$]+ …|… more than is shown)$/

/** One life of an actor. */
interface Life extends RecordedActor {
  /** In order of their moments. */
  readonly snapshots: RecordedSnapshot[]
}

/** What is known of one actor at a moment. */
export interface Inside {
  /** Of its lifecycle, as a genuine actor; undefined if it was none by then. */
  readonly life: Position | undefined
  /** Of its own machine; undefined if its work is none. */
  readonly work: Position | undefined
  readonly context: unknown
  readonly snapshots: ActorView['snapshots']
  readonly events: readonly string[]
}

export class Insides {
  /** The latest moment. */
  readonly to: number = -Infinity
  readonly #lives = new Map<string, Life[]>()
  readonly #charts: ReadonlyMap<number, RecordedChart>
  readonly #messages: readonly MessageLine[]

  constructor({ charts, actors, snapshots, messages }: Pick<RecordedTraffic, 'charts' | 'actors' | 'snapshots' | 'messages'>) {
    this.#charts = new Map(charts.map((each) => [each.id, each]))
    const known = new Map<number, Life>()
    for (const actor of actors) {
      const life = { ...actor, snapshots: [] }
      known.set(actor.id, life)
      const lives = this.#lives.get(actor.path)
      if (lives === undefined) this.#lives.set(actor.path, [life])
      else lives.push(life)
    }
    // Clocks may step back: what came later happened no earlier.
    const all = [...snapshots, ...messages].toSorted((a, b) => a.n - b.n)
    const ordered: MessageLine[] = []
    for (const each of all) {
      // Snapshots of how actors were found stand first, and say nothing of when all else was.
      const at = each.n === 0 ? each.at : Math.max(each.at, this.to)
      if (each.n > 0) this.to = at
      if ('of' in each) known.get(each.of)?.snapshots.push({ ...each, at })
      else ordered.push({ ...each, at })
    }
    this.#messages = ordered
  }

  /** True if there is a message of which it is not known who has sent it. */
  get isAnyUnknown(): boolean {
    return this.#messages.some(({ from }) => from === UNKNOWN_SENDER)
  }

  #life(path: string, incarnation: number, which: Life['which']): Life | undefined {
    return this.#lives.get(path)?.find((each) => each.which === which && each.incarnation === incarnation)
  }

  /** True if an actor of the user's own is known there. */
  hasWork(path: string): boolean {
    return this.#lives.get(path)?.some(({ which }) => which === 'work') === true
  }

  /** The snapshots of interest: those of the user's own actor, or of the lifecycle if there is none, or it has not begun. */
  #shown(path: string, incarnation: number, at: number): Life | undefined {
    const life = this.#life(path, incarnation, 'life')
    return this.hasWork(path) && latest(life, at)?.value !== 'pending' ? this.#life(path, incarnation, 'work') : life
  }

  /** The machine of an actor: the same in all its lives. */
  #machine(path: string): RecordedChart | undefined {
    for (const { chart } of this.#lives.get(path) ?? []) {
      const found = chart === undefined ? undefined : this.#charts.get(chart)
      if (found !== undefined) return found
    }
    return undefined
  }

  chart(path: string): ChartState | undefined {
    return this.#machine(path)?.chart
  }

  actor(path: string, incarnation: number, at: number): Inside {
    const shown = this.#shown(path, incarnation, at)
    const life = this.#life(path, incarnation, 'life')
    const machine = this.#machine(path)
    const position = (of: Life | undefined): Position | undefined => {
      const { value, taken } = latest(of, at) ?? {}
      return taken === undefined ? undefined : { value, taken }
    }
    return {
      life: position(life),
      work: machine === undefined ? undefined : (position(this.#life(path, incarnation, 'work')) ?? { value: undefined, taken: {} }),
      context: latest(shown, at)?.context,
      snapshots: (shown?.snapshots ?? [])
        .slice(0, until(shown?.snapshots ?? [], at))
        .slice(-LISTED)
        .map(({ n, at: then, event, value }) => ({ n, at: then, event, value })),
      events: machine?.events ?? [],
    }
  }

  /** What its own machine was at by then, where that is recorded. */
  scene(path: string, incarnation: number, at: number): SceneMachine | undefined {
    const chart = this.chart(path)
    const { snapshots = [] } = this.#life(path, incarnation, 'work') ?? {}
    const index = until(snapshots, at) - 1
    const last = snapshots[index]
    return chart === undefined || last === undefined ? undefined : { chart, before: snapshots[index - 1], last }
  }

  look(path: string, incarnation: number, at: number, n: number | undefined, keys: readonly (string | number)[]): unknown {
    const { context } = this.#snapshot(path, incarnation, at, n)
    const found = inside(context, keys)
    if (keys.length > 0 && typeof found === 'string' && CUT.test(found)) throw new Error(`${found}: the recording holds no more of it`)
    return found === undefined ? 'undefined' : found
  }

  diff(path: string, incarnation: number, at: number, from: number, to: number): Difference[] {
    const [before, after] = [from, to].map((n) => {
      const { value, context } = this.#snapshot(path, incarnation, at, n)
      return { state: value, context }
    })
    return differences(before, after)
  }

  #snapshot(path: string, incarnation: number, at: number, n: number | undefined): RecordedSnapshot {
    const life = this.#shown(path, incarnation, at)
    const last = latest(life, at)
    if (last === undefined) throw new Error('this is a recording: of what was inside this actor by then nothing was recorded')
    const found = n === undefined ? last : life?.snapshots.find((each) => each.n === n && each.at <= at)
    if (found === undefined) throw new Error('this is a recording: it does not hold this snapshot, or it was taken later')
    return found
  }

  readonly #messageAt = (index: number): MessageLine => this.#messages[index] as MessageLine

  messages(paths: readonly string[], at: number, limit = 200): MessageLine[] {
    return messagesOf(paths, limit, until(this.#messages, at), this.#messageAt)
  }

  countsOf(path: string, at: number): ActorView['messages'] {
    return countsOf(path, until(this.#messages, at), this.#messageAt)
  }
}

/** How many of them were there by then. They come in order of their moments. */
function until(all: readonly { readonly at: number }[], at: number): number {
  return firstWhere(all.length, (k) => (all[k] as { at: number }).at > at)
}

function latest(life: Life | undefined, at: number): RecordedSnapshot | undefined {
  return life?.snapshots[until(life.snapshots, at) - 1]
}
