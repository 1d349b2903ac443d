/** B1 to B3, Q3, Q4, and L3 and L4 of layers: the kit sees what it says that it sees, on whichever platform, or the test fails. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { readFile } from 'node:fs/promises'
import timers, { setTimeout as namedTimeout } from 'node:timers'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createGlobalManager, routine, type RoutineContext } from 'curtaincall'
import { createTestProbe, expectNoLeaks, type LeakOptions, simulate, startSupervised, virtualTime } from 'curtaincall/testing'

const untilTold = ({ signal }: RoutineContext): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
const messageOf = async (run: () => unknown): Promise<string> => {
  try {
    await run()
    return 'passes'
  } catch (error) {
    return (error as Error).message
  }
}

/** Replaces a property until the test is over. */
function put(target: object, key: string, descriptor: PropertyDescriptor | undefined): void {
  const own = Object.getOwnPropertyDescriptor(target, key)
  onTestFinished(() => {
    Reflect.deleteProperty(target, key)
    if (own !== undefined) Object.defineProperty(target, key, own)
  })
  Reflect.deleteProperty(target, key)
  if (descriptor !== undefined) Object.defineProperty(target, key, { configurable: true, ...descriptor })
}

/** A routine that leaves something behind; what is said of that. */
const leftBy = (work: (context: RoutineContext) => unknown): Promise<string> =>
  messageOf(() =>
    expectNoLeaks(async (options) => {
      const global = createGlobalManager({ ...options, name: 'shop' })
      await global.createApp('a').createLocal('l').spawn('till', work, { id: '1' }).outcome
      await global.shutdown()
    }),
  )
const leaves = () => void setTimeout(() => undefined, 60_000).unref()

const names = [
  ...['AbortController', 'AbortSignal', 'EventTarget', 'Date', 'performance'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'],
] as const
const held = (name: string): unknown => Reflect.get(globalThis, name)

describe('L3 of layers: globals may be accessors, as under Jest, jsdom and happy-dom', () => {
  const accessors: [string, (name: string) => PropertyDescriptor][] = [
    [
      'a getter and a setter',
      (name) => ({
        get: (
          (value) => () =>
            value
        )(held(name)),
        set: () => undefined,
        enumerable: true,
      }),
    ],
    [
      'a getter that puts the value in its own place',
      (name) => {
        const value = held(name)
        const get = (): unknown => {
          Object.defineProperty(globalThis, name, { configurable: true, writable: true, value })
          return value
        }
        return { get, set: () => undefined }
      },
    ],
  ]

  test.each(accessors)('%s: trees start, leaks are found, time is virtual, and the accessors are back', async (_what, accessor) => {
    for (const name of names) put(globalThis, name, accessor(name))
    const before = names.map(held)
    const get = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)?.get)
    await using shop = await startSupervised({ name: 'shop', children: [routine('till', untilTold)] })
    expect(shop.global.state).toBe('running')
    expect(await leftBy(leaves)).toMatch(/^left behind:\n {2}timer: Timeout, of shop\/a\/l\/till#1, made at leaves .*sight\.test\.ts/)
    await virtualTime(async (time) => {
      const begun = Date.now()
      let at: number | undefined
      setTimeout(() => (at = Date.now() - begun), 60_000)
      const signal = AbortSignal.timeout(60_000)
      await time.advance(60_000)
      expect([at, signal.aborted, typeof AbortSignal.any]).toEqual([60_000, true, 'function'])
    })
    await shop.stop()
    expect(names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)?.get)).toEqual(get)
    expect(names.map(held)).toEqual(before)
  })

  test('what a class of the document model inherits is replaced, and gone afterwards', async () => {
    class Own extends AbortSignal {}
    put(globalThis, 'AbortSignal', { get: () => Own })
    await virtualTime(async (time) => {
      const signal = AbortSignal.timeout(60_000)
      await time.advance(60_000)
      expect(signal.aborted).toBe(true)
    })
    expect(await leftBy(leaves)).toMatch(/^left behind:\n {2}timer/)
    expect(Object.getOwnPropertyNames(Own)).toEqual(['length', 'name', 'prototype'])
  })

  test('what there is not stays so', async () => {
    put(globalThis, 'setImmediate', undefined)
    put(AbortSignal, 'any', undefined)
    await virtualTime((time) => {
      expect(['setImmediate' in globalThis, 'any' in AbortSignal]).toEqual([false, false])
      return time.advance(5)
    })
    await expectNoLeaks(() => expect('any' in AbortSignal).toBe(false))
    expect(['setImmediate' in globalThis, 'any' in AbortSignal]).toEqual([false, false])
  })

  test('outside of virtual time everybody has his own timers still', async () => {
    const own = (...args: Parameters<typeof namedTimeout>) => ({ made: namedTimeout(...args) })
    put(globalThis, 'setTimeout', { get: () => own, set: () => undefined })
    const { promise, resolve } = Promise.withResolvers<void>()
    const other = virtualTime(() => promise)
    const timer = setTimeout(() => undefined, 5) as unknown as { made: NodeJS.Timeout }
    clearTimeout(timer.made)
    resolve()
    await other
    expect(Object.keys(timer)).toEqual(['made'])
  })

  test('of two objects that tell the time of performance, both obey', async () => {
    const own = { now: () => 5, timeOrigin: 7 }
    const { performance: platform } = await import('node:perf_hooks')
    put(globalThis, 'performance', { get: () => own })
    await virtualTime(async (time) => {
      const begun = [performance.now(), platform.now()]
      await time.advance(1_500)
      expect([performance.now() - (begun[0] as number), platform.now() - (begun[1] as number)]).toEqual([1_500, 1_500])
    })
    expect([performance.now(), performance.timeOrigin]).toEqual([5, 7])
  })
})

