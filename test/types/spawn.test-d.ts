import { assertType, describe, expectTypeOf, test } from 'vitest'
import { type ActorRefFrom, createMachine, fromCallback, fromPromise, fromTransition, setup } from 'xstate'
import {
  type AnyBody,
  type AnyRoutine,
  type CallError,
  type ChildEntry,
  type ChildOptions,
  createGlobalManager,
  type LifecycleEvent,
  type LocalManager,
  type LocalManagerOptions,
  type Manager,
  type ManagerChild,
  manager,
  type Outcome,
  type Routine,
  type RoutineChild,
  type RoutineContext,
  type RoutineFrom,
  type RoutineOptions,
  routine,
} from 'curtaincall'

const local = createGlobalManager().createApp('a').createLocal('b')

describe('functions', () => {
  test('input and output are inferred', () => {
    const routine = local.spawn(
      'x',
      async ({ input, signal }) => {
        expectTypeOf(input).toEqualTypeOf<{ file: string }>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        return input.file.length
      },
      { input: { file: 'cat.jpg' }, timeout: 5 },
    )
    expectTypeOf(routine.result()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(routine.outcome).toEqualTypeOf<Promise<Outcome<number>>>()
    assertType<Routine<string>>(local.spawn('x', () => 'plain'))
    expectTypeOf(local.spawn('x', ({ input }) => expectTypeOf(input).toEqualTypeOf<undefined>()).work).toEqualTypeOf<undefined>()
  })

  test('input that the work declares is required', () => {
    const work = ({ input }: { input: number }): number => input
    local.spawn('x', work, { input: 1 })
    // @ts-expect-error the input is missing
    local.spawn('x', work)
    // @ts-expect-error the input is of another type
    local.spawn('x', work, { input: '1' })
  })

  test('messages and replies', () => {
    const routine = local.spawn('x', async ({ messages }: RoutineContext<undefined, { n: number }, string>) => {
      for await (const { message, reply } of messages) {
        expectTypeOf(message).toEqualTypeOf<{ n: number }>()
        reply('x')
        // @ts-expect-error not what it replies
        reply(1)
      }
    })
    routine.send({ n: 1 })
    expectTypeOf(routine.ask({ n: 1 })).toEqualTypeOf<Promise<string>>()
    // @ts-expect-error not what it receives
    routine.send({ m: 1 })
  })

  test('wrong uses do not compile', () => {
    // @ts-expect-error not work
    local.spawn('x', 5)
    // @ts-expect-error no such option
    local.spawn('x', () => 1, { timeOut: 5 })
    // @ts-expect-error no such restart type
    local.spawn('x', () => 1, { restart: 'always' })
    // @ts-expect-error nothing can be sent to a function
    local.spawn('x', () => 1).send({ type: 'x' })
  })
})

describe('bodies that are no single one', () => {
  const one = async (): Promise<number> => 1
  const text = async (): Promise<string> => 'x'
  const toNumber = async ({ input }: RoutineContext<string, 'up', 1>): Promise<number> => input.length
  const toText = ({ input }: RoutineContext<string, 'up' | 'down', 1 | 2>): string => input

  test('a body may return one of several promises', () => {
    expectTypeOf(local.spawn('x', () => (Math.random() > 0.5 ? one() : text())).result()).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(local.spawn('x', () => (Math.random() > 0.5 ? one() : String(1))).result()).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(local.spawn('x', () => (Math.random() > 0.5 ? one() : undefined)).result()).toEqualTypeOf<Promise<number | undefined>>()
    local.spawn<number, string>('x', async ({ input }) => input.length, { input: 'x' })
    assertType<RoutineChild>(routine('x', () => (Math.random() > 0.5 ? one() : text())))
    assertType<RoutineChild>(routine<number, string>('x', async ({ input }) => input.length, { input: 'x' }))
  })

  test('bodies may be in a list, or chosen by a condition', () => {
    for (const work of [one, text]) {
      expectTypeOf(local.spawn('x', work).result()).toEqualTypeOf<Promise<number | string>>()
      assertType<RoutineChild>(routine('x', work, { significant: true }))
    }
    const either = local.spawn('x', Math.random() > 0.5 ? toNumber : toText, { input: 'x', timeout: 5 })
    expectTypeOf(either.result()).toEqualTypeOf<Promise<number | string>>()
    either.send('up')
    // @ts-expect-error one of them does not take it
    either.send('down')
    // @ts-expect-error the input is missing
    local.spawn('x', Math.random() > 0.5 ? toNumber : toText)
    // @ts-expect-error the input is of another type
    local.spawn('x', Math.random() > 0.5 ? toNumber : toText, { input: 1 })
    // @ts-expect-error no such option
    local.spawn('x', Math.random() > 0.5 ? one : text, { timeOut: 5 })
    // @ts-expect-error a body gets no such thing
    local.spawn('x', ({ nonsense }: { nonsense: number }) => nonsense)
  })

  const image = async ({ input }: RoutineContext<{ file: string }>): Promise<'image'> => (input.file, 'image')
  const watched = async ({ input }: RoutineContext<{ url: string }, 'up', 5>): Promise<'watched'> => (input.url, 'watched')
  const counted = async ({ input }: RoutineContext<number>): Promise<number> => input

  test('any body is a body, annotated or not', () => {
    const all: AnyBody[] = [
      one,
      text,
      toNumber,
      toText,
      image,
      watched,
      counted,
      ({ input }) => input,
      (context: RoutineContext) => context.id,
    ]
    for (const body of all) local.spawn('x', body, { input: 5 })
    // @ts-expect-error a body gets no such thing
    const none: AnyBody = ({ nonsense }: { nonsense: number }) => nonsense
    void none
  })

  test('a table of kinds', () => {
    const alike = { counted, twice: async ({ input }: RoutineContext<number>) => `${input * 2}` }
    const spawnAlike = (kind: keyof typeof alike) => local.spawn(kind, alike[kind], { input: 5, attempts: 3 })
    expectTypeOf(spawnAlike('twice').result()).toEqualTypeOf<Promise<number | string>>()
    const objects = { image, watched }
    const spawnObject = (kind: keyof typeof objects) => local.spawn(kind, objects[kind], { input: { file: 'x', url: 'y' } })
    expectTypeOf(spawnObject('image').result()).toEqualTypeOf<Promise<'image' | 'watched'>>()
    // @ts-expect-error one of them needs a url
    void ((kind: keyof typeof objects) => local.spawn(kind, objects[kind], { input: { file: 'x' } }))
    // No value is an input of all: one that is an input of some is taken.
    const unlike = { counted, toText, image }
    const spawnUnlike = (kind: keyof typeof unlike, input: number | string) => local.spawn(kind, unlike[kind], { input })
    const parsed: (kind: keyof typeof unlike) => unknown = (kind) => local.spawn(kind, unlike[kind], { input: JSON.parse('5') })
    void [spawnUnlike, parsed]
    const mixed = { counted, machine: createMachine({}) }
    assertType<(kind: keyof typeof mixed) => Routine>((kind) => local.spawn(kind, mixed[kind], { input: 5 }))
    // @ts-expect-error none of them takes it
    void ((kind: keyof typeof unlike) => local.spawn(kind, unlike[kind], { input: true }))
  })

  test('Routine without arguments is any routine', () => {
    const machine = setup({ types: { events: {} as { type: 'add' } } }).createMachine({})
    const all: Routine[] = [local.spawn('x', one), local.spawn('x', toNumber, { input: 'x' }), local.spawn('x', fromPromise(one))]
    all.push(local.spawn('x', machine), ...local.routines(), ...local.routinesNamed('x'), ...local.retained())
    expectTypeOf(local.routines()).toEqualTypeOf<AnyRoutine[]>()
    // @ts-expect-error nobody knows what it takes
    all[0]?.send('x')
  })

  test('whereis can be told what is expected', () => {
    const global = createGlobalManager()
    expectTypeOf(global.whereis('x')).toEqualTypeOf<Manager | AnyRoutine | undefined>()
    expectTypeOf(global.whereis<LocalManager>('x')).toEqualTypeOf<LocalManager | undefined>()
    global.whereis<Routine<number, { n: number }>>('x')?.send({ n: 1 })
    // @ts-expect-error not what is expected there
    global.whereis<Routine<number, { n: number }>>('x')?.send({ m: 1 })
    // @ts-expect-error there are managers and routines
    global.whereis<string>('x')
  })
})

describe('options that are for some only do not compile for others', () => {
  const machine = createMachine({})

  test('significant is for children', () => {
    // @ts-expect-error it is spawned
    local.spawn('x', () => 1, { significant: true })
    // @ts-expect-error it is spawned
    local.spawn('x', machine, { significant: true })
    routine('x', () => 1, { significant: true, restart: 'transient' })
    routine('x', machine, { significant: true, restart: 'transient' })
  })

  test('attempts is for what is spawned, in place of restart', () => {
    local.spawn('x', () => 1, { attempts: 2, backoff: {} })
    local.spawn('x', machine, { attempts: 2 })
    const options: RoutineOptions = { attempts: 2 }
    local.spawn('x', () => 1, options)
    // @ts-expect-error one of them says when it is run again
    local.spawn('x', () => 1, { attempts: 2, restart: 'transient' })
    // @ts-expect-error one of them says when it is run again
    local.spawn('x', machine, { attempts: 2, restart: 'transient' })
    // @ts-expect-error a child has a restart type
    routine('x', () => 1, { attempts: 2 })
    // @ts-expect-error a child has a restart type
    routine('x', machine, { attempts: 2 })
    const forBoth: RoutineOptions & ChildOptions = { restart: 'transient' }
    void [local.spawn('x', () => 1, forBoth), routine('x', () => 1, forBoth)]
  })

  test('resume is for actor logic', () => {
    // @ts-expect-error a function has no snapshot
    local.spawn('x', () => 1, { resume: 'snapshot' })
    // @ts-expect-error a function has no snapshot
    routine('x', () => 1, { resume: 'snapshot' })
    local.spawn('x', machine, { resume: 'snapshot' })
    routine('x', machine, { resume: 'snapshot', significant: false })
  })

  test('beside a template there are no children, and nothing about them', () => {
    const app = createGlobalManager().createApp('x')
    const template = routine('y', () => 1)
    app.createLocal('x', { template, maxRoutines: 5, restart: 'transient' })
    manager('x', { template, children: undefined })
    app.createLocal('x', { children: [template], strategy: 'one_for_all' })
    // @ts-expect-error children beside a template
    app.createLocal('x', { template, children: [template] })
    // @ts-expect-error children beside a template
    manager('x', { template, children: [] })
    // @ts-expect-error a strategy is for children
    manager('x', { template, strategy: 'one_for_all' })
    // @ts-expect-error no instance is significant
    manager('x', { template, autoShutdown: 'any_significant' })
    const options: LocalManagerOptions = Math.random() > 0.5 ? { template } : { children: [] }
    manager('x', options)
  })
})

describe('actor logic', () => {
  const machine = setup({
    types: { input: {} as { start: number }, events: {} as { type: 'add'; by: number } | { type: 'stop' }, output: {} as bigint },
  }).createMachine({ context: {}, initial: 'a', states: { a: { on: { stop: 'b' } }, b: { type: 'final' } }, output: 1n })

  test('a machine gives its input, output, events and snapshot', () => {
    const routine = local.spawn('m', machine, { input: { start: 1 } })
    expectTypeOf(routine.result()).toEqualTypeOf<Promise<bigint>>()
    expectTypeOf(routine).toEqualTypeOf<RoutineFrom<typeof machine>>()
    expectTypeOf(routine.work).toEqualTypeOf<ActorRefFrom<typeof machine> | undefined>()
    routine.send({ type: 'add', by: 1 })
    // @ts-expect-error no such event
    routine.send({ type: 'multiply' })
    // @ts-expect-error the input is missing
    local.spawn('m', machine)
    // @ts-expect-error the input is of another type
    local.spawn('m', machine, { input: { start: 'x' } })
  })

  test('promise, transition and callback logic too', () => {
    const promise = local.spawn(
      'p',
      fromPromise(async ({ input }: { input: number }) => `${input}`),
      { input: 1 },
    )
    expectTypeOf(promise.result()).toEqualTypeOf<Promise<string>>()
    const double = fromPromise(async ({ input }: { input: number }) => input * 2)
    // @ts-expect-error the input is missing
    local.spawn('p', double)
    local
      .spawn(
        't',
        fromTransition((count: number, event: { type: 'add'; by: number }) => count + event.by, 0),
      )
      .send({ type: 'add', by: 1 })
    local.spawn(
      'c',
      fromCallback(() => undefined),
    )
    local.spawn('bare', createMachine({}))
  })
})

test('events are a closed union', () => {
  const global = createGlobalManager()
  global.on('routine.failed', (event) => {
    expectTypeOf(event.error).toEqualTypeOf<unknown>()
    expectTypeOf(event.willRestart).toEqualTypeOf<boolean>()
  })
  global.on('*', (event) => expectTypeOf(event).toEqualTypeOf<LifecycleEvent>())
  // @ts-expect-error no such event
  global.on('routine.exploded', () => 1)
  // @ts-expect-error no such option
  createGlobalManager({ colour: 'red' })
})

describe('children', () => {
  const needy = ({ input }: { input: number }): number => input

  test('input that the work declares is required', () => {
    assertType<RoutineChild>(routine('x', needy, { input: 1 }))
    // @ts-expect-error the input is missing
    routine('x', needy)
    const text = fromPromise(async ({ input }: { input: string }) => input)
    // @ts-expect-error the input is of another type
    routine('x', text, { input: 1 })
    routine('x', ({ input }) => expectTypeOf(input).toEqualTypeOf<{ a: number }>(), { input: { a: 1 } })
  })

  test('a tree is made of what routine and manager return', () => {
    assertType<ManagerChild>(manager('x', { strategy: 'one_for_all', children: [routine('y', () => 1), manager('z')] }))
    manager('x', { template: routine('y', () => 1), maxRoutines: 5 })
    // @ts-expect-error not a child
    manager('x', { children: [{ id: 'y' }] })
    // @ts-expect-error OTP's name is one_for_all
    manager('x', { strategy: 'all_for_one' })
    // @ts-expect-error an app manager has no template
    createGlobalManager().createApp('x', { template: routine('y', () => 1) })
  })

  test('the input of an instance is said by who knows the template', () => {
    void local.startChild({ id: 'x', input: 5 })
    void local.startChild<{ feed: string }>({ id: 'x', input: { feed: 'y' } })
    // @ts-expect-error the input is of another type
    void local.startChild<{ feed: string }>({ id: 'x', input: { fed: 'y' } })
  })

  test('answers are told apart by ok', async () => {
    const answer = await local.whichChildren()
    if (answer.ok) expectTypeOf(answer.value).toEqualTypeOf<ChildEntry[]>()
    else expectTypeOf(answer.error).toEqualTypeOf<CallError>()
    // @ts-expect-error there may be none
    void answer.value
  })

  test('reasons to exit', () => {
    const running = local.spawn('x', ({ exit }) => exit({ shutdown: 'done' }))
    running.exit(new Error('x'))
    // @ts-expect-error not a reason of OTP
    running.exit('whatever')
  })
})

describe('durable', () => {
  const charge = ({ input }: RoutineContext<{ amount: number }>): number => input.amount
  const machine = setup({}).createMachine({})

  test('what can be written down compiles, and nothing else', () => {
    expectTypeOf(local.spawn('charge', charge, { durable: true, id: 'x', input: { amount: 1 } }).durable).toEqualTypeOf<Promise<void>>()
    local.spawn('charge', charge, { durable: true, input: { amount: 1 }, attempts: 3, backoff: { initial: 1 } })
    local.spawn('machine', machine, { durable: true, resume: 'snapshot' })
    local.spawn('charge', charge, { durable: false, input: { amount: 1 }, restartIf: () => true })
    // @ts-expect-error a function can't be written down
    local.spawn('charge', charge, { durable: true, input: { amount: 1 }, restart: 'transient', restartIf: () => true })
    // @ts-expect-error a signal can't be written down
    local.spawn('machine', machine, { durable: true, signal: new AbortController().signal })
    // @ts-expect-error a start can't be written down
    local.spawn('charge', charge, { durable: true, input: { amount: 1 }, start: () => undefined })
    // @ts-expect-error a child is begun by its manager at each start
    routine('charge', charge, { durable: true, input: { amount: 1 } })
  })

  test('work of any kind may be registered, and an outcome is one of any routine', () => {
    const store = { open: () => Promise.reject(new Error('none')) }
    const global = createGlobalManager({
      store,
      work: { charge, machine, promise: fromPromise(() => Promise.resolve(1)) },
      storeFailure: 'continue',
    })
    expectTypeOf(global.outcomeOf('x', { timeout: 5 })).toEqualTypeOf<Promise<Outcome | undefined>>()
    // @ts-expect-error that is no work
    createGlobalManager({ store, work: { charge: 5 } })
  })
})
