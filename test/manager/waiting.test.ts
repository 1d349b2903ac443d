/** Waiting until none of a name lives. */
import { describe, expect, test } from 'vitest'
import { routine, watch } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

describe.each([{ strict: false }, { strict: true }])('waitFor (strict: $strict)', (mode) => {
  test.each(['on', 'watch', 'of a child'] as const)('N3: goes on while a listener of the end has spawned the next: %s', async (how) => {
    const { local, global, clock } = makeTree({}, mode)
    const app = global.getApp('a')
    const step = (): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, 5))
    let done = 0
    const next = (): void => {
      if (++done >= 5) return
      const spawned = local.spawn('step', step)
      if (how === 'watch') watch(spawned, next)
    }
    if (how === 'of a child') {
      local.on('routine.completed', next)
      await local.startChild(routine('step', step, { restart: 'temporary' }))
    } else {
      if (how === 'on') local.on('routine.completed', next)
      const first = local.spawn('step', step)
      if (how === 'watch') watch(first, next)
    }
    const told = [local, app, global].map((node) => node?.waitFor('step').then((held) => [held, done, node.countOf('step')]))
    await clock.advance(100)
    expect(await Promise.all(told)).toEqual([local, app, global].map(() => [true, 5, 0]))
    for (const { life } of [local, app, global] as (typeof local)[]) expect(life.place.waiting.size).toBe(0)
  })

  test('N3: each level looks for itself: what lives elsewhere keeps only those above waiting', async () => {
    const { local, global } = makeTree({}, mode)
    const other = global.createApp('b').createLocal('l')
    const told: string[] = []
    const here = local.spawn('x', untilTold)
    const there = other.spawn('x', untilTold)
    for (const node of [local, other, global]) void node.waitFor('x').then(() => told.push(node.path))
    await settle()
    await here.cancel()
    await settle()
    expect(told).toEqual(['g/a/l'])
    await there.cancel()
    await settle()
    expect(told).toEqual(['g/a/l', 'g/b/l', 'g'])
  })

  test('N3: a wait that times out while the name comes and goes leaves nothing', async () => {
    const { local, global, clock } = makeTree({}, mode)
    local.on('routine.completed', () => void local.spawn('step', () => new Promise<void>((resolve) => clock.setTimeout(resolve, 5))))
    local.spawn('step', () => undefined)
    const control = new AbortController()
    const waits = [
      global.waitFor('step', { timeout: 42 }),
      local.waitFor('step', { signal: control.signal }).catch((error: unknown) => error),
    ]
    await clock.advance(42)
    control.abort('why')
    expect(await Promise.all(waits)).toEqual([false, 'why'])
    expect([global.life.place.waiting.size, local.life.place.waiting.size]).toEqual([0, 0])
    void global.shutdown({ mode: 'immediate' })
    await clock.runOut()
  })
})
