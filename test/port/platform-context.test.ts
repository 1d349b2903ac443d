/** The platform's own asynchronous contexts: AC1 to AC3 of src/port/async-context.ts, with AsyncLocalStorage as users have it. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createMachine, fromCallback, setup } from 'xstate'
import { createGlobalManager, type GlobalManager, link, type LocalManager, routine, type RoutineContext } from 'curtaincall'
import { virtualTime, type VirtualTime } from 'curtaincall/testing'
import { ambient } from '../../src/port/async-context.ts'
import { platformContext } from '../../src/port/platform-context.ts'
import { settle } from '../support/virtual-clock.ts'

const request = new AsyncLocalStorage<string>()

afterEach(() => void vi.unstubAllGlobals())

/** What was called, and in whose context. */
class Notes {
  readonly lines: string[] = []

  readonly note = (what: string): void => void this.lines.push(`${what} in ${request.getStore() ?? 'none'}`)

  /** Work that ends when it is told to, and notes in whose context that is. */
  readonly untilTold =
    (what: string) =>
    ({ signal }: RoutineContext<any>): Promise<void> =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          this.note(what)
          resolve()
        }),
      )
}

interface Given extends Notes {
  readonly time: VirtualTime
  readonly global: GlobalManager
  readonly local: LocalManager
}

type Spawned = ReturnType<LocalManager['spawn']>

/** Ways to end work that waits for that: all of them by somebody else. */
const ENDS: Record<string, (given: Given & { readonly spawn: (options?: object) => Spawned }) => unknown> = {
  timeout: async ({ local, spawn }) => {
    request.run('someone', () =>
      local.spawn('first of its line', () => new Promise(() => undefined), { timeout: 40, shutdown: 'brutal_kill' }),
    )
    await settle()
    spawn({ timeout: 40, restart: 'temporary' })
  },
  hung: async ({ spawn }) => void spawn({ hungAfter: 40, onHung: 'kill' }),
  cancel: async ({ spawn }) => {
    const own = spawn()
    await own.started
    await request.run('someone', () => own.cancel())
  },
  kill: async ({ spawn }) => {
    const own = spawn()
    await own.started
    await request.run('someone', () => own.kill())
  },
  restart: async ({ spawn }) => {
    const own = spawn()
    await own.started
    await request.run('someone', () => own.restart())
  },
  'its own signal': async ({ spawn }) => {
    const controller = new AbortController()
    await spawn({ signal: controller.signal }).started
    request.run('someone', () => controller.abort())
  },
  link: async ({ local, spawn }) => {
    const other = request.run('another', () =>
      local.spawn('other', () => new Promise((_, reject) => setTimeout(() => reject(new Error('broken')), 10))),
    )
    request.run('someone', () => link(other as never, spawn() as never))
    await other.outcome
  },
  'a message to its actor': async ({ spawn }) => {
    const own = spawn()
    await own.started
    request.run('someone', () => own.actor.send({ type: 'cancel' } as never))
  },
  'the end of its manager': async ({ local, spawn }) => {
    await spawn().started
    await request.run('someone', () => local.shutdown())
  },
  'the end of another': async ({ global, untilTold }) => {
    const work = untilTold('listener')
    const app = request.run('anna', () =>
      global.createApp('group', {
        strategy: 'one_for_all',
        children: [routine('one', work), routine('two', () => new Promise(() => undefined))],
      }),
    )
    await settle()
    request.run('someone', () => void app.routinesNamed('two')[0]?.kill())
  },
}

async function inTime(strict: boolean, act: (given: Given) => Promise<void>): Promise<string[]> {
  const notes = new Notes()
  await virtualTime(async (time) => {
    const global = createGlobalManager({ strict })
    const local = global.createApp('a').createLocal('l', { maxRestarts: 99 })
    await act(Object.assign(notes, { time, global, local }))
    const down = global.shutdown({ mode: 'immediate' })
    await time.runToQuiescence()
    await down
  })
  return notes.lines
}

const later = (note: (what: string) => void) =>
  createMachine({ initial: 'x', states: { x: { after: { 50: { target: 'y' } } }, y: { entry: () => note('after of a child') } } })

