import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffDelay, judgeHealth, PHASES, phaseIsOver, RestartWindow, shouldRestart } from 'curtaincall/machines'

test('shouldRestart is OTP’s table', () => {
  const row = (restart: 'permanent' | 'transient' | 'temporary') =>
    (['normal', 'shutdown', 'abnormal'] as const).map((exit) => shouldRestart(restart, exit))
  expect(row('permanent')).toEqual([true, true, true])
  expect(row('transient')).toEqual([false, false, true])
  expect(row('temporary')).toEqual([false, false, false])
})

test('P1, P2: the window counts what a list of all times counts', () => {
  fc.assert(
    // Long enough for it to drop what has left.
    fc.property(fc.nat(5), fc.integer({ min: 1, max: 100 }), fc.array(fc.nat(60), { maxLength: 200, size: 'max' }), (max, length, gaps) => {
      const window = new RestartWindow(max, length)
      const all: number[] = []
      let now = 0
      for (const gap of gaps) {
        now += gap
        all.push(now)
        const expected = all.filter((time) => now - time <= length).length
        expect(window.record(now)).toBe(expected <= max)
        expect(window.count(now)).toBe(expected)
        expect(window.left(now)).toBe(Math.max(0, max - expected))
      }
    }),
  )
})

test('a window without a limit never runs out, and knows of the latest restart alone', () => {
  const window = new RestartWindow(Infinity, 1_000)
  expect(window.count(0)).toBe(0)
  expect([window.record(0), window.record(1), window.count(1), window.left(1)]).toEqual([true, true, 1, Infinity])
  expect([window.count(1_001), window.count(1_002)]).toEqual([1, 0])
})

test('P3: a delay is never above max, grows by factor, and strays by jitter', () => {
  const backoff = { initial: 100, factor: 2, max: 1_000, jitter: 0 }
  expect([1, 2, 3, 4, 5, 6].map((n) => backoffDelay(backoff, n, 0.3))).toEqual([100, 200, 400, 800, 1_000, 1_000])
  expect(backoffDelay({ ...backoff, jitter: 0.2 }, 1, 0)).toBe(80)
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 5_000 }), fc.nat(2), (random, attempt, initial) => {
      const delay = backoffDelay({ ...backoff, initial, jitter: 1 }, attempt, random)
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThanOrEqual(1_000)
    }),
  )
})

test('S1 to S4: when a phase is over', () => {
  const signs = { phase: 'waiting', held: false, draining: false, hooked: false, exceeded: false, overdue: false, living: 0 } as const
  expect(phaseIsOver(signs)).toBe(true)
  expect(phaseIsOver({ ...signs, living: 1 })).toBe(false)
  expect(phaseIsOver({ ...signs, living: 1, overdue: true })).toBe(true)
  expect(phaseIsOver({ ...signs, living: 1, exceeded: true })).toBe(true)
  expect(phaseIsOver({ ...signs, hooked: true })).toBe(false)
  expect(phaseIsOver({ ...signs, phase: 'killing', living: 1, overdue: true })).toBe(false)
  expect(phaseIsOver({ ...signs, phase: 'closing', held: true, overdue: true })).toBe(false)
  expect(phaseIsOver({ ...signs, held: true })).toBe(true)
  expect(phaseIsOver({ ...signs, phase: 'closing', draining: true, living: 1 })).toBe(false)
  expect(phaseIsOver({ ...signs, phase: 'closing', living: 1 })).toBe(true)
})

test('S5: no phase is over while what it does is under way', () => {
  const signs = { held: false, draining: false, hooked: false, exceeded: true, overdue: true, living: 0 } as const
  for (const phase of PHASES)
    expect([phaseIsOver({ ...signs, phase, works: true }), phaseIsOver({ ...signs, phase })]).toEqual([false, true])
})

test('the worst sign decides on health', () => {
  const signs = { accepting: true, hung: 0, recentRestarts: 0, children: [] } as const
  expect(judgeHealth(signs)).toBe('healthy')
  expect(judgeHealth({ ...signs, recentRestarts: 1 })).toBe('degraded')
  expect(judgeHealth({ ...signs, children: ['degraded'] })).toBe('degraded')
  expect(judgeHealth({ ...signs, recentRestarts: 1, hung: 1 })).toBe('hung')
  expect(judgeHealth({ ...signs, children: ['hung'] })).toBe('hung')
  expect(judgeHealth({ ...signs, hung: 1, accepting: false })).toBe('stopping')
  expect(judgeHealth({ ...signs, hung: 1, children: ['healthy', 'stopping', 'hung'] })).toBe('stopping')
  expect([judgeHealth({ ...signs, down: 1 }), judgeHealth({ ...signs, down: 1, hung: 1 })]).toEqual(['degraded', 'hung'])
})
