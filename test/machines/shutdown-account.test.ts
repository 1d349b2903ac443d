import { describe, expect, test } from 'vitest'
import { createGlobalManager, type LifecycleEvent, manager, type RoutineContext, routine } from 'curtaincall'
import { type ShutdownAccount, ShutdownAccounts } from '../../machines/shutdown-account.ts'
import { shortName } from '../../machines/path.ts'
import { excuseOf, linesOfAccount, pathInWords, sentenceOfAccount, spell } from '../../machines/shutdown-words.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const deaf = (): Promise<never> => new Promise(() => undefined)

/** Bodies that take so long to stop, on one clock. */
function makeTree() {
  const clock = new VirtualClock()
  const slow =
    (ms: number) =>
    ({ signal }: RoutineContext): Promise<unknown> =>
      new Promise((resolve) => signal.addEventListener('abort', () => void clock.setTimeout(() => resolve(undefined), ms)))
  const polite = ({ signal }: RoutineContext): Promise<unknown> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)))
  return { clock, slow, polite }
}

type Global = ReturnType<typeof createGlobalManager>

/** The account of a shutdown with so much time; the deadline is told where `knows` says so. */
async function settled(global: Global, clock: VirtualClock, timeout: number, knows = true): Promise<ShutdownAccount> {
  const accounts = new ShutdownAccounts()
  const deadline = clock.now() + timeout
  global.on('*', (event: LifecycleEvent) => void accounts.note(event, knows ? deadline : undefined))
  const done = global.shutdown({ timeout })
  await clock.advance(timeout + 1_000)
  await done
  expect(accounts.isOpen).toBe(false)
  return accounts.all.at(-1) as ShutdownAccount
}

const names = (all: readonly { readonly path: string }[]): string[] => all.map(({ path }) => shortName(path))

