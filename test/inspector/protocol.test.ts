/** What goes over the wire, and the tree on both of its ends. */
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { Forest } from '../../src/inspector/forest.ts'
import { type BaseNode, decodeFrame, encodeFrame, type Frame, type KeptEvent, STATES } from '../../src/inspector/protocol.ts'
import { type Filter, type ListItem, TreeTable } from '../../inspector/state/table.ts'
import { adversarial, numbered, plausible } from '../support/lifecycles.ts'

const travelled = (frame: Frame): Frame => decodeFrame(encodeFrame(frame))

/** A table's tree in the words of a forest: parents first, siblings in order. */
function contents(table: TreeTable): BaseNode[] {
  const copy = new TreeTable()
  copy.apply(copyOf(table))
  const found: BaseNode[] = []
  for (const item of copy.items(0, copy.shown)) found.push([copy.pathOf(item.slot), item.kind, item.state, item.restarts, item.incarnation])
  return found
}

/** All of a table, opened: to look at all of it leaves no trace in the table itself. */
function copyOf(table: TreeTable): Frame {
  const items = new Map<number, ListItem>()
  for (const path of table.matchingPaths(() => true)) {
    const slot = table.find(path)
    items.set(slot, table.item(slot))
  }
  const born = [...items].map(([slot, { kind, label }]) => ({ id: slot, parent: table.parentOf(slot), kind, label }))
  const sorted = born.toSorted((a, b) => table.item(a.id).depth - table.item(b.id).depth)
  const changed = [...items].map(([id, { state, restarts, incarnation }]) => ({ id, state, restarts, incarnation }))
  // Every level is open, since each is told as one of those that are open from the start.
  const open = sorted.map((each) => ({ ...each }))
  return { whole: true, number: 1, at: 0, events: 0, coalesced: 0, totals: [0, 0, 0, 0], born: open, changed, gone: [] }
}

const inOrder = (nodes: readonly BaseNode[]): string[] => nodes.map((node) => JSON.stringify(node)).toSorted()

function expectSame(table: TreeTable, forest: Forest): void {
  const base = forest.base()
  expect(table.size).toBe(base.length)
  const paths = table.matchingPaths(() => true)
  expect(paths.length).toBe(base.length)
  const found = paths.map((path) => {
    const { kind, state, restarts, incarnation } = table.item(table.find(path))
    return [path, kind, state, restarts, incarnation] as const
  })
  expect(inOrder(found)).toEqual(inOrder(base))
}

const either = fc.oneof(plausible, adversarial)
/** After which events a frame is taken. */
const cuts = fc.array(fc.nat(120), { maxLength: 20 }).map((places) => new Set(places))

