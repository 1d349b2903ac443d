/** The clock of the platform: timers of one length behind one of the platform's, A1 and A2 of src/port/clock.ts. */
import { AsyncLocalStorage } from 'node:async_hooks'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createGlobalManager } from 'curtaincall'
import { PlatformClock } from '../../src/port/clock.ts'
import { platformContext } from '../../src/port/platform-context.ts'
import { EFFECTS, FIELDS } from '../../src/routine/routine-effects.ts'
import { steps, EFFECT, FIELD, FINAL, HANDLED, KILLS, STRANDS, TARGET } from '../../src/routine/routine-steps.ts'
import { table } from '../support/routine-table.ts'

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

/** A fake clock that comes over the present functions of the platform, and can be taken away. */
class Fake {
  #now = 0
  #last = 0
  readonly #timers = new Map<number, { readonly at: number; readonly act: () => void }>()
  readonly #own = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, queueMicrotask: globalThis.queueMicrotask }
  readonly #realNow = performance.now

  /** @param what What it puts something in the place of. */
  constructor(...what: readonly ('timers' | 'performance' | 'queueMicrotask')[]) {
    if (what.includes('timers')) {
      globalThis.setTimeout = ((act: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) => {
        this.#timers.set(++this.#last, { at: this.#now + delay, act: () => act(...args) })
        return this.#last
      }) as never
      globalThis.clearTimeout = ((timer: unknown) => {
        if (typeof timer !== 'number') throw new Error('a timer of somebody else')
        this.#timers.delete(timer)
      }) as never
    }
    if (what.includes('performance')) performance.now = () => this.#now
    if (what.includes('queueMicrotask')) globalThis.queueMicrotask = () => undefined
  }

  get pending(): number {
    return this.#timers.size
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)
      if (next === undefined) break
      this.#timers.delete(next[0])
      this.#now = Math.max(this.#now, next[1].at)
      next[1].act()
      // A turn of the event loop, which the other one has replaced, too.
      await vi.advanceTimersByTimeAsync(0)
    }
    this.#now = end
  }

  remove(): void {
    globalThis.setTimeout = this.#own.setTimeout
    globalThis.clearTimeout = this.#own.clearTimeout
    globalThis.queueMicrotask = this.#own.queueMicrotask
    performance.now = this.#realNow
  }
}

const BOTH = ['timers', 'performance'] as const

test('A3: a timer that is left behind on a fake clock silences none of that length once that is gone', async () => {
  const fired: string[] = []
  const fake = new Fake(...BOTH)
  clock.setTimeout(() => fired.push('of the fake'), 70)
  fake.remove()
  await vi.advanceTimersByTimeAsync(40)
  clock.setTimeout(() => fired.push('real'), 70)
  await vi.advanceTimersByTimeAsync(69)
  expect(fired).toEqual([])
  await vi.advanceTimersByTimeAsync(2)
  expect([fired, vi.getTimerCount()]).toEqual([['real'], 0])
  await fake.advance(70)
  expect([fired, fake.pending]).toEqual([['real', 'of the fake'], 0])
})

test('A3: nor does one of the platform silence those of a fake clock, or the other way round, while that is there', async () => {
  const fired: string[] = []
  clock.setTimeout(() => fired.push('before'), 70)
  await vi.advanceTimersByTimeAsync(20)
  const fake = new Fake(...BOTH)
  clock.setTimeout(() => fired.push('of the fake'), 70)
  await fake.advance(70)
  expect(fired).toEqual(['of the fake'])
  await vi.advanceTimersByTimeAsync(51)
  expect(fired).toEqual(['of the fake', 'before'])
  clock.setTimeout(() => fired.push('never'), 70)
  fake.remove()
  clock.setTimeout(() => fired.push('after'), 70)
  await vi.advanceTimersByTimeAsync(71)
  expect(fired).toEqual(['of the fake', 'before', 'after'])
})

test('A3: what was armed by the functions of one time is disarmed by those', async () => {
  const real = [clock.setTimeout(() => undefined, 70), clock.setTimeout(() => undefined, 0)]
  const fake = new Fake(...BOTH)
  const faked = [clock.setTimeout(() => undefined, 70), clock.setTimeout(() => undefined, 0)]
  for (const timer of real) clock.clearTimeout(timer)
  expect([vi.getTimerCount(), fake.pending]).toEqual([0, 2])
  fake.remove()
  for (const timer of faked) clock.clearTimeout(timer)
  expect([vi.getTimerCount(), fake.pending]).toEqual([0, 0])
})

