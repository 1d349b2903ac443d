/** Exploration of people's own machines: what tells states apart, and what is a step. */
import { describe, expect, test } from 'vitest'
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  assign,
  createActor,
  createMachine,
  fromPromise,
  setup,
  spawnChild,
  stopChild,
} from 'xstate'
import { describeModel, explore, exploreMachine, refines, transitionCoverage, transitionPaths } from 'curtaincall/testing'

const valueOf = (key: string): string => JSON.stringify((JSON.parse(key) as [unknown])[0])
const edgesOf = (machine: AnyStateMachine): string[] =>
  exploreMachine(machine).edges.map(({ from, event, to }) => `${valueOf(from)} ${event} ${valueOf(to)}`)
const named = (machine: AnyStateMachine): string[] => transitionPaths(machine).map(({ name }) => name)

/** A machine that counts in a context of some kind. */
const counting = (first: unknown, next: (value: never) => unknown) =>
  createMachine({
    context: { value: first },
    on: { more: { actions: assign({ value: ({ context }) => next(context.value as never) }) } },
  })

const player = createMachine({
  id: 'player',
  initial: 'on',
  states: {
    on: { initial: 'one', states: { one: { on: { next: 'two' } }, two: {}, last: { type: 'history' } }, on: { off: 'off' } },
    off: { on: { on: 'on.last' } },
  },
})

/** Runs the suite of a model, and says of each test what failed. */
async function failures<Subject>(machine: AnyStateMachine, model: Parameters<typeof describeModel<Subject>>[2]): Promise<string[]> {
  const runs: (() => Promise<void>)[] = []
  describeModel({ describe: (_, suite) => suite(), test: (_, run) => void runs.push(run) }, machine, model)
  const said = await Promise.all(
    runs.map((run) =>
      run().then(
        () => '',
        (error: Error) => error.message,
      ),
    ),
  )
  return said.filter((message) => message !== '')
}

