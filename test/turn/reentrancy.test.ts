/** Listeners, abort handlers and start functions that call back into the tree from within its own steps. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createMachine } from 'xstate'
import type { Routine, RoutineContext } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const failing = (): never => {
  throw new Error('boom')
}

describe.each([{ strict: false }, { strict: true }])('re-entrancy (strict: $strict)', (mode) => {
  test('a cancel in reaction to a failure that is about to be answered with a restart', async () => {
    const { local, story } = makeTree({}, mode)
    const routine = local.spawn('x', failing, { restart: 'permanent' })
    local.on('routine.failed', () => void routine.cancel('enough'))
    expect(await routine.outcome).toEqual({ status: 'cancelled', reason: 'enough', killed: false })
    expect(story(/routine/)).toEqual(['spawned', 'started', 'failed', 'restarted', 'cancelled'].map((type) => `routine.${type} g/a/l/x`))
    expect(local.count).toBe(0)
  })

  test('a shutdown in reaction to any event', async () => {
    for (const type of [
      'routine.spawned',
      'routine.queued',
      'routine.started',
      'routine.failed',
      'routine.restarted',
      'routine.cancelled',
    ] as const) {
      const { local, global, clock, events } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
      const off = global.on(type, () => {
        off()
        void global.shutdown()
      })
      const spawn = (): unknown => local.state === 'running' && local.spawn('x', failing, { restart: 'transient' })
      spawn()
      spawn()
      await settle()
      if (local.state === 'running') void local.routines()[0]?.cancel()
      await clock.runOut()
      expect([type, (await global.shutdown()).totals]).toMatchObject([type, { spawned: global.metrics().spawned }])
      const { completed, failed, cancelled, killed, spawned } = global.metrics()
      expect([type, completed + failed + cancelled + killed, global.count, clock.pending]).toEqual([type, spawned, 0, 0])
      expect(events.at(-1)).toMatchObject({ type: 'manager.stopped', path: 'g' })
    }
  })

  test('a shutdown, here or above, in reaction to a manager that gave up or has stopped to be restarted', async () => {
    for (const type of ['manager.gaveUp', 'manager.phase', 'manager.stopped', 'manager.restarted'] as const) {
      for (const of of ['global', 'local'] as const) {
        const { local, global, clock } = makeTree({ maxRestarts: 0 }, mode)
        const other = local.spawn('other', untilTold)
        await settle()
        const off = local.on(type, () => {
          off()
          void (of === 'global' ? global : local).shutdown({ timeout: 100 })
        })
        local.spawn('x', failing, { restart: 'permanent' })
        await clock.advance(100)
        expect([type, of, (await other.outcome).status]).toEqual([type, of, 'cancelled'])
        const report = await (of === 'global' ? global : local).outcome
        expect([type, of, report.timedOut, clock.pending]).toEqual([type, of, false, 0])
        expect([type, of, local.state === 'running', global.getApp('a')?.getLocal('l')]).toEqual([type, of, false, undefined])
      }
    }
  })

  test('10,000 queued routines whose start throws do not deepen the stack', async () => {
    const { local } = makeTree({ maxRoutines: 1, overflow: 'queue', maxQueue: Infinity }, mode)
    const first = local.spawn('first', untilTold)
    const n = mode.strict ? 2_000 : 10_000
    for (let i = 0; i < n; i++) local.spawn('x', untilTold, { start: failing })
    await settle()
    await first.cancel()
    expect(local.metrics()).toMatchObject({ failed: n, pending: 0 })
    expect([local.count, local.queued]).toEqual([0, 0])
  })

  test('a body that cancels, kills or restarts itself', async () => {
    const { local } = makeTree({}, mode)
    const cancels = local.spawn('x', ({ signal, id }) => {
      void local.routine(id)?.cancel('own')
      return signal.aborted
    })
    expect(await cancels.outcome).toMatchObject({ status: 'cancelled', reason: 'own', killed: false })
    const kills = local.spawn('x', ({ id }) => {
      void local.routine(id)?.kill('own')
      return new Promise(() => undefined)
    })
    expect(await kills.outcome).toMatchObject({ status: 'cancelled', reason: 'own', killed: true })
    const restarts = local.spawn('x', async ({ id, incarnation }) => {
      if (incarnation === 1) void local.routine(id)?.restart()
      return incarnation
    })
    expect(await restarts.outcome).toEqual({ status: 'completed', output: 2 })
  })

  test('listeners that spawn from within events are heard in order of seq', async () => {
    const { local, global } = makeTree({}, mode)
    const heard: number[] = []
    const off = global.on('routine.completed', () => {
      off()
      local.spawn('second', () => 2)
    })
    global.on('*', ({ seq }) => heard.push(seq))
    local.spawn('first', () => 1)
    await settle()
    expect(heard).toEqual(heard.toSorted((a, b) => a - b))
    expect(local.metrics().completed).toBe(2)
  })

  test.each(['messages', 'cancellations'])('T5: a chain of a thousand %s, each from within the last, is heard to its end', async (of) => {
    const { local, global, clock, events } = makeTree({}, mode)
    const chain: Routine<unknown, { type: 'go' }>[] = []
    const next = (i: number): void => {
      if (of === 'messages') chain[i]?.send({ type: 'go' })
      else void chain[i]?.cancel()
    }
    for (let i = 0; i < 1_000; i++) {
      const told = createMachine({ on: { go: { actions: () => next(i + 1) } } })
      const work = ({ signal }: RoutineContext): Promise<void> =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            next(i + 1)
            resolve()
          })
        })
      chain.push(local.spawn('link', (of === 'messages' ? told : work) as never) as never)
    }
    await settle()
    next(0)
    await settle()
    expect([local.count, global.metrics().contained]).toEqual([of === 'messages' ? 1_000 : 0, 0])
    const later = local.spawn('later', () => 1)
    await later.outcome
    expect(events.at(-1)).toMatchObject({ type: 'routine.completed', path: expect.stringContaining('later') })
    const down = global.shutdown({ timeout: 200 })
    await clock.runOut()
    expect(await down).toMatchObject({ timedOut: false })
    expect([events.at(-1)?.type, local.count]).toEqual(['manager.stopped', 0])
  })

  test('stopping the root actor is an immediate shutdown', async () => {
    const { local, global, clock } = makeTree({}, mode)
    const routine = local.spawn('x', untilTold)
    await settle()
    global.actor.stop()
    await clock.runOut()
    expect(await global.outcome).toMatchObject({ mode: 'immediate', cancelled: 1 })
    expect(await routine.outcome).toMatchObject({ killed: false })
  })
})

test('a routine’s signal is one that the platform takes for its own', async () => {
  const { local } = makeTree()
  const seen: string[] = []
  const routine = local.spawn('x', async ({ signal }) => {
    const derived = AbortSignal.any([signal, new AbortController().signal])
    derived.addEventListener('abort', () => seen.push('any'))
    const calls = [
      sleep(60_000, undefined, { signal }),
      once(new EventTarget(), 'never', { signal }),
      fetch('http://127.0.0.1:9', { signal }),
    ]
    const results = await Promise.allSettled(calls)
    seen.push(...results.map(({ status }) => status))
    expect(signal).toBeInstanceOf(AbortSignal)
  })
  await settle()
  await routine.cancel()
  expect(seen).toEqual(['any', 'rejected', 'rejected', 'rejected'])
})
