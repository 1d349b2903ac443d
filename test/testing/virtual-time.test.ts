/** Q1 to Q3, K1, K2: time that is virtual for everything inside. */
import { generateKeyPair, generateKeyPairSync, hkdf, hkdfSync, pbkdf2, pbkdf2Sync, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { clearTimeout as namedClear, setInterval as namedInterval, setTimeout as namedTimeout } from 'node:timers'
import {
  scheduler,
  setImmediate as immediatePromise,
  setInterval as intervalPromise,
  setTimeout as timeoutPromise,
} from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { createGzip, gzip, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { createActor, createMachine } from 'xstate'
import { createGlobalManager, type RoutineContext } from 'curtaincall'
import { virtualTime, type VirtualTime } from 'curtaincall/testing'

const real = {
  setTimeout: globalThis.setTimeout,
  Date: globalThis.Date,
  now: Date.now,
  timeout: Object.getOwnPropertyDescriptor(AbortSignal, 'timeout')?.value as unknown,
  hrtime: process.hrtime,
}

afterEach(() => {
  // Q2
  expect([
    globalThis.setTimeout,
    globalThis.Date,
    Date.now,
    Object.getOwnPropertyDescriptor(AbortSignal, 'timeout')?.value as unknown,
    process.hrtime,
  ]).toEqual(Object.values(real))
})

describe('whatever user code waits with', () => {
  type Sleep = (ms: number, done: () => void) => unknown
  test.each<[string, Sleep]>([
    ['setTimeout', (ms, done) => setTimeout(done, ms)],
    ['setTimeout of node:timers', (ms, done) => namedTimeout(done, ms)],
    ['setTimeout of node:timers/promises', (ms, done) => timeoutPromise(ms).then(done)],
    ['promisified setTimeout', (ms, done) => promisify(setTimeout)(ms).then(done)],
    ['scheduler.wait', (ms, done) => scheduler.wait(ms).then(done)],
    ['the second of two intervals', (ms, done) => oneOfTwo(setInterval, ms, done)],
    ['the second of two intervals of node:timers', (ms, done) => oneOfTwo(namedInterval, ms, done)],
    ['an interval of node:timers/promises', (ms, done) => secondOf(ms, done)],
    ['AbortSignal.timeout', (ms, done) => AbortSignal.timeout(ms).addEventListener('abort', done)],
    [
      'any of two AbortSignals',
      (ms, done) => AbortSignal.any([AbortSignal.timeout(ms), AbortSignal.timeout(2 * ms)]).addEventListener('abort', done),
    ],
    ['a delay of a machine', (ms, done) => createActor(createMachine({ after: { [ms]: { actions: done } } })).start()],
    ['a timeout of a routine', (ms, done) => timeoutOfRoutine(ms, done)],
  ])('%s', async (_name, sleep) => {
    await virtualTime(async (time) => {
      let at: number | undefined
      const begun = Date.now()
      void sleep(60_000, () => (at ??= Date.now() - begun))
      await time.advance(59_999)
      expect(at).toBeUndefined()
      await time.advance(1)
      expect(at).toBe(60_000)
    })
  })

  function oneOfTwo(every: typeof setInterval, ms: number, done: () => void): void {
    let count = 0
    const timer = every(() => {
      if (++count < 2) return
      clearInterval(timer)
      done()
    }, ms / 2)
  }

  async function secondOf(ms: number, done: () => void): Promise<void> {
    let count = 0
    for await (const _tick of intervalPromise(ms / 2)) {
      if (++count < 2) continue
      done()
      break
    }
  }

  async function timeoutOfRoutine(ms: number, done: () => void): Promise<void> {
    const local = createGlobalManager().createApp('a').createLocal('l')
    const work = ({ signal }: RoutineContext) => new Promise((resolve) => signal.addEventListener('abort', resolve))
    await local.spawn('x', work, { timeout: ms }).outcome
    done()
  }

  test('dates, performance and hrtime are of the same clock', async () => {
    await virtualTime(
      async (time) => {
        const [seconds, nanoseconds] = process.hrtime()
        const at = performance.now()
        const fine = process.hrtime.bigint()
        await time.advance(1_500)
        expect([Date.now(), new Date().toISOString(), time.now()]).toEqual([1_500, '1970-01-01T00:00:01.500Z', 1_500])
        expect(Date()).toBe(new real.Date(1_500).toString())
        expect(new Date(5)).toBeInstanceOf(Date)
        expect(new Date(2020, 1, 1).getFullYear()).toBe(2020)
        expect(performance.now() - at).toBe(1_500)
        expect(performance.timeOrigin).toBe(0)
        expect(process.hrtime.bigint() - fine).toBe(1_500_000_000n)
        expect(process.hrtime([seconds, nanoseconds])).toEqual([1, 500_000_000])
      },
      { now: 0 },
    )
  })

  test('timers are cleared by handle and by number, refreshed, and waits aborted', async () => {
    await virtualTime(async (time) => {
      const fired: string[] = []
      clearTimeout(setTimeout(() => fired.push('handle'), 10))
      clearTimeout(Number(setTimeout(() => fired.push('number'), 10)))
      namedClear(namedTimeout(() => fired.push('named'), 10))
      clearTimeout(undefined)
      clearImmediate(setImmediate(() => fired.push('immediate')))
      const kept = setTimeout(() => fired.push('refreshed'), 10)
      const controller = new AbortController()
      const waiting = timeoutPromise(5, undefined, { signal: controller.signal }).catch((error: Error) => fired.push(error.name))
      controller.abort()
      await waiting
      await expect(immediatePromise(1, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORT_ERR' })
      await time.advance(9)
      kept.refresh()
      await time.advance(9)
      expect(fired).toEqual(['AbortError'])
      await time.advance(1)
      expect(fired).toEqual(['AbortError', 'refreshed'])
      expect(time.pending()).toEqual([])
      expect([kept.hasRef(), kept.unref().hasRef()]).toEqual([true, false])
    })
  })
})

describe('as on the platform', () => {
  /** Takes four ticks, and two and a half times as long for each as they are apart. */
  async function slowly(ms: number): Promise<[count: number, took: number]> {
    const begun = performance.now()
    let count = 0
    for await (const _tick of intervalPromise(2 * ms)) {
      await timeoutPromise(5 * ms)
      if (++count === 4) break
    }
    return [count, performance.now() - begun]
  }

  test('ticks that came while nobody waited are not lost', async () => {
    await virtualTime(async (time) => {
      const taken = slowly(50)
      await time.runToQuiescence()
      expect(await taken).toEqual([4, 1_100])
      expect(time.pending()).toEqual([])
    })
  })

  test('ticks end when the signal is aborted, whoever waits', async () => {
    await virtualTime(async (time) => {
      const controller = new AbortController()
      const { signal } = controller
      let count = 0
      const ticking = (async () => {
        for await (const value of intervalPromise(10, 'tick', { signal })) if (value === 'tick') count++
      })()
      await time.advance(25)
      controller.abort(new Error('enough'))
      await expect(ticking).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'enough' } })
      expect([count, time.pending()]).toEqual([2, []])
      await expect(intervalPromise(10, 1, { signal })[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ABORT_ERR' })
    })
  })

  test('a timer that was cleared is not refreshed; one that has fired is', async () => {
    await virtualTime(async (time) => {
      let fired = 0
      const cleared = setTimeout(() => fired++, 5)
      clearTimeout(cleared)
      cleared.refresh()
      expect(time.pending()).toEqual([])
      const again = setTimeout(() => fired++, 5)
      await time.advance(5)
      again.refresh()
      await time.advance(5)
      expect(fired).toBe(2)
    })
  })

  test('a date knows Date', async () => {
    await virtualTime(() => {
      expect(new Date().constructor).toBe(Date)
      class Birthday extends Date {}
      expect([new Birthday().constructor, new Birthday().getFullYear()]).toEqual([Birthday, 2000])
    })
    expect(new Date().constructor).toBe(Date)
  })

  test('a format without a date takes the present one', async () => {
    const format = new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: 'UTC' })
    const outside = format.format()
    await virtualTime(async (time) => {
      await time.advance(24 * 3_600_000)
      expect(format.format()).toBe('1/2/00')
      expect(format.formatToParts().map(({ value }) => value)).toEqual(['1', '/', '2', '/', '00'])
      expect([format.format(0), format.format(new Date(0))]).toEqual(['1/1/70', '1/1/70'])
      expect([undefined, 0].map(format.format)).toEqual(['1/2/00', '1/1/70'])
      expect(format.format).toBe(format.format)
    })
    expect(format.format()).toBe(outside)
  })
})

describe('moving time', () => {
  test('K1: timers fire in order of time, then of arming', async () => {
    const delays = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(delays, fc.array(fc.nat(39), { maxLength: 10 }), async (given, cleared) => {
        await virtualTime(async (time) => {
          const fired: number[] = []
          const timers = given.map((ms, index) => setTimeout(() => fired.push(index), ms))
          for (const index of cleared) if (index < timers.length) clearTimeout(timers[index])
          const expected = given
            .map((ms, index) => ({ ms, index }))
            .filter(({ index }) => !cleared.includes(index))
            .toSorted((a, b) => a.ms - b.ms || a.index - b.index)
          expect(time.pending().map(({ in: ms }) => ms)).toEqual(expected.map(({ ms }) => ms))
          await time.runToQuiescence()
          expect(fired).toEqual(expected.map(({ index }) => index))
        })
      }),
    )
  })

  test('K2: what follows from a timer happens before the next one fires', async () => {
    await virtualTime(async (time) => {
      const story: string[] = []
      setTimeout(() => void Promise.resolve().then(async () => story.push(`after ${await Promise.resolve(1)}`)), 1)
      setTimeout(() => story.push('2'), 2)
      await time.advance(2)
      expect(story).toEqual(['after 1', '2'])
    })
  })

  test('what does not end is stopped, and says who is still running and where it began', async () => {
    await virtualTime(async (time) => {
      const tick = setInterval(() => undefined, 10)
      await expect(time.runToQuiescence({ steps: 50 })).rejects.toThrow(
        /50 timers have fired and 1 are still pending:\n {2}setInterval in 10 ms, armed at .*virtual-time\.test\.ts:\d+/,
      )
      clearInterval(tick)
      await time.runToQuiescence()
    })
  })

  test('pending says what is to come', async () => {
    await virtualTime(async (time) => {
      setTimeout(() => undefined, 50)
      AbortSignal.timeout(20)
      expect(time.pending()).toMatchObject([
        { kind: 'AbortSignal.timeout', in: 20 },
        { kind: 'setTimeout', in: 50, where: expect.stringContaining('virtual-time.test.ts') as string },
      ])
      await time.advance(30)
      expect(time.pending()).toMatchObject([{ kind: 'setTimeout', in: 20 }])
    })
  })

  test('an error in a timer comes out where time is moved; two cannot move it at once', async () => {
    await virtualTime(async (time) => {
      setTimeout(() => {
        throw new Error('in a timer')
      }, 5)
      await expect(time.advance(5)).rejects.toThrow('in a timer')
      const first = time.advance(5)
      await expect(time.advance(5)).rejects.toThrow('virtual time is being moved already')
      await first
      await expect(time.advance(-1)).rejects.toThrow('advance ms must be a number of milliseconds from 0')
    })
  })
})