const machine = (note: (what: string) => void) =>
  setup({
    types: { events: {} as { type: 'ping' } | { type: 'end' } },
    actors: { later: later(note), stopping: fromCallback(() => () => note('stop')) },
  }).createMachine({
    entry: () => note('entry'),
    initial: 'one',
    states: {
      one: { after: { 50: { target: 'two', actions: () => note('after') } } },
      two: { invoke: { src: 'later' } },
    },
    on: { ping: { actions: () => note('ping') }, end: '.two' },
    invoke: { src: 'stopping' },
  })

for (const strict of [false, true]) {
  describe(`strict: ${strict}`, () => {
    test('AC1: those who are spawned in one tick, and those who wait for room, each run in the context of their own spawn', async () => {
      const lines = await inTime(strict, async ({ note, local, global, time }) => {
        const tight = global.createApp('b').createLocal('tight', { maxRoutines: 1, overflow: 'queue' })
        for (const who of ['anna', 'bert', undefined, 'carl'])
          request.run(who as string, () => {
            local.spawn(`now ${who}`, ({ name }) => note(name))
            tight.spawn(`queued ${who}`, async ({ name }) => note(name))
            tight.spawn(
              `queued machine of ${who}`,
              createMachine({ entry: () => note(`queued machine of ${who}`), type: 'final' as never }),
            )
          })
        await time.runToQuiescence()
      })
      const whose = (who?: string): string[] => ['now', 'queued', 'queued machine of'].map((what) => `${what} ${who} in ${who ?? 'none'}`)
      expect(lines.toSorted()).toEqual([undefined, 'anna', 'bert', 'carl'].flatMap(whose).toSorted())
    })

    test('AC1: start, restartIf, and every restart, delayed or by hand or for being hung, are in it too', async () => {
      const lines = await inTime(strict, async ({ note, local, time }) => {
        const spawn = (name: string, options: object, body: (context: RoutineContext<any>) => unknown) =>
          local.spawn(name, body as never, {
            start: ({ incarnation }) => note(`start ${incarnation}`),
            restartIf: () => (note('restartIf'), true),
            ...options,
          })
        const fails = ({ incarnation }: RoutineContext<any>): void => {
          note(`body ${incarnation}`)
          if (incarnation < 3) throw new Error('broken')
        }
        request.run('anna', () => spawn('delayed', { restart: 'transient', backoff: { initial: 30 } }, fails))
        await time.advance(100)
        request.run('bert', () => spawn('at once', { restart: 'transient' }, fails))
        await time.advance(1)
        const hangs = request.run('carl', () =>
          spawn('hung', { hungAfter: 20, onHung: 'restart', shutdown: 'brutal_kill' }, ({ incarnation }) => {
            note(`body ${incarnation}`)
            return incarnation === 1 ? new Promise(() => undefined) : new Promise(() => undefined)
          }),
        )
        await time.advance(25)
        await request.run('someone', () => Promise.resolve(hangs.restart()))
        await request.run('someone', () => hangs.kill())
      })
      const twice = (who: string): string[] =>
        ['start 1', 'body 1', 'restartIf', 'start 2', 'body 2', 'restartIf', 'start 3', 'body 3'].map((what) => `${what} in ${who}`)
      const carl = ['start 1', 'body 1', 'start 2', 'body 2', 'start 3', 'body 3'].map((what) => `${what} in carl`)
      expect(lines).toEqual([...twice('anna'), ...twice('bert'), ...carl])
    })

    test.for(Object.entries(ENDS))('AC1: whoever aborts its signal, the listeners are called in its own context: %s', async ([, end]) => {
      const lines = await inTime(strict, async (given) => {
        const { local, untilTold, time } = given
        const spawn = (options: object = {}): Spawned =>
          request.run('anna', () => local.spawn('x', untilTold('listener') as () => unknown, { restart: 'transient', ...options }))
        const doing = end({ ...given, spawn })
        await time.advance(100)
        await doing
      })
      expect(lines.length).toBeGreaterThan(0)
      expect(new Set(lines)).toEqual(new Set(['listener in anna']))
    })

    test('AC1: a machine handles what it is sent, its delays, those of its children, and its end in it', async () => {
      const lines = await inTime(strict, async ({ note, local, time }) => {
        const own = request.run('anna', () => local.spawn('machine', machine(note)))
        await own.started
        request.run('bert', () => own.send({ type: 'ping' }))
        request.run('carl', () => own.work?.send({ type: 'ping' }))
        await request.run('someone', () => time.advance(55))
        await time.advance(60)
        await request.run('bert', () => own.cancel())
        const other = request.run('anna', () => local.spawn('another', machine(note)))
        await other.started
        request.run('carl', () => other.work?.send({ type: 'end' }))
        await time.advance(60)
        await other.cancel()
      })
      const own = ['entry', 'ping', 'ping', 'after', 'after of a child', 'stop', 'entry', 'after of a child', 'stop']
      expect(lines).toEqual(own.map((what) => `${what} in anna`))
    })

    test('AC1: children run in the context of the making of their manager, whoever starts or restarts them', async () => {
      const lines = await inTime(strict, async ({ note, untilTold, global, time }) => {
        const work = (context: RoutineContext<any>): Promise<void> => {
          note(`${context.name} begins`)
          return untilTold(`${context.name} ends`)(context)
        }
        const actor = fromCallback(() => {
          note('actor begins')
          return () => note('actor ends')
        })
        const app = request.run('anna', () =>
          global.createApp('b', { strategy: 'one_for_all', children: [routine('one', work), routine('actor', actor)] }),
        )
        await time.advance(1)
        const [one] = app.routinesNamed('one')
        await request.run('bert', () => one?.kill())
        await request.run('carl', () => app.startChild(routine('two', work, { timeout: 20 })))
        await time.advance(10)
        await request.run('carl', () => app.restartChild('one'))
        await time.advance(1)
      })
      expect(lines.length).toBeGreaterThan(5)
      expect(lines.filter((line) => !line.endsWith(' in anna'))).toEqual([])
    })

    test('AC1: a body that enters another context for good does so for itself', async () => {
      const lines = await inTime(strict, async ({ note, local, time }) => {
        local.spawn('enters', () => request.enterWith('mallory'))
        local.spawn('plain', () => note('plain'))
        request.run('anna', () => local.spawn('of anna', () => note('of anna')))
        await time.advance(1)
      })
      expect(lines).toEqual(['plain in none', 'of anna in anna'])
    })

    test('AC1: listeners of events are called in the context of whoever has led to the event; of a beginning, in that of the routine', async () => {
      const lines = await inTime(strict, async ({ note, local, time }) => {
        local.on('routine.started', ({ name }) => note(`started ${name}`))
        local.on('routine.cancelled', ({ name }) => note(`cancelled ${name}`))
        const [one] = ['anna', 'bert'].map((who) => request.run(who, () => local.spawn(`of ${who}`, createMachine({}))))
        await time.advance(1)
        await request.run('carl', () => one?.cancel())
      })
      expect(lines.slice(0, 3)).toEqual(['started of anna in anna', 'started of bert in bert', 'cancelled of anna in carl'])
    })
  })
}

