/** What the inspector costs, and what it does to the tree that it looks at. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import fc from 'fast-check'
import { createMachine, setup } from 'xstate'
import { type LifecycleEvent, type LifecycleEventType, routine, type RoutineContext } from 'curtaincall'
import { LifecycleBus, Listeners } from '../../src/turn/lifecycle-bus.ts'
import { Turn } from '../../src/turn/turn.ts'
import { Controls } from '../../src/inspector/controls.ts'
import { CONTROLS } from '../../src/inspector/protocol.ts'
import { Watch } from '../../src/inspector/watch.ts'
import { SupervisedRoutine } from '../../src/routine/supervised-routine.ts'
import { deaf, makeTree, type Tree, untilTold } from '../support/tree.ts'
import { tappersOf } from '../support/observers.ts'
import { settle } from '../support/virtual-clock.ts'

const OFTEN: readonly LifecycleEventType[] = [
  'routine.spawned',
  'routine.queued',
  'routine.started',
  'routine.completed',
  'routine.cancelled',
  'routine.settled',
  'message.deadLetter',
]
const RARE: readonly LifecycleEventType[] = [
  'routine.failed',
  'routine.killed',
  'routine.orphaned',
  'routine.restarted',
  'routine.hung',
  'routine.revived',
  'link.broken',
  'manager.started',
  'manager.restarted',
  'manager.gaveUp',
  'manager.phase',
  'manager.stopped',
  'control.ordered',
  'message.dropped',
  'routine.refused',
]

/** Heard of all, and kept of those whose group was restarted. */
const ASKED: readonly LifecycleEventType[] = ['routine.cancelled']

/** A tree that nobody listens to. */
function quietTree(): Tree {
  const tree = makeTree()
  // What the test's own tree listens to.
  const { listeners } = tree.global as unknown as { listeners: Listeners }
  listeners.clear()
  return tree
}

const heard = ({ global }: Tree, types: readonly LifecycleEventType[]): LifecycleEventType[] =>
  types.filter((type) => global.tree.bus.hears(type))