describe('targets of a document model, which can not be asked for their listeners', () => {
  class DomTarget {
    readonly #all: { type: string; listener: () => void; once: boolean }[] = []
    addEventListener(type: string, listener: () => void, options: { once?: boolean } = {}): void {
      this.#all.push({ type, listener, once: options.once === true })
    }
    removeEventListener(type: string, listener: () => void): void {
      const at = this.#all.findIndex((each) => each.type === type && each.listener === listener)
      if (at >= 0) this.#all.splice(at, 1)
    }
    dispatch(type: string): void {
      for (const each of this.#all.filter((one) => one.type === type)) {
        if (each.once) this.removeEventListener(type, each.listener)
        each.listener()
      }
    }
  }
  const old = new DomTarget()
  const oldSignal = new AbortController().signal
  const listener = () => undefined

  test('a listener that is left is found, on them and on the own ones of the platform; one that is gone is none', async () => {
    put(globalThis, 'EventTarget', { get: () => DomTarget })
    const left = /^left behind:\n {2}listener: a listener of sale on a DomTarget, of shop\/a\/l\/till#1, made at/
    expect(await leftBy(() => old.addEventListener('sale', listener))).toMatch(left)
    expect(await leftBy(() => old.addEventListener('sale', listener, { once: true }))).toMatch(left)
    expect(await leftBy(() => oldSignal.addEventListener('abort', listener))).toMatch(/a listener of abort on a AbortSignal, of shop/)
    const tidy: (() => unknown)[] = [
      () => {
        old.addEventListener('sale', listener)
        old.removeEventListener('sale', listener)
      },
      () => {
        old.addEventListener('sale', listener, { once: true })
        old.dispatch('sale')
      },
      () => new DomTarget().addEventListener('other', listener),
    ]
    for (const each of tidy.slice(0, 2)) expect(await leftBy(each)).toBe('passes')
    expect(await leftBy(() => new EventTarget().addEventListener('sale', listener))).toBe('passes')
    oldSignal.removeEventListener('abort', listener)
  })
})

