/** Producers that all ask before they spawn: none is told in vain, and all have their turn. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createGlobalManager, type LocalManager } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

type Room = 'permit' | 'queue'
type Producer = readonly [where: 'one' | 'two' | 'rejecting', room: Room]

/** Lets each producer spawn three times, and says who was refused, and how many were served. */
async function produce(producers: readonly Producer[], limits: { app?: number; local?: number; maxQueue?: number }, strict: boolean) {
  const clock = new VirtualClock()
  const global = createGlobalManager({ strict, clock })
  const app = global.createApp('a', limits.app === undefined ? {} : { maxRoutines: limits.app })
  const own = limits.local === undefined ? {} : { maxRoutines: limits.local }
  const queueing = { ...own, overflow: 'queue', maxQueue: limits.maxQueue ?? 1 } as const
  const locals = {
    one: app.createLocal('one', queueing),
    two: app.createLocal('two', queueing),
    rejecting: app.createLocal('rejecting', own),
  }
  const refused: string[] = []
  let served = 0
  const work = (): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, 5))
  for (const [where, room] of producers) {
    void (async () => {
      for (let n = 0; n < 3; n++) {
        if (!(await locals[where].whenAvailable({ room }))) return
        try {
          locals[where].spawn('job', work)
          served++
        } catch (error) {
          refused.push(`${(error as { code: string }).code} at ${where}, room ${room}`)
        }
      }
    })()
  }
  await clock.advance(5 * 3 * producers.length + 100)
  const left = [...Object.values(locals), app, global].map(({ life }) => life.gate)
  for (const { promised, promisedEither, permitWaiters, placeWaiters, blocked } of left)
    expect([promised, promisedEither, permitWaiters.size, placeWaiters.size, blocked.size]).toEqual([0, 0, 0, 0, 0])
  await global.shutdown()
  return { refused, served }
}

describe.each([{ strict: false }, { strict: true }])('strict: $strict', ({ strict }) => {
  test.each<[string, Producer[]]>([
    [
      'all for a permit, three locals',
      [
        ['one', 'permit'],
        ['one', 'permit'],
        ['two', 'permit'],
        ['rejecting', 'permit'],
      ],
    ],
    ['all for a place, one local', Array.from({ length: 4 }, () => ['one', 'queue'])],
    [
      'all for a place, two locals below one app',
      [
        ['one', 'queue'],
        ['one', 'queue'],
        ['two', 'queue'],
        ['two', 'queue'],
      ],
    ],
    [
      'one local, some for a permit, some for a place',
      [
        ['one', 'queue'],
        ['one', 'queue'],
        ['one', 'permit'],
      ],
    ],
    [
      'the permit first',
      [
        ['one', 'permit'],
        ['one', 'queue'],
        ['one', 'queue'],
      ],
    ],
    [
      'a place here, a permit in a local without a queue',
      [
        ['one', 'queue'],
        ['one', 'queue'],
        ['rejecting', 'permit'],
      ],
    ],
    [
      'the same, the permit first',
      [
        ['rejecting', 'permit'],
        ['one', 'queue'],
        ['one', 'queue'],
      ],
    ],
    [
      'all for a place, one of them in a local without a queue',
      [
        ['one', 'queue'],
        ['one', 'queue'],
        ['rejecting', 'queue'],
      ],
    ],
  ])('K3: %s', async (_, producers) => {
    expect(await produce(producers, { app: 1 }, strict)).toEqual({ refused: [], served: producers.length * 3 })
  })

  test('K3: as much room as there is, is promised at once', async () => {
    const { local } = makeTree({ maxRoutines: 2, overflow: 'queue', maxQueue: 3 }, { strict })
    const told: number[] = []
    for (let i = 0; i < 7; i++) void local.whenAvailable({ room: 'queue' }).then((held) => held && told.push(i))
    await Promise.resolve()
    await Promise.resolve()
    expect(told).toEqual([0, 1, 2, 3, 4])
    for (const _ of told) local.spawn('x', untilTold)
    await settle()
    expect([told.length, local.count, local.queued]).toEqual([5, 2, 3])
    await local.shutdown()
  })

  test('K3: a place is promised at once where no permit is free that somebody else was promised', async () => {
    const { local, global } = makeTree({ maxRoutines: 1, overflow: 'queue' }, { maxRoutines: 3, strict })
    const plain = global.createApp('b').createLocal('plain')
    const told: string[] = []
    local.spawn('x', untilTold)
    void plain.whenAvailable().then(() => told.push('permit'))
    void local.whenAvailable({ room: 'queue' }).then(() => told.push('place'))
    await Promise.resolve()
    await Promise.resolve()
    expect(told).toEqual(['permit', 'place'])
    await global.shutdown()
  })
})

test('K1, K3: whoever asks, in whatever order and below whatever limits, is not refused, and is served', async () => {
  const producer = fc.tuple(fc.constantFrom('one', 'two', 'rejecting'), fc.constantFrom('permit', 'queue')) as fc.Arbitrary<Producer>
  const limit = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(
      fc.array(producer, { minLength: 1, maxLength: 12 }),
      limit,
      limit,
      fc.integer({ min: 0, max: 3 }),
      fc.boolean(),
      async (producers, app, local, maxQueue, strict) => {
        const limits = { ...(app !== undefined && { app }), ...(local !== undefined && { local }), maxQueue }
        expect(await produce(producers, limits, strict)).toEqual({ refused: [], served: producers.length * 3 })
      },
    ),
    { numRuns: 150 },
  )
})

describe('queues that wait above', () => {
  test.each(['a cancel', 'a shutdown'] as const)('L5: %s of all that is queued takes the queue out of the heap above', async (how) => {
    const { global } = makeTree()
    const app = global.createApp('limited', { maxRoutines: 1 })
    const holder = app.createLocal('holder').spawn('x', untilTold)
    const { blocked } = app.life.gate
    const locals: LocalManager[] = []
    for (let i = 0; i < 10; i++) locals.push(app.createLocal(`l${i}`, { overflow: 'queue' }))
    const firsts = locals.map((local) => local.spawn('first', untilTold))
    const queued = locals.map((local, i) => [firsts[i], local.spawn('second', untilTold)])
    expect(blocked.size).toBe(10)
    for (const i of [4, 0, 9, 5]) {
      if (how === 'a shutdown') await locals[i]?.shutdown()
      else for (const each of queued[i] ?? []) await each?.cancel()
    }
    expect(blocked.size).toBe(6)
    // Who has waited longest is next, as before; one whose first has left stands by the ticket of its second.
    await queued[1]?.[0]?.cancel()
    await holder.cancel()
    expect(queued.flat().filter((each) => each?.state === 'running')).toEqual([])
    await settle()
    expect(queued.flat().findIndex((each) => each?.state === 'running')).toBe(4)
    await global.shutdown()
    expect(blocked.size).toBe(0)
  })
})
