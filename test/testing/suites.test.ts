/** What people build their own suites on: supervised trees, probes, leaks with owners, suites from machines. */
import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { assign, createActor, createMachine, setup } from 'xstate'
import { createGlobalManager, type GlobalManager, manager, routine, type RoutineContext } from 'curtaincall'
import {
  createTestProbe,
  describeModel,
  expectNoLeaks,
  startSupervised,
  type Supervised,
  transitionPaths,
  virtualTime,
} from 'curtaincall/testing'

const untilTold = ({ signal }: RoutineContext): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
const thrownBy = async (run: () => unknown): Promise<string> => {
  try {
    await run()
    return ''
  } catch (error) {
    expect((error as { code: string }).code).toBe('ERR_TEST')
    return (error as Error).message
  }
}
/** One owned by nobody here: older than any watch. */
const old = new EventEmitter()
const oldSignal = new AbortController().signal

describe('startSupervised', () => {
  test('runs, and is shut down when its scope ends', async () => {
    let outcome: Promise<unknown>
    {
      await using shop = await startSupervised({ name: 'shop', children: [routine('till', untilTold)] })
      expect([shop.global.state, shop.global.countOf('till')]).toEqual(['running', 1])
      outcome = shop.global.outcome
    }
    expect(await outcome).toMatchObject({ cancelled: 1, killed: 0 })
  })

  test("stops by the runner's own hook", async () => {
    const hooks: (() => Promise<void>)[] = []
    const { global, stop } = await startSupervised(
      { children: [routine('till', untilTold)] },
      { onTestFinished: (hook) => hooks.push(hook) },
    )
    await hooks[0]?.()
    expect(global.state).toBe('completed')
    await stop()
  })

  test('a leak fails the end, and says whose it is', async () => {
    const leaves = () => {
      const timer = setTimeout(() => undefined, 60_000)
      timer.unref()
      old.on('sale', leaves)
    }
    const shop = await startSupervised({ name: 'shop', children: [routine('till', leaves, { restart: 'temporary' })] })
    await new Promise((resolve) => setImmediate(resolve))
    const message = await thrownBy(() => shop.stop())
    old.removeAllListeners()
    expect(message).toMatch(/^left behind:\n {2}timer: Timeout, of shop\/till#till, made at leaves .*suites\.test\.ts:/)
    expect(message).toMatch(/\n {2}listener: a listener of sale on a EventEmitter, of shop\/till#till, made at leaves/)
  })

  test('one that does not stop in time says so, in virtual time too', async () => {
    await virtualTime(async (time) => {
      const shop = await startSupervised(
        { name: 'shop', children: [routine('deaf', () => new Promise(() => undefined), { shutdown: 'infinity' })] },
        { timeout: 300 },
      )
      const before = time.now()
      expect(await thrownBy(() => shop.stop())).toBe('shop did not shut down within 300 ms')
      expect(time.now() - before).toBe(300)
    })
  })

  describe('a tree that gave up while the test looked elsewhere', () => {
    const jams = () => {
      throw new Error('jam')
    }
    const tree = { name: 'shop', logger: false, maxRestarts: 1, children: [routine('till', jams)] } as const
    const run = (act: (shop: Supervised) => unknown, options = {}) =>
      thrownBy(() =>
        virtualTime(async (time) => {
          const shop = await startSupervised(tree, options)
          await time.advance(5_000)
          await act(shop)
          await shop.stop()
        }),
      )
    const gaveUp =
      'shop gave up, and the test asked for nothing of that: RestartLimitError: shop: more than 1 restarts within 5000 ms, after Error: jam'

    test('fails its end, and says why', async () => {
      expect(await run(() => undefined)).toBe(gaveUp)
      expect(await run(({ global }) => createTestProbe(global).events)).toBe(gaveUp)
      expect(await run(({ global }) => expect(global.state).toBe('failed'))).toBe(gaveUp)
    })

    test.each<[string, (shop: Supervised) => unknown]>([
      ['asks for its outcome', ({ global }) => global.outcome],
      ['shuts it down itself', ({ global }) => global.shutdown()],
      ['has waited for its end', ({ global }) => createTestProbe(global).expectTerminated(global)],
    ])('but not if the test %s', async (_, act) => expect(await run(act)).toBe(''))

    test('nor if it has waited for the event, has listened, or allows it', async () => {
      expect(await run(() => undefined, { allowGivingUp: true })).toBe('')
      const early = (act: (global: GlobalManager) => unknown) =>
        thrownBy(() =>
          virtualTime(async () => {
            const till = routine('till', () => new Promise((_, reject) => setTimeout(() => reject(new Error('jam')), 10)))
            await using shop = await startSupervised({ ...tree, children: [till] })
            await act(shop.global)
            await createTestProbe(shop.global).expectNoEvent('routine.hung', undefined, { for: 6_000 })
          }),
        )
      expect(await early(() => undefined)).toBe(gaveUp)
      expect(await early((global) => createTestProbe(global).expectEvent('manager.gaveUp'))).toBe('')
      expect(await early((global) => createTestProbe(global).expectEvent('routine.failed'))).toBe(gaveUp)
      expect(await early((global) => global.on('manager.gaveUp', () => undefined))).toBe('')
    })

    test('a manager below that gave up is the business of its supervisor', async () => {
      const below = {
        ...tree,
        maxRestarts: 3,
        children: [manager('front', { maxRestarts: 0, restart: 'temporary', children: tree.children })],
      }
      await using shop = await startSupervised(below)
      expect(shop.global.state).toBe('running')
    })
  })

  test('a start that fails is told; a wrong option is named', async () => {
    const fails = {
      start: () => {
        throw new Error('no')
      },
    }
    await expect(startSupervised({ children: [routine('r', () => 1, fails)] })).rejects.toMatchObject({ code: 'ERR_START' })
    await expect(startSupervised({}, { timeout: -1 })).rejects.toThrow('startSupervised option timeout must be')
  })
})

describe('createTestProbe', () => {
  const tree = {
    name: 'shop',
    children: [
      routine('till', async () => new Promise((_, reject) => setTimeout(() => reject(new Error('jam')), 200)), {
        restart: 'transient',
        backoff: { initial: 5_000 },
      }),
    ],
  }

  test('waits in virtual time as long as it takes, and not longer', async () => {
    await virtualTime(async (time) => {
      await using global = createGlobalManager(tree)
      const probe = createTestProbe(global)
      const begun = time.now()
      const { error } = await probe.expectEvent('routine.failed', { name: 'till', willRestart: true })
      expect([time.now() - begun, (error as Error).message]).toEqual([200, 'jam'])
      await probe.expectNoEvent('routine.started', undefined, { for: 4_999 })
      await probe.expectEvent('routine.started', ({ incarnation }) => incarnation === 2)
      expect(time.now() - begun).toBe(5_200)
      // Passed over is passed over.
      expect(await thrownBy(() => probe.expectEvent('routine.restarted', undefined, { within: 100 }))).toMatch(
        /^shop: no routine.restarted within 100 ms; nothing came$/,
      )
      expect(await thrownBy(() => probe.expectEvent('routine.hung', { name: 'till' }, { within: 200 }))).toMatch(
        /^shop: no routine.hung with {"name":"till"} within 200 ms; came:\n {2}routine.failed shop\/till#till\n {2}routine.restarted shop\/till#till$/,
      )
      expect(await thrownBy(() => probe.expectNoEvent('routine.failed', undefined, { for: 60_000 }))).toBe(
        'shop/till#till: routine.failed came, and was not to',
      )
      const [till] = global.routines()
      expect(await thrownBy(() => probe.expectTerminated(till as never, { within: 50 }))).toMatch(
        /^shop\/till#till has not ended within 50 ms/,
      )
      void till?.cancel()
      await probe.expectTerminated(till as never)
      probe[Symbol.dispose]()
      const { length } = probe.events
      await global.shutdown()
      expect(probe.events).toHaveLength(length)
    })
  })

  test('what was heard already is found, and is refused, up to what was passed over', async () => {
    await virtualTime(async (time) => {
      await using shop = await startSupervised({ name: 'shop', logger: false, children: [routine('till', untilTold)] })
      using probe = createTestProbe(shop.global)
      shop.global.routines()[0]?.exit('killed')
      const before = time.now()
      expect(probe.events.map(({ type }) => type)).toContain('routine.failed')
      const came = 'shop/till#till: routine.failed came, and was not to'
      expect(await thrownBy(() => probe.expectNoEvent('routine.failed'))).toBe(came)
      // Nothing was passed over by that, and no time has passed.
      expect(await thrownBy(() => probe.expectNoEvent('routine.failed'))).toBe(came)
      expect(time.now()).toBe(before)
      await createTestProbe(shop.global).expectNoEvent('routine.failed')
      await probe.expectEvent('routine.failed')
      await probe.expectNoEvent('routine.failed')
      await probe.expectEvent('routine.restarted')
    })
  })

  test('what is asked of it is checked', async () => {
    expect(() => createTestProbe(1 as never)).toThrow('createTestProbe manager must be a manager; received 1')
    await using global = createGlobalManager()
    using probe = createTestProbe(global)
    await expect(probe.expectEvent('routine.fail' as never)).rejects.toThrow('expectEvent type must be the type of a lifecycle event')
    await expect(probe.expectNoEvent('*' as never)).rejects.toThrow('expectNoEvent type must be')
    await expect(probe.expectEvent('routine.failed', undefined, { timeout: 5 } as never)).rejects.toThrow(
      'unknown option "timeout"; known are within',
    )
    await expect(probe.expectNoEvent('routine.failed', undefined, { for: -1 })).rejects.toThrow('expectNoEvent option for must be')
    await expect(probe.expectTerminated(global, { within: Infinity })).rejects.toThrow('expectTerminated option within must be')
    await expect(expectNoLeaks(5 as never)).rejects.toThrow('expectNoLeaks run must be a function; received 5')
  })

  test('and in real time', async () => {
    await using global = createGlobalManager({ name: 'shop', children: [routine('till', () => 1, { restart: 'temporary' })] })
    const probe = createTestProbe(global)
    await probe.expectEvent('routine.completed')
    await probe.expectNoEvent('routine.failed', undefined, { for: 5 })
    await expect(probe.expectEvent('routine.failed', undefined, { within: -5 })).rejects.toThrow(
      'expectEvent option within must be a number of milliseconds',
    )
  })
})

describe('expectNoLeaks', () => {
  const inTree = (work: (context: RoutineContext) => unknown, shutdown = 50) =>
    thrownBy(() =>
      virtualTime((time) =>
        expectNoLeaks(async (options) => {
          const global = createGlobalManager({
            ...options,
            name: 'shop',
            children: [routine('till', work, { restart: 'temporary', shutdown })],
          })
          await time.advance(10)
          const down = global.shutdown()
          await time.advance(1_000)
          await down
        }),
      ),
    )

  test('what tidies up passes', async () => {
    const machine = createMachine({})
    expect(
      await inTree(async ({ signal }) => {
        const actor = createActor(machine).start()
        const timer = setInterval(() => undefined, 5)
        const bell = new EventEmitter().on('ring', () => undefined)
        process.once('SIGUSR2', stop)
        function stop(): void {
          process.off('SIGUSR2', stop)
          clearInterval(timer)
          actor.stop()
          bell.emit('ring')
        }
        signal.addEventListener('abort', stop)
        await untilTold({ signal } as RoutineContext)
      }),
    ).toBe('')
  })

  test('a timer, a listener, an actor, and a body that goes on are named by owner and place', async () => {
    expect(await inTree(() => void setTimeout(() => undefined, 5_000))).toMatch(
      /^left behind:\n {2}timer: setTimeout in 3990 ms, of shop\/till#till, made at .*suites\.test\.ts:\d+:\d+$/,
    )
    expect(await inTree(() => oldSignal.addEventListener('abort', () => undefined))).toMatch(
      /listener: a listener of abort on a AbortSignal, of shop\/till#till, made at .*suites\.test\.ts/,
    )
    expect(await inTree(() => void createActor(createMachine({ id: 'clerk' })).start())).toMatch(
      /actor: actor x:\d+, of shop\/till#till, made at/,
    )
    expect(await inTree(() => new Promise(() => undefined))).toBe('left behind:\n  promise: a body that has not ended, of shop/till#till')
  })

  describe('the timer of a signal may be left: nobody can disarm it', () => {
    const work = async ({ signal }: RoutineContext) => {
      const either = AbortSignal.any([signal, AbortSignal.timeout(5_000)])
      either.addEventListener('abort', () => undefined)
      AbortSignal.timeout(6_000).addEventListener('abort', () => undefined)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    test('in virtual time', async () => expect(await inTree(work)).toBe(''))
    test('in real time; what it leads to may not', async () => {
      expect(await thrownBy(() => expectNoLeaks(() => work({ signal: oldSignal } as RoutineContext)))).toBe('')
      const leaves = () =>
        new Promise<void>((resolve) =>
          AbortSignal.timeout(1).addEventListener('abort', () => {
            setTimeout(() => undefined, 60_000).unref()
            resolve()
          }),
        )
      const keepsAwake = setTimeout(() => undefined, 60_000)
      expect(await thrownBy(() => expectNoLeaks(leaves))).toMatch(/^left behind:\n {2}timer: Timeout, of no routine/)
      clearTimeout(keepsAwake)
    })
  })

  test('orphans may pass, and owners may be chosen', async () => {
    const run = (given: object) =>
      thrownBy(() =>
        virtualTime((time) =>
          expectNoLeaks(async (options) => {
            setTimeout(() => undefined, 9_000)
            const deaf = () => new Promise(() => void setTimeout(() => undefined, 8_000))
            const global = createGlobalManager({ ...options, name: 'shop', children: [routine('deaf', deaf, { shutdown: 0 })] })
            await time.advance(1)
            const down = global.shutdown({ mode: 'immediate' })
            await time.advance(1)
            await down
          }, given),
        ),
      )
    const all = run({})
    expect((await all).split('\n')).toHaveLength(4)
    expect((await run({ owner: 'shop' })).split('\n')).toHaveLength(3)
    expect((await run({ owner: 'shop', allowOrphans: true })).split('\n')).toHaveLength(1)
  })

  test("the platform's own functions are back", async () => {
    const { on } = EventEmitter.prototype
    const { AbortController: controller } = globalThis
    await expectNoLeaks(() => {
      expect(EventEmitter.prototype.on).not.toBe(on)
      return 1
    })
    expect(EventEmitter.prototype.on).toBe(on)
    expect(globalThis.AbortController).toBe(controller)
  })
})

const door = setup({
  types: { events: {} as { type: 'open' } | { type: 'close' } | { type: 'lock' } | { type: 'unlock' }, context: {} as { opened: boolean } },
}).createMachine({
  id: 'door',
  context: { opened: false },
  initial: 'closed',
  states: {
    closed: { on: { open: { target: 'open', actions: assign({ opened: true }) }, lock: 'locked' } },
    open: { on: { close: 'closed' } },
    locked: { on: { unlock: 'closed' } },
  },
})

class Door {
  state: 'open' | 'closed' | 'locked' = 'closed'
  readonly #careless: boolean
  constructor(careless = false) {
    this.#careless = careless
  }
  open(): void {
    if (this.state === 'closed' || this.#careless) this.state = 'open'
  }
  close(): void {
    if (this.state === 'open') this.state = 'closed'
  }
  lock(): void {
    if (this.state === 'closed') this.state = 'locked'
  }
  unlock(): void {
    if (this.state === 'locked' && !this.#careless) this.state = 'closed'
  }
}

const deeds = {
  open: (each: Door) => each.open(),
  close: (each: Door) => each.close(),
  lock: (each: Door) => each.lock(),
  unlock: (each: Door) => each.unlock(),
}
const looks = {
  open: (each: Door) => expect(each.state).toBe('open'),
  closed: (each: Door) => expect(each.state).toBe('closed'),
  locked: (each: Door) => expect(each.state).toBe('locked'),
}

describe('describeModel', () => {
  describeModel({ describe, test }, door, { create: () => new Door(), do: deeds, expect: looks })

  test('paths take every transition, and none is the beginning of another', () => {
    expect(transitionPaths(door).map(({ name }) => name)).toEqual(['lock → unlock', 'open → close → open', 'open → close → lock → unlock'])
  })

  test('what is not as the machine says fails with the way there', async () => {
    const tests: [string, () => Promise<void>][] = []
    const runner = {
      describe: (_: string, suite: () => void) => suite(),
      test: (name: string, run: () => Promise<void>) => void tests.push([name, run]),
    }
    const ended: string[] = []
    describeModel(runner, door, { create: () => new Door(true), do: deeds, expect: looks, dispose: () => void ended.push('over') })
    const failures = await Promise.all(tests.map(([, run]) => thrownBy(run)))
    const ways = ['lock → unlock', 'open → close → lock → unlock']
    expect(failures.filter((message) => message !== '').map((message) => message.split(':')[0])).toEqual(
      ways.map((way) => `after ${way}, where the model is in closed`),
    )
    expect(ended).toHaveLength(tests.length)
  })

  test('an event without a deed, nothing to look at, or a state that there is not, is refused at once', () => {
    const runner = { describe: (_: string, suite: () => void) => suite(), test: () => undefined }
    const model = { create: () => new Door(), do: deeds, expect: looks }
    const refused = (change: object) => expect(() => describeModel(runner, door, { ...model, ...change }))
    refused({ do: {} }).toThrow('do.open must be a function; received undefined')
    refused({ do: { ...deeds, open: 1 } }).toThrow('describeModel option do must be an object of functions; received an object')
    refused({ expect: {} }).toThrow('expect must be an object with a function for some state')
    refused({ expect: { ...looks, opened: looks.open } }).toThrow(
      'expect must be an object with functions for states (*, closed, open, locked); received "opened"',
    )
    refused({ expect: undefined }).toThrow('describeModel option expect must be an object of functions; received undefined')
    refused({ create: new Door() }).toThrow('describeModel option create must be a function; received an object')
    refused({ events: ['open'] }).toThrow('describeModel option events must be an array of events; received an array')
    refused({ setup: looks }).toThrow('describeModel: unknown option "setup"')
    expect(() => describeModel({ test } as never, door, model)).toThrow('runner must be an object with the methods describe, test')
    expect(() => describeModel(runner, {} as never, model)).toThrow('describeModel machine must be an XState machine; received an object')
    expect(() => transitionPaths(door, { invariant: {} } as never)).toThrow('transitionPaths: unknown option "invariant"')
  })
})
