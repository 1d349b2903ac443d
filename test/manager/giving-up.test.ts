/** How a tree ends that ends by itself. Nobody above bounds what the root does. */
import { describe, expect, test } from 'vitest'
import { createGlobalManager, type GlobalManager, type GlobalManagerOptions, manager, routine } from 'curtaincall'
import { counter, deaf } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

function rootOf(options: GlobalManagerOptions): { readonly global: GlobalManager; readonly clock: VirtualClock } {
  const clock = new VirtualClock()
  return { global: createGlobalManager({ name: 'g', clock, generateId: counter(), random: () => 0.5, logger: false, ...options }), clock }
}

const crash = (): never => {
  throw new Error('crash')
}

describe('10,000 ms are all that the root takes where it stops by itself', () => {
  test('though a listener of a phase does not settle', async () => {
    const { global, clock } = rootOf({ maxRestarts: 0, children: [manager('work'), routine('loop', crash)] })
    global.on('manager.phase', ({ path, phase }) => (path === 'g' && phase === 'closing' ? new Promise(() => undefined) : undefined))
    await settle()
    expect(global.state).toBe('stopping')
    await clock.advance(9_999)
    expect(global.state).toBe('stopping')
    await clock.advance(1)
    const { duration, timedOut, trigger, phases } = await global.outcome
    expect([global.state, duration, timedOut, trigger]).toEqual(['failed', 10_000, true, 'limit'])
    expect(phases[0]).toMatchObject({ phase: 'closing', deadline: 10_000, exceeded: true })
  })

  test('though a routine with all the time there is does not end', async () => {
    const { global, clock } = rootOf({ maxRestarts: 0, children: [manager('work', { children: [manager('jobs')] })] })
    const patient = global.getApp('work')?.getLocal('jobs')?.spawn('patient', deaf, { shutdown: 'infinity' })
    await settle()
    await global.startChild(routine('loop', crash))
    await clock.advance(9_999)
    expect([global.state, patient?.state]).toEqual(['stopping', 'running'])
    await clock.advance(1)
    expect(await global.outcome).toMatchObject({ duration: 10_000, killed: 1, orphaned: 1, timedOut: true })
    expect(global.state).toBe('failed')
  })

  test('by an automatic shutdown, too', async () => {
    const children = [
      routine('patient', deaf, { shutdown: 'infinity' }),
      routine('brief', () => 'done', { restart: 'transient', significant: true }),
    ]
    const { global, clock } = rootOf({ autoShutdown: 'any_significant', children })
    await settle()
    await clock.advance(10_000)
    expect(await global.outcome).toMatchObject({ duration: 10_000, trigger: 'auto_shutdown', killed: 1 })
  })
})

test('a manager below has the time that its own option gives it', async () => {
  const { global, clock } = rootOf({ children: [manager('app', { restart: 'temporary', maxRestarts: 0, children: [manager('jobs')] })] })
  const app = global.getApp('app')
  const patient = app?.getLocal('jobs')?.spawn('patient', deaf, { shutdown: 'infinity' })
  await settle()
  await app?.startChild(routine('loop', crash))
  await clock.advance(60_000)
  expect([app?.state, patient?.state]).toEqual(['stopping', 'running'])
  void app?.shutdown({ mode: 'immediate' })
  await clock.advance(1)
  expect(app?.state).toBe('failed')
  await global.shutdown()
})