describe('U1: what it costs', () => {
  afterEach(() => vi.useRealTimers())
  const timers = (): number => vi.getTimerCount()

  test('without a watch nothing is listened to; with one and no page only what is rare, and there is no timer', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const tree = quietTree()
    expect(heard(tree, [...OFTEN, ...RARE])).toEqual([])
    const watch = new Watch(tree.global)
    expect([heard(tree, OFTEN), heard(tree, RARE)]).toEqual([ASKED, RARE])
    expect([timers(), tree.clock.pending, tappersOf(tree.global)]).toEqual([0, 0, []])
    watch.close()
    expect(heard(tree, [...OFTEN, ...RARE])).toEqual([])
  })

  test('with a page everything; after the last one has gone for a while, what is rare again; once closed, nothing at all', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const tree = quietTree()
    const watch = new Watch(tree.global)
    watch.begin()
    expect([heard(tree, OFTEN), heard(tree, RARE)]).toEqual([OFTEN, RARE])
    expect([timers(), tappersOf(tree.global)]).toEqual([1, [watch.traffic]])
    watch.end()
    vi.advanceTimersByTime(29_000)
    watch.begin()
    vi.advanceTimersByTime(60_000)
    expect([timers(), heard(tree, OFTEN)]).toEqual([1, OFTEN])
    watch.end()
    watch.end()
    vi.advanceTimersByTime(30_000)
    expect([timers(), heard(tree, OFTEN), heard(tree, RARE), tappersOf(tree.global)]).toEqual([0, ASKED, RARE, []])
    watch.begin()
    watch.close()
    // A page's connection says only later that it is gone.
    watch.end()
    expect(timers()).toBe(0)
    watch.begin()
    expect([timers(), heard(tree, [...OFTEN, ...RARE]), tree.global.tree.observer]).toEqual([0, [], undefined])
    watch.close()
  })

  test('coming and going leaves nothing behind', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const tree = quietTree()
    for (let k = 0; k < 50; k++) {
      const watch = new Watch(tree.global)
      for (let page = 0; page < k % 4; page++) {
        watch.begin()
        watch.end()
        if (page % 2 === 0) watch.stop()
      }
      watch.close()
    }
    expect([timers(), heard(tree, [...OFTEN, ...RARE])]).toEqual([0, []])
  })

  test('those who wait in a queue are looked at as they are: nobody makes a run of theirs to be asked', async () => {
    const tree = makeTree({ maxRoutines: 1, overflow: 'queue' })
    const routines = Array.from({ length: 50 }, () => tree.local.spawn('x', untilTold))
    await settle()
    const current = vi.spyOn(SupervisedRoutine.prototype, 'current', 'get')
    const watch = new Watch(tree.global)
    watch.begin()
    const states = watch.forest
      .base()
      .filter(([, kind]) => kind === 'routine')
      .map(([, , state, restarts, run]) => [state, restarts, run])
    const asked = (): number => new Set(current.mock.contexts).size
    expect(asked()).toBe(1)
    void tree.global.shutdown({ timeout: 60_000, drain: 30_000 })
    current.mockClear()
    watch.answer('shutdown', {})
    expect(asked()).toBe(1)
    current.mockRestore()
    expect(states[0]).toEqual(['running', 0, 1])
    expect(states.slice(1)).toEqual(routines.slice(1).map(() => ['queued', 0, 1]))
    watch.close()
  })

  test('who is started again beside the one that failed counts as restarted, to whoever looked before and after', async () => {
    const tree = makeTree({ strategy: 'one_for_all', children: [routine('a', untilTold), routine('b', untilTold)] })
    await tree.local.ready()
    const before = new Watch(tree.global)
    before.begin()
    void tree.local.routine('a')?.exit(new Error('done with'))
    await settle()
    const after = new Watch(tree.global)
    after.begin()
    for (const watch of [before, after]) {
      const found = watch.forest.base().filter(([path, , state]) => /\/[ab]#/.test(path) && state === 'running')
      expect(found.map(([path, , , restarts, run]) => [path.replace(/.*#/, ''), restarts, run])).toEqual([
        ['a', 1, 2],
        ['b', 1, 2],
      ])
      watch.close()
    }
  })

  test('whoever is hung is told what it can do, and for how long it was silent in whole milliseconds', async () => {
    const tree = makeTree()
    const watch = new Watch(tree.global)
    watch.begin()
    const options = { hungAfter: 100.4, onHung: 'kill' } as const
    const work = tree.local.spawn('function', untilTold, options)
    const machine = tree.local.spawn('machine', createMachine({}), { hungAfter: 300 })
    await tree.clock.advance(500)
    const errors = tree.events.map((event) => ('reason' in event ? String(event.reason) : '')).filter((said) => said.includes('silent'))
    expect(errors).toEqual([`RoutineHungError: ${work.path} was silent for 100 ms`])
    expect(watch.answer('why', { path: machine.path })?.advice).toMatch(/^Each event that it handles is a sign of life/)
    watch.close()
  })

  test('whoever is hung is shown so, also to a page that opens later, until it is heard again', async () => {
    const tree = makeTree()
    let beat: () => void = () => undefined
    const { path } = tree.local.spawn(
      'x',
      (context) => {
        beat = context.heartbeat
        return untilTold(context)
      },
      { hungAfter: 100 },
    )
    await tree.clock.advance(150)
    const watch = new Watch(tree.global)
    watch.begin()
    const states = [watch.forest.nodeAt(path)?.state]
    beat()
    states.push(watch.forest.nodeAt(path)?.state)
    await tree.clock.advance(150)
    states.push(watch.forest.nodeAt(path)?.state)
    beat()
    states.push(watch.forest.nodeAt(path)?.state)
    expect(states).toEqual(['hung', 'running', 'hung', 'running'])
    watch.close()
  })

  test('it looks at a tree that has ended, and at one that ends while it looks', async () => {
    const tree = makeTree()
    const [early, late] = [new Watch(tree.global), new Watch(tree.global)]
    early.begin()
    tree.local.spawn('worker', untilTold)
    await settle()
    await tree.global.shutdown()
    late.begin()
    for (const watch of [early, late]) {
      expect(watch.answer('health', {}).nodes.length).toBeGreaterThan(0)
      expect(watch.answer('log', {}).lines.at(-1)?.type).toBe('manager.stopped')
      watch.stop()
      watch.close()
    }
    expect(early.answer('shutdown', {}).runs.map(({ path, state }) => [path, state])).toEqual([
      ['g', 'completed'],
      ['g/a', 'completed'],
      ['g/a/l', 'completed'],
    ])
  })

  test('a tree that ended while it was watched can be looked at for good', async () => {
    const { global, local } = makeTree()
    const watch = new Watch(global)
    watch.begin()
    const { path } = local.spawn('worker', untilTold)
    await settle()
    await global.shutdown()
    watch.stop()
    const { events } = watch.answer('recording', {})
    watch.begin()
    expect([watch.forest.nodeAt(path)?.state, watch.answer('recording', {}).events]).toEqual(['cancelled', events])
    expect(events.length).toBeGreaterThan(5)
    watch.close()
  })

  test('every question is answered of whoever lives, has ended, or never was', async () => {
    const { local, global } = makeTree()
    const watch = new Watch(global)
    watch.begin()
    const living = local.spawn('living', untilTold)
    const ended = local.spawn('ended', () => 1)
    await settle()
    for (const path of [global.path, local.path, living.path, ended.path, 'g/nobody', '', '/', '#', 'g/a/l/__proto__#constructor']) {
      const exists = path !== '' && [global.path, local.path, living.path, ended.path].includes(path)
      expect(watch.answer('actor', { path }) !== undefined).toBe(exists)
      for (const which of ['work', 'life'] as const) watch.answer('chart', { path, which })
      expect(watch.answer('log', { path }).lines.length > 0).toBe(
        path === 'g' || path === local.path || path === living.path || path === ended.path,
      )
      watch.answer('messages', { paths: [path] })
      watch.answer('timeline', { path })
      watch.answer('why', { path })
    }
    expect(() => watch.answer('look', { path: ended.path })).toThrow('has ended')
    expect(() => watch.answer('diff', { path: living.path, from: 1, to: 2 })).toThrow('not held')
    for (const name of ['toString', '__proto__', 'constructor', 'hasOwnProperty', 'nothing'])
      expect(() => watch.answer(name as never, {} as never)).toThrow('there is no question')
    watch.close()
  })
})

describe('the bus', () => {
  const TYPES = ['routine.spawned', 'routine.failed', '*'] as const

  test('hears a type exactly while somebody in the tree listens to it, or to all', () => {
    const action = fc.oneof(
      fc.record({ act: fc.constant('add' as const), node: fc.nat(2), type: fc.constantFrom(...TYPES) }),
      fc.record({ act: fc.constant('off' as const), which: fc.nat(30) }),
      fc.record({ act: fc.constant('clear' as const), node: fc.nat(2) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40, size: 'max' }), (actions) => {
        const bus = new LifecycleBus(new Turn(() => undefined), { debug() {}, info() {}, warn() {}, error() {} })
        const root = new Listeners(bus, undefined)
        const nodes = [root, new Listeners(bus, root), new Listeners(bus, root)]
        const subscriptions: { node: number; type: string; off: () => void; on: boolean }[] = []
        const same = (): number => 1
        for (const action of actions) {
          if (action.act === 'add') {
            const { node, type } = action
            subscriptions.push({ node, type, off: (nodes[node] as Listeners).add(type, same), on: true })
          } else if (action.act === 'clear') {
            ;(nodes[action.node] as Listeners).clear()
            for (const each of subscriptions) if (each.node === action.node) each.on = false
          } else {
            // Some are ended more than once, and some after they were cleared.
            const each = subscriptions[action.which % Math.max(1, subscriptions.length)]
            each?.off()
            if (each !== undefined) each.on = false
          }
          const on = subscriptions.filter((each) => each.on)
          for (const type of TYPES) expect(bus.hears(type)).toBe(on.some((each) => each.type === type || each.type === '*'))
        }
        for (const node of nodes) node.clear()
        for (const { off } of subscriptions) off()
        for (const type of TYPES) expect(bus.hears(type)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

describe('controls', () => {
  const after = (events: readonly LifecycleEvent[], path: string): LifecycleEvent[] => {
    const at = events.findLastIndex((event) => event.type === 'control.ordered' && event.path === path)
    return events.slice(at)
  }

  async function withWorkers() {
    const tree = makeTree({ maxRestarts: Infinity })
    const { local, global } = tree
    const messages: unknown[] = []
    const worker = local.spawn('worker', async ({ messages: inbox, signal }: RoutineContext<undefined, unknown, never>) => {
      for await (const { message } of inbox) messages.push(message)
      return signal.aborted
    })
    const other = local.spawn('deaf', deaf, { shutdown: 50 })
    const machine = local.spawn(
      'machine',
      setup({ types: { events: {} as { type: 'go' } } }).createMachine({
        initial: 'a',
        states: { a: { on: { go: 'b' } }, b: { type: 'final' } },
      }),
    )
    await settle()
    return { ...tree, worker, other, machine, messages, controls: new Controls(global) }
  }

  test.each([
    ['cancel', 'routine.cancelled'],
    ['kill', 'routine.killed'],
    ['restart', 'routine.restarted'],
  ] as const)('%s is heard as an order, and what follows has it as its cause', async (control, type) => {
    const { controls, worker, other, events } = await withWorkers()
    const whom = control === 'kill' ? other : worker
    expect(controls.carryOut(control, { paths: [whom.path] })).toEqual({ hit: 1, missed: [] })
    await settle()
    const [order, ...rest] = after(events, whom.path)
    expect(order).toMatchObject({ type: 'control.ordered', control, path: whom.path, cause: null })
    const followed = rest.filter((event) => event.path === whom.path)
    expect(followed[0]?.cause).toBe(order?.seq)
    expect(followed.map((event) => event.type)).toContain(type)
    if (control === 'restart') expect([whom.state, whom.incarnation]).toEqual(['running', 2])
  })

  test('send reaches bodies and machines', async () => {
    const { controls, worker, machine, messages, events } = await withWorkers()
    expect(controls.carryOut('send', { paths: [worker.path, machine.path], event: { type: 'go' } })).toEqual({ hit: 2, missed: [] })
    await settle()
    expect(messages).toEqual([{ type: 'go' }])
    expect(machine.state).toBe('completed')
    const [order, ...rest] = after(events, machine.path)
    expect(rest.find((event) => event.type === 'routine.completed')?.cause).toBe(order?.seq)
  })

  test.each([
    ['shutdown', 'completed'],
    ['shutdownNow', 'cancelled'],
  ] as const)('%s stops a manager, and its phases follow from the order', async (control, state) => {
    const { controls, local, clock, events } = await withWorkers()
    expect(controls.carryOut(control, { paths: [local.path] })).toEqual({ hit: 1, missed: [] })
    await clock.advance(100)
    const [order, ...rest] = after(events, local.path)
    expect(order).toMatchObject({ type: 'control.ordered', control: control === 'shutdown' ? 'shutdown' : 'shutdown at once' })
    expect(rest.find((event) => event.type === 'manager.phase')?.cause).toBe(order?.seq)
    expect(rest.findLast((event) => event.type === 'manager.stopped' && event.path === local.path)).toMatchObject({ state })
  })

  test('whom it does not fit is missed and says why; the others are hit, each once', async () => {
    const { controls, local, global, worker, other, machine } = await withWorkers()
    const paths = [worker.path, local.path, worker.path, 'g/nobody#1', '', '__proto__']
    expect(controls.carryOut('cancel', { paths })).toEqual({
      hit: 1,
      missed: [`${local.path}: a manager has no cancel`, 'g/nobody#1: nobody is there', ': nobody is there', '__proto__: nobody is there'],
    })
    expect(controls.carryOut('shutdown', { paths: [machine.path] })).toEqual({
      hit: 0,
      missed: [`${machine.path}: a routine has no shutdown`],
    })
    void other.cancel()
    expect(controls.carryOut('restart', { paths: [other.path] }).missed).toEqual([`${other.path}: it is being stopped`])
    expect(controls.carryOut('send', { paths: [machine.path], event: { no: 'type' } }).missed).toEqual([
      `${machine.path}: its event needs a type`,
    ])
    // What would end an actor is none of its events.
    for (const type of ['*', 'xstate.stop', 'xstate.init', 'xstate.error.actor.0'])
      expect(controls.carryOut('send', { paths: [machine.path], event: { type } })).toEqual({
        hit: 0,
        missed: [expect.stringMatching(/: (?:no event may have the type "\*"|types that begin with "xstate\.")/)],
      })
    expect(machine.state).toBe('running')
    expect(global.state).toBe('running')
  })

  test('an order that is not understood throws, and then nothing has happened', async () => {
    const { controls, worker, events } = await withWorkers()
    const before = events.length
    const paths = [worker.path]
    for (const control of ['destroy', '', '__proto__', 'constructor', 'toString', undefined, null, 1, {}, ['cancel']])
      expect(() => controls.carryOut(control, { paths })).toThrow()
    for (const control of CONTROLS)
      for (const given of [undefined, null, 'g', {}, { paths: [] }, { paths: worker.path }, { paths: [1] }, { paths: [worker.path, null] }])
        expect(() => controls.carryOut(control, given)).toThrow()
    expect(() => controls.carryOut('send', { paths })).toThrow('send needs an event')
    await settle()
    expect([events.length, worker.state]).toEqual([before, 'running'])
  })

  test('of many that are missed the first few are named', async () => {
    const { controls } = await withWorkers()
    const { hit, missed } = controls.carryOut('cancel', { paths: Array.from({ length: 500 }, (_, k) => `g/nobody#${k}`) })
    expect([hit, missed.length]).toEqual([0, 10])
  })

  test('orders to what stops, restarts, backs off or has just ended leave no rejection behind', async () => {
    const rejections: unknown[] = []
    const note = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', note)
    const { controls, local, global, clock } = await withWorkers()
    const failing = local.spawn(
      'failing',
      () => {
        throw new Error('again')
      },
      { restart: 'permanent', backoff: { initial: 100 } },
    )
    await settle()
    for (let round = 0; round < 3; round++) {
      for (const control of CONTROLS) {
        if (round === 0 && control.startsWith('shutdown')) continue
        const paths = [failing.path, ...[...local.registry.living.values()].map(({ path }) => path), local.path, global.path]
        controls.carryOut(control, { paths, event: { type: 'go' } })
        if (round > 0) await settle()
      }
    }
    await clock.runOut(10_000)
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
    expect(global.over).toBe(true)
  })
})
