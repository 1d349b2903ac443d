/** Statecharts as the page draws them: which states are lit, what is to be laid out, and where it goes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AnyMachineSnapshot, type AnyStateMachine, createActor, createMachine, fromPromise } from 'xstate'
import { activeIds, valueText } from '../../inspector/layout/active.ts'
import { type ElkNode, fromElk, toElk } from '../../inspector/layout/elk.ts'
import { type Graph, graphOf, type Layout, markOf, type Node, type Rect, wordsOf } from '../../inspector/layout/graph.ts'
import { layOut, overlap } from '../../inspector/layout/simple.ts'
import { globalManagerMachine, routineMachine } from '../../machines/statecharts.ts'
import { chartOf, readable, stateToWire } from '../../src/inspector/chart.ts'
import type { ChartState } from '../../src/inspector/protocol.ts'

const measure = (text: string): number => text.length * 7

const order = createMachine({
  id: 'order',
  initial: 'cart',
  states: {
    cart: { on: { pay: 'checkout', add: { actions: 'remember' } } },
    checkout: {
      type: 'parallel',
      onDone: 'ready',
      states: {
        payment: { initial: 'waiting', states: { waiting: { on: { paid: 'done' } }, done: { type: 'final' } } },
        stock: { initial: 'reserving', states: { reserving: { after: { 200: 'done' } }, done: { type: 'final' } } },
      },
    },
    ready: { on: { ship: '#gone' }, after: { 60_000: 'cart' } },
    shipped: { id: 'gone', type: 'final' },
  },
})

const tangled = createMachine({
  id: 'tangled',
  initial: 'a',
  on: { RESET: '.a', STOP: '#over' },
  states: {
    a: {
      entry: 'log',
      exit: ['log', 'leave'],
      invoke: { src: 'fetch', onDone: 'b' },
      after: { 300: 'b' },
      on: { SELF: { target: 'a', reenter: true } },
    },
    b: {
      id: 'elsewhere',
      initial: 'one',
      on: { INNER: '.two', BACK: { target: 'a', guard: 'ok', actions: ['log', 'leave'] } },
      states: {
        before: { type: 'history', history: 'deep', target: 'two' },
        one: { on: { NEXT: 'two', OTHER: 'two', UP: '#elsewhere', OUT: '#over' } },
        two: { always: { guard: 'ok', target: 'one' } },
      },
    },
    c: { on: { RESUME: 'b.before', NOWHERE: { actions: 'log' } } },
    over: { id: 'over', type: 'final' },
  },
}).provide({ actors: { fetch: fromPromise(() => new Promise(() => undefined)) }, guards: { ok: () => false } })

const activeOf = (machine: AnyStateMachine, ...events: string[]): string[] => {
  const actor = createActor(machine).start()
  for (const type of events) actor.send({ type })
  return [...activeIds(chartOf(machine), (actor.getSnapshot() as AnyMachineSnapshot).value)].toSorted()
}

describe('which states are active', () => {
  test('the one, and those that it is in', () => {
    expect(activeOf(order)).toEqual(['order', 'order.cart'])
  })

  test('in parallel, a final one among them', () => {
    const outer = ['order', 'order.checkout', 'order.checkout.payment', 'order.checkout.stock']
    expect(activeOf(order, 'pay')).toEqual([...outer, 'order.checkout.payment.waiting', 'order.checkout.stock.reserving'].toSorted())
    expect(activeOf(order, 'pay', 'paid')).toEqual([...outer, 'order.checkout.payment.done', 'order.checkout.stock.reserving'].toSorted())
  })

  test('by their keys, whatever their ids are', () => {
    expect(activeIds(chartOf(order), 'shipped')).toEqual(new Set(['order', 'gone']))
    expect(activeIds(chartOf(tangled), { b: 'two' })).toEqual(new Set(['tangled', 'elsewhere', 'tangled.b.two']))
  })

  test('a parallel machine, and regions without states in them', () => {
    const chart = chartOf(createMachine({ id: 'p', type: 'parallel', states: { x: {}, y: { initial: 'z', states: { z: {} } } } }))
    expect(activeIds(chart, { x: {}, y: 'z' })).toEqual(new Set(['p', 'p.x', 'p.y', 'p.y.z']))
  })

  test('as XState itself says', () => {
    for (const machine of [order, tangled])
      for (const events of [[], ['pay'], ['pay', 'paid'], ['STOP']]) {
        const actor = createActor(machine as AnyStateMachine).start()
        for (const type of events) actor.send({ type })
        const snapshot = actor.getSnapshot() as AnyMachineSnapshot & { readonly _nodes: readonly { readonly id: string }[] }
        expect(activeOf(machine, ...events)).toEqual(snapshot._nodes.map(({ id }) => id).toSorted())
        actor.stop()
      }
  })

  test('none of a chart that the value is not of', () => {
    for (const value of ['elsewhere', { cart: 'deeper' }, undefined, 7, null, {}]) expect(activeIds(chartOf(order), value).size).toBe(0)
  })

  test('a value in words', () => {
    expect(valueText('cart')).toBe('cart')
    expect(valueText({ checkout: { payment: 'waiting', stock: 'done' } })).toBe('checkout (payment: waiting, stock: done)')
    expect(valueText({ running: 'working' })).toBe('running: working')
    expect(valueText({ x: {}, y: 'z' })).toBe('x, y: z')
    expect(valueText(undefined)).toBe('–')
  })
})

describe('a chart as data', () => {
  const find = (chart: ChartState, id: string): ChartState | undefined =>
    chart.id === id ? chart : chart.states.map((child) => find(child, id)).find((found) => found !== undefined)

  test('holds what was written, and nothing that XState adds for its timers', () => {
    const a = find(chartOf(tangled), 'tangled.a') as ChartState
    expect([a.entry, a.exit, a.invoke]).toEqual([['log'], ['log', 'leave'], ['fetch']])
    expect(a.transitions.map(({ event }) => event).toSorted()).toEqual(['SELF', 'after 300 ms', 'fetch is done'])
  })

  test('knows where a history leads at first', () => {
    const before = find(chartOf(tangled), 'tangled.b.before') as ChartState
    expect(before.type).toBe('deep history')
    expect(before.transitions.map(({ event, targets }) => [event, targets])).toEqual([['default', ['tangled.b.two']]])
  })

  test('words of a transition', () => {
    const back = find(chartOf(tangled), 'elsewhere')?.transitions.find(({ event }) => event === 'BACK')
    expect(wordsOf(back as ChartState['transitions'][number])).toBe('BACK [ok] / log, leave')
  })
})

describe('what is laid out', () => {
  const graph = graphOf(chartOf(tangled), measure)
  const way = (from: string, to: string) => graph.ways.find((each) => each.from.id === from && each.to.id === to)

  test('several transitions from one state to another are one way', () => {
    expect(way('tangled.b.one', 'tangled.b.two')?.labels.map(({ text }) => text)).toEqual(['NEXT', 'OTHER'])
  })

  test('what stays is a line in its state, and no way', () => {
    expect(graph.nodes.get('tangled.a')?.lines.map(({ text }) => text)).toEqual([
      'on entry / log',
      'on exit / log, leave',
      'runs fetch',
      '↻ SELF',
    ])
    expect(graph.nodes.get('tangled.c')?.lines.map(({ text }) => text)).toEqual(['· NOWHERE / log'])
    expect(graph.ways.filter(({ from, to }) => from === to)).toEqual([])
  })

  test('each state with a first one has a mark that leads to it', () => {
    expect(way(markOf('tangled'), 'tangled.a')?.labels).toEqual([])
    expect(way(markOf('elsewhere'), 'tangled.b.one')?.labels).toEqual([])
  })

  test('ELK is told of every state, and of room for every label', () => {
    const asked = toElk(graph, 'DOWN')
    const ids: string[] = []
    const visit = ({ id, children = [] }: ElkNode): void => {
      ids.push(id)
      for (const child of children) visit(child)
    }
    for (const child of asked.children ?? []) visit(child)
    expect(ids.toSorted()).toEqual([...graph.nodes.keys()].toSorted())
    for (const { id, labels } of asked.edges ?? []) {
      const own = graph.ways.find((each) => each.id === id)
      expect(labels.map(({ width, height }) => [width, height])).toEqual(own?.width === 0 ? [] : [[own?.width, own?.height]])
    }
  })

  test('what ELK answers is read', () => {
    const layout = fromElk({
      id: 'page',
      width: 100,
      height: 50,
      children: [{ id: 'a', x: 1, y: 2, width: 3, height: 4, children: [{ id: 'b', x: 5, y: 6, width: 7, height: 8 }] }],
      edges: [
        {
          id: 'w',
          sources: ['a'],
          targets: ['b'],
          labels: [{ text: 'w', x: 9, y: 10, width: 11, height: 12 }],
          sections: [{ startPoint: { x: 0, y: 0 }, bendPoints: [{ x: 1, y: 1 }], endPoint: { x: 2, y: 2 } }],
        },
      ],
    })
    expect(layout.boxes.get('b')).toEqual({ x: 5, y: 6, width: 7, height: 8 })
    expect(layout.ways.get('w')).toEqual({
      points: [
        { x: 0, y: 0 },
        { x: 1, y: 1 },
        { x: 2, y: 2 },
      ],
      isCurve: false,
      label: { x: 9, y: 10, width: 11, height: 12 },
    })
  })
})

/** What lies over what, that should not; and what reaches out of what it is in. */
function faultsOf({ root, nodes, ways }: Graph, { boxes, ways: routes, width, height }: Layout): string[] {
  const faults: string[] = []
  const box = (node: Node): Rect => boxes.get(node.id) as Rect
  const isIn = (inner: Rect, outer: Rect): boolean =>
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width + 0.001 &&
    inner.y + inner.height <= outer.y + outer.height + 0.001
  if (!isIn(box(root), { x: 0, y: 0, width, height })) faults.push('the chart is larger than it says')
  for (const node of nodes.values()) {
    if (box(node).width < node.width || box(node).height < node.height) faults.push(`${node.id} is too small`)
    for (const child of node.children) {
      const room = { ...box(node), y: box(node).y + node.head, height: box(node).height - node.head }
      if (!isIn(box(child), room)) faults.push(`${child.id} reaches out of ${node.id}`)
      for (const other of node.children)
        if (other !== child && overlap(box(child), box(other)) > 0) faults.push(`${child.id} over ${other.id}`)
    }
  }
  const labels = ways.flatMap(({ id }) => routes.get(id)?.label ?? [])
  for (const [index, label] of labels.entries()) {
    for (const other of labels.slice(0, index)) if (overlap(label, other) > 0) faults.push('a label over another')
    for (const node of nodes.values())
      if (node.children.length === 0 && overlap(label, box(node)) > 0) faults.push(`a label over ${node.id}`)
  }
  for (const { id, labels: own } of ways) {
    const route = routes.get(id)
    if (route === undefined || route.points.length < 2 || route.points.some(({ x, y }) => !Number.isFinite(x + y)))
      faults.push('a way is lost')
    if (own.length > 0 && route?.label === undefined) faults.push('a label is lost')
  }
  return faults
}