test('AC3: without a store there is nothing to keep, and a routine has no memory of its own', async () => {
  await using global = createGlobalManager()
  const local = global.createApp('a').createLocal('l')
  const memoryOf = (made: unknown): object => (made as { readonly memory: object }).memory
  const [one, two] = [local.spawn('one', () => undefined), local.spawn('two', () => undefined)]
  expect(memoryOf(one)).toBe(memoryOf(two))
  const three = request.run('anna', () => local.spawn('three', () => undefined))
  expect(memoryOf(three)).not.toBe(memoryOf(one))
})

test('a look at the context leaves nothing behind in it', () => {
  const context = platformContext()
  expect(context.capture()).toBe(undefined)
  request.run('anna', () => {
    const captured = context.capture()
    platformContext()
    expect(context.capture()).toBe(captured)
  })
})

test('where the platform has no contexts, code runs in that which there is', () => {
  vi.stubGlobal('process', undefined)
  expect(platformContext()).toBe(ambient)
  vi.stubGlobal('process', { env: {} })
  expect(platformContext()).toBe(ambient)
})

test.for([[[]], [['--no-async-context-frame']]])('AC1: the same with the flags %s of Node.js', ([flags]) => {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major < 24 && flags?.length !== 0) return
  const printed = execFileSync(process.execPath, [...(flags as string[]), join(import.meta.dirname, '..', 'support', 'who-is-it.ts')], {
    encoding: 'utf8',
  })
  expect(JSON.parse(printed)).toEqual([
    'none in none',
    'anna in anna',
    'bert in bert',
    'none in none',
    'end of anna in anna',
    'end of bert in bert',
  ])
})