describe('what tells states apart', () => {
  test('which state it would come back to', () => {
    expect(edgesOf(player).filter((edge) => edge.startsWith('"off"'))).toEqual(['"off" on {"on":"one"}', '"off" on {"on":"two"}'])
    expect(named(player)).toContain('next → off → on → off')
  })

  test('so that what forgets where it was is found', async () => {
    const looks = (channel: string) => (each: { channel: string }) => expect(each.channel).toBe(channel)
    const said = await failures<{ channel: string }>(player, {
      create: () => ({ channel: 'one' }),
      do: { next: (each) => (each.channel = 'two'), off: () => {}, on: (each) => (each.channel = 'one') },
      expect: { 'on.one': looks('one'), 'on.two': looks('two') },
    })
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/^after next → off → on, where the model is in on.two: /)
  })

  test.each<[string, AnyStateMachine]>([
    ['a Set', counting(new Set(), (set: Set<number>) => (set.size === 3 ? set : new Set([...set, set.size])))],
    ['a Map', counting(new Map(), (map: Map<number, string>) => (map.size === 3 ? map : new Map([...map, [map.size, 'x']])))],
    ['a bigint', counting(0n, (n: bigint) => (n === 3n ? n : n + 1n))],
    ['a Date', counting(new Date(0), (date: Date) => new Date(Math.min(3, date.getTime() + 1)))],
    ['bytes', counting(new Uint8Array(1), ([n = 0]: Uint8Array) => Uint8Array.of(Math.min(3, n + 1)))],
    ['an error', counting(new Error(''), ({ message }: Error) => new Error(message.length === 3 ? message : `${message}.`))],
    ['a cause', counting(new Error('e', { cause: 0 }), ({ cause }: Error) => new Error('e', { cause: Math.min(3, Number(cause) + 1) }))],
    [
      'nothing, and numbers that JSON lacks',
      counting(null, (value) => (value === null ? undefined : Number.isNaN(value) ? Infinity : NaN)),
    ],
    ['a symbol that all know', counting(Symbol.for('a'), (s: symbol) => Symbol.for(`${s.description?.slice(0, 3)}b`))],
    ['expressions', counting(/a/, ({ source }: RegExp) => new RegExp(`${source.slice(0, 3)}b`))],
  ])('%s in the context', (_, machine) => {
    const { states, violations } = exploreMachine(machine, { limit: 10, invariants: { never: () => false } })
    expect([states.length, violations.length, new Set(states.map(({ key }) => key)).size]).toEqual([4, 4, 4])
  })

  test('what does not hold is said also where there is no end to the states', () => {
    const machine = counting(new Set(), (set: Set<number>) => new Set([...set, set.size]))
    const invariants = { 'at most two': ({ context }: AnyMachineSnapshot) => (context as { value: Set<number> }).value.size <= 2 }
    expect(() => exploreMachine(machine, { limit: 20, invariants })).toThrow(
      /^more than 20 states; one of the last is .*\nand at most two does not hold in .*"of":\[0,1,2\].* by more, more, more$/,
    )
  })

  test('numbers of both signs of zero, and an object that looks like a mark', () => {
    const zero = counting(0, () => -0)
    expect(exploreMachine(zero).states).toHaveLength(2)
    const set = counting(new Set(), () => ({ '~': 'Set', of: [] }))
    expect(exploreMachine(set).states).toHaveLength(2)
  })

  test('actors are told apart by their ids', () => {
    const spawning = setup({ actors: { work: fromPromise(() => Promise.resolve(1)) } }).createMachine({
      context: { worker: undefined as unknown },
      on: { go: { actions: assign({ worker: ({ spawn }) => spawn('work', { id: 'w' }) }) } },
    })
    expect(exploreMachine(spawning).states).toHaveLength(2)
  })

  class Till {
    readonly #opened: number
    constructor(opened: number) {
      this.#opened = opened
    }
    get opened(): number {
      return this.#opened
    }
  }
  const circle: unknown[] = []
  circle.push(circle)

  test.each([
    ['context.value is a function', () => 1],
    ['context.value is an instance of Till', new Till(1)],
    ['context.value.at[0] is an instance of Promise', { at: [Promise.resolve()] }],
    ['context.value.values() is a symbol', new Set([Symbol('mine')])],
    ['context.value[0] is a circle', circle],
  ])('what can not be told apart is refused: %s', (reason, value) => {
    const machine = counting(value, () => value)
    const message = `option symmetry must be a function that says which states are the same, since ${reason}, of which two can't be told apart; received undefined`
    expect(() => exploreMachine(machine)).toThrow(message)
    expect(() => transitionPaths(machine)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG', message }) as Error)
    const model = { name: 'm', machine, hidden: ['more'], begins: () => true, sees: () => ({ by: ['more'], in: () => true }) }
    const events = [{ i: 0, t: 0, actor: 'a', type: 'step' }] as const
    expect(() => [...refines(model, { events })]).toThrow(
      `refines model must be a model of a machine with a context of plain data, since ${reason}`,
    )
    expect(exploreMachine(machine, { symmetry: ({ status }) => status }).states).toHaveLength(1)
  })

  test('a symmetry of one’s own may look inside', () => {
    const machine = counting(new Till(0), ({ opened }: Till) => new Till(Math.min(3, opened + 1)))
    const symmetry = ({ context }: AnyMachineSnapshot): string => String((context as { value: Till }).value.opened)
    expect(exploreMachine(machine, { symmetry }).states).toHaveLength(4)
  })
})

