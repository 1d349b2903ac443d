/**
 * Lives of a tree over one simulated disk, killed at any write of its store: the laws of the kit hold of each, and of all together nothing that
 * was promised is lost, done twice in a state, or told otherwise.
 */
import { describe, expect, test } from 'vitest'
import { createGlobalManager, type GlobalManager, type LocalManager, type RoutineContext } from 'curtaincall'
import {
  CounterexampleError,
  durableLaw,
  durableLaws,
  type LifePlan,
  propertyLives,
  SimulatedDisk,
  simulatedStore,
  simulateLives,
  type Step,
  type TreeOptions,
} from 'curtaincall/testing'
import { campaign, shop } from '../support/durable-shop.ts'
import { FakeHost, restored, spawned, write } from '../support/store-host.ts'

let charged: string[] = []
const charge = async ({ id, signal }: RoutineContext): Promise<string> => {
  charged.push(id)
  await new Promise((resolve) => setTimeout(resolve, 100))
  signal.throwIfAborted()
  return 'paid'
}
const bank = (options: TreeOptions): GlobalManager => {
  const global = createGlobalManager({ ...options, name: 'bank', work: { charge }, logger: false })
  global.createApp('a').createLocal('l')
  return global
}
const order = (id: string): Step => ({
  do: `order ${id}`,
  run: (global) => (global.whereis('bank/a/l') as LocalManager).spawn('charge', charge, { durable: true, id }),
})
const wait = (ms: number): Step => ({ do: 'wait', ms })

async function play(lives: LifePlan[], more: Partial<Parameters<typeof simulateLives>[1]> = {}): ReturnType<typeof simulateLives> {
  charged = []
  return simulateLives(bank, { lives, ...more })
}

describe('simulateLives', () => {
  test('what was killed goes on in the next life, which begins later', async () => {
    const played = await play([{ script: [order('x'), wait(50)], kill: {} }, { script: [wait(500)] }, { script: [order('x'), wait(500)] }])
    played.assert()
    expect(played.lives.map(({ end, begins }) => [end, begins])).toEqual([
      ['process', 0],
      ['shutdown', 1_050],
      ['shutdown', 2_550],
    ])
    expect(charged).toEqual(['x', 'x'])
    expect(played.lives.map(({ journal }) => journal.found?.position)).toEqual([0, 1, 2])
    expect(played.lives[2]?.journal.found?.outcomes.get('x')?.outcome).toEqual({ status: 'completed', output: 'paid' })
    expect(played.explain()).toContain('life 0, from 0 ms, was killed; the store had 0 entries')
  })

  test('LV2: killed at each write and sync, by itself and with the power: what is left is what was acknowledged, or more', async () => {
    const ends: string[] = []
    for (const how of ['process', 'power'] as const)
      for (let after = 0; after < 12; after++) {
        const script = [order('x'), wait(10), order('y'), wait(500)]
        const played = await play([{ script, kill: { how, after } }, { script: [wait(500)] }], { disk: { seed: after, latency: 3 } })
        played.assert()
        const [first, last] = played.lives
        // Nothing happens after the process is gone.
        expect(first?.end === 'shutdown' || first?.run.report === undefined).toBe(true)
        ends.push(`${first?.end} ${last?.journal.found?.position}`)
      }
    expect([...new Set(ends)]).toEqual(
      expect.arrayContaining(['process 0', 'process 1', 'process 2', 'process 3', 'process 4', 'power 0', 'power 2', 'shutdown 4']),
    )
  })

  test('LV1: the same lives, the same story', async () => {
    const lives: LifePlan[] = [{ script: [order('x'), wait(50)], kill: { how: 'power', after: 4 }, room: 400 }, { script: [wait(500)] }]
    const story = async (seed: number): Promise<string> =>
      (await play(lives, { disk: { seed, shortWrites: 0.5 }, store: { fsync: 'system' }, across: [] })).explain()
    expect(await story(3)).toBe(await story(3))
  })

  test('a full disk fails the tree in that life alone', async () => {
    const played = await play([{ script: [order('x'), wait(0), order('y'), wait(500)], room: 400 }, { script: [wait(500)] }])
    played.assert()
    expect(played.lives.map(({ journal }) => journal.failures)).toMatchObject([[{ code: 'ERR_STORE_FULL' }], []])
    expect(played.lives[1]?.journal.found?.unfinished.map(({ id }) => id)).toEqual(['y'])
  })

  test('nothing is left of a shutdown whose time is up when its store closes', async () => {
    const played = await play([{ script: [order('x'), wait(0), { do: 'shutdown', at: 'bank', timeout: 0, drain: 20 }] }])
    expect(played.violations).toEqual([])
  })

  test('a law of one’s own sees all lives; one that is broken is said with its life', async () => {
    const chargedOnce = durableLaw('chargedOnce', function* (lives) {
      if (charged.length > 1) yield { message: `charged ${charged.length} times`, life: lives.length - 1 }
    })
    const lives: LifePlan[] = [{ script: [order('x'), wait(50)], kill: {} }, { script: [wait(500)] }]
    const { violations, assert } = await play(lives, { across: [...durableLaws, chargedOnce] })
    expect(violations).toEqual([{ law: 'chargedOnce', message: 'charged 2 times', life: 1, witnesses: [] }])
    expect(assert).toThrow('✗ chargedOnce, life 1: charged 2 times')
  })

  test.each([
    [{ lives: {} }, 'option lives'],
    [{ lives: [{ kill: { how: 'nicely' } }] }, 'option how'],
    [{ lives: [{ kill: { when: 3 } }] }, 'unknown option "when"'],
    [{ lives: [{ rom: 3 }] }, 'unknown option "rom"'],
    [{ lives: [], dsk: {} }, 'unknown option "dsk"'],
  ])('refuses %j', async (options, says) => {
    await expect(simulateLives(bank, options as never)).rejects.toThrow(says)
  })
})

