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

interface Node extends NewNode {
  readonly path: string
  state: NodeState
  restarts: number
  incarnation: number
  ended: boolean
  /** The nodes right below; undefined as long as there were none. */
  below: Set<Node> | undefined
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
/** Ends in which nothing went wrong. */
const WELL = new Set(['routine.completed', 'routine.cancelled'])

export class Forest {
  readonly #byPath = new Map<string, Node>()
  /** In order of their ends. */
  readonly #ended = { others: new Set<Node>(), failed: new Set<Node>(), managers: new Set<Node>() }
  /** Spawned since the last frame: the latest event of each. */
  readonly #fresh = new Map<string, KeptEvent>()
  #brief = 0
  /** How many routines have ended, ever. */
  readonly #totals = ENDS.map(() => 0)
  #born = new Set<Node>()
  #changed = new Set<Node>()
  #gone: number[] = []
  #lastId = 0
  #frames = 0
  #events = 0
  #coalesced = 0
  readonly #briefLimit: number

  /** @param briefly How many are shown of those that come and go between two frames: with Infinity, frames make no difference. */
  constructor(briefly = BRIEF) {
    this.#briefLimit = briefly
  }

  /** What is held, for tests that look for leaks. */
  get holds(): Readonly<Record<string, number>> {
    const { others, failed, managers } = this.#ended
    let below = 0
    for (const node of this.#byPath.values()) below += node.below?.size ?? 0
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

  /** The node at a path, which may have ended a while ago. */
  nodeAt(path: string): { readonly state: NodeState; readonly incarnation: number } | undefined {
    if (this.#fresh.has(path)) this.#admit(path)
    return this.#byPath.get(path)
  }

  /** Puts a node in, as it is found. */
  add(path: string, kind: NodeKind, state: NodeState, restarts = 0, incarnation = 1): void {
    const node = this.#byPath.get(path) ?? this.#make(path, kind)
    this.#set(node, state, restarts, incarnation)
  }

  /** Makes a node, and those above it that no event was about yet. One by one: a path from a file may be deeper than a stack. */
  #make(path: string, kind: NodeKind): Node {
    const missing: string[] = []
    let parent: Node | undefined
    for (let at = path.lastIndexOf('/'); at >= 0 && parent === undefined; ) {
      const above = path.slice(0, at)
      if (this.#fresh.has(above)) this.#admit(above)
      parent = this.#byPath.get(above)
      if (parent === undefined) missing.push(above)
      at = above.lastIndexOf('/')
    }
    for (const above of missing.toReversed()) parent = this.#put(above, kindOf(above), parent)
    return this.#put(path, kind, parent)
  }

  #put(path: string, kind: NodeKind, parent: Node | undefined): Node {
    const node: Node = {
      id: ++this.#lastId,
      parent: parent?.id ?? 0,
      path,
      kind,
      label: path.slice(path.lastIndexOf('/') + 1),
      state: 'pending',
      restarts: 0,
      incarnation: 1,
      ended: false,
      below: undefined,
    }
    if (parent !== undefined) (parent.below ??= new Set()).add(node)
    this.#byPath.set(path, node)
    this.#born.add(node)
    return node
  }

  #set(node: Node, state: NodeState, restarts: number, incarnation: number): void {
    if (this.#changed.has(node)) this.#coalesced++
    node.state = state
    node.restarts = restarts
    node.incarnation = incarnation
    this.#changed.add(node)
  }

  /** Something has happened. */
  note(event: KeptEvent): void {
    this.#events++
    const { type, path } = event
    if (event['willRestart'] === false) this.#countEnd(type)
    if (this.#briefLimit === Infinity) this.#change(event)
    else if (type === 'routine.spawned' && !this.#byPath.has(path)) this.#fresh.set(path, event)
    else if (!this.#fresh.has(path)) this.#change(event)
    else if (type === 'routine.queued' || type === 'routine.started') {
      this.#coalesced++
      this.#fresh.set(path, event)
    } else if (WELL.has(type) && event['willRestart'] === false && this.#brief >= this.#briefLimit) {
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

  /** Sets how many have ended so far. */
  count(totals: readonly number[]): void {
    for (const [k, value] of totals.entries()) this.#totals[k] = value
  }

  /** Makes a node of what was spawned since the last frame. */
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
    const node = this.#byPath.get(path) ?? this.#make(path, type.startsWith('manager.') ? kindOf(path) : 'routine')
    const incarnation = typeof event['incarnation'] === 'number' ? event['incarnation'] : node.incarnation
    // A child that is started again with the one that failed begins as another routine at the same path.
    const again = type === 'routine.restarted' || type === 'manager.restarted' || (type === 'routine.spawned' && incarnation > 1)
    // A child that has ended may be started again.
    if (node.ended) this.#forgetEnd(node)
    node.ended = TERMINAL.has(type) && event['willRestart'] !== true
    if (type === 'manager.stopped') for (const fresh of this.#fresh.keys()) if (fresh.startsWith(`${path}/`)) this.#admit(fresh)
    this.#set(node, state, node.restarts + (again ? 1 : 0), incarnation)
    if (!node.ended) return
    this.#keep(node)
    if (node.below !== undefined) this.#endBelow(node)
  }

  /** With a manager everything right below it is over, and stays to be looked at: its managers have said so themselves before. */
  #endBelow({ below = new Set() }: Node): void {
    // A copy: the oldest are dropped meanwhile.
    for (const node of Array.from(below)) {
      if (node.ended || node.kind !== 'routine') continue
      node.ended = true
      this.#keep(node)
    }
  }

  /** It stays to be looked at until there are too many. */
  #keep(node: Node): void {
    const { failed, managers, others } = this.#ended
    const list = node.kind !== 'routine' ? managers : node.state === 'failed' || node.state === 'killed' ? failed : others
    list.add(node)
    if (list.size <= KEPT) return
    for (const oldest of list) {
      this.#drop(oldest)
      break
    }
  }

  /** It goes, and everything below it. */
  #drop(node: Node): void {
    if (node.below !== undefined) for (const each of Array.from(node.below)) this.#drop(each)
    this.#forgetEnd(node)
    const above = node.path.lastIndexOf('/')
    if (above >= 0) this.#byPath.get(node.path.slice(0, above))?.below?.delete(node)
    this.#byPath.delete(node.path)
    this.#changed.delete(node)
    if (!this.#born.delete(node)) this.#gone.push(node.id)
  }

  #forgetEnd(node: Node): void {
    for (const list of Object.values(this.#ended)) list.delete(node)
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

  /** All nodes, parents first. */
  base(): BaseNode[] {
    this.#admitAll()
    return [...this.#byPath.values()].map(({ path, kind, state, restarts, incarnation }) => [path, kind, state, restarts, incarnation])
  }

  /** Paths of those that hang. */
  get hung(): string[] {
    return [...this.#byPath.values()].filter(({ state, ended }) => state === 'hung' && !ended).map(({ path }) => path)
  }

  /** Forgets what has changed, since no page is there that could take it. */
  skip(): void {
    this.#admitAll()
    this.#born.clear()
    this.#changed.clear()
    this.#gone = []
  }

  /** All of it, for a page that comes late. Takes nothing. */
  whole(at: number): Frame {
    this.#admitAll()
    const nodes = [...this.#byPath.values()]
    return {
      whole: true,
      number: this.#frames,
      at,
      events: 0,
      coalesced: 0,
      totals: [...this.#totals],
      born: nodes.map(toNew),
      changed: nodes.map(toChange),
      gone: [],
    }
  }
}

function toNew({ id, parent, kind, label }: Node): NewNode {
  return { id, parent, kind, label }
}

function toChange({ id, state, restarts, incarnation }: Node): NodeChange {
  return { id, state, restarts, incarnation }
}

/** The kind of a manager, by the depth of its path. */
export function kindOf(path: string): NodeKind {
  const depth = path.split('/', 4).length
  return depth === 1 ? 'global' : depth === 2 ? 'app' : depth === 3 ? 'local' : 'manager'
}
