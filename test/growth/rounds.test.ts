/** Those that beat are looked at together: no timer for each silence, and one that does fall silent is found when it has. */
import { afterEach, expect, test, vi } from 'vitest'
import { createGlobalManager } from 'curtaincall'

afterEach(() => {
  vi.useRealTimers()
})

function beating(count: number, hungAfter: number) {
  const hung: { readonly path: string; readonly at: number }[] = []
  const beats: (() => void)[] = []
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  global.on('routine.hung', ({ path }) => hung.push({ path, at: performance.now() }))
  const body = ({ heartbeat, signal }: { heartbeat: () => void; signal: AbortSignal }) => {
    beats.push(heartbeat)
    return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  const routines = Array.from({ length: count }, () => local.spawn('beating', body, { hungAfter }))
  return { global, beats, hung, routines }
}

test('RD1: a hundred that beat arm no timer each, however long they do', async () => {
  vi.useFakeTimers()
  const { global, beats, hung } = beating(100, 800)
  await vi.advanceTimersByTimeAsync(0)
  const armed = vi.spyOn(globalThis, 'setTimeout')
  for (let i = 0; i < 160; i++) {
    for (const beat of beats) beat()
    vi.advanceTimersByTime(50)
  }
  expect(hung).toEqual([])
  expect(armed.mock.calls.length).toBeLessThan(20)
  armed.mockRestore()
  void global.shutdown()
  await vi.advanceTimersByTimeAsync(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('RD1: one that falls silent among them is found to the millisecond, and heard again when it beats', async () => {
  vi.useFakeTimers()
  const { global, beats, hung, routines } = beating(20, 800)
  let revived = 0
  global.on('routine.revived', () => revived++)
  await vi.advanceTimersByTimeAsync(0)
  const begun = performance.now()
  const silent = beats[7] as () => void
  // Each begins its silence at another place between two rounds.
  for (let time = 1; time <= 30; time++) {
    for (let i = 0; i < 37 + time; i++) {
      for (const beat of beats) beat()
      vi.advanceTimersByTime(10)
    }
    silent()
    const last = performance.now()
    for (let i = 0; i < 90; i++) {
      for (const beat of beats) if (beat !== silent) beat()
      vi.advanceTimersByTime(10)
    }
    expect(hung.splice(0)).toEqual([{ path: routines[7]?.path, at: last + 800 }])
    silent()
    expect(revived).toBe(time)
  }
  expect(performance.now()).toBeGreaterThan(begun)
  void global.shutdown()
  await vi.advanceTimersByTimeAsync(0)
})

test('RD2: who begins while a fake clock is there is looked at by that, whoever was there before', async () => {
  const before = beating(1, 60_000)
  await before.routines[0]?.started
  vi.useFakeTimers()
  const { hung, routines } = beating(1, 800)
  await vi.advanceTimersByTimeAsync(0)
  const more = before.global.createApp('more').createLocal('local')
  let silences = 0
  before.global.on('routine.hung', () => silences++)
  more.spawn('silent', ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })), {
    hungAfter: 60_000,
  })
  await vi.advanceTimersByTimeAsync(60_001)
  expect(hung.map(({ path }) => path)).toEqual([routines[0]?.path])
  expect(silences).toBe(1)
})