describe('B3: a first failure makes no later check pass', () => {
  const fails: PropertyDescriptor = {
    get: () => {
      throw new Error('not here')
    },
  }
  const places: [string, object, string][] = [
    ['AbortController', globalThis, 'AbortController'],
    ['clearImmediate', globalThis, 'clearImmediate'],
    ['AbortSignal.timeout', AbortSignal, 'timeout'],
  ]

  test.each(places)('where %s can not be replaced', async (_name, target, key) => {
    const before = names.map(held)
    const own = Object.getOwnPropertyDescriptor(target, key) as PropertyDescriptor
    Object.defineProperty(target, key, { configurable: true, ...fails })
    const said = await Promise.all([
      leftBy(leaves),
      messageOf(async () => (await startSupervised({})).stop()),
      messageOf(() => virtualTime(async () => (await startSupervised({})).stop())),
      messageOf(() => virtualTime(() => 1)),
    ])
    Object.defineProperty(target, key, own)
    expect(said.filter((message) => message === 'not here').length).toBeGreaterThan(1)
    expect(names.map(held)).toEqual(before)
    expect(await leftBy(leaves)).toMatch(/^left behind:\n {2}timer: Timeout, of shop\/a\/l\/till#1/)
    await virtualTime(async (time) => {
      let fired = false
      setTimeout(() => (fired = true), 60_000)
      await time.advance(60_000)
      expect(fired).toBe(true)
    })
    await (await startSupervised({ children: [routine('till', untilTold)] })).stop()
    expect(names.map(held)).toEqual(before)
  })

  test('a hook that can not be registered stops the tree, and nothing stays replaced', async () => {
    const before = names.map(held)
    const onTestOver = () => {
      throw new Error('outside of a test')
    }
    let made: { state: string } | undefined
    const tree = (options: object) => (made = createGlobalManager({ ...options, children: [routine('till', untilTold)] })) as never
    await expect(startSupervised(tree, { onTestFinished: onTestOver })).rejects.toThrow('outside of a test')
    expect(made?.state).toBe('completed')
    expect(names.map(held)).toEqual(before)
  })
})

describe('real timers in virtual time', () => {
  test('that are left are found: functions that were taken before make them', async () => {
    const { setTimeout: taken } = globalThis
    const work = () => void taken(() => undefined, 60_000).unref()
    expect(await virtualTime(() => leftBy(work))).toMatch(/^left behind:\n {2}timer: Timeout, of shop\/a\/l\/till#1, made at work/)
  })

  test('B2: those by which time is moved are nobody else’s', async () => {
    await virtualTime(async (time) => {
      await expectNoLeaks(() => {
        void time.advance(50)
      })
      console.log('that the console is written to is no leak')
    })
  })
})

describe('Q3: ERR_ESCAPED reaches whoever waits, whichever way', () => {
  const read = () => readFile('package.json', 'utf8')
  const tree = { children: [routine('till', read, { restart: 'temporary' })] }
  const ways: Record<string, () => Promise<unknown>> = {
    'an await of its own': () => virtualTime(() => read()),
    'a probe': () =>
      virtualTime(async () => {
        const { global } = await startSupervised(tree)
        await createTestProbe(global).expectEvent('routine.completed')
      }),
    'a probe, and a tree that is disposed of': () =>
      virtualTime(async () => {
        await using shop = await startSupervised(tree)
        await createTestProbe(shop.global).expectEvent('routine.completed')
      }),
    'the end of a routine': () =>
      virtualTime(async () => {
        const local = createGlobalManager().createApp('a').createLocal('l')
        using probe = createTestProbe(local)
        await probe.expectTerminated(local.spawn('till', read))
      }),
    'moving time': () =>
      virtualTime(async (time) => {
        createGlobalManager(tree)
        await time.advance(5_000)
      }),
    'moving time until nothing is left': () =>
      virtualTime(async (time) => {
        createGlobalManager(tree)
        await time.runToQuiescence()
      }),
    'moving time without end': () =>
      virtualTime(async (time) => {
        createGlobalManager({ children: [...tree.children, routine('ticks', () => void setInterval(() => undefined, 1))] })
        await time.runToQuiescence({ steps: 20 })
      }),
    'an assertion': () =>
      virtualTime(async (time) => {
        const global = createGlobalManager(tree)
        await time.advance(10)
        expect(global.metrics().completed).toBe(1)
      }),
    'what is no error': () =>
      virtualTime(async () => {
        void read()
        throw 'no error'
      }),
    leaks: () => virtualTime(() => leaksOf(read)),
    'a simulation': () => simulate(tree, { script: [{ do: 'wait', ms: 100 }] }),
    'a simulation that does not end': () =>
      simulate({ children: [routine('till', () => read().then(() => new Promise(() => undefined)), { shutdown: 'infinity' })] }),
  }
  const leaksOf = (work: () => unknown) =>
    expectNoLeaks((options) => {
      createGlobalManager({ ...options, children: [routine('till', work, { restart: 'temporary' })] })
      return Promise.resolve()
    })

  test.each(Object.entries(ways))('%s', async (_name, run) => {
    await expect(run()).rejects.toMatchObject({
      code: 'ERR_ESCAPED',
      message: expect.stringMatching(/^virtual time does not reach FSREQ\w+, started at read .*sight\.test\.ts/) as string,
    })
  })

  test('what was thrown besides is its cause, and is named', async () => {
    const error: unknown = await ways['a probe']?.().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      message: expect.stringContaining(
        '\nmeanwhile this was thrown: CurtaincallError: global: no routine.completed within 1000 ms',
      ) as string,
      cause: { code: 'ERR_TEST' },
    })
  })

  test('what escapes while a tree is stopped after its virtual time is over fails its stop', async () => {
    const late = ({ signal }: RoutineContext) => untilTold({ signal } as RoutineContext).then(read)
    const shop = await virtualTime(() => startSupervised({ children: [routine('till', late)] }))
    await expect(shop.stop()).rejects.toMatchObject({ code: 'ERR_ESCAPED' })
    const quiet = await virtualTime(() => startSupervised({ children: [routine('till', untilTold)] }))
    await quiet.stop()
    const allowed = await virtualTime(() => startSupervised({ children: [routine('till', late)] }), { allowEscapes: true })
    await allowed.stop().catch(({ code }: { code: string }) => expect(code).toBe('ERR_TEST'))
  })
})

