/** K1: who has sent something is known, or is said not to be known: never is it somebody else. */
import { describe, expect, test } from 'vitest'
import { type AnyActorRef, setup } from 'xstate'
import { routine, type RoutineContext } from 'curtaincall'
import { Player } from '../../src/inspector/player.ts'
import type { Recording } from '../../src/inspector/protocol.ts'
import { Senders } from '../../src/inspector/senders.ts'
import { Gathering, type TrafficPlace, withTraffic } from '../../src/inspector/traffic-record.ts'
import { Watch } from '../../src/inspector/watch.ts'
import { deaf, makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'
import { openShop } from './programs/shop.ts'

const short = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/#.*/, '')
const told = (watch: Watch, ...paths: string[]): string[] =>
  watch.answer('messages', { paths }).map(({ from, to, type, kind }) => `${short(from)}→${short(to)} ${kind} ${type}`)

const echo = async ({ messages }: RoutineContext<undefined, string, number>): Promise<void> => {
  for await (const { message, reply } of messages) reply(message.length)
}
const counting = setup({ types: { events: {} as { readonly type: 'add' } | { readonly type: 'fail' } } }).createMachine({
  id: 'counting',
  on: {
    add: {},
    fail: {
      actions: () => {
        throw new Error('failed')
      },
    },
  },
})

/** Asks again and again, for as long as it lives. */
const asking =
  ({ clock, local }: Tree, name: string) =>
  async ({ signal }: RoutineContext): Promise<void> => {
    while (!signal.aborted) {
      await new Promise<void>((resolve) => clock.setTimeout(() => resolve(), 333))
      await (local.routine(name) as unknown as { ask(message: string): Promise<number> } | undefined)?.ask('three times a second')
    }
  }

const CHARTS = {} as ConstructorParameters<typeof Player>[1]

/** All that is held, as a page fetches it. */
function recorded(watch: Watch): Recording {
  const { base = [], from, events } = watch.answer('recording', {})
  const gathering = new Gathering()
  for (let place: TrafficPlace | undefined = { from: 'living', at: 0 }; place !== undefined; ) {
    const { from: where } = place
    place = gathering.add(watch.answer('traffic', { ...place, charts: gathering.known }), where)
  }
  return withTraffic({ name: 'g', from, base, events, violations: [], story: '' }, gathering.result)
}

describe('those who began before a page was open', () => {
  test('are known, what they ask and what they are answered', async () => {
    const tree = makeTree()
    const watch = new Watch(tree.global)
    await tree.local.startChild(routine('target', echo))
    const sender = tree.local.spawn('sender', asking(tree, 'target'))
    await tree.clock.advance(1_000)
    watch.begin()
    await tree.clock.advance(1_000)
    expect(new Set(told(watch, sender.path))).toEqual(new Set(['sender→target ask ask', 'target→sender reply reply']))
    expect(watch.answer('actor', { path: sender.path })?.messages.out).toBe(3)
    expect(watch.answer('strangers', { paths: [sender.path] })).toEqual([])
    watch.close()
  })

  test('of the shop nobody is outside but who hands in the coupon', async () => {
    const { global, clock } = makeTree()
    const watch = new Watch(global)
    const { coupon } = await openShop(global, clock)
    await clock.advance(2_000)
    watch.begin()
    await clock.advance(1_000)
    const everybody = ['anna', 'ben', 'cleo', 'auditor', 'prices', 'database', 'checkout', 'receipts'].map(
      (name) => global.whereis(name)?.path ?? '',
    )
    const fromNobody = (): string[] => told(watch, ...everybody).filter((line) => /^[?]?→|→[?]? /.test(line))
    expect([told(watch, ...everybody).length > 20, fromNobody()]).toEqual([true, []])
    coupon()
    expect(fromNobody()).toEqual(['→checkout event coupon'])
    watch.close()
  })

  test('before the inspector was started are not known, and it says so', async () => {
    const tree = makeTree()
    await tree.local.startChild(routine('target', echo))
    const stranger = tree.local.spawn('stranger', asking(tree, 'target'))
    await tree.clock.advance(1_000)
    const watch = new Watch(tree.global)
    watch.begin()
    await tree.clock.advance(400)
    const target = tree.local.routine('target')?.path ?? ''
    expect(told(watch, target)).toEqual(['?→target ask ask', 'target→? reply reply'])
    expect(watch.answer('strangers', { paths: [stranger.path, target, 'g'] })).toEqual([stranger.path, target])
    const known = tree.local.spawn('known', asking(tree, 'target'))
    await tree.clock.advance(333)
    expect(told(watch, known.path)).toEqual(['known→target ask ask', 'target→known reply reply'])
    const recording = recorded(watch)
    const player = new Player(recording, CHARTS)
    player.seek(player.to)
    expect(player.answer('strangers', { paths: [stranger.path, target, known.path, 'g'] })).toEqual([stranger.path])
    const { messages = [] } = recording.traffic ?? {}
    const alone = { ...recording, traffic: { ...recording.traffic, messages: messages.filter(({ from }) => from !== '?') } }
    expect(new Player(alone as Recording, CHARTS).answer('strangers', { paths: [stranger.path] })).toEqual([])
    watch.close()
  })

  test('once none of them is left, what nobody has sent comes from outside', async () => {
    const tree = makeTree()
    const early = tree.local.spawn('early', untilTold)
    await settle()
    const watch = new Watch(tree.global)
    watch.begin()
    const target = tree.local.spawn('target', echo)
    target.send('while one is left')
    await early.cancel()
    await tree.clock.advance(1_000)
    target.send('when none is')
    expect(told(watch, target.path)).toEqual(['?→target send send', '→target send send'])
    watch.close()
  })

  test('where it is dear, they are known from when on a page is open; of an earlier page nothing is left', async () => {
    const tree = makeTree()
    const senders = new Senders(tree.global, '22.0.0')
    expect(tree.global.tree.observer).toBeUndefined()
    senders.begin()
    const seen: unknown[] = []
    const release = Promise.withResolvers<void>()
    tree.local.spawn('body', async () => {
      seen.push(senders.sender()?.name)
      // It begins while nobody looks, and in the context of this one.
      await release.promise
      tree.local.spawn('child', async () => {
        await new Promise<void>((resolve) => tree.clock.setTimeout(() => resolve(), 10))
        seen.push(senders.sender()?.name, senders.isAnyUnknown)
      })
      await deaf()
    })
    await settle()
    senders.end()
    release.resolve()
    await settle()
    senders.begin()
    await tree.clock.advance(10)
    expect(seen).toEqual(['body', undefined, true])
    senders.close()
  })
})

describe('what waits', () => {
  test('over a restart is of who sent it, and not of its receiver', async () => {
    const tree = makeTree()
    const watch = new Watch(tree.global)
    watch.begin()
    const backoff = { initial: 100, factor: 1, max: 100, jitter: 0 }
    const machine = tree.local.spawn('machine', counting, { restart: 'permanent', backoff })
    await settle()
    machine.send({ type: 'fail' })
    await settle()
    await tree.local.spawn('sender', () => machine.send({ type: 'add' })).outcome
    expect(machine.state).toBe('pending')
    await tree.clock.advance(100)
    expect((machine.work as AnyActorRef | undefined)?.getSnapshot().status).toBe('active')
    expect(told(watch, machine.path)).toEqual(['→machine event fail', 'sender→machine event add'])
    watch.close()
  })

  test('since before a page was open is of nobody who is known', async () => {
    const tree = makeTree()
    const watch = new Watch(tree.global)
    const backoff = { initial: 100, factor: 1, max: 100, jitter: 0 }
    const machine = tree.local.spawn('machine', counting, { restart: 'permanent', backoff })
    await settle()
    machine.send({ type: 'fail' })
    await settle()
    machine.send({ type: 'add' })
    watch.begin()
    await tree.clock.advance(100)
    expect(told(watch, machine.path)).toEqual(['?→machine event add'])
    watch.close()
  })
})

test('K2: what a body has begun keeps its name, and nothing else of it', async () => {
  const tree = makeTree()
  const senders = new Senders(tree.global)
  const seen: unknown[] = []
  const body = tree.local.spawn('body', () => void seen.push(senders.sender()))
  await body.outcome
  senders.close()
  expect(seen).toEqual([{ path: body.path, id: body.id, name: 'body', incarnation: 1, isActor: false }])
  expect(tree.global.tree.observer).toBeUndefined()
})