/** Any chart: nested, parallel, with ways from everywhere to everywhere. */
const charts: fc.Arbitrary<ChartState> = fc
  .letrec<{ state: ChartState }>((tie) => ({
    state: fc
      .record({
        type: fc.constantFrom('compound', 'compound', 'parallel', 'final', 'history'),
        entry: fc.array(fc.constantFrom('log', 'remember'), { maxLength: 2 }),
        states: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant([]), fc.array(tie('state'), { maxLength: 4 })),
        key: fc.stringMatching(/^[a-z]{1,18}$/),
      })
      .map(({ type, entry, states, key }) => ({
        id: '',
        key,
        type: states.length > 0 ? (type === 'parallel' ? type : 'compound') : type === 'final' || type === 'history' ? type : 'atomic',
        initial: undefined,
        description: undefined,
        entry,
        exit: [],
        invoke: [],
        transitions: [],
        states,
      })),
  }))
  .state.chain((bare) => {
    const ids: string[] = []
    const named = (state: ChartState, at: string): ChartState => {
      ids.push(at)
      const states = state.states.map((child, index) => named({ ...child, key: `${child.key}${index}` }, `${at}.${index}`))
      return { ...state, id: at, states, initial: state.type === 'compound' ? states[0]?.key : undefined }
    }
    const whole = named(bare, 'm')
    const way = fc.record({ from: fc.constantFrom(...ids), to: fc.constantFrom(...ids), event: fc.stringMatching(/^[A-Z]{1,30}$/) })
    return fc.array(way, { maxLength: 16 }).map((ways) => {
      const tied = (state: ChartState): ChartState => ({
        ...state,
        states: state.states.map(tied),
        transitions: ways.flatMap(({ from, to, event }, index) =>
          from === state.id
            ? [{ key: `${from} ${index}`, event, targets: [to], guard: undefined, actions: index % 3 === 0 ? ['log'] : [] }]
            : [],
        ),
      })
      return tied(whole)
    })
  })