describe('Q4: a platform that shows less', () => {
  afterEach(() => {
    vi.doUnmock('node:async_hooks')
    vi.doUnmock('node:timers')
    vi.doUnmock('node:timers/promises')
    vi.resetModules()
  })

  /** The kit, as it is loaded where async hooks tell nothing, or named imports keep what they had. */
  async function kitWhere({ hooks = true, named = true }: { hooks?: boolean; named?: boolean }) {
    vi.resetModules()
    const silent = { createHook: () => ({ enable: () => silent, disable: () => silent }), enable: () => silent, disable: () => silent }
    if (!hooks) vi.doMock('node:async_hooks', async (load) => ({ ...(await load<object>()), createHook: silent.createHook }))
    const kept = async (load: <T>() => Promise<T>) => ({ ...(await load<object>()) })
    if (!named) {
      vi.doMock('node:timers', kept)
      vi.doMock('node:timers/promises', kept)
    }
    const [core, kit] = await Promise.all([import('curtaincall'), import('curtaincall/testing')])
    const left = (work: () => unknown, given?: LeakOptions) =>
      messageOf(() =>
        kit.expectNoLeaks(async (options) => {
          const global = core.createGlobalManager({ ...options, name: 'shop' })
          await global.createApp('a').createLocal('l').spawn('till', work, { id: '1' }).outcome
          await global.shutdown()
        }, given),
      )
    return { ...core, ...kit, left }
  }

  test('where hooks tell nothing, timers that are left are named still', async () => {
    const { left } = await kitWhere({ hooks: false })
    const owned = /^left behind:\n {2}timer: set\w+, of shop\/a\/l\/till#1, made at .*sight\.test\.ts/
    for (const work of [
      leaves,
      () => void timers.setTimeout(() => undefined, 60_000).unref(),
      () => void setInterval(() => undefined, 60_000).unref(),
    ])
      expect(await left(work)).toMatch(owned)
    expect(await left(leaves, { allowUnseen: true })).toMatch(owned)
    expect(await left(() => clearTimeout(setTimeout(() => undefined, 60_000)), { allowUnseen: true })).toBe('passes')
    expect(await left(() => clearInterval(Number(setInterval(() => undefined, 60_000))), { allowUnseen: true })).toBe('passes')
    expect(await left(() => new Promise((resolve) => setTimeout(resolve, 1)), { allowUnseen: true })).toBe('passes')
  })

  test('where hooks tell nothing, a check that finds nothing fails and says what it did not see', async () => {
    const { left, startSupervised: start } = await kitWhere({ hooks: false })
    expect(await left(() => undefined)).toMatch(
      /^this platform does not show all timers: its async hooks tell nothing of them, .*allowUnseen/,
    )
    const taken = namedTimeout
    expect(await left(() => void taken(() => undefined, 60_000).unref())).toMatch(/^this platform does not show all timers/)
    put(globalThis, 'Bun', { value: {} })
    expect(await left(() => undefined)).toMatch(/^Bun does not show all timers/)
    expect(await messageOf(async () => (await start({})).stop())).toMatch(/^Bun does not show all timers/)
    expect(await messageOf(async () => (await start({}, { allowUnseen: true })).stop())).toBe('passes')
  })

  test('where hooks tell nothing, virtual time does not pretend to see what escapes', async () => {
    const { virtualTime: run, simulate: play, propertyShutdown: campaign } = await kitWhere({ hooks: false })
    put(globalThis, 'Deno', { value: {} })
    const says =
      /^Deno does not show what escapes from virtual time: its async hooks tell nothing of real input and output\. With allowEscapes: true/
    expect(await messageOf(() => run(() => 1))).toMatch(says)
    expect(await messageOf(() => play({ children: [] }))).toMatch(says)
    expect(await messageOf(() => campaign({ children: [] }, { runs: 2 }))).toMatch(says)
    expect(await run(() => 1, { allowEscapes: true })).toBe(1)
    await play({ children: [] }, { allowEscapes: true })
    await play({ kind: 'tree', name: 'a plan holds nothing that could escape' })
    await campaign({ children: [] }, { runs: 2, allowEscapes: true })
  })

  test('where named imports stay real, a real timer in virtual time fails it', async () => {
    const { virtualTime: run } = await kitWhere({ named: false })
    const taken = namedTimeout
    const named = () => run((time) => (taken(() => undefined, 1), time.advance(5)))
    expect(await messageOf(named)).toMatch(
      /^virtual time does not reach Timeout, started at .*sight\.test\.ts\S+: here, what is imported from node:timers by name stays real$/,
    )
    await run(async (time) => {
      setTimeout(() => undefined, 1)
      await time.advance(5)
    })
  })

  test('where a replaced Promise loses the context, it can not be seen what belongs to a test', async () => {
    const outside = AsyncLocalStorage.snapshot()
    const { then } = Promise.prototype
    const lossy = function (this: Promise<unknown>, ...args: ((value: unknown) => unknown)[]) {
      const wrapped = args.map((each) => (typeof each === 'function' ? (value: unknown): unknown => outside(each, value) : each))
      return then.apply(this, wrapped as never)
    }
    // oxlint-disable-next-line no-extend-native -- what is said where somebody does so is what is tested
    Promise.prototype.then = lossy as never
    const said = await Promise.all([messageOf(() => virtualTime(() => 1)), messageOf(() => expectNoLeaks(() => 1))])
    // oxlint-disable-next-line no-extend-native -- see above
    Promise.prototype.then = then
    const lost = expect.stringMatching(/^asynchronous context gets lost behind a promise/) as string
    expect(said).toEqual([lost, lost])
  })
})