describe('frames', () => {
  test('W1, A1: applied in order, they give the tree that they were taken from, whatever happened between', () => {
    fc.assert(
      fc.property(either, cuts, (happenings, places) => {
        const forest = new Forest()
        const table = new TreeTable()
        for (const [k, event] of numbered(happenings).entries()) {
          forest.note(event)
          if (!places.has(k)) continue
          table.apply(travelled(forest.take(event.at)))
          expectSame(table, forest)
        }
        table.apply(travelled(forest.take(0)))
        expectSame(table, forest)
        expect(forest.isDirty).toBe(false)
      }),
      { numRuns: 400 },
    )
  })

  test('W1: also when more ends than is kept, and parents go with all that is below them', () => {
    const forest = new Forest()
    const table = new TreeTable()
    let runs = 0
    fc.assert(
      fc.property(plausible, fc.nat(7), (happenings, every) => {
        runs++
        for (const [k, event] of numbered(happenings).entries()) {
          forest.note({ ...event, path: event.path.replace(/^g\//, `g/${runs}`) })
          if (k % (every + 3) === 0) table.apply(travelled(forest.take(k)))
        }
        table.apply(travelled(forest.take(0)))
        expectSame(table, forest)
      }),
      { numRuns: 80 },
    )
    expect(table.size).toBeGreaterThan(500)
  })

  test('W1: a page that misses frames and gets a whole one ends up with the same tree, in the same order', () => {
    fc.assert(
      fc.property(either, cuts, cuts, (happenings, places, missed) => {
        const forest = new Forest()
        const [steady, late] = [new TreeTable(), new TreeTable()]
        let isLate = true
        for (const [k, event] of numbered(happenings).entries()) {
          forest.note(event)
          if (!places.has(k)) continue
          const frame = travelled(forest.take(event.at))
          steady.apply(frame)
          if (missed.has(k)) isLate = true
          else if (isLate) {
            late.apply(travelled(forest.whole(event.at)))
            isLate = false
          } else late.apply(frame)
        }
        steady.apply(travelled(forest.take(0)))
        late.apply(travelled(forest.whole(0)))
        expectSame(late, forest)
        expect(contents(late)).toEqual(contents(steady))
        expect(late.shown).toBe(steady.shown)
      }),
      { numRuns: 300 },
    )
  })

  test('W2: what a frame leaves out is counted: events, and changes that a later one has taken the place of', () => {
    fc.assert(
      fc.property(plausible, cuts, (happenings, places) => {
        const forest = new Forest()
        const table = new TreeTable()
        for (const [k, event] of numbered(happenings).entries()) {
          forest.note(event)
          if (places.has(k)) table.apply(travelled(forest.take(event.at)))
        }
        table.apply(travelled(forest.take(0)))
        expect(table.events).toBe(happenings.length)
      }),
    )
    const forest = new Forest()
    const events = ['routine.spawned', 'routine.started', 'routine.failed'].map((type) => ({ type, path: 'g/a#1', willRestart: false }))
    for (const event of numbered(events)) forest.note(event)
    expect(forest.take(0)).toMatchObject({ events: 3, coalesced: 2, changed: [{ state: 'failed' }] })
  })

  test('ids are never used again, and an end is never lost: a node goes only by being named as gone', () => {
    fc.assert(
      fc.property(either, cuts, (happenings, places) => {
        const forest = new Forest()
        const [born, gone] = [new Set<number>(), new Set<number>()]
        const take = (): void => {
          const frame = forest.take(0)
          for (const { id, parent } of frame.born) {
            expect([id, born.has(id)]).toEqual([id, false])
            born.add(id)
            if (parent !== 0) expect([parent, born.has(parent) && !gone.has(parent)]).toEqual([parent, true])
          }
          for (const id of frame.gone) {
            expect([id, born.has(id), gone.has(id)]).toEqual([id, true, false])
            gone.add(id)
          }
        }
        for (const [k, event] of numbered(happenings).entries()) {
          forest.note(event)
          if (places.has(k)) take()
        }
        take()
        expect(born.size - gone.size).toBe(forest.size)
      }),
    )
  })

  test('more than 65,535 restarts are told as they are', () => {
    const forest = new Forest()
    forest.add('g/a#1', 'routine', 'running', 70_000, 70_001)
    const table = new TreeTable()
    table.apply(travelled(forest.take(0)))
    expect(table.item(table.find('g/a#1'))).toMatchObject({ restarts: 70_000, incarnation: 70_001, state: 'running' })
  })

  test('whatever is cut, or comes from elsewhere, is a RangeError and nothing else', () => {
    const forest = new Forest()
    for (const event of numbered(fc.sample(plausible, { numRuns: 1, seed: 3 })[0] ?? [])) forest.note(event)
    const bytes = encodeFrame(forest.take(5))
    const decoded = (part: Uint8Array): string => {
      try {
        decodeFrame(part)
        return 'a frame'
      } catch (error) {
        return (error as Error).constructor.name
      }
    }
    for (let length = 0; length < bytes.length; length++) expect(decoded(bytes.subarray(0, length))).toBe('RangeError')
    expect(decoded(new Uint8Array([...bytes, 0]))).toBe('RangeError')
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (foreign) => decoded(foreign) === 'RangeError'))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const bent = bytes.slice()
        bent[at] = value
        expect(['a frame', 'RangeError']).toContain(decoded(bent))
      }),
      { numRuns: 2_000 },
    )
  })
})

// --- the table ---------------------------------------------------------------------------------

interface Naive {
  readonly path: string
  readonly node: BaseNode
  readonly id: number
  readonly below: Naive[]
}

/** The tree of a forest as objects. */
function naive(forest: Forest): Naive | undefined {
  const { born } = forest.whole(0)
  const base = forest.base()
  const known = new Map<number, Naive>()
  let root: Naive | undefined
  for (const [k, { id, parent }] of born.entries()) {
    const node = base[k] as BaseNode
    const each = { path: node[0], node, id, below: [] }
    known.set(id, each)
    if (parent === 0) root = each
    else known.get(parent)?.below.push(each)
  }
  return root
}