test('A3: where only the timers are fake, or only the time of day, each fires when its timer says so', async () => {
  const fired: string[] = []
  await vi.advanceTimersByTimeAsync(1_000)
  const timers = new Fake('timers')
  clock.setTimeout(() => fired.push('a'), 70)
  await timers.advance(30)
  clock.setTimeout(() => fired.push('b'), 70)
  await timers.advance(40)
  expect(fired).toEqual(['a'])
  await timers.advance(29)
  expect(fired).toEqual(['a'])
  await timers.advance(1)
  expect(fired).toEqual(['a', 'b'])
  timers.remove()
  clock.setTimeout(() => fired.push('c'), 70)
  const frozen = new Fake('performance')
  await vi.advanceTimersByTimeAsync(30)
  clock.setTimeout(() => fired.push('d'), 70)
  await vi.advanceTimersByTimeAsync(41)
  expect(fired).toEqual(['a', 'b', 'c'])
  await vi.advanceTimersByTimeAsync(30)
  expect(fired).toEqual(['a', 'b', 'c', 'd'])
  frozen.remove()
  clock.setTimeout(() => fired.push('e'), 70)
  await vi.advanceTimersByTimeAsync(71)
  expect([fired.at(-1), vi.getTimerCount()]).toEqual(['e', 0])
})

test('A3: a fake clock that is emptied silences its length only until the next one is armed', async () => {
  const fired: string[] = []
  clock.setTimeout(() => fired.push('lost'), 70)
  vi.clearAllTimers()
  await vi.advanceTimersByTimeAsync(2_000)
  clock.setTimeout(() => fired.push('next'), 70)
  await vi.advanceTimersByTimeAsync(71)
  expect(fired).toEqual(['lost', 'next'])
})

test('A3: what fires while a fake microtask queue is there is no end of its line', async () => {
  const fired: string[] = []
  clock.setTimeout(() => fired.push('a'), 70)
  clock.setTimeout(() => fired.push('b'), 70)
  const fake = new Fake('queueMicrotask')
  await vi.advanceTimersByTimeAsync(71)
  fake.remove()
  clock.setTimeout(() => fired.push('c'), 70)
  await vi.advanceTimersByTimeAsync(71)
  expect(fired).toEqual(['a', 'b', 'c'])
})

test('a heart that has beaten in a time that is over is heard when it should be', async () => {
  const global = createGlobalManager()
  const local = global.createApp('a').createLocal('l')
  let beat = (): void => undefined
  const hung = local.spawn(
    'hung',
    ({ heartbeat, signal }) =>
      new Promise((resolve) => {
        beat = heartbeat
        signal.addEventListener('abort', resolve)
      }),
    { hungAfter: 100, onHung: 'kill' },
  )
  await vi.advanceTimersByTimeAsync(10)
  const fake = new Fake(...BOTH)
  await fake.advance(3_600_000)
  beat()
  fake.remove()
  await vi.advanceTimersByTimeAsync(300)
  expect(hung.state).toBe('cancelled')
  void global.shutdown({ mode: 'immediate' })
  await vi.runAllTimersAsync()
})

test('what has to begin begins, though the microtasks of a fake clock that is gone have never come', async () => {
  await using global = createGlobalManager()
  const local = global.createApp('a').createLocal('l')
  const fake = new Fake('queueMicrotask')
  const one = local.spawn('one', () => 1)
  fake.remove()
  const two = local.spawn('two', () => 2)
  await vi.advanceTimersByTimeAsync(0)
  expect([one.state, two.state]).toEqual(['completed', 'completed'])
})

test('A5: of many that are due together 1,024 fire before the event loop turns, in order', async () => {
  const fired: number[] = []
  for (let i = 0; i < 2_500; i++) clock.setTimeout(() => fired.push(i), 100)
  const counts: number[] = []
  for (const wait of [100, 1, 1]) {
    await vi.advanceTimersByTimeAsync(wait)
    for (let k = 0; k < 3_000; k++) await Promise.resolve()
    counts.push(fired.length)
  }
  expect(counts).toEqual([1_024, 2_048, 2_500])
  expect(fired).toEqual(fired.toSorted((a, b) => a - b))
  expect(vi.getTimerCount()).toBe(0)
})

test('A4: a shared timer is armed in the context of the making of its tree, whoever comes first', async () => {
  const request = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const given = globalThis.setTimeout
  globalThis.setTimeout = ((...args: Parameters<typeof given>) => {
    seen.push(request.getStore())
    return given(...args)
  }) as never
  try {
    const own = request.run('maker', () => new PlatformClock(platformContext()))
    request.run('anna', () => own.setTimeout(() => undefined, 50))
    await vi.advanceTimersByTimeAsync(20)
    request.run('bert', () => own.setTimeout(() => undefined, 50))
    await request.run('carl', () => vi.advanceTimersByTimeAsync(100))
    expect(seen).toEqual(['maker', 'maker'])
  } finally {
    globalThis.setTimeout = given
  }
})

test('N1: the numbers that drive a routine say what its table says', () => {
  const read = Array.from(steps, (step) => ({
    target: step & TARGET,
    actions: [EFFECTS[(step >> EFFECT) & 7]].filter((effect) => effect !== 'none'),
    copies: [FIELDS[(step >> FIELD) & 3]].filter((field) => field !== 'none'),
    raises: [...((step & KILLS) === 0 ? [] : ['killed']), ...((step & STRANDS) === 0 ? [] : ['stuck'])],
    handled: (step & HANDLED) !== 0,
  }))
  expect(read).toEqual(table.cells)
  expect(Array.from(steps, (step) => (step & FINAL) !== 0)).toEqual(table.cells.map(({ target }) => table.final[target]))
})