describe('Q1: runs are apart', () => {
  async function independent(time: VirtualTime, step: number): Promise<number> {
    const begun = Date.now()
    let ticks = 0
    const tick = setInterval(() => ticks++, step)
    for (let i = 0; i < 10; i++) await time.advance(step)
    clearInterval(tick)
    return (Date.now() - begun) * 1_000 + ticks
  }

  test('each has its clock, at the same time, and whoever is outside the real one', async () => {
    const begun = Date.now()
    const results = await Promise.all([1, 10, 100].map((step) => virtualTime((time) => independent(time, step))))
    expect(results).toEqual([10_010, 100_010, 1_000_010])
    expect(Date.now() - begun).toBeLessThan(60_000)
    let release: (() => void) | undefined
    const held = virtualTime(() => new Promise<void>((resolve) => (release = resolve)))
    expect(Math.abs(Date.now() - begun)).toBeLessThan(60_000)
    await new Promise((resolve) => setTimeout(resolve, 1))
    release?.()
    await held
  })

  test('what a run throws is thrown, and the platform is back', async () => {
    await expect(virtualTime(() => Promise.reject(new Error('inside')))).rejects.toThrow('inside')
    await expect(virtualTime(5 as never)).rejects.toThrow('virtualTime run must be a function; received 5')
    await expect(virtualTime(() => 1, { now: 'today' as never })).rejects.toThrow(
      'virtualTime option now must be epoch milliseconds; received "today"',
    )
    await expect(virtualTime(() => 1, { speed: 5 } as never)).rejects.toThrow('unknown option "speed"')
  })
})