describe('propertyLives', () => {
  test('DR1, DR2, DR3, DR4, DR5, DR6, CM2, LG2: of any lives, killed at any write, on a disk with faults', {
    timeout: 120_000,
  }, async () => {
    const { runs, lives } = await propertyLives(shop, { ...campaign, runs: 400, seed: 4 })
    expect(runs).toBe(400)
    expect(lives).toBeGreaterThan(1_000)
  })

  test('a law that does not hold is shown by lives that are as small as can be', async () => {
    const chargedOnce = durableLaw('chargedOnce', function* () {
      if (charged.length > new Set(charged).size) yield { message: 'somebody was charged twice' }
    })
    const moves = {
      order: (global: GlobalManager) =>
        (global.whereis('bank/a/l') as LocalManager | undefined)?.spawn('charge', charge, { durable: true }),
    }
    const found = await propertyLives(bank, { moves, reset: () => (charged = []), across: [chargedOnce], runs: 200 }).catch(
      (error: unknown) => error,
    )
    expect(found).toBeInstanceOf(CounterexampleError)
    const { message, law } = found as CounterexampleError
    expect(law).toBe('chargedOnce')
    expect(message.match(/"do": "order"/g)).toHaveLength(1)
    expect(message).toContain('seed 1, path "')
  })

  test('a goal that no run reaches fails it, and what a move throws comes out as it is', async () => {
    const moves = { order: () => undefined }
    await expect(propertyLives(bank, { moves, runs: 3, goals: { 'it rains': () => false } })).rejects.toThrow(
      'no run of 3 reached the goal: it rains',
    )
    const torn = { tear: () => Promise.reject(new Error('torn')) }
    await expect(propertyLives(bank, { moves: torn, runs: 3 })).rejects.toThrow('torn')
    await expect(propertyLives(bank, { moves: { order: 1 } as never })).rejects.toThrow('option moves')
    await expect(propertyLives(bank, {} as never)).rejects.toThrow('option moves')
  })
})

test('SD4: who is killed in the middle of a write writes nothing more', async () => {
  const disk = new SimulatedDisk()
  const host = new FakeHost()
  const journal = await simulatedStore(disk).open(host)
  await write(journal, spawned('a'))
  const { life } = disk
  disk.crashAfter(1)
  let heard = false
  for (const id of ['b', 'c', 'd']) journal.append(spawned(id), () => (heard = true))
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  expect([disk.life - life, heard]).toEqual([1, false])
  // It does not know that it is gone.
  journal.append(spawned('e'), () => (heard = true))
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  const again = await simulatedStore(disk).open(host)
  expect([(await restored(again)).map(({ id }) => id), heard]).toEqual([['a', 'b'], false])
})
