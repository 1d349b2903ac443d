/**
 * The tree as the page is to see it: a table of nodes, and what has changed in it since it was last taken.
 *
 * F1  However often a node changes between two frames, the frame holds its last state, and counts the rest.
 * F2  What has ended stays for a while, so that one can look at it: the last few hundred, failures longer than others.
 * F3  What comes and goes between two frames, and did not fail, costs next to nothing: of those only a few are shown.
 * F4  Nothing outlives the manager that it is below: not even one whose promised restart never came.
 */
import {
  type BaseNode,
  ENDS,
  type Frame,
  type KeptEvent,
  type NewNode,
  type NodeChange,
  type NodeKind,
  type NodeState,
} from './protocol.ts'

interface Row extends NewNode {
  readonly path: string
  state: NodeState
  restarts: number
  incarnation: number
  ended: boolean
  /** Those right below; undefined as long as there were none. */
  below: Set<Row> | undefined
}

/** How many ended nodes stay to be looked at. */
const KEPT = 500
/** How many are shown, of those that came and went between two frames. */
const BRIEF = 20

const STATE_AFTER: Readonly<Record<string, NodeState | undefined>> = {
  'routine.spawned': 'pending',
  'routine.queued': 'queued',
  'routine.restarted': 'pending',
  'routine.started': 'running',
  'routine.completed': 'completed',
  'routine.failed': 'failed',
  'routine.cancelled': 'cancelled',
  'routine.killed': 'killed',
  'routine.hung': 'hung',
  'routine.revived': 'running',
  'manager.started': 'running',
  'manager.restarted': 'running',
  'manager.phase': 'stopping',
}

const TERMINAL = new Set(['routine.completed', 'routine.failed', 'routine.cancelled', 'routine.killed', 'manager.stopped'])
const ROUTINE = 'routine.'
/** Ends that nobody has to look at. */
const WELL = new Set(['routine.completed', 'routine.cancelled'])

export class Forest {
  readonly #byPath = new Map<string, Row>()
  /** In order of their ends. */
  readonly #ended = { others: new Set<Row>(), failed: new Set<Row>(), managers: new Set<Row>() }
  /** Spawned since the last frame: the latest event of each. */
  readonly #fresh = new Map<string, KeptEvent>()
  #brief = 0
  /** How many routines have ended, ever. */
  readonly #totals = ENDS.map(() => 0)
  #born = new Set<Row>()
  #changed = new Set<Row>()
  #gone: number[] = []
  #lastId = 0
  #frames = 0
  #events = 0
  #coalesced = 0
  readonly #briefly: number

  /** @param briefly How many are shown of those that come and go between two frames: with Infinity, frames make no difference. */
  constructor(briefly = BRIEF) {
    this.#briefly = briefly
  }