describe('what is a step', () => {
  const pinged = createMachine({
    id: 'pinged',
    initial: 'a',
    states: {
      a: { on: { ping: { actions: 'log' }, go: 'b', ignored: {} } },
      b: { on: { ping: { target: 'b', reenter: true }, back: 'a' } },
    },
  })

  test('a transition from a state to itself is; an event that takes none is not', () => {
    expect(edgesOf(pinged)).toEqual(['"a" ping "a"', '"a" go "b"', '"b" ping "b"', '"b" back "a"'])
    expect(named(pinged)).toEqual(['ping', 'go → ping', 'go → back'])
  })

  test('so that what breaks by it is found', async () => {
    const said = await failures<{ state: string }>(pinged, {
      create: () => ({ state: 'a' }),
      do: { ping: (each) => (each.state = 'broken'), go: (each) => (each.state = 'b'), back: (each) => (each.state = 'a') },
      expect: { '*': (each, { value }) => expect(each.state).toBe(value) },
    })
    expect(said.map((message) => message.split(':')[0])).toEqual([
      'after ping, where the model is in a',
      'after go → ping, where the model is in b',
    ])
  })

  test('a state in which nothing changes any more is a deadlock, whatever goes in circles there', () => {
    const stuck = createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: { on: { ping: { actions: 'log' } } } } })
    expect(exploreMachine(stuck).deadlocks.map(({ path }) => path)).toEqual([['go']])
  })

  test('the end of an inner state comes from the machine itself, and from nowhere else', async () => {
    const job = createMachine({
      id: 'job',
      initial: 'work',
      states: {
        work: { initial: 'x', states: { x: { on: { finish: 'y' } }, y: { type: 'final' } }, onDone: 'end' },
        end: { type: 'final' },
      },
    })
    expect(edgesOf(job)).toEqual(['{"work":"x"} finish "end"'])
    expect(await failures(job, { create: () => 1, do: { finish: () => {} }, expect: { '*': () => {} } })).toEqual([])
  })

  test('ends of invoked actors, and delays, come from outside', () => {
    const busy = setup({ actors: { work: fromPromise(() => Promise.resolve(1)) } }).createMachine({
      id: 'busy',
      initial: 'a',
      states: { a: { invoke: { src: 'work', id: 'w', onDone: 'b' }, after: { 10: 'c' } }, b: {}, c: {} },
    })
    expect(edgesOf(busy)).toEqual(['"a" xstate.done.actor.w "b"', '"a" xstate.after.10.busy.a "c"'])
  })

  const idle = fromPromise(() => Promise.resolve(1))
  const feed = setup({ actors: { dial: idle } }).createMachine({
    id: 'feed',
    initial: 'idle',
    states: {
      idle: { on: { go: 'dialling' } },
      dialling: { invoke: { src: 'dial', id: 'dial', onDone: 'done', onError: 'idle' } },
      done: { type: 'final' },
    },
  })

  test('the end of an actor is one only where that actor runs', async () => {
    expect(edgesOf(feed)).toEqual([
      '"idle" go "dialling"',
      '"dialling" xstate.done.actor.dial "done"',
      '"dialling" xstate.error.actor.dial "idle"',
    ])
    const { deadlocks, trapped } = exploreMachine(feed)
    expect([deadlocks, trapped]).toEqual([[], []])
    expect(named(feed)).toEqual(['go → xstate.done.actor.dial', 'go → xstate.error.actor.dial'])
    const said = await failures(feed, {
      create: () => 1,
      do: { go: () => {}, 'xstate.done.actor.dial': () => {}, 'xstate.error.actor.dial': () => {} },
      expect: { '*': (_, { status }) => expect(status).not.toBe('error') },
    })
    expect(said).toEqual([])
  })

  test('where it does not run it is none for * either, nor is a delay of a state that it is not in', () => {
    const any = setup({ actors: { dial: idle } }).createMachine({
      id: 'any',
      initial: 'a',
      states: {
        a: { invoke: { src: 'dial', id: 'dial', onDone: 'b' }, after: { 10: 'b' } },
        b: { on: { '*': 'c' } },
        c: { type: 'final' },
      },
    })
    expect(edgesOf(any).filter((edge) => edge.startsWith('"b"'))).toEqual(['"b" an event of an unknown type "c"'])
  })

  test('one that was spawned runs in every state until it is stopped', () => {
    const spawning = setup({ actors: { dial: idle } }).createMachine({
      id: 'spawning',
      initial: 'a',
      on: { 'xstate.done.actor.d': '.c' },
      states: {
        a: { on: { go: { target: 'b', actions: spawnChild('dial', { id: 'd' }) } } },
        b: { on: { stop: { actions: stopChild('d') } } },
        c: {},
      },
    })
    const symmetry = ({ value, children }: AnyMachineSnapshot): string => JSON.stringify([[value, ...Object.keys(children)]])
    const edges = exploreMachine(spawning, { symmetry }).edges.map(({ from, event }) => `${valueOf(from)} ${event}`)
    expect(edges.filter((edge) => edge.includes('xstate'))).toEqual(['["b","d"] xstate.done.actor.d', '["c","d"] xstate.done.actor.d'])
  })

  test('what any event does is done by one of an unknown type, whose deed stands under *', async () => {
    const jumpy = createMachine({ id: 'jumpy', initial: 'a', states: { a: { on: { '*': 'b', stay: {} } }, b: {} } })
    expect(exploreMachine(jumpy).states.map(({ state }) => state.value)).toEqual(['a', 'b'])
    const model = { create: () => ({ state: 'a' }), expect: { b: (each: { state: string }) => expect(each.state).toBe('b') } }
    expect(await failures(jumpy, { ...model, do: { '*': (each) => (each.state = 'b') } })).toEqual([])
    expect(await failures(jumpy, { ...model, do: { '*': () => {} } })).toHaveLength(1)
    await expect(failures(jumpy, { ...model, do: {} })).rejects.toThrow('describeModel do.* must be a function; received undefined')
  })
})

