/** Virtual timers are as those of the platform: `this`, signals, whole milliseconds, order, and errors in the platform's own words. */
import timers, { setImmediate as namedImmediate, setTimeout as namedTimeout } from 'node:timers'
import timersPromises, {
  scheduler,
  setImmediate as immediatePromise,
  setInterval as intervalPromise,
  setTimeout as timeoutPromise,
} from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { virtualTime } from 'curtaincall/testing'

/** What is said in so many milliseconds of virtual time. */
async function saidIn(ms: number, program: (log: (word: unknown) => void) => unknown): Promise<unknown[]> {
  const said: unknown[] = []
  await virtualTime(async (time) => {
    await program((word) => void said.push(word))
    await time.advance(ms)
  })
  return said
}

describe('`this` of a callback is its timer', () => {
  test.each([
    ['setInterval', (act: (this: NodeJS.Timeout) => void, ms: number) => setInterval(act, ms)],
    ['setInterval of node:timers', (act: (this: NodeJS.Timeout) => void, ms: number) => timers.setInterval(act, ms)],
  ])('%s', async (_name, every) => {
    const said = await saidIn(20, (log) => {
      let n = 0
      every(function (this: NodeJS.Timeout) {
        log(++n)
        if (n === 3) clearInterval(this)
      }, 2)
    })
    expect(said).toEqual([1, 2, 3])
  })

  test('setTimeout comes again when it refreshes it; setImmediate has its own', async () => {
    const said = await saidIn(20, (log) => {
      let n = 0
      const timeout: unknown = setTimeout(function (this: NodeJS.Timeout) {
        log(this === timeout)
        if (++n < 3) this.refresh()
      }, 2)
      const immediate: unknown = namedImmediate(function (this: unknown) {
        log(this === immediate)
      })
    })
    expect(said).toEqual([true, true, true, true])
  })

  test('arguments are passed on', async () => {
    const add = (log: (word: unknown) => void) => (a: number, b: number) => log(a + b)
    expect(
      await saidIn(20, (log) => {
        setTimeout(add(log), 1, 1, 2)
        setImmediate(add(log), 3, 4)
        namedTimeout(add(log), 2, 5, 6)
      }),
    ).toEqual([7, 3, 11])
  })
})