function passes({ node: [path, kind, state, restarts], below }: Naive, { text, only }: Filter): boolean {
  const again = only.has('restarted') && restarts > 0
  const byState = only.size === 0 || again || (only.has(state) && (kind === 'routine' || below.length === 0))
  return byState && path.toLowerCase().includes(text.toLowerCase())
}

const matchesIn = (at: Naive, filter: Filter): number =>
  at.below.reduce((sum, each) => sum + matchesIn(each, filter), passes(at, filter) ? 1 : 0)

function shownIn(at: Naive, filter: Filter, isOpen: (each: Naive) => boolean): string[] {
  if (matchesIn(at, filter) === 0) return []
  return [at.path, ...(isOpen(at) ? at.below.flatMap((each) => shownIn(each, filter, isOpen)) : [])]
}

function countsIn(at: Naive, into = Object.fromEntries(STATES.map((state) => [state, 0]))): Record<string, number> {
  const [, kind, state] = at.node
  if (kind === 'routine') into[state] = (into[state] as number) + 1
  for (const each of at.below) countsIn(each, into)
  return into
}

const all = (at: Naive): Naive[] => [at, ...at.below.flatMap(all)]

function expectShown(table: TreeTable, forest: Forest, filter: Filter, opened: ReadonlyMap<number, boolean>): void {
  const root = naive(forest)
  if (root === undefined) {
    expect([table.shown, table.size, table.root]).toEqual([0, 0, 0])
    return
  }
  const isOpen = ({ id, node }: Naive): boolean => opened.get(id) ?? (node[1] === 'global' || node[1] === 'app')
  const shown = shownIn(root, filter, isOpen)
  expect(table.items(0, shown.length + 5).map(({ slot }) => table.pathOf(slot))).toEqual(shown)
  expect([table.shown, table.matching]).toEqual([shown.length, matchesIn(root, filter)])
  for (const [index, path] of shown.entries()) {
    const slot = table.find(path)
    expect([path, table.slotAt(index), table.indexOf(slot)]).toEqual([path, slot, index])
    expect(table.items(index, 1).map((each) => each.slot)).toEqual([slot])
  }
  expect([table.slotAt(-1), table.slotAt(shown.length)]).toEqual([0, 0])
  for (const each of all(root)) {
    const slot = table.find(each.path)
    expect([each.path, table.counts(slot)]).toEqual([each.path, countsIn(each)])
    if (!shown.includes(each.path)) expect([each.path, table.indexOf(slot)]).toEqual([each.path, -1])
    expect(table.item(slot).expandable).toBe(each.below.some((below) => matchesIn(below, filter) > 0))
  }
}

type Action =
  | { readonly act: 'events'; readonly many: number }
  | { readonly act: 'frame' | 'whole' }
  | { readonly act: 'open'; readonly whom: number; readonly open: boolean }
  | { readonly act: 'filter'; readonly filter: Filter }

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    fc.record({ act: fc.constant('events' as const), many: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ act: fc.constantFrom('frame' as const, 'whole' as const) }),
    fc.record({ act: fc.constant('open' as const), whom: fc.nat(200), open: fc.boolean() }),
    fc.record({
      act: fc.constant('filter' as const),
      filter: fc.record({
        text: fc.constantFrom('', 'a', 'Ä', '#1', 'g/', 'nobody'),
        only: fc.subarray([...STATES, 'restarted'], { maxLength: 3 }).map((names) => new Set<string>(names)),
      }),
    }),
  ),
  { maxLength: 40 },
)