describe('the account of a shutdown', () => {
  test.each([true, false])(
    'A1, A2: one that holds all is named, and who got none of the time is no holder (deadline known: %s)',
    async (knows) => {
      const { clock, polite } = makeTree()
      const global = createGlobalManager({ name: 'shop', clock })
      const api = global.createApp('api')
      api.createLocal('prices').spawn('pricing', deaf)
      api.createLocal('mails').spawn('mailer', polite)
      api.createLocal('old').spawn('legacy-export', deaf, { shutdown: 'infinity' })
      await clock.advance(1_000)
      const account = await settled(global, clock, 10_000, knows)
      expect(account).toMatchObject({ path: 'shop', startedAt: 2_000, endedAt: 12_000, state: 'cancelled', outOfTime: true, ended: 3 })
      expect(names(account.takers.first)[0]).toBe('legacy-export')
      expect(account.killed).toMatchObject({ many: 2 })
      expect(names(account.none.first)[0]).toBe('pricing')
      expect(pathInWords(account)).toBe('legacy-export 10.0 s')
      expect(sentenceOfAccount(account)).toMatch(/^legacy-export held all for 10\.0 s; pricing (and mailer )?got 0 ms$/)
      const pricing = account.none.first[0]?.path as string
      expect(excuseOf(account, pricing)).toBe(
        'pricing got 0 ms to stop: legacy-export had held up the shutdown of shop for 10.0 s before its turn came',
      )
      expect(excuseOf(account, account.takers.first[0]?.path as string)).toBeUndefined()
      expect(account.abandoned.many).toBe(2)
    },
  )

  test('A1: the critical path goes through the managers, and through those below that took the longest', async () => {
    const { clock, slow, polite } = makeTree()
    const infra = manager('infra', { children: [routine('db', slow(700)), routine('cache', slow(300))] })
    const global = createGlobalManager({ name: 'shop', clock, children: [routine('log', polite), infra] })
    await clock.advance(10)
    const api = global.createApp('api')
    const orders = api.createLocal('orders')
    for (const ms of [200, 1_500, 900]) orders.spawn(`order-${ms}`, slow(ms))
    api.createLocal('idle').spawn('idle', polite)
    await clock.advance(1_000)
    const account = await settled(global, clock, 60_000)
    expect(account).toMatchObject({ outOfTime: false, none: { many: 0 }, killed: { many: 0 }, ended: 7 })
    expect(account.critical.map(({ path, from, to }) => [shortName(path), to - from])).toEqual([
      ['order-1500', 1_500],
      ['cache', 300],
      ['db', 700],
    ])
    expect(sentenceOfAccount(account)).toBe('order-1500 held it up for 1.5 s of 2.5 s, db for 700 ms')
    expect(linesOfAccount(account)).toEqual([
      'order-1500 held it up for 1.5 s of 2.5 s, db for 700 ms',
      'critical path: order-1500 1.5 s → cache 300 ms → db 700 ms',
      'took: order-1500 1.5 s, order-900 900 ms, db 700 ms, cache 300 ms, order-200 200 ms',
    ])
  })

  test.each([true, false])(
    'A2: a child behind the one that hangs got none of it, and is not blamed (deadline known: %s)',
    async (knows) => {
      const { clock, slow } = makeTree()
      const infra = manager('infra', { children: [routine('db', slow(50)), routine('hangs', deaf, { shutdown: 'infinity' })] })
      const global = createGlobalManager({ name: 'shop', clock, children: [infra] })
      await clock.advance(10)
      const account = await settled(global, clock, 4_000, knows)
      expect(names(account.takers.first)).toEqual(['hangs'])
      expect(names(account.none.first)).toEqual(['db'])
      expect(sentenceOfAccount(account)).toBe('hangs held all for 4.0 s; db got 0 ms')
    },
  )

  test('a listener that holds a phase is named by its manager and that phase', async () => {
    const { clock, polite } = makeTree()
    const global = createGlobalManager({ name: 'shop', clock })
    global.createApp('api').createLocal('l').spawn('w', polite)
    await clock.advance(1_000)
    global.on('manager.phase', ({ path, phase }) =>
      path === 'shop/api' && phase === 'cleaning' ? new Promise<void>((resolve) => void clock.setTimeout(resolve, 300)) : undefined,
    )
    const account = await settled(global, clock, 5_000)
    expect(account.critical).toEqual([{ path: 'shop/api', phase: 'cleaning', from: 2_000, to: 2_300 }])
    expect(sentenceOfAccount(account)).toBe('api in its phase cleaning held all for 300 ms')
  })

  test('several that were asked together and never ended share the blame; nobody is blamed where all obey', async () => {
    const { clock, polite } = makeTree()
    const global = createGlobalManager({ name: 'shop', clock })
    const local = global.createApp('api').createLocal('l')
    for (const name of ['a', 'b', 'c']) local.spawn(name, deaf, { shutdown: 500 })
    await clock.advance(1_000)
    const account = await settled(global, clock, 5_000)
    expect(sentenceOfAccount(account)).toBe('c and 2 others held all for 500 ms')
    expect(account).toMatchObject({ outOfTime: false, killed: { many: 3 } })
    const other = createGlobalManager({ name: 'calm', clock })
    other.createApp('api').createLocal('l').spawn('w', polite)
    await clock.advance(1_000)
    expect(sentenceOfAccount(await settled(other, clock, 5_000))).toBe('nobody held up the shutdown of calm: over after 0 ms')
  })

  test('A2: what was asked in slices, in the same phase, had its turn', () => {
    const accounts = new ShutdownAccounts()
    let seq = 0
    const note = (type: string, path: string, at: number, fields: object = {}): void =>
      void accounts.note({ type, path, at, seq: ++seq, cause: null, ...fields } as unknown as LifecycleEvent)
    for (const [phase, at] of [
      ['closing', 0],
      ['cancelling', 0],
    ] as const)
      note('manager.phase', 'g', at, { phase })
    note('manager.phase', 'g', 40, { phase: 'waiting' })
    for (let k = 0; k < 9; k++) note('routine.cancelled', `g/r${k}#${k}`, 100, { heldUp: 100 - k * 5, willRestart: false })
    // A3: nothing is known of when it was asked.
    note('routine.killed', 'g/old#1', 100, { willRestart: false })
    note('manager.stopped', 'g', 101, { state: 'completed' })
    expect(accounts.all[0]).toMatchObject({ none: { many: 0 }, takers: { many: 9 }, ended: 10 })
    expect(accounts.all[0]?.critical).toEqual([
      { path: 'g/r0#0', from: 0, to: 100 },
      { path: 'g', phase: 'waiting', from: 100, to: 101 },
    ])
  })

  test('A4: of many accounts those stay in which time was lost, and none names more than it may', () => {
    const accounts = new ShutdownAccounts()
    let seq = 0
    const note = (type: string, path: string, at: number, fields: object = {}): void =>
      void accounts.note({ type, path, at, seq: ++seq, cause: null, ...fields } as unknown as LifecycleEvent)
    for (let k = 0; k < 200; k++) {
      note('manager.phase', 'g/a', k * 1_000, { phase: 'closing' })
      for (let n = 0; n < (k === 3 ? 500 : 0); n++) note('routine.killed', `g/a/x${n}#${n}`, 3_900, { heldUp: 900, willRestart: false })
      note('manager.stopped', 'g/a', k * 1_000 + (k === 3 ? 900 : 1), { state: 'completed' })
    }
    expect(accounts.all.length).toBeLessThanOrEqual(50)
    const held = accounts.all.find(({ startedAt }) => startedAt === 3_000)
    expect([held?.killed.many, held?.killed.first.length]).toEqual([500, 200])
  })

  test('what had begun to stop by itself belongs to the shutdown from above that follows', () => {
    const accounts = new ShutdownAccounts()
    let seq = 0
    const note = (type: string, path: string, at: number, fields: object): void =>
      void accounts.note({ type, path, at, seq: ++seq, cause: null, ...fields } as unknown as LifecycleEvent)
    note('manager.phase', 'g/a', 0, { phase: 'closing' })
    note('manager.phase', 'g', 10, { phase: 'closing' })
    note('routine.killed', 'g/a/x#1', 100, { heldUp: 100, willRestart: false })
    note('manager.stopped', 'g/a', 100, { state: 'completed' })
    expect(accounts.all).toEqual([])
    note('manager.stopped', 'g', 100, { state: 'completed' })
    expect(accounts.all[0]?.critical).toEqual([{ path: 'g/a/x#1', from: 10, to: 100 }])
  })
})

test('times are spelt so that they can be read', () => {
  expect([0, 0.4, 999, 1_000, 9_960, 59_949, 59_960, 90_000, 3_600_000, 343_021].map(spell)).toEqual([
    '0 ms',
    '0 ms',
    '999 ms',
    '1.0 s',
    '10.0 s',
    '59.9 s',
    '1 min',
    '1 min 30 s',
    '1 h 0 min',
    '5 min 43 s',
  ])
})
