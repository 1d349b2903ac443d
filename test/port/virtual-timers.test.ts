/** A3 of src/port/clock.ts in the virtual time of the test kit: on trees that are older than it, and outlive it. */
import { expect, test } from 'vitest'
import { createGlobalManager, type RoutineContext } from 'curtaincall'
import { virtualTime } from 'curtaincall/testing'

const forever = ({ signal }: RoutineContext<any>): Promise<unknown> => new Promise((resolve) => signal.addEventListener('abort', resolve))

for (const strict of [false, true]) {
  test(`A3: a tree that outlives virtual time has its own time back, and no timer of it is silent (strict: ${strict})`, async () => {
    await virtualTime(async (time) => {
      const global = createGlobalManager({ strict })
      const local = global.createApp('a').createLocal('l', { maxRestarts: 99 })
      const mute = local.spawn('mute', forever) as unknown as { ask(message: unknown, options: object): Promise<unknown> }
      await virtualTime(async (inner) => {
        for (let delay = 70; delay < 78; delay++) void mute.ask('left', { timeout: delay }).catch(() => undefined)
        await inner.advance(0)
      })
      const late = local.spawn('timeout', forever, { timeout: 70 })
      const fails = ({ incarnation }: RoutineContext<any>): void => {
        if (incarnation === 1) throw new Error('broken')
      }
      const back = local.spawn('backoff', fails, { restart: 'transient', backoff: { initial: 72 } })
      const hung = local.spawn('hung', forever, { hungAfter: 73, onHung: 'kill' })
      const deaf = local.spawn('deaf', () => new Promise(() => undefined), { shutdown: 74 })
      await time.advance(0)
      void deaf.cancel()
      const waits = [
        mute.ask('x', { timeout: 77 }).catch((error: { code: string }) => error.code),
        local.waitFor('mute', { timeout: 75 }),
        local
          .spawn('slow', forever)
          .result({ timeout: 76 })
          .catch((error: { code: string }) => error.code),
      ]
      await time.advance(80)
      expect([late.state, back.state, hung.state, deaf.state]).toEqual(['failed', 'completed', 'cancelled', 'cancelled'])
      expect(await Promise.all(waits)).toEqual(['ERR_ASK_TIMEOUT', false, 'ERR_TIMEOUT'])
      void global.shutdown({ mode: 'immediate' })
      await time.runToQuiescence()
    })
  })
}

test('A3: each virtual time has the timers that were armed in it, also on a tree that is older than they are', async () => {
  await using global = createGlobalManager()
  const local = global.createApp('a').createLocal('l')
  const held = (): Promise<boolean> => local.waitFor('held', { timeout: 500 })
  local.spawn('held', forever)
  const gone: string[] = []
  await Promise.all(
    ['first', 'second'].map((name) =>
      virtualTime(async (time) => {
        await time.advance(0)
        const waits = held().then((over) => gone.push(`${name} ${over}`))
        await time.advance(0)
        if (name === 'first') return
        await time.advance(501)
        await waits
      }),
    ),
  )
  expect(gone).toEqual(['second false'])
  void local.routinesNamed('held')[0]?.cancel()
})
