import { assertType, describe, expectTypeOf, test } from 'vitest'
import { type ActorRefFrom, createMachine, fromCallback, fromPromise, fromTransition, setup } from 'xstate'
import {
  type CallError,
  type ChildEntry,
  createGlobalManager,
  type LifecycleEvent,
  type ManagerChild,
  manager,
  type Outcome,
  type Routine,
  type RoutineChild,
  type RoutineContext,
  type RoutineFrom,
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