describe('our own layout', () => {
  test.each([
    ['a nested and parallel one', order],
    ['one with ways up, down and back', tangled],
    ['a lifecycle', routineMachine],
    ['a manager', globalManagerMachine],
  ] as [string, AnyStateMachine][])('S1: of %s', (_, machine) => {
    const graph = graphOf(chartOf(machine), measure)
    expect(faultsOf(graph, layOut(graph))).toEqual([])
  })

  test('reads from the first state on, the final ones last', () => {
    const { boxes } = layOut(graphOf(chartOf(order), measure))
    const tops = [markOf('order'), 'order.cart', 'order.checkout', 'order.ready', 'gone'].map((id) => boxes.get(id)?.y ?? NaN)
    expect(tops).toEqual(tops.toSorted((a, b) => a - b))
    expect(new Set(tops).size).toBe(tops.length)
  })

  test('S1: whatever the chart', () => {
    fc.assert(
      fc.property(charts, (chart) => {
        const graph = graphOf(chart, measure)
        expect(faultsOf(graph, layOut(graph))).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})

describe('the value of a state on its way to the page', () => {
  const deep = (levels: number): object => Array.from({ length: levels }).reduce<object>((inner) => ({ l: inner }), { l: 'end' })

  test('is as it is, however deep and wide a machine is', () => {
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, k) => [`region ${k}`, {}]))
    for (const value of ['idle', { a: 'b' }, deep(40), wide, undefined]) expect(stateToWire(value)).toEqual(value)
    expect(stateToWire(createActor(order).getSnapshot().value)).toBe('cart')
  })

  test('what is no such value is shown bounded, and nothing of it is called', () => {
    const called: string[] = []
    const trap = Object.defineProperty({}, 'a', { enumerable: true, get: () => called.push('a') })
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, k) => [`region ${k}`, 'x']))
    for (const value of [trap, deep(1_000), many, new Map(), 'x'.repeat(5_000), 5, null, { a: 1 }])
      expect(JSON.stringify(stateToWire(value)).length).toBeLessThan(20_000)
    expect(called).toEqual([])
  })
})

test.each([
  ['xstate.done.state.order.checkout', 'checkout is done'],
  ['xstate.done.state.', 'xstate.done.state.'],
  ['xstate.done.state.a.', 'xstate.done.state.a.'],
  ['xstate.done.actor.0.order.checkout', 'order.checkout is done'],
  ['xstate.error.actor.fetch', 'fetch failed'],
  ['xstate.after.200.order.stock', 'after 200 ms'],
  ['xstate.after.short.order.stock', 'after short'],
  ['xstate.route.a', 'route to a'],
  ['', 'always'],
  ['PAY', 'PAY'],
])('the event %j is said as %j', (event, said) => {
  expect(readable(event)).toBe(said)
})

test('an event of 100,000 characters is said in no time, whatever it is', () => {
  const begun = performance.now()
  for (const kind of ['done.state', 'done.actor', 'error.actor', 'after', 'route', ''])
    for (const text of ['a', '.', '1.', 'a.', '\n']) {
      readable(`xstate.${kind}.${text.repeat(100_000 / text.length)}.`)
      readable(`xstate.${kind}.${text.repeat(100_000 / text.length)}`)
    }
  // The time of the old way: 8 s for one of them.
  expect(performance.now() - begun).toBeLessThan(2_000)
})
