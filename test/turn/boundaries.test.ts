/** T2: in a turn no foreign function, getter or proxy trap is called. Each of them looks here whether one is under way. */
import { expect, test } from 'vitest'
import { createMachine, fromCallback, fromTransition } from 'xstate'
import { createGlobalManager, type GlobalManager, type LocalManager, manager, routine, watch } from 'curtaincall'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

/** Who was called, and who in the middle of a turn. */
class Watchman {
  readonly called = new Set<string>()
  readonly inTurn: string[] = []
  global: GlobalManager | undefined

  see(what: string): void {
    this.called.add(what)
    if (this.global?.tree.turn.busy === true) this.inTurn.push(what)
  }

  /** The same function, seen. */
  fn<A extends unknown[], R>(what: string, act: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      this.see(what)
      return act(...args)
    }
  }

  /** The same object, with each trap seen that reads it. */
  proxy<T extends object>(what: string, target: T): T {
    return new Proxy(target, {
      get: (from, key) => {
        this.see(`${what}: get`)
        const value: unknown = Reflect.get(from, key, from)
        return typeof value === 'function' ? value.bind(from) : value
      },
      has: (from, key) => {
        this.see(`${what}: has`)
        return Reflect.has(from, key)
      },
      getPrototypeOf: (from) => {
        this.see(`${what}: prototype`)
        return Reflect.getPrototypeOf(from)
      },
      ownKeys: (from) => {
        this.see(`${what}: keys`)
        return Reflect.ownKeys(from)
      },
    })
  }
}

function makeTree(seen: Watchman, strict: boolean): { global: GlobalManager; local: LocalManager; clock: VirtualClock } {
  const clock = new VirtualClock()
  let ids = 0
  const line = (level: string) => seen.fn(`logger.${level}`, () => undefined)
  const global = createGlobalManager({
    name: 'g',
    strict,
    clock: {
      now: seen.fn('clock.now', () => clock.now()),
      setTimeout: seen.fn('clock.setTimeout', (callback, delay) => clock.setTimeout(callback, delay)),
      clearTimeout: seen.fn('clock.clearTimeout', (timer) => clock.clearTimeout(timer)),
    },
    random: seen.fn('random', () => 0.5),
    generateId: seen.fn('generateId', () => `r${++ids}`),
    logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    inspect: seen.fn('inspect', () => undefined),
  })
  seen.global = global
  global.on(
    '*',
    seen.fn('listener', () => undefined),
  )
  global.actor.subscribe(seen.fn('subscriber of a manager', () => undefined))
  global.actor.system.inspect(seen.fn('system.inspect', () => undefined))
  const start = seen.fn('start of a manager', () => undefined)
  const local = global.createApp('a', { start, maxRestarts: 100 }).createLocal('l', { maxRoutines: 8, overflow: 'queue', maxRestarts: 100 })
  return { global, local, clock }
}

const machineOf = (seen: Watchman) =>
  createMachine({
    context: seen.fn('context', () => ({ steps: 0 })),
    initial: 'on',
    states: {
      on: {
        entry: seen.fn('entry', () => undefined),
        exit: seen.fn('exit', () => undefined),
        on: { go: { guard: seen.fn('guard', () => true), actions: seen.fn('action', () => undefined), target: 'off' } },
        after: { 500: 'off' },
      },
      off: { type: 'final' },
    },
  })

/** Something of everything that a user can put in. */
async function live(seen: Watchman, local: LocalManager, clock: VirtualClock): Promise<void> {
  const fails = seen.fn('body', ({ signal }: { signal: AbortSignal }) => {
    signal.addEventListener(
      'abort',
      seen.fn('abort listener', () => undefined),
    )
    throw seen.proxy('an error', new Error('boom'))
  })
  const restarts = { restart: 'permanent', restartIf: seen.fn('restartIf', () => true), backoff: { initial: 10, jitter: 0.5 } } as const
  const start = seen.fn('start', () => undefined)
  const failing = local.spawn('fails', fails, seen.proxy('options', { ...restarts, start, input: seen.proxy('an input', {}) }))
  watch(
    failing,
    seen.fn('watch', () => undefined),
  )
  const foreign = new AbortController()
  const signal = seen.proxy('a foreign signal', foreign.signal)
  const waits = ({ signal: own }: { signal: AbortSignal }): Promise<never> =>
    new Promise((_, reject) =>
      own.addEventListener(
        'abort',
        seen.fn('abort listener', () => reject(seen.proxy('a late error', new Error('late')))),
      ),
    )
  const bound = local.spawn('bound', waits, { signal })
  const cancelled = local.spawn('cancelled', waits)
  const then = seen.fn('then', (keep: (value: unknown) => void) => keep(1))
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
  local.spawn('thenable', () => ({ then }) as PromiseLike<unknown>)
  local.spawn('returns', () => seen.proxy('an output', {}))
  const asked = local.spawn('asked', async ({ messages }: { messages: AsyncIterable<{ reply: (value: object) => void }> }) => {
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    for await (const { reply } of messages) reply(seen.proxy('a reply', {}))
  })
  const machine = local.spawn('machine', machineOf(seen), { resume: 'snapshot', restart: 'permanent' })
  local.spawn(
    'steps',
    fromTransition(
      seen.fn('transition', (state: number) => state + 1),
      0,
    ),
  )
  const callback = local.spawn(
    'callback',
    fromCallback(() => seen.fn('cleanup', () => undefined)),
  )
  const child = routine('child', fails, { ...restarts, start })
  void local.startChild(child)
  void local.startChild(manager('below', { start: seen.fn('start of a manager', () => undefined), children: [child] }))
  await clock.advance(20)
  failing.actor.subscribe(seen.fn('subscriber of a routine', () => undefined))
  machine.work?.subscribe({ next: seen.fn('subscriber of an actor', () => undefined), error: () => undefined })
  void (asked.ask as (message: object) => Promise<unknown>)(seen.proxy('a question', {}))
  ;(machine.send as (message: object) => void)(seen.proxy('a message', { type: 'go' }))
  foreign.abort(seen.proxy('a foreign reason', {}))
  void cancelled.cancel(seen.proxy('a reason', new Error('why')))
  callback.exit(seen.proxy('an exit reason', { shutdown: 1 }))
  await clock.advance(100)
  void failing.restart()
  await Promise.allSettled([bound.outcome, local.shutdownNamed('cancelled')])
  await settle()
}

const EXPECTED = [
  'clock.now clock.setTimeout clock.clearTimeout random generateId logger.error inspect listener system.inspect watch',
  'start restartIf body context entry exit guard action transition cleanup then',
]
  .join(' ')
  .split(' ')

test.each([{ strict: false }, { strict: true }])(
  'T2: in a turn nobody else is called, asked or looked at (strict: $strict)',
  async ({ strict }) => {
    const seen = new Watchman()
    const { global, local, clock } = makeTree(seen, strict)
    await live(seen, local, clock)
    void global.shutdown({ timeout: 1_000 })
    await clock.runOut()
    await global.outcome
    expect(seen.inTurn).toEqual([])
    expect(EXPECTED.filter((what) => !seen.called.has(what))).toEqual([])
    for (const what of [
      'start of a manager',
      'abort listener',
      'a late error: prototype',
      'a foreign signal: get',
      'a reply: get',
      'an exit reason: has',
    ])
      expect([what, seen.called.has(what)]).toEqual([what, true])
    expect([clock.pending, global.count]).toEqual([0, 0])
  },
)
