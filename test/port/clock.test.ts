/** The clock of the platform: timers of one length behind one of the platform's, A1 and A2 of src/port/clock.ts. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PlatformClock } from '../../src/port/clock.ts'
import { stepsOf, EFFECT, FIELD, FIELDS, FINAL, HANDLED, KILLS, TARGET } from '../../src/routine/routine-steps.ts'
import { ROUTINE_EVENTS, routineMachine, tabulate } from 'curtaincall/machines'

let clock: PlatformClock
beforeEach(() => {
  vi.useFakeTimers()
  clock = new PlatformClock()
})
afterEach(() => void vi.useRealTimers())

test('A2: a thousand timers of one length are one of the platform, which is gone with the last of them', () => {
  const timers = Array.from({ length: 1_000 }, () => clock.setTimeout(() => undefined, 5_000))
  expect(vi.getTimerCount()).toBe(1)
  const other = clock.setTimeout(() => undefined, 7_000)
  expect(vi.getTimerCount()).toBe(2)
  for (const timer of timers) clock.clearTimeout(timer)
  expect(vi.getTimerCount()).toBe(1)
  clock.clearTimeout(other)
  clock.clearTimeout(other)
  expect(vi.getTimerCount()).toBe(0)
})

test('one that is longer than the platform can wait is waited for in parts', async () => {
  const delay = 30 * 24 * 3_600_000
  let fired = false
  clock.setTimeout(() => (fired = true), delay)
  await vi.advanceTimersByTimeAsync(2 ** 31 - 1)
  expect([fired, vi.getTimerCount()]).toEqual([false, 1])
  await vi.advanceTimersByTimeAsync(delay - 2 ** 31 - 1)
  expect(fired).toBe(false)
  await vi.advanceTimersByTimeAsync(10)
  expect([fired, vi.getTimerCount()]).toEqual([true, 0])
})

test('A1: they fire in order, each at its time, and one that was disarmed does not', async () => {
  const fired: [string, number][] = []
  const begun = clock.now()
  const note = (name: string) => () => void fired.push([name, Math.round(clock.now() - begun)])
  clock.setTimeout(note('a'), 100)
  await vi.advanceTimersByTimeAsync(30)
  const b = clock.setTimeout(note('b'), 100)
  clock.setTimeout(note('c'), 100)
  await vi.advanceTimersByTimeAsync(30)
  clock.setTimeout(note('d'), 100)
  clock.clearTimeout(b)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(fired).toEqual([
    ['a', 100],
    ['c', 130],
    ['d', 160],
  ])
  expect(vi.getTimerCount()).toBe(0)
})

test('what is armed, disarmed or thrown while others fire keeps its place', async () => {
  const fired: string[] = []
  const late: unknown[] = []
  clock.setTimeout(() => {
    fired.push('a')
    clock.clearTimeout(late[0])
    clock.setTimeout(() => fired.push('again'), 50)
    queueMicrotask(() => fired.push('a, a microtask later'))
  }, 50)
  late.push(clock.setTimeout(() => fired.push('never'), 50))
  clock.setTimeout(() => fired.push('c'), 50)
  await vi.advanceTimersByTimeAsync(51)
  expect(fired).toEqual(['a', 'a, a microtask later', 'c'])
  await vi.advanceTimersByTimeAsync(51)
  expect(fired.at(-1)).toBe('again')
  expect(vi.getTimerCount()).toBe(0)
})

type Act =
  | { readonly do: 'arm'; readonly delay: number }
  | { readonly do: 'disarm'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('arm' as const), delay: fc.constantFrom(10, 25, 40) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('disarm' as const), which: fc.nat(200) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(5, 10, 25) }) },
  ),
  { minLength: 20, maxLength: 200 },
)

// All in steps of five milliseconds: those that are due within one may fire together.
test('A1, A2: whatever is armed and disarmed fires at its time and in its order, as far as it is of one length', async () => {
  const play = async (script: readonly Act[]): Promise<void> => {
    // One that has failed leaves some behind.
    vi.clearAllTimers()
    const own = new PlatformClock()
    const armed: { readonly due: number; readonly delay: number; readonly timer: unknown }[] = []
    const expected = new Map<number, number[]>()
    const fired = new Map<number, number[]>()
    let now = 0
    const disarmed = new Set<number>()
    const due = (): number[] => armed.flatMap((each, i) => (!disarmed.has(i) && each.due > now ? [each.delay] : []))
    for (const act of script) {
      if (act.do === 'arm') {
        const i = armed.length
        const timer = own.setTimeout(() => (fired.get(act.delay) ?? fired.set(act.delay, []).get(act.delay))?.push(i), act.delay)
        armed.push({ due: now + act.delay, delay: act.delay, timer })
      } else if (act.do === 'disarm') {
        const i = act.which % Math.max(1, armed.length)
        own.clearTimeout(armed[i]?.timer)
        if ((armed[i]?.due ?? 0) > now) disarmed.add(i)
      } else {
        await vi.advanceTimersByTimeAsync(act.ms)
        now += act.ms
      }
      expect(vi.getTimerCount()).toBe(new Set(due()).size)
    }
    await vi.advanceTimersByTimeAsync(100)
    for (const [i, { delay }] of armed.entries()) if (!disarmed.has(i)) (expected.get(delay) ?? expected.set(delay, []).get(delay))?.push(i)
    expect(fired).toEqual(expected)
    expect(vi.getTimerCount()).toBe(0)
  }
  await fc.assert(fc.asyncProperty(acts, play), { numRuns: 200 })
})

test('short ones have a timer each', async () => {
  let fired = 0
  clock.setTimeout(() => fired++, 0)
  clock.clearTimeout(clock.setTimeout(() => fired++, 0))
  await vi.advanceTimersByTimeAsync(5)
  expect([fired, vi.getTimerCount()]).toEqual([1, 0])
})

test('N1: the numbers that drive a routine say what its table says', () => {
  const table = tabulate(routineMachine, ROUTINE_EVENTS, ['output', 'error', 'reason'])
  const effects = ['none', 'begin', 'settle', 'abort', 'abandon']
  const read = Array.from(stepsOf(table), (step) => ({
    target: step & TARGET,
    actions: [effects[(step >> EFFECT) & 7]].filter((effect) => effect !== 'none'),
    copies: [FIELDS[(step >> FIELD) & 3]].filter((field) => field !== 'none'),
    raises: (step & KILLS) === 0 ? [] : ['killed'],
    handled: (step & HANDLED) !== 0,
  }))
  expect(read).toEqual(table.cells)
  expect(Array.from(stepsOf(table), (step) => (step & FINAL) !== 0)).toEqual(table.cells.map(({ target }) => table.final[target]))
})