describe('what events carry', () => {
  type Fed = { type: 'feed'; crumbs: number } | { type: 'clean' }
  const bird = setup({
    types: { events: {} as Fed, context: {} as { full: boolean } },
    guards: { enough: ({ event }) => (event as { crumbs: number }).crumbs.toFixed().length > 1 },
  }).createMachine({
    id: 'bird',
    context: { full: false },
    initial: 'cage',
    states: {
      cage: { on: { clean: 'clean' } },
      clean: { on: { feed: [{ guard: 'enough', actions: assign({ full: true }), target: 'cage' }, { target: 'cage' }] } },
    },
  })

  test('one event is given a payload, or several, and the others stay as they are', async () => {
    expect(transitionPaths(bird, { payloads: { feed: [{ crumbs: 3 }, { crumbs: 30 }] } }).map(({ name }) => name)).toEqual([
      'clean → feed {"crumbs":3}',
      'clean → feed {"crumbs":30} → clean → feed {"crumbs":3}',
      'clean → feed {"crumbs":30} → clean → feed {"crumbs":30}',
    ])
    expect(exploreMachine(bird, { payloads: { feed: { crumbs: 30 } } }).states).toHaveLength(4)
    const eaten: unknown[] = []
    const model = {
      create: () => 1,
      do: { clean: () => {}, feed: (_: number, event: object) => eaten.push(event) },
      expect: { '*': () => {} },
    }
    expect(await failures(bird, { ...model, payloads: { feed: { crumbs: 1 } } })).toEqual([])
    expect(eaten).toEqual([{ type: 'feed', crumbs: 1 }])
  })

  test('what an actor ends with is a payload, too', () => {
    const asking = setup({ actors: { ask: fromPromise(() => Promise.resolve(1)) } }).createMachine({
      context: { price: 0 },
      initial: 'a',
      states: {
        a: { invoke: { src: 'ask', id: 'ask', onDone: { target: 'b', actions: assign({ price: ({ event }) => event.output }) } } },
        b: {},
      },
    })
    const { states } = exploreMachine(asking, { payloads: { 'xstate.done.actor.ask': { output: 7 } } })
    expect(states.map(({ state }) => state.context)).toEqual([{ price: 0 }, { price: 7 }])
  })

  test('a payload that nobody can use is refused', () => {
    const refused = (payloads: unknown) => expect(() => exploreMachine(bird, { payloads } as object))
    refused({ feet: {} }).toThrow('exploreMachine option payloads must be an object with types of events (clean, feed); received "feet"')
    refused({ feed: 3 }).toThrow('option payloads must be an object with an object, or an array of them, for each type of event')
    refused({ feed: [] }).toThrow('option payloads must be an object with an object, or an array of them')
  })

  test('what a machine throws says the event, the state, and the way there', () => {
    const said =
      /^feed throws in "clean", after clean: .*\n?.*reading 'toFixed'\); it was tried without payload: option payloads gives it one$/
    for (const run of [exploreMachine, transitionPaths])
      expect(() => run(bird)).toThrow(
        expect.objectContaining({ code: 'ERR_TEST', message: expect.stringMatching(said) as string }) as Error,
      )
    const counts = createMachine({ id: 'c', context: { n: 0 }, on: { add: { actions: assign({ n: ({ event }) => event['by'].x }) } } })
    expect(() => exploreMachine(counts, { payloads: { add: { by: null } } })).toThrow(
      /^add {"by":null} throws in {}, at the beginning: TypeError: Cannot read properties of null \(reading 'x'\)$/,
    )
  })

  test('a context that throws is no state, but its error', () => {
    const needy = createMachine({ id: 'needy', context: ({ input }) => ({ n: (input as { n: number }).n }) })
    expect(() => exploreMachine(needy)).toThrow(/^needy does not begin, without input: TypeError: Cannot read properties of undefined/)
    expect(exploreMachine(needy, { input: { n: 1 } }).states).toHaveLength(1)
  })
})

