/** Failures as the page is told them: stacks, causes, inputs, what the machine was at, and what was struck. */
import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { failureOf, framesOf, inputOf, placeOf, readFailure } from '../../src/inspector/failure.ts'
import { isLibrary } from '../../src/inspector/failure-notes.ts'
import { Ledger } from '../../src/inspector/ledger.ts'
import { Player } from '../../src/inspector/player.ts'
import type { Recording } from '../../src/inspector/protocol.ts'
import { fromTrace, toTraceLines } from '../../src/inspector/recording.ts'
import { sceneOf } from '../../src/inspector/scene.ts'
import { Watch } from '../../src/inspector/watch.ts'
import { chartOf } from '../../src/inspector/chart.ts'
import { Gathering, type TrafficPlace, withTraffic } from '../../src/inspector/traffic-record.ts'
import { appManagerMachine, globalManagerMachine, localManagerMachine, routineMachine } from '../../machines/index.ts'
import { type AnyRoutine, routine } from 'curtaincall'
import { parseTrace } from 'curtaincall/testing'
import { makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const STACK = `TypeError: no price
    at priceOf (/shop/src/prices.ts:12:9)
    at async Object.handle [as work] (file:///shop/src/my%20orders.ts:40:3)
    at /shop/node_modules/xstate/dist/raise.js:7:1
    at run (node:internal/timers:5:2)
    at new Promise (<anonymous>)
    at Promise.all (index 0)`

describe('a stack', () => {
  test('is told frame by frame, the user’s own apart from those of packages and the platform', () => {
    expect(framesOf(STACK).map(({ name, file, line, own }) => [name, file, line, own])).toEqual([
      ['priceOf', '/shop/src/prices.ts', 12, true],
      ['async Object.handle [as work]', '/shop/src/my orders.ts', 40, true],
      ['', '/shop/node_modules/xstate/dist/raise.js', 7, false],
      ['run', 'node:internal/timers', 5, false],
      ['new Promise', '', 0, false],
      ['Promise.all', '', 0, false],
    ])
    const root = process.cwd()
    expect([`${root}/src/a.ts`, `${root}/dist/src/core.js`, `${root}/machines/a.ts`, `${root}/examples/a.ts`].map(isLibrary)).toEqual([
      true,
      true,
      true,
      false,
    ])
  })

  test('G1: nothing of the user’s is called, whatever was thrown, and what comes of it is bounded', () => {
    let called = 0
    const call = (): never => {
      called++
      throw new Error('called')
    }
    const evil = new Error('evil')
    Object.defineProperty(evil, 'stack', { get: call })
    Object.defineProperty(evil, 'cause', { get: call })
    const circular = new Error('around', { cause: undefined })
    circular.cause = circular
    const refuse = (): never => {
      throw new Error('refused')
    }
    const proxy = new Proxy({}, { getOwnPropertyDescriptor: refuse, get: refuse, getPrototypeOf: refuse, ownKeys: refuse })
    const long = Object.assign(new Error('x'.repeat(10_000)), { stack: `Error\n${'    at f (/a.js:1:1)\n'.repeat(10_000)}` })
    for (const thrown of [evil, circular, 'text', undefined, null, 7n, proxy, Object.create(null), long]) {
      const failure = failureOf(thrown)
      expect(JSON.stringify(failure).length).toBeLessThan(20_000)
      expect(failure.frames.length).toBeLessThanOrEqual(30)
    }
    expect(called).toBe(0)
    expect(failureOf(evil)).toMatchObject({ name: 'Error', message: 'evil', frames: [], causes: [] })
    expect(failureOf('text')).toEqual({ name: '', message: 'text', frames: [], causes: [] })
    expect(JSON.stringify(inputOf({ list: Array.from({ length: 40 }, () => 'y'.repeat(400)) })).length).toBeLessThan(6_000)
  })

  test('has the chain of its causes, each with frames of its own', () => {
    const thrown = new Error('order failed', { cause: new TypeError('no price', { cause: 'a text' }) })
    const { causes, frames } = failureOf(thrown)
    expect(causes.map(({ name, message, frames: of }) => [name, message, of.length > 0])).toEqual([
      ['TypeError', 'no price', true],
      ['', 'a text', false],
    ])
    expect(placeOf(frames)?.file).toContain('failures.test.ts')
  })

  test('G2: of a file only what is a failure is taken, and cut', () => {
    expect(readFailure('x')).toBeUndefined()
    const read = readFailure({
      name: 3,
      message: 'm'.repeat(9_999),
      frames: [null, { file: '/a', line: -1, own: 'yes' }],
      causes: [7],
      input: { a: 1 },
    })
    expect(read).toEqual({
      name: '',
      message: 'm'.repeat(500),
      frames: [
        { name: '', file: '', line: 0, column: 0, own: false },
        { name: '', file: '/a', line: 0, column: 0, own: false },
      ],
      causes: [{ name: '', message: '', frames: [] }],
      input: { a: 1 },
    })
  })
})

const till = setup({ types: { context: {} as { coins: number } } }).createMachine({
  id: 'till',
  initial: 'open',
  context: { coins: 0 },
  states: {
    open: {
      on: {
        coin: { actions: ({ context }) => void context, target: 'counting' },
      },
    },
    counting: {
      on: {
        jam: {
          actions: () => {
            throw new Error('the till is jammed')
          },
        },
      },
    },
  },
})

const charts = {
  routine: chartOf(routineMachine),
  global: chartOf(globalManagerMachine),
  app: chartOf(appManagerMachine),
  local: chartOf(localManagerMachine),
}

async function recordingOf(watch: Watch, tree: Tree): Promise<Recording> {
  const gathering = new Gathering()
  for (let place: TrafficPlace | undefined = { from: 'living', at: 0 }; place !== undefined; ) {
    const { from } = place
    place = gathering.add(watch.answer('traffic', { ...place, charts: gathering.known }), from)
  }
  const { base = [], events, from } = watch.answer('recording', {})
  return withTraffic({ name: tree.global.name, from, base, events, violations: [], story: '' }, gathering.result)
}

test('a failure is told with its stack and input, its scene and what it struck, of a living tree and of its recording', async () => {
  const children = [routine('till', till, { input: { shop: 7 } as never }), routine('beside', untilTold)]
  const tree = makeTree({ strategy: 'one_for_all', maxRestarts: 3, children })
  const watch = new Watch(tree.global)
  watch.begin()
  await settle()
  for (const type of ['coin', 'jam']) (tree.global.whereis('g/a/l/till#till') as AnyRoutine).send({ type } as never)
  await settle()
  const { seq } = tree.events.find(({ type }) => type === 'routine.failed') as { seq: number }
  const living = { failure: watch.answer('failure', { seq }), scene: watch.answer('scene', { seq }) }
  expect(living.failure).toMatchObject({ name: 'Error', message: 'the till is jammed', input: { shop: 7 } })
  expect(living.failure?.frames[0]).toMatchObject({ file: import.meta.filename, own: true })
  expect(living.scene?.machine).toMatchObject({ value: 'counting', event: 'jam', before: 'coin' })
  expect(living.scene?.messages.map(({ type }) => type)).toEqual(['coin', 'jam'])
  expect(living.scene?.struck.map(({ type, path }) => [type, path])).toContainEqual(['routine.cancelled', 'g/a/l/beside#beside'])
  // The same of a file.
  const recording = await recordingOf(watch, tree)
  const trace = parseTrace(toTraceLines(recording, {}), 'x')
  const player = new Player(fromTrace(trace as never, 'file'), charts)
  player.seek(player.to)
  const [failed] = player.recording.events.filter(({ type }) => type === 'routine.failed')
  const ask = { seq: failed?.seq as number }
  expect(player.answer('failure', ask)).toEqual(living.failure)
  const scene = player.answer('scene', ask)
  expect(scene?.machine).toMatchObject({ value: 'counting', event: 'jam', before: 'coin' })
  expect(scene?.struck.map(({ type }) => type)).toEqual(living.scene?.struck.map(({ type }) => type))
  // Of what has not happened yet, nothing is told.
  player.seek(player.from)
  expect([player.answer('failure', ask), player.answer('scene', ask)]).toEqual([undefined, undefined])
  watch.close()
})

test('what a failure struck is told along the whole chain, but not what follows from the next run', () => {
  const ledger = new Ledger(20)
  const told: readonly (readonly [type: string, path: string, cause: number | null])[] = [
    ['routine.failed', 'g/l/a#1', null],
    ['manager.gaveUp', 'g/l', 1],
    ['routine.cancelled', 'g/l/b#1', 2],
    ['manager.phase', 'g/l', 2],
    ['routine.killed', 'g/l/c#1', 4],
    ['routine.restarted', 'g/l/a#1', 1],
    ['routine.started', 'g/l/a#1', 6],
    ['routine.failed', 'g/l/a#1', 7],
    ['routine.cancelled', 'g/l/d#1', 8],
    ['routine.failed', 'g/l/e#1', null],
  ]
  for (const [k, [type, path, cause]] of told.entries()) ledger.record({ seq: k + 1, at: k, type, path, cause })
  expect(sceneOf(ledger, 0, undefined, []).struck.map(({ path }) => path)).toEqual(['g/l', 'g/l/b#1', 'g/l/c#1'])
})

test('K1, K2: of very many failures at once those that look alike share a stack; the input of one that ends for good is told, too', async () => {
  const tree = makeTree()
  const watch = new Watch(tree.global)
  const failing = (): never => {
    throw new Error('no 1')
  }
  for (let k = 0; k < 200; k++) tree.local.spawn('job', failing, { input: k, restart: 'temporary' })
  await settle()
  const failed = tree.events.filter(({ type }) => type === 'routine.failed')
  const told = failed.map(({ seq }) => watch.answer('failure', { seq }))
  expect(told.map((each) => each?.input)).toEqual(Array.from({ length: 200 }, (_, k) => (k < 50 ? k : undefined)))
  expect(new Set(told.map((each) => each?.frames[0]?.line)).size).toBe(1)
  expect(watch.answer('problems', {}).problems).toMatchObject([{ kind: 'failed', count: 200, paths: 100, who: 'job', said: 'no 1' }])
  watch.close()
})