describe('the table', () => {
  test('A2, A3: what is shown, found and counted is as if it were counted anew, after any frames, openings and filters', () => {
    fc.assert(
      fc.property(either, actions, (happenings, acts) => {
        const forest = new Forest()
        const table = new TreeTable()
        const opened = new Map<number, boolean>()
        let filter: Filter = { text: '', only: new Set() }
        const events = numbered(happenings)
        // Below the table the forest is as it was at the last frame: it hears more only right before the next one.
        let heard: KeptEvent[] = []
        for (const action of [...acts, { act: 'events', many: 1_000 } as const, { act: 'frame' } as const]) {
          if (action.act === 'events') heard.push(...events.splice(0, action.many))
          else if (action.act === 'open') {
            const root = naive(forest)
            const nodes = root === undefined ? [] : all(root)
            const node = nodes[action.whom % Math.max(1, nodes.length)]
            if (node !== undefined) {
              opened.set(node.id, action.open)
              table.setExpanded(table.find(node.path), action.open)
            }
          } else if (action.act === 'filter') table.setFilter((filter = action.filter))
          else {
            for (const event of heard) forest.note(event)
            heard = []
            const frame = forest.take(0)
            table.apply(travelled(action.act === 'whole' ? forest.whole(0) : frame))
          }
          expectShown(table, forest, filter, opened)
        }
      }),
      { numRuns: 250 },
    )
  })

  test('A2: a manager is shown for itself when it has nobody below it, also when the last one has gone', () => {
    const forest = new Forest()
    forest.add('g/a', 'app', 'running')
    const table = new TreeTable()
    table.apply(forest.take(0))
    table.setFilter({ text: '', only: new Set(['running']) })
    expect(table.matching).toBe(1)
    forest.add('g/a/l', 'local', 'stopping')
    const frame = forest.take(0)
    table.apply(frame)
    expect([table.matching, table.shown]).toEqual([0, 0])
    table.apply({ ...frame, born: [], changed: [], gone: [frame.born[0]?.id as number] })
    expect([table.matching, table.shown]).toEqual([1, 2])
  })

  test('the way to what passes the filter is opened, also to what comes later, but not to what is too much', () => {
    const forest = new Forest()
    forest.add('g/a/l/b/x#1', 'routine', 'running')
    const table = new TreeTable()
    table.apply(forest.take(0))
    table.setFilter({ text: 'x#', only: new Set() })
    table.revealMatches(3)
    expect(table.items(0, 9).map(({ label }) => label)).toEqual(['g', 'a', 'l', 'b', 'x#1'])
    table.setExpanded(table.find('g/a/l'), false)
    for (const path of ['g/a/m/x#2', 'g/a/n/y#3']) forest.add(path, 'routine', 'running')
    const frame = forest.take(0)
    table.apply(frame)
    table.revealMatches(3, frame.born)
    expect(table.items(0, 9).map(({ label }) => label)).toEqual(['g', 'a', 'l', 'm', 'x#2'])
    for (const path of ['g/a/o/x#4', 'g/a/o/x#5']) forest.add(path, 'routine', 'running')
    const more = forest.take(0)
    table.apply(more)
    table.revealMatches(3, more.born)
    expect(table.items(0, 9).map(({ label }) => label)).toEqual(['g', 'a', 'l', 'm', 'x#2', 'o'])
  })

  test('what a reader has closed stays closed when the tree comes anew, and what is opened stays open', () => {
    const forest = new Forest()
    for (const path of ['g', 'g/a', 'g/a/l']) forest.add(path, path === 'g' ? 'global' : path === 'g/a' ? 'app' : 'local', 'running')
    forest.add('g/a/l/r#1', 'routine', 'running')
    const table = new TreeTable()
    table.apply(forest.take(0))
    expect(table.shown).toBe(3)
    table.setExpanded(table.find('g/a/l'), true)
    table.setExpanded(table.find('g/a'), false)
    expect(table.shown).toBe(2)
    table.apply(forest.whole(0))
    expect(table.shown).toBe(2)
    table.setExpanded(table.find('g/a'), true)
    expect(table.shown).toBe(4)
  })
})