describe('Q3: what escapes is named', () => {
  test('reading a file', async () => {
    await expect(virtualTime(() => readFile('package.json'))).rejects.toThrow(
      /virtual time does not reach FSREQ\w+, started at .*virtual-time\.test\.ts:\d+/,
    )
    expect(await virtualTime(() => readFile('package.json').then((data) => data.length > 0), { allowEscapes: true })).toBe(true)
  })

  test('a worker', async () => {
    let worker: Worker | undefined
    await expect(
      virtualTime(() => {
        worker = new Worker('', { eval: true })
      }),
    ).rejects.toMatchObject({ code: 'ERR_ESCAPED', message: expect.stringContaining('WORKER') as string })
    await worker?.terminate()
  })

  test.each<[string, () => unknown]>([
    ['randomBytes', () => randomBytes(8, () => undefined)],
    ['pbkdf2', () => pbkdf2('a', 'b', 1, 8, 'sha1', () => undefined)],
    ['hkdf', () => hkdf('sha1', 'a', 'b', 'c', 8, () => undefined)],
    ['generateKeyPair', () => generateKeyPair('ed25519', {}, () => undefined)],
    ['digest', () => crypto.subtle.digest('SHA-256', new Uint8Array(8))],
    ['gzip', () => gzip('a', () => undefined)],
    ['a stream that compresses', () => void createGzip().end('a')],
  ])('%s, of which the answer comes later', async (_name, work) => {
    await expect(virtualTime(work)).rejects.toMatchObject({ code: 'ERR_ESCAPED' })
  })

  test.each<[string, () => unknown]>([
    ['randomUUID', () => crypto.randomUUID()],
    ['getRandomValues', () => crypto.getRandomValues(new Uint8Array(8))],
    ['randomBytes', () => randomBytes(8)],
    ['pbkdf2Sync', () => pbkdf2Sync('a', 'b', 1, 8, 'sha1')],
    ['hkdfSync', () => hkdfSync('sha1', 'a', 'b', 'c', 8)],
    ['generateKeyPairSync', () => generateKeyPairSync('ed25519')],
    ['gzipSync', () => gzipSync('a')],
  ])('%s is over when it returns, and escapes nobody', async (_name, work) => {
    await virtualTime(async () => work())
  })

  test('what runs outside at the same time is not ours', async () => {
    const outside = readFile('package.json')
    await virtualTime(async (time) => {
      await time.advance(10)
    })
    await outside
  })
})
