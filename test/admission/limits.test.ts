import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createGlobalManager, type LocalManager, routine, SpawnRefusedError } from 'curtaincall'
import { counter, gate, makeTree, untilTold } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

describe('limits', () => {
  test('over the limit a spawn is refused, with nothing left behind, and seen', () => {
    const { local, global, story } = makeTree({ maxRoutines: 1 })
    local.spawn('a', untilTold)
    expect(() => local.spawn('b', untilTold)).toThrow(SpawnRefusedError)
    expect(() => local.spawn('b', untilTold)).toThrow(expect.objectContaining({ code: 'ERR_AT_CAPACITY', path: 'g/a/l' }))
    expect([local.count, local.available, local.routines().length, local.countOf('b')]).toEqual([1, 0, 1, 0])
    expect(global.metrics()).toMatchObject({ refused: 2, spawned: 1 })
    expect(global.metrics().byName.b).toMatchObject({ refused: 2, spawned: 0 })
    expect(story(/refused/)).toHaveLength(2)
  })

  test('a refusal names the level that is full', async () => {
    const { local, events } = makeTree({ maxRoutines: 10, children: [routine('child', untilTold)] }, { maxRoutines: 1 })
    await settle()
    expect(() => local.spawn('b', untilTold)).toThrow('g/a/l has no permit left for b: g allows 1')
    expect(await local.startChild(routine('more', untilTold))).toMatchObject({
      error: 'start_failed',
      cause: { cause: { message: 'g/a/l has no permit left for more: g allows 1' } },
    })
    expect(events.some(({ type }) => type === 'manager.gaveUp')).toBe(false)
  })

  test('a full queue refuses too', () => {
    const { local } = makeTree({ maxRoutines: 1, overflow: 'queue', maxQueue: 1 })
    local.spawn('a', untilTold)
    const queued = local.spawn('b', untilTold)
    expect(queued.state).toBe('pending')
    expect(() => local.spawn('c', untilTold)).toThrow(expect.objectContaining({ code: 'ERR_QUEUE_FULL' }))
    expect([local.count, local.queued]).toEqual([1, 1])
  })

  test('a queued routine that is cancelled frees its place and never runs', async () => {
    const { local } = makeTree({ maxRoutines: 1, overflow: 'queue', maxQueue: 1 })
    const first = local.spawn('a', untilTold)
    await local.spawn('b', untilTold).cancel()
    const third = local.spawn('c', () => 'third')
    await settle()
    await first.cancel()
    expect(await third.result()).toBe('third')
    expect([local.count, local.queued]).toEqual([0, 0])
  })

  test('a freed upper permit goes to the queue that has waited longest', async () => {
    const global = createGlobalManager({ maxRoutines: 1, generateId: counter(), clock: new VirtualClock() })
    const app = global.createApp('a')
    const [x, y, z] = ['x', 'y', 'z'].map((name) => app.createLocal(name, { overflow: 'queue' })) as [
      LocalManager,
      LocalManager,
      LocalManager,
    ]
    const order: string[] = []
    const job = (name: string) => () => void order.push(name)
    const blocker = x.spawn('blocker', untilTold)
    await settle()
    y.spawn('1', job('y1'))
    z.spawn('1', job('z1'))
    y.spawn('2', job('y2'))
    x.spawn('1', job('x1'))
    z.spawn('2', job('z2'))
    await blocker.cancel()
    await settle()
    await settle()
    expect(order).toEqual(['y1', 'z1', 'y2', 'x1', 'z2'])
    expect(global.count).toBe(0)
  })

  test('L3: who hears of an end, and spawns, comes after those that wait for what it gives back', async () => {
    const global = createGlobalManager({ maxRoutines: 1, generateId: counter(), clock: new VirtualClock() })
    const app = global.createApp('a')
    const [x, y] = ['x', 'y'].map((name) => app.createLocal(name, { overflow: 'queue' })) as [LocalManager, LocalManager]
    const order: string[] = []
    const job = (name: string) => () => void order.push(name)
    y.on('routine.completed', () => void (order.length < 4 && y.spawn('again', job('again'))))
    y.spawn('first', job('first'))
    x.spawn('patient', job('patient'))
    await settle()
    await settle()
    expect(order).toEqual(['first', 'patient', 'again', 'again'])
    // Without a queue of one's own one is refused.
    const z = app.createLocal('z')
    const refusals: unknown[] = []
    y.on('routine.completed', () => {
      try {
        z.spawn('z', job('z'))
      } catch (error) {
        refusals.push((error as SpawnRefusedError).code)
      }
    })
    y.spawn('again', job('again'))
    x.spawn('patient', job('patient'))
    await settle()
    expect([refusals, order.slice(4), global.count]).toEqual([['ERR_AT_CAPACITY'], ['again', 'patient'], 0])
  })

  test('whenAvailable waits for a permit, or for a place in the queue', async () => {
    const { local, clock } = makeTree({ maxRoutines: 1, overflow: 'queue', maxQueue: 1 })
    const first = local.spawn('a', untilTold)
    await settle()
    expect(await local.whenAvailable({ room: 'queue' })).toBe(true)
    const queued = local.spawn('b', untilTold)
    const room = local.whenAvailable({ room: 'queue' })
    const permit = local.whenAvailable({ timeout: 10 })
    await clock.advance(10)
    expect(await permit).toBe(false)
    await first.cancel()
    expect(await room).toBe(true)
    await settle()
    const free = local.whenAvailable()
    await queued.cancel()
    expect(await free).toBe(true)
    expect(() => local.whenAvailable({ room: 'seat' as never })).toThrow('room')
  })

  test('whenAvailable wakes for a place in the queue while every level is full', async () => {
    for (const how of ['cancelled', 'admitted', 'admitted for another'] as const) {
      const global = createGlobalManager({ maxRoutines: 1 })
      const options = { maxRoutines: 1, overflow: 'queue', maxQueue: 1 } as const
      const app = global.createApp('a', { maxRoutines: 1 })
      const [local, other] = ['l', 'm'].map((name) => app.createLocal(name, options)) as [LocalManager, LocalManager]
      const first = (how === 'admitted for another' ? other : local).spawn('x', untilTold)
      await settle()
      const queued = local.spawn('y', untilTold)
      let woken = false
      void local.whenAvailable({ room: 'queue' }).then((held) => (woken = held))
      await settle()
      expect([how, woken]).toEqual([how, false])
      await (how === 'cancelled' ? queued : first).cancel()
      await settle()
      expect([how, woken, global.available]).toEqual([how, true, 0])
      await global.shutdown()
    }
  })

  test.each(['permit', 'queue'] as const)('K2: of many who wait for a %s nobody is told in vain, and all have their turn', async (room) => {
    const { local, global } = makeTree({ maxRoutines: 2, ...(room === 'queue' && { overflow: 'queue', maxQueue: 3 }) })
    const order: number[] = []
    const producer = async (i: number): Promise<void> => {
      while (await local.whenAvailable({ room })) {
        try {
          await local.spawn('job', async () => void order.push(i)).outcome
          return
        } catch (error) {
          if ((error as { code?: string }).code === 'ERR_NOT_ACCEPTING') return
        }
      }
    }
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => producer(i)))
    expect(global.metrics().refused).toBe(0)
    expect(order).toEqual(Array.from({ length: 2_000 }, (_, i) => i))
  })

  test('K2: who is told and does nothing keeps nobody else waiting', async () => {
    const { local } = makeTree({ maxRoutines: 1 })
    const first = local.spawn('a', untilTold)
    const told: number[] = []
    for (const i of [1, 2, 3]) void local.whenAvailable().then((held) => held && told.push(i))
    await settle()
    await first.cancel()
    await settle()
    expect(told).toEqual([1, 2, 3])
  })

  test('K1: who waits is told when nothing is accepted any more, wherever it stands', async () => {
    const global = createGlobalManager({ maxRoutines: 1 })
    const [one, two] = ['a', 'b'].map((name) => global.createApp(name).createLocal('l')) as [LocalManager, LocalManager]
    one.spawn('x', untilTold)
    const waiting = [two.whenAvailable(), two.whenAvailable({ room: 'queue' }), global.createApp('c').whenAvailable()]
    await settle()
    await two.shutdown()
    expect(await Promise.all(waiting.slice(0, 2))).toEqual([false, false])
    await global.shutdown()
    expect(await waiting[2]).toBe(false)
  })

  test('whenAvailable wakes for a permit that was missing further up', async () => {
    const global = createGlobalManager({ maxRoutines: 1 })
    const one = global.createApp('a').createLocal('l').spawn('x', untilTold)
    const waiting = global.createApp('b').createLocal('l').whenAvailable()
    await settle()
    await one.cancel()
    expect(await waiting).toBe(true)
  })

  test('W1, M1, L1 to L4, K1, K2: on random scripts no level ever exceeds its limit, every permit comes back, and nobody who could run, or spawn, waits', async () => {
    const commands = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('spawn' as const), local: fc.nat(3) }),
        fc.record({ do: fc.constant('end' as const), at: fc.nat(30) }),
        fc.record({ do: fc.constant('cancel' as const), at: fc.nat(30) }),
        fc.record({ do: fc.constant('kill' as const), at: fc.nat(30) }),
        fc.record({
          do: fc.constant('ask' as const),
          local: fc.nat(3),
          room: fc.constantFrom('permit' as const, 'queue' as const),
          spawns: fc.boolean(),
        }),
        fc.record({ do: fc.constant('turn' as const) }),
      ),
      { maxLength: 60 },
    )
    const limit = fc.integer({ min: 1, max: 4 })
    await fc.assert(
      fc.asyncProperty(limit, limit, limit, limit, commands, async (atGlobal, atApp, atLocal, atQueue, script) => {
        const global = createGlobalManager({ maxRoutines: atGlobal, generateId: counter(), clock: new VirtualClock() })
        const apps = ['a', 'b'].map((name) => global.createApp(name, { maxRoutines: atApp }))
        const limits = { maxRoutines: atLocal, overflow: 'queue', maxQueue: atQueue } as const
        const locals = apps.flatMap((app) => ['x', 'y'].map((name) => app.createLocal(name, limits)))
        const spawned: { routine: ReturnType<LocalManager['spawn']>; body: PromiseWithResolvers<unknown> }[] = []
        const asking = new Map<object, { local: LocalManager; room: 'permit' | 'queue' }>()
        const spawn = (local: LocalManager): void => {
          const body = gate<unknown>()
          spawned.push({ body, routine: local.spawn('r', () => body.promise) as never })
        }
        const ask = async (local: LocalManager, room: 'permit' | 'queue', spawns: boolean): Promise<void> => {
          const key = {}
          asking.set(key, { local, room })
          const told = await local.whenAvailable({ room })
          asking.delete(key)
          try {
            if (told && spawns) spawn(local)
          } catch (error) {
            // Somebody who had not asked was faster.
            expect((error as { code?: string }).code).toBe('ERR_QUEUE_FULL')
          }
        }
        const checkAsking = (): void => {
          for (const { local, room } of asking.values()) {
            const permits = local.queued === 0 ? local.available : 0
            expect(room === 'permit' ? permits : Math.max(permits, atQueue - local.queued)).toBe(0)
          }
        }
        const check = (): void => {
          expect(global.count).toBeLessThanOrEqual(atGlobal)
          expect(global.count).toBe(apps.reduce((sum, app) => sum + app.count, 0))
          for (const app of apps) {
            expect(app.count).toBeLessThanOrEqual(atApp)
            expect(app.count).toBe(app.locals().reduce((sum, local) => sum + local.count, 0))
          }
          for (const local of locals) {
            expect(local.count).toBeLessThanOrEqual(atLocal)
            expect(local.count + local.queued).toBe(local.routines().length)
            expect(local.queued > 0 && local.available > 0).toBe(false)
          }
        }
        for (const command of script) {
          if (command.do === 'spawn') {
            const local = locals[command.local] as LocalManager
            if (local.queued < atQueue) spawn(local)
          } else if (command.do === 'ask') void ask(locals[command.local] as LocalManager, command.room, command.spawns)
          else if (command.do === 'turn') {
            await settle()
            checkAsking()
          } else {
            const one = spawned[command.at % Math.max(1, spawned.length)]
            if (command.do === 'end') one?.body.resolve(1)
            else if (command.do === 'cancel') void one?.routine.cancel()
            else void one?.routine.kill()
          }
          check()
        }
        for (let i = 0; i < 60 && (i < 3 || global.routines().length > 0); i++) {
          for (const { body } of spawned) body.resolve(1)
          await settle()
          checkAsking()
        }
        check()
        expect(asking.size).toBe(0)
        expect([global.count, global.routines().length]).toEqual([0, 0])
        const { spawned: all, completed, cancelled, killed, failed } = global.metrics()
        expect(completed + cancelled + killed + failed).toBe(all)
      }),
      { numRuns: 300 },
    )
  })
})