describe('options of explore', () => {
  const line = { initial: 0, steps: (n: number) => (n < 9 ? [['x', n + 1] as const] : []), ended: () => true, key: String }

  test('wrong ones are named', () => {
    const refused = (options: object) => expect(() => explore(line, options))
    refused({ limits: 3 }).toThrow('explore: unknown option "limits"; known are invariants, limit')
    refused({ limit: '3' }).toThrow('explore option limit must be a whole number of at least 1, or Infinity; received "3"')
    refused({ limit: 0 }).toThrow('explore option limit must be a whole number of at least 1, or Infinity; received 0')
    refused({ invariants: { never: false } }).toThrow('explore option invariants must be an object of functions')
    expect(() => explore({ ...line, ended: undefined } as never)).toThrow(
      'explore system must be an object with the methods steps, ended, key; received an object',
    )
    expect(() => exploreMachine(player, { limit: 0 })).toThrow('exploreMachine option limit must be a whole number of at least 1')
    expect(explore(line, { limit: Infinity }).states).toHaveLength(10)
  })
})

describe('coverage', () => {
  const open = { guards: { ok: () => true } }
  const gate = () =>
    setup(open).createMachine({
      id: 'gate',
      initial: 'a',
      states: { a: { on: { go: [{ guard: 'ok', target: 'b' }, { target: 'c' }] } }, b: { always: 'c' }, c: {} },
    })
  const go = (machine: AnyStateMachine, coverage: ReturnType<typeof transitionCoverage>): void =>
    createActor(machine, { inspect: coverage.inspect }).start().send({ type: 'go' })

  test('a machine with other implementations is the same machine', () => {
    const machine = gate()
    const coverage = transitionCoverage(machine)
    go(machine.provide(open), coverage)
    go(machine, coverage)
    expect(coverage.counts(machine)).toEqual({ 'gate.a --go [ok]--> gate.b': 2, 'gate.a --go--> gate.c': 0, 'gate.b ----> gate.c': 2 })
    expect(coverage.counts(machine.provide(open))).toEqual(coverage.counts(machine))
    expect(coverage.report()).toEqual([{ machine: 'gate', taken: 2, total: 3, missing: ['gate.a --go--> gate.c'] }])
  })

  test('another machine of the same ids is not, and it is said that there was one', () => {
    const machine = gate()
    const coverage = transitionCoverage(machine)
    go(gate(), coverage)
    expect(coverage.report()).toMatchObject([{ taken: 0, byOthers: 2 }])
    expect(() => coverage.report({ min: 50 })).toThrow(
      /^fewer than 50 % of the transitions were taken\ngate: 0 of 3\n {2}2 transitions were taken by another machine of that id, as a factory makes one each time: /,
    )
    go(createMachine({ id: 'other', on: { go: {} } }), coverage)
    expect(coverage.report()).toMatchObject([{ byOthers: 2 }])
  })
})