describe('promisified timers', () => {
  /** Aborted before, and while it waits. */
  async function aborted(): Promise<unknown[]> {
    const control = new AbortController()
    const over = (promise: Promise<unknown>) =>
      promise.then(
        () => 'slept on',
        ({ name, code, cause }) => [name, code, cause],
      )
    const { signal } = control
    const given = { signal, ref: false }
    const waits = [
      promisify(setTimeout)(1_000, 'v', given),
      promisify(setImmediate)('v', given),
      promisify(namedTimeout)(1_000, 'v', given),
      timeoutPromise(1_000, 'v', given),
      immediatePromise('v', given),
      scheduler.wait(1_000, given),
    ].map(over)
    control.abort('enough')
    return Promise.all([...waits, over(promisify(setTimeout)(1_000, 'v', given)), over(promisify(setImmediate)('v', given))])
  }
  const all = Array.from({ length: 8 }, () => ['AbortError', 'ABORT_ERR', 'enough'])

  test('take a signal: in virtual time, really, and really while another test is in virtual time', async () => {
    expect(await virtualTime(() => aborted())).toEqual(all)
    expect(await aborted()).toEqual(all)
    const { promise, resolve } = Promise.withResolvers<void>()
    const other = virtualTime(() => promise)
    expect(await aborted()).toEqual(all)
    resolve()
    await other
  })

  test('are those of node:timers/promises, as on the platform', async () => {
    await virtualTime(async (time) => {
      expect(promisify(setTimeout)).toBe(timersPromises.setTimeout)
      expect(promisify(timers.setImmediate)).toBe(immediatePromise)
      const slept = promisify(setTimeout)(10, 'value')
      await time.advance(10)
      expect(await slept).toBe('value')
      expect(globalThis.setTimeout).toBe(timers.setTimeout)
    })
  })

  test('a wait that was aborted before leaves no timer', async () => {
    await virtualTime(async (time) => {
      await expect(timeoutPromise(5, 1, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORT_ERR' })
      expect(time.pending()).toEqual([])
    })
  })
})

describe('order', () => {
  test('of fractions: timers of one whole millisecond fire as they were armed, by whichever name', async () => {
    const said = await saidIn(5, (log) => {
      for (const ms of [1.9, 1.5, 1.2]) setTimeout(() => log(ms), ms)
      for (const ms of [1.8, 1.1]) void timeoutPromise(ms).then(() => log(ms))
      setTimeout(() => log('text'), '1.7' as never)
    })
    expect(said).toEqual([1.9, 1.5, 1.2, 1.8, 1.1, 'text'])
    await virtualTime(async (time) => {
      setInterval(() => undefined, 2.9)
      expect(time.pending()).toMatchObject([{ in: 2, delay: 2 }])
    })
  })

  test('K2: what a timer does by nextTick comes before what it does by promises', async () => {
    const said = await saidIn(5, (log) => {
      const both = (name: string) => () => {
        void Promise.resolve().then(() => log(`${name} promise`))
        process.nextTick(() => log(`${name} tick`))
      }
      setTimeout(both('a'), 1)
      setTimeout(both('b'), 1)
      setImmediate(both('now'))
    })
    expect(said).toEqual(['now tick', 'now promise', 'a tick', 'a promise', 'b tick', 'b promise'])
  })

  test('an interval comes again behind what its callback has armed', async () => {
    const said = await saidIn(4, (log) => {
      let n = 0
      setInterval(() => {
        log(`tick ${++n}`)
        setTimeout(() => log(`armed by ${n}`), 2)
      }, 2)
    })
    expect(said).toEqual(['tick 1', 'armed by 1', 'tick 2'])
  })

  test('an interval whose callback throws goes on', async () => {
    await virtualTime(async (time) => {
      let n = 0
      const every = setInterval(() => {
        if (++n === 1) throw new Error('once')
      }, 2)
      await expect(time.advance(2)).rejects.toThrow('once')
      await time.advance(2)
      clearInterval(every)
      expect(n).toBe(2)
    })
  })

  test('dates are whole milliseconds', async () => {
    await virtualTime(
      async (time) => {
        const begun = performance.now()
        await time.advance(0.5)
        expect([Date.now(), new Date().getTime(), performance.now() - begun]).toEqual([1_000, 1_000, 0.5])
      },
      { now: 1_000 },
    )
  })
})

describe("what is wrong is said in the platform's own words", () => {
  const failure = async (act: () => unknown): Promise<unknown> => {
    try {
      await act()
      return 'taken'
    } catch (error) {
      const { name, code, message } = error as Error & { code: string }
      return { name, code, message }
    }
  }
  const callback = (given: unknown) => given as () => void
  const signal = (given: unknown) => ({ signal: given }) as never
  test.each<[string, () => unknown, string]>([
    ['setTimeout without a callback', () => setTimeout(callback(undefined), 1), 'ERR_INVALID_ARG_TYPE'],
    ['setInterval without a callback', () => setInterval(callback('x'), 1), 'ERR_INVALID_ARG_TYPE'],
    ['setImmediate without a callback', () => setImmediate(callback(5)), 'ERR_INVALID_ARG_TYPE'],
    ['setTimeout of node:timers without a callback', () => namedTimeout(callback(null)), 'ERR_INVALID_ARG_TYPE'],
    ['AbortSignal.timeout(Infinity)', () => AbortSignal.timeout(Infinity), 'ERR_OUT_OF_RANGE'],
    ['AbortSignal.timeout(-1)', () => AbortSignal.timeout(-1), 'ERR_OUT_OF_RANGE'],
    ['AbortSignal.timeout(1.5)', () => AbortSignal.timeout(1.5), 'ERR_OUT_OF_RANGE'],
    ['AbortSignal.timeout of a text', () => AbortSignal.timeout('5' as never), 'ERR_INVALID_ARG_TYPE'],
    ['a wait with a signal that is none', () => timeoutPromise(1, 1, signal(1)), 'ERR_INVALID_ARG_TYPE'],
    ['a wait with a signal that is no object', () => timeoutPromise(1, 1, signal(null)), 'ERR_INVALID_ARG_TYPE'],
    ['a wait with options that are none', () => timeoutPromise(1, 1, null as never), 'ERR_INVALID_ARG_TYPE'],
    ['a wait with a ref that is none', () => timeoutPromise(1, 1, { ref: 1 as never }), 'ERR_INVALID_ARG_TYPE'],
    ['a wait for a text', () => timeoutPromise('5' as never), 'ERR_INVALID_ARG_TYPE'],
    ['an immediate with a signal that is none', () => immediatePromise(1, signal({})), 'ERR_INVALID_ARG_TYPE'],
    ['ticks with a signal that is none', () => intervalPromise(1, 1, signal(1)).next(), 'ERR_INVALID_ARG_TYPE'],
    ['scheduler.wait with a signal that is none', () => scheduler.wait(1, signal(1)), 'ERR_INVALID_ARG_TYPE'],
    ['scheduler.wait of nobody', () => scheduler.wait.call({} as never, 1), 'ERR_INVALID_THIS'],
    ['hrtime since a text', () => process.hrtime('x' as never), 'ERR_INVALID_ARG_TYPE'],
    ['hrtime since three numbers', () => process.hrtime([1, 2, 3] as never), 'ERR_OUT_OF_RANGE'],
  ])('%s', async (_name, act, code) => {
    const really = await failure(act)
    expect(really).toMatchObject({ code })
    await virtualTime(async (time) => {
      expect(await failure(act)).toEqual(really)
      expect(time.pending()).toEqual([])
    })
  })
})