  /** What is held, for tests that look for leaks. */
  get holds(): Readonly<Record<string, number>> {
    const { others, failed, managers } = this.#ended
    let below = 0
    for (const row of this.#byPath.values()) below += row.below?.size ?? 0
    return {
      paths: this.#byPath.size,
      below,
      ended: others.size + failed.size + managers.size,
      fresh: this.#fresh.size,
      born: this.#born.size,
      changed: this.#changed.size,
      gone: this.#gone.length,
    }
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#byPath.size + this.#fresh.size
  }

  /** Who is at a path, ended a while ago or not. */
  nodeAt(path: string): { readonly state: NodeState; readonly incarnation: number } | undefined {
    if (this.#fresh.has(path)) this.#admit(path)
    return this.#byPath.get(path)
  }

  /** Puts a node in, as it is found. */
  add(path: string, kind: NodeKind, state: NodeState, restarts = 0, incarnation = 1): void {
    const row = this.#byPath.get(path) ?? this.#make(path, kind)
    this.#set(row, state, restarts, incarnation)
  }

  #make(path: string, kind: NodeKind): Row {
    const above = path.lastIndexOf('/')
    const upper = above < 0 ? undefined : this.#placeOf(path.slice(0, above))
    const row: Row = {
      id: ++this.#lastId,
      parent: upper?.id ?? 0,
      path,
      kind,
      label: path.slice(above + 1),
      state: 'pending',
      restarts: 0,
      incarnation: 1,
      ended: false,
      below: undefined,
    }
    if (upper !== undefined) (upper.below ??= new Set()).add(row)
    this.#byPath.set(path, row)
    this.#born.add(row)
    return row
  }

  /** Who is at a path that something lies below: made, if nothing was ever heard of it. */
  #placeOf(path: string): Row {
    if (this.#fresh.has(path)) this.#admit(path)
    return this.#byPath.get(path) ?? this.#make(path, kindOf(path))
  }

  #set(row: Row, state: NodeState, restarts: number, incarnation: number): void {
    if (this.#changed.has(row)) this.#coalesced++
    row.state = state
    row.restarts = restarts
    row.incarnation = incarnation
    this.#changed.add(row)
  }

  /** Something has happened. */
  note(event: KeptEvent): void {
    this.#events++
    const { type, path } = event
    if (event['willRestart'] === false) this.#countEnd(type)
    if (this.#briefly === Infinity) this.#change(event)
    else if (type === 'routine.spawned' && !this.#byPath.has(path)) this.#fresh.set(path, event)
    else if (!this.#fresh.has(path)) this.#change(event)
    else if (type === 'routine.queued' || type === 'routine.started') {
      this.#coalesced++
      this.#fresh.set(path, event)
    } else if (WELL.has(type) && event['willRestart'] === false && this.#brief >= this.#briefly) {
      this.#coalesced += 2
      this.#fresh.delete(path)
    } else {
      this.#brief++
      this.#admit(path)
      this.#change(event)
    }
  }

  #countEnd(type: string): void {
    const end = ENDS.indexOf(type.slice(ROUTINE.length) as (typeof ENDS)[number])
    if (end >= 0) this.#totals[end] = (this.#totals[end] as number) + 1
  }

  /** So many have ended before. */
  count(totals: readonly number[]): void {
    for (const [k, value] of totals.entries()) this.#totals[k] = value
  }

  /** It takes its place in the table. */
  #admit(path: string): void {
    const event = this.#fresh.get(path) as KeptEvent
    this.#fresh.delete(path)
    this.#make(path, 'routine')
    this.#change(event)
  }

  #admitAll(): void {
    for (const path of this.#fresh.keys()) this.#admit(path)
    this.#brief = 0
  }

  #change(event: KeptEvent): void {
    const { type, path } = event
    const state = type === 'manager.stopped' ? (event['state'] as NodeState) : STATE_AFTER[type]
    if (state === undefined) return
    const row = this.#byPath.get(path) ?? this.#make(path, type.startsWith('manager.') ? kindOf(path) : 'routine')
    const incarnation = typeof event['incarnation'] === 'number' ? event['incarnation'] : row.incarnation
    // Whom its supervisor starts again with the one that failed begins as another routine at the same path.
    const again = type === 'routine.restarted' || type === 'manager.restarted' || (type === 'routine.spawned' && incarnation > 1)
    // A child may live again.
    if (row.ended) this.#forgetEnd(row)
    row.ended = TERMINAL.has(type) && event['willRestart'] !== true
    if (type === 'manager.stopped') for (const fresh of this.#fresh.keys()) if (fresh.startsWith(`${path}/`)) this.#admit(fresh)
    this.#set(row, state, row.restarts + (again ? 1 : 0), incarnation)
    if (!row.ended) return
    this.#keep(row)
    if (row.below !== undefined) this.#endBelow(row)
  }

  /** With a manager everything right below it is over, and stays to be looked at: its managers have said so themselves before. */
  #endBelow({ below = new Set() }: Row): void {
    // A copy: the oldest are dropped meanwhile.
    for (const row of Array.from(below)) {
      if (row.ended || row.kind !== 'routine') continue
      row.ended = true
      this.#keep(row)
    }
  }

  /** It stays to be looked at until there are too many. */
  #keep(row: Row): void {
    const { failed, managers, others } = this.#ended
    const list = row.kind !== 'routine' ? managers : row.state === 'failed' || row.state === 'killed' ? failed : others
    list.add(row)
    if (list.size <= KEPT) return
    for (const oldest of list) {
      this.#drop(oldest)
      break
    }
  }

  /** It goes, and everything below it. */
  #drop(row: Row): void {
    if (row.below !== undefined) for (const each of Array.from(row.below)) this.#drop(each)
    this.#forgetEnd(row)
    const above = row.path.lastIndexOf('/')
    if (above >= 0) this.#byPath.get(row.path.slice(0, above))?.below?.delete(row)
    this.#byPath.delete(row.path)
    this.#changed.delete(row)
    if (!this.#born.delete(row)) this.#gone.push(row.id)
  }

  #forgetEnd(row: Row): void {
    for (const list of Object.values(this.#ended)) list.delete(row)
  }

  /** True if there is something to tell. */
  get isDirty(): boolean {
    return this.#fresh.size + this.#born.size + this.#changed.size + this.#gone.length > 0
  }

  /** What has changed since the last time. */
  take(at: number): Frame {
    this.#admitAll()
    const frame = {
      whole: false,
      number: ++this.#frames,
      at,
      events: this.#events,
      coalesced: this.#coalesced,
      totals: [...this.#totals],
      born: [...this.#born].map(toNew),
      changed: [...this.#changed].map(toChange),
      gone: this.#gone,
    }
    this.#born = new Set()
    this.#changed = new Set()
    this.#gone = []
    this.#events = 0
    this.#coalesced = 0
    return frame
  }

  /** Everybody, in an order in which parents come first. */
  base(): BaseNode[] {
    this.#admitAll()
    return [...this.#byPath.values()].map(({ path, kind, state, restarts, incarnation }) => [path, kind, state, restarts, incarnation])
  }

  /** Forgets what has changed: nobody is there to hear it. */
  skip(): void {
    this.#admitAll()
    this.#born.clear()
    this.#changed.clear()
    this.#gone = []
  }

  /** All of it, for somebody who comes late. Takes nothing. */
  whole(at: number): Frame {
    this.#admitAll()
    const rows = [...this.#byPath.values()]
    return {
      whole: true,
      number: this.#frames,
      at,
      events: 0,
      coalesced: 0,
      totals: [...this.#totals],
      born: rows.map(toNew),
      changed: rows.map(toChange),
      gone: [],
    }
  }
}

function toNew({ id, parent, kind, label }: Row): NewNode {
  return { id, parent, kind, label }
}

function toChange({ id, state, restarts, incarnation }: Row): NodeChange {
  return { id, state, restarts, incarnation }
}

/** What a manager is, by where it stands. */
export function kindOf(path: string): NodeKind {
  const depth = path.split('/').length
  return depth === 1 ? 'global' : depth === 2 ? 'app' : depth === 3 ? 'local' : 'manager'
}
