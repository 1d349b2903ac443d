/** Delayed events reach whom they were meant for, over a crash. */
import { describe, expect, test } from 'vitest'
import { type AnyActorRef, assign, cancel, createMachine, fromTransition, raise, sendParent, sendTo, setup } from 'xstate'
import { type LocalManager, routine } from 'curtaincall'
import { makeTree, type Tree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const crash = {
  actions: (): never => {
    throw new Error('crash')
  },
}

/** What a child has heard, and when. */
const kid = fromTransition((heard: string[], { type }: { type: string }) => (type.startsWith('xstate') ? heard : [...heard, type]), [])

const ping = { type: 'ping' }

const ways = {
  after: undefined,
  'raise with an id': raise(ping, { delay: 60, id: 'p' }),
  raise: raise(ping, { delay: 60 }),
  'sendTo itself': sendTo(({ self }: { self: AnyActorRef }) => self, ping, { delay: 60 }),
  'sendTo a child with an id': sendTo('kid', ping, { delay: 60, id: 'p' }),
  'sendTo a child': sendTo('kid', ping, { delay: 60 }),
  'sendTo the child that the context holds': sendTo(({ context }: { context: { kid: AnyActorRef } }) => context.kid, ping, { delay: 60 }),
  'sendTo by a systemId': sendTo(({ system }: { system: { get(id: string): AnyActorRef } }) => system.get('kid'), ping, { delay: 60 }),
}

function machineWith(way: unknown) {
  const hear = { actions: assign({ own: ({ context }: { context: { own: number } }) => context.own + 1 }) }
  return setup({ types: {} as { context: { own: number; kid: AnyActorRef } }, actors: { kid } }).createMachine({
    context: ({ spawn }: any) => ({ own: 0, kid: spawn('kid', { id: 'kid', systemId: 'kid' }) }),
    initial: 'a',
    states: { a: { on: { begin: (way === undefined ? 'b' : { actions: way }) as never } }, b: { after: { 60: { target: 'a', ...hear } } } },
    on: { ping: hear, crash, touch: { actions: () => undefined }, cancel: { actions: cancel('p') } },
  } as never)
}

interface Resuming {
  readonly incarnation: number
  readonly work: { getSnapshot(): { context: { own: number; kid: { getSnapshot(): { context: string[] } } } } }
  send(event: { type: string }): void
}

async function place(kind: 'spawned' | 'child', local: LocalManager, machine: unknown): Promise<Resuming> {
  const options = { resume: 'snapshot', restart: 'permanent' } as const
  if (kind === 'spawned') local.spawn('m', machine as never, { ...options, id: 'm' } as never)
  else await local.startChild(routine('m', machine as never, options as never))
  await settle()
  return local.routine('m') as unknown as Resuming
}

const heardBy = ({ work }: Resuming): unknown[] => {
  const { own, kid: child } = work.getSnapshot().context
  return [own, child.getSnapshot().context]
}

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  describe.each(['spawned', 'child'] as const)('%s', (kind) => {
    test.each(Object.entries(ways))('Z2: %s, once and in time, whether it crashes or not', async (name, way) => {
      const expected = name.includes('child') || name.includes('systemId') ? [0, ['ping']] : [1, []]
      for (const crashes of [0, 1, 3]) {
        const { local, clock, global } = makeTree({}, mode)
        const m = await place(kind, local, machineWith(way))
        m.send({ type: 'begin' })
        for (let n = 0; n < crashes; n++) {
          await clock.advance(10)
          m.send({ type: 'crash' })
        }
        await clock.advance(59 - 10 * crashes)
        expect([m.incarnation, heardBy(m)]).toEqual([1 + crashes, [0, []]])
        await clock.advance(1)
        expect(heardBy(m)).toEqual(expected)
        await clock.advance(1_000)
        expect([heardBy(m), clock.pending]).toEqual([expected, 0])
        await global.shutdown()
      }
    })

    test.each(['raise with an id', 'sendTo a child with an id'] as const)('Z2: %s can be cancelled after the crash', async (name) => {
      const { local, clock } = makeTree({}, mode)
      const m = await place(kind, local, machineWith(ways[name]))
      m.send({ type: 'begin' })
      m.send({ type: 'crash' })
      await clock.advance(10)
      m.send({ type: 'cancel' })
      await clock.advance(1_000)
      expect([m.incarnation, heardBy(m), clock.pending]).toEqual([2, [0, []], 0])
    })

    test('Z2: what was heard, cancelled or not yet scheduled before the last step that is kept is not sent again', async () => {
      const { local, clock } = makeTree({}, mode)
      const m = await place(kind, local, machineWith(ways['sendTo a child']))
      m.send({ type: 'begin' })
      await clock.advance(60)
      m.send({ type: 'touch' })
      m.send({ type: 'crash' })
      await clock.advance(1_000)
      expect([m.incarnation, heardBy(m)]).toEqual([2, [0, ['ping']]])
    })

    test('Z2: what the child heard after the last step that is kept, it hears again: it has been set back as well', async () => {
      const { local, clock } = makeTree({}, mode)
      const m = await place(kind, local, machineWith(ways['sendTo a child']))
      m.send({ type: 'begin' })
      await clock.advance(60)
      expect(heardBy(m)).toEqual([0, ['ping']])
      m.send({ type: 'crash' })
      await clock.advance(1_000)
      expect([m.incarnation, heardBy(m)]).toEqual([2, [0, ['ping']]])
    })

    test('Z2: delays of a machine below run on, to itself, to its parent and to its own child', async () => {
      const { local, clock } = makeTree({}, mode)
      const inner = setup({ actors: { kid } }).createMachine({
        context: ({ spawn }: any) => ({ kid: spawn('kid', { id: 'grandchild' }), late: 0 }),
        entry: [sendParent(ping, { delay: 70 }), sendTo('grandchild', ping, { delay: 50 }), raise({ type: 'late' }, { delay: 40 })],
        on: { late: { actions: assign({ late: ({ context }: { context: { late: number } }) => context.late + 1 }) } },
        initial: 'a',
        states: { a: { after: { 30: 'b' } }, b: {} },
      } as never)
      const outer = setup({ actors: { inner } }).createMachine({
        context: { own: 0 },
        invoke: { src: 'inner', id: 'inner' },
        on: { ping: { actions: assign({ own: ({ context }: { context: { own: number } }) => context.own + 1 }) }, crash },
      } as never)
      const m = await place(kind, local, outer)
      await clock.advance(20)
      m.send({ type: 'crash' })
      const read = (): unknown => {
        const { context, children } = m.work.getSnapshot() as unknown as { context: { own: number }; children: Record<string, AnyActorRef> }
        const below = children['inner']?.getSnapshot() as { value: string; context: { late: number; kid: AnyActorRef } }
        return [context.own, below.value, below.context.late, below.context.kid.getSnapshot().context]
      }
      await clock.advance(9)
      expect(read()).toEqual([0, 'a', 0, []])
      await clock.advance(1)
      expect(read()).toEqual([0, 'b', 0, []])
      await clock.advance(10)
      expect(read()).toEqual([0, 'b', 1, []])
      await clock.advance(30)
      expect(read()).toEqual([1, 'b', 1, ['ping']])
      await clock.advance(1_000)
      expect([read(), clock.pending, m.incarnation]).toEqual([[1, 'b', 1, ['ping']], 0, 2])
    })

    test('Z2: what was meant for an actor elsewhere reaches it once, before or after the crash', async () => {
      const { local, clock } = makeTree({}, mode)
      const other = local.spawn('other', kid)
      await settle()
      const begin = [
        sendTo(() => other.work as AnyActorRef, { type: 'early' }, { delay: 10 }),
        sendTo(() => other.work as AnyActorRef, { type: 'late' }, { delay: 60 }),
      ]
      const m = await place(kind, local, createMachine({ on: { begin: { actions: begin as never }, crash } }))
      m.send({ type: 'begin' })
      await clock.advance(20)
      m.send({ type: 'crash' })
      await clock.advance(1_000)
      expect([m.incarnation, other.work?.getSnapshot().context]).toEqual([2, ['early', 'late']])
    })
  })

  test('Z2: delays that are over are not kept, however many there were', async () => {
    const tree: Tree = makeTree({}, mode)
    const beat = setup({}).createMachine({ initial: 'a', states: { a: { after: { 1: 'b' } }, b: { after: { 1: 'a' } } } })
    const top = setup({ actors: { beat } }).createMachine({ invoke: { src: 'beat' }, on: { touch: { actions: () => undefined } } })
    const m = tree.local.spawn('m', top, { resume: 'snapshot' })
    await tree.clock.advance(300)
    const { resumption } = m as unknown as { resumption: { delays: readonly unknown[] } }
    m.send({ type: 'touch' })
    expect(resumption.delays).toHaveLength(1)
    await tree.global.shutdown()
    expect(tree.clock.pending).toBe(0)
  })
})