describe('the forest', () => {
  test('F1, F2, F4: keeps hundreds of what has ended, and no more of anything, when managers come and go by the thousands', () => {
    const forest = new Forest()
    let seq = 0
    const tell = (type: string, path: string, fields: object = {}): void =>
      forest.note({ seq: ++seq, at: seq, type, path, cause: null, incarnation: 1, ...fields })
    tell('manager.started', 'g')
    for (let k = 0; k < 5_000; k++) {
      const local = `g/a${k % 3}/l${k}`
      tell('manager.started', local)
      for (const [name, end, willRestart] of [
        ['well', 'routine.completed', false],
        ['failed', 'routine.failed', false],
        // Its restart was promised, and the manager stops before it comes.
        ['promised', 'routine.failed', true],
        ['killed', 'routine.killed', false],
      ] as const) {
        const path = `${local}/${name}#${k}`
        tell('routine.spawned', path)
        tell('routine.started', path)
        tell(end, path, { willRestart })
      }
      tell('routine.spawned', `${local}/silent#${k}`)
      tell('manager.stopped', local, { state: 'completed' })
      if (k % 7 === 0) forest.take(k)
      if (k % 1_000 === 0) forest.skip()
    }
    forest.take(0)
    const { paths, below, ended, ...rest } = forest.holds
    expect(rest).toEqual({ fresh: 0, born: 0, changed: 0, gone: 0 })
    expect(ended).toBeLessThanOrEqual(3 * 500)
    // The root and three apps live.
    expect([paths, below]).toEqual([(ended as number) + 4, (ended as number) + 3])
    expect(forest.size).toBe(paths)
    expect(forest.whole(0).born.length).toBe(paths)
  })

  test('F4: whoever goes takes along what is below, so that no node is left without the one that it hangs on', () => {
    const forest = new Forest()
    const table = new TreeTable()
    let seq = 0
    const tell = (type: string, path: string, fields: object = {}): void =>
      forest.note({ seq: ++seq, at: seq, type, path, cause: null, incarnation: 1, ...fields })
    for (const path of ['g/a/first', 'g/a/first/inner']) tell('manager.started', path)
    for (const path of ['g/a/first/r#1', 'g/a/first/inner/r#2']) tell('routine.failed', path, { willRestart: false })
    tell('routine.failed', 'g/a/first/inner/r#3', { willRestart: true })
    for (const path of ['g/a/first/inner', 'g/a/first']) tell('manager.stopped', path, { state: 'completed' })
    table.apply(travelled(forest.take(0)))
    expect(table.size).toBe(7)
    for (let k = 0; k < 500; k++) {
      tell('manager.started', `g/a/l${k}`)
      tell('manager.stopped', `g/a/l${k}`, { state: 'completed' })
    }
    table.apply(travelled(forest.take(0)))
    expectSame(table, forest)
    expect(table.find('g/a/first')).toBe(0)
    expect(forest.base().filter(([path]) => path.startsWith('g/a/first'))).toEqual([])
    expect(table.size).toBe(502)
  })

  test('F2: a child that lives again is none of those that have ended, however many end after it', () => {
    const forest = new Forest()
    let seq = 0
    const tell = (type: string, path: string, fields: object = {}): void =>
      forest.note({ seq: ++seq, at: seq, type, path, cause: null, incarnation: 1, ...fields })
    tell('routine.failed', 'g/a/l/again#again', { willRestart: false })
    tell('routine.restarted', 'g/a/l/again#again', { incarnation: 2 })
    for (let k = 0; k < 1_000; k++) tell('routine.failed', `g/a/l/r#${k}`, { willRestart: false })
    expect(forest.nodeAt('g/a/l/again#again')).toMatchObject({ state: 'pending', incarnation: 2, restarts: 1 })
    expect(forest.size).toBe(4 + 500)
  })

  test('F3: of those that come and go between two frames only a few are shown, but every failure', () => {
    const forest = new Forest()
    for (let k = 0; k < 3_000; k++) {
      const path = `g/r#${k}`
      const end = k % 10 === 0 ? 'routine.failed' : k % 10 === 1 ? 'routine.cancelled' : 'routine.completed'
      for (const type of ['routine.spawned', 'routine.started', end])
        forest.note({ seq: 3 * k, at: 0, type, path, cause: null, willRestart: false })
    }
    const states = Map.groupBy(forest.take(0).changed, ({ state }) => state)
    expect(states.get('failed')?.length).toBe(300)
    expect((states.get('completed')?.length ?? 0) + (states.get('cancelled')?.length ?? 0)).toBeLessThanOrEqual(20)
  })

  test('what was never heard of has the kind that its place gives it', () => {
    const forest = new Forest()
    forest.note({ seq: 1, at: 0, type: 'routine.spawned', path: 'g/a/l/m/r#1', cause: null })
    expect(forest.base().map(([path, kind]) => `${path} ${kind}`)).toEqual([
      'g global',
      'g/a app',
      'g/a/l local',
      'g/a/l/m manager',
      'g/a/l/m/r#1 routine',
    ])
  })
})
