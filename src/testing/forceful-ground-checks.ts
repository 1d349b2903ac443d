/** What grounds are held to that end what does not listen, or share memory with it. */
import assert from 'node:assert/strict'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { type Act, errorOf } from './ground-stage.ts'

/** Of grounds that end what does not listen. */
export const FORCE: Readonly<Record<string, Act>> = {
  async 'ends a loop, and a sleep'(stage) {
    for (const body of ['spin', 'sleep'] as const) {
      const routine = await stage.up(body)
      assert.deepEqual(await routine.kill(body), { status: 'cancelled', reason: body, killed: true })
    }
    assert.equal(stage.local.metrics().orphaned, 0)
  },

  async 'ends what is deaf in the phase killing, and leaves no orphan'(stage) {
    await stage.up('spin', { shutdown: 'infinity' })
    const report = await stage.global.shutdown({ timeout: 100 })
    assert.deepEqual([report.killed, report.orphaned], [1, 0])
  },

  async 'says what blocks a body'(stage) {
    for (const [body, expected] of [
      ['spin', 'spin'],
      ['sleep', 'sleep'],
    ] as const) {
      // What it runs in is up by then: to load that may take longer than the silence, and keeps it busy.
      await stage.spawn('double', { input: 1 }).outcome
      const routine = await stage.up(body, { hungAfter: 200 })
      const isOf = (event: LifecycleEvent): boolean => event.type === 'routine.hung' && event.path === routine.path && 'blocked' in event
      await stage.heard(isOf)
      assert.equal((stage.events.find(isOf) as { blocked?: string }).blocked, expected)
      await routine.kill()
    }
  },

  async 'fails when what it runs in dies, and runs again elsewhere'(stage) {
    const outcome = await stage.spawn('die').outcome
    assert.equal(outcome.status, 'failed')
    assert.deepEqual([errorOf(outcome)['code'], errorOf(outcome)['exitCode']], ['ERR_GROUND_LOST', 9])
    assert.deepEqual(await stage.spawn('double', { input: 1 }).outcome, { status: 'completed', output: 2 })
  },

  async 'fails with what its code has let go of, and nobody else does'(stage) {
    const [other, routine] = [await stage.up('obey'), stage.spawn('stray')]
    const outcome = await routine.outcome
    assert.deepEqual([outcome.status, errorOf(outcome)['code']], ['failed', 'E_STRAY'])
    assert.equal((await other.cancel()).status, 'cancelled')
  },

  async 'fails with an output that cannot be copied, and goes on'(stage) {
    const outcome = await stage.spawn('uncopyable').outcome
    assert.match(errorOf(outcome).message, /cannot be copied/)
    assert.deepEqual(await stage.spawn('double', { input: 1 }).outcome, { status: 'completed', output: 2 })
  },

  async 'fails with an input that cannot be copied, and goes on'(stage) {
    const outcome = await stage.spawn('double', { input: () => 1 }).outcome
    assert.match(errorOf(outcome).message, /cannot be copied/)
    assert.deepEqual(await stage.spawn('double', { input: 1 }).outcome, { status: 'completed', output: 2 })
  },

  async 'refuses a question that cannot be copied, and receives the next'(stage) {
    const routine = await stage.up('collect')
    await assert.rejects(
      routine.ask(() => 1),
      /cannot be copied/,
    )
    assert.deepEqual(await routine.ask('last'), ['last'])
  },
}

/** Of grounds whose memory a body sees. */
export const MEMORY: Readonly<Record<string, Act>> = {
  async 'sees in a loop that it was told to stop'(stage) {
    const routine = await stage.up('poll')
    assert.deepEqual(await routine.cancel(new Error('why')), {
      status: 'cancelled',
      reason: ((await routine.outcome) as { reason: unknown }).reason,
      killed: false,
      output: 'seen: why',
    })
  },
}
