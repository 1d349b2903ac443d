/** Heartbeats that come at odd times share timers: a wait for the next look is a whole number of milliseconds. */
import { expect, test } from 'vitest'
import { createGlobalManager } from 'curtaincall'

test('a look between two heartbeats is no fraction of a millisecond away, and never too early', async () => {
  let now = 0
  const timers: { readonly act: () => void; readonly delay: number }[] = []
  const clock = {
    now: () => now,
    setTimeout: (act: () => void, delay: number) => timers.push({ act, delay }),
    clearTimeout: () => {},
  }
  const hung: number[] = []
  const global = createGlobalManager({ clock })
  global.on('routine.hung', ({ silence }) => hung.push(silence))
  let beat = () => {}
  const body = ({ heartbeat, signal }: { heartbeat: () => void; signal: AbortSignal }) => {
    beat = heartbeat
    return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  await global.createApp('app').createLocal('local').spawn('odd', body, { hungAfter: 100 }).started
  const look = (at: number) => {
    now = at
    timers.at(-1)?.act()
  }
  now = 20.25
  beat()
  look(100)
  now = 110.7
  beat()
  look(121)
  expect(timers.map(({ delay }) => delay)).toEqual([100, 21, 90])
  expect(hung).toEqual([])
  look(211)
  expect(hung).toEqual([211 - 110.7])
})
