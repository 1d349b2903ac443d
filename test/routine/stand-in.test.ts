/** What stands above a user's actor while nobody looks, and what is there as soon as somebody does. */
import { describe, expect, test } from 'vitest'
import {
  type AnyActorRef,
  assign,
  createMachine,
  fromCallback,
  fromPromise,
  fromTransition,
  type InspectionEvent,
  raise,
  sendParent,
  setup,
} from 'xstate'
import type { AnyRoutine, GlobalManager, Routine } from 'curtaincall'
import { makeTree, type Tree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const parentOf = (actor: unknown): unknown => (actor as AnyActorRef)._parent
const isObserved = (routine: unknown): boolean => (routine as { current: { observed: boolean } }).current.observed

const light = setup({ types: { events: {} as { type: 'go' } | { type: 'break' } | { type: 'tell' } } }).createMachine({
  initial: 'red',
  states: {
    red: {
      on: {
        go: 'green',
        tell: { actions: sendParent({ type: 'hello' }) },
        break: {
          actions: () => {
            throw new Error('broken')
          },
        },
      },
    },
    green: { type: 'final' },
  },
})

test('Y1: a routine of actor logic has no actor of its own from its birth to its end, if nobody looks', async () => {
  const { local } = makeTree({ retain: 9 })
  const [ends, fails, stopped] = ['ends', 'fails', 'stopped'].map((name) => local.spawn(name, light)) as [Routine, Routine, Routine]
  const promised = local.spawn(
    'promised',
    fromPromise(async () => 1),
  )
  await settle()
  ends.send({ type: 'go' } as never)
  fails.send({ type: 'break' } as never)
  void stopped.cancel()
  await settle()
  expect([ends, fails, stopped, promised].map(({ state }) => state)).toEqual(['completed', 'failed', 'cancelled', 'completed'])
  expect([ends, fails, stopped, promised].map(isObserved)).toEqual([false, false, false, false])
})

describe('Y1: who looks up from the user’s actor finds that of the routine', () => {
  test('from outside, before and after its end', async () => {
    const { local } = makeTree({ retain: 9 })
    const [early, late] = [local.spawn('early', light), local.spawn('late', light)] as unknown as [AnyRoutine, AnyRoutine]
    await settle()
    const works = [early.work, late.work]
    for (const work of works) expect((work as unknown as { options: object }).options).toMatchObject({ id: 'work', parent: undefined })
    expect(isObserved(early)).toBe(false)
    expect(parentOf(early.work)).toBe(early.actor)
    expect([isObserved(early), isObserved(late)]).toEqual([true, false])
    expect(parentOf(early.actor)).toBe(local.actor)
    expect(early.actor.getSnapshot().value).toEqual({ running: 'working' })
    for (const each of [early, late]) each.send({ type: 'go' } as never)
    await settle()
    expect([early, late].map(({ state }) => state)).toEqual(['completed', 'completed'])
    expect(works.map(parentOf)).toEqual([early.actor, late.actor])
    expect(late.actor.getSnapshot()).toMatchObject({ value: 'completed', status: 'done' })
  })

  const looks: [string, (look: (self: unknown) => void) => object][] = [
    ['where its context is made', (look) => createMachine({ context: ({ self }) => ({ seen: look(self) }) })],
    ['in its first action', (look) => createMachine({ entry: ({ self }) => look(self) })],
    [
      'in its first action, which is its last',
      (look) => createMachine({ initial: 'a', states: { a: { type: 'final', entry: ({ self }) => look(self) } } }),
    ],
    ['in a callback', (look) => fromCallback(({ self }) => look(self))],
    [
      'as a callback is stopped',
      (look) =>
        fromCallback(
          ({ self }) =>
            () =>
              look(self),
        ),
    ],
    ['in a promise', (look) => fromPromise(async ({ self }) => look(self))],
    [
      'in a step that throws',
      (look) =>
        createMachine({
          entry: ({ self }) => {
            look(self)
            throw new Error('broken')
          },
        }),
    ],
    ['in a transition', (look) => fromTransition((state, _, { self }) => (look(self), state), {})],
  ]
  test.each(looks)('%s', async (_, make) => {
    const { local } = makeTree({ retain: 9 })
    const seen: unknown[] = []
    const x = local.spawn('x', make((self) => void seen.push(parentOf(self))) as typeof light) as unknown as AnyRoutine
    await settle()
    x.send({ type: 'go' } as never)
    void x.cancel()
    await settle()
    expect(seen.length).toBeGreaterThan(0)
    for (const each of seen) expect(each).toBe(x.actor)
  })

  test.each(['next', 'complete', 'error'] as const)('in an observer (%s)', async (kind) => {
    const { local } = makeTree({ retain: 9 })
    const x = local.spawn('x', light) as unknown as AnyRoutine
    await settle()
    const { work } = x
    const seen: unknown[] = []
    work?.subscribe({ error: () => undefined, [kind]: () => void seen.push(parentOf(work)) })
    x.send({ type: kind === 'error' ? 'break' : 'go' } as never)
    await settle()
    expect(seen.length).toBeGreaterThan(0)
    for (const each of seen) expect(each).toBe(x.actor)
  })

  test('from outside, where it was begun once more', async () => {
    const { local } = makeTree()
    const x = local.spawn('x', light) as unknown as AnyRoutine
    await settle()
    const { work } = x
    work?.start()
    expect(parentOf(work)).toBe(x.actor)
  })

  test('and where it sends something up, that means nothing', async () => {
    const { local } = makeTree()
    const x = local.spawn('x', light)
    await settle()
    x.send({ type: 'tell' })
    expect(x.state).toBe('running')
    x.send({ type: 'go' })
    expect((await x.outcome).status).toBe('completed')
  })
})

/** What an observer of inspection hears of routines and their work. */
function heard(into: string[]): (event: InspectionEvent) => void {
  const idOf = (ref: unknown): string => (ref as AnyActorRef | undefined)?.id ?? '-'
  return (event) => {
    const line = [event.type.slice('@xstate.'.length), idOf(event.actorRef)]
    if (event.type === '@xstate.event') line.push(event.event.type, `from ${idOf(event.sourceRef)}`)
    if (event.type === '@xstate.snapshot' || event.type === '@xstate.microstep')
      line.push(event.event.type, JSON.stringify((event.snapshot as { value?: unknown }).value ?? ''))
    if (event.type === '@xstate.action') line.push(event.action.type)
    if (idOf(event.actorRef) !== 'g') into.push(line.join(' '))
  }
}

async function play({ local, global }: Tree, begin: (global: GlobalManager) => void): Promise<void> {
  begin(global)
  const x = local.spawn('x', light, { id: 'x' })
  const y = local.spawn(
    'y',
    fromPromise(async () => 1),
    { id: 'y' },
  )
  const z = local.spawn(
    'z',
    fromCallback(() => () => undefined),
    { id: 'z' },
  )
  await settle()
  x.send({ type: 'go' })
  void z.cancel()
  await settle()
  expect([x.state, y.state, z.state]).toEqual(['completed', 'completed', 'cancelled'])
}

describe('Y2: inspection', () => {
  test('shows the same to who was there from the birth of the tree, and to who came later', async () => {
    const [born, came]: [string[], string[]] = [[], []]
    await play(
      makeTree(
        {},
        { inspect: (event: InspectionEvent) => (born.length > 0 || (event.actorRef as AnyActorRef).id === 'x') && heard(born)(event) },
      ),
      () => undefined,
    )
    await play(makeTree(), (global) => void global.actor.system.inspect(heard(came)))
    expect(came.length).toBeGreaterThan(40)
    expect(came).toEqual(born)
  })

  test('shows the actor of a routine before that of its work, to who comes between spawn and begin', async () => {
    const { local, global } = makeTree()
    local.spawn('x', light, { id: 'x' })
    const lines: string[] = []
    global.actor.system.inspect(heard(lines))
    await settle()
    expect(lines.filter((line) => line.startsWith('actor'))).toEqual(['actor x', 'actor work'])
  })

  test('shows the end of what had begun before, and the actor above it', async () => {
    const { local, global } = makeTree()
    const x = local.spawn('x', light, { id: 'x' })
    const y = local.spawn('y', light, { id: 'y' })
    await settle()
    const lines: string[] = []
    const inspection = global.actor.system.inspect(heard(lines))
    x.send({ type: 'go' })
    await settle()
    expect(lines).toContain('event x xstate.done.actor.work from work')
    expect(lines).toContain('snapshot x done "completed"')
    inspection.unsubscribe()
    inspection.unsubscribe()
    y.send({ type: 'go' })
    await settle()
    expect([isObserved(y), lines.some((line) => / y( |$)/.test(line))]).toEqual([false, false])
  })

  test('shows each microstep of a lifecycle, as long as it lasts; what is decided is the same', async () => {
    const { local, global } = makeTree({}, { strict: true })
    const lives = async (): Promise<string[]> => {
      const lines: string[] = []
      const { actor } = local.spawn('f', async () => 1)
      actor.subscribe(({ value, context, status }) => lines.push(JSON.stringify([value, context, status])))
      await settle()
      return lines
    }
    const unseen = await lives()
    const lines: string[] = []
    const inspection = global.actor.system.inspect(heard(lines))
    expect(await lives()).toEqual(unseen)
    expect(lines.filter((line) => line.startsWith('microstep')).length).toBeGreaterThan(1)
    inspection.unsubscribe()
    const { length } = lines
    expect(await lives()).toEqual(unseen)
    expect(lines).toHaveLength(length)
  })
})

describe('delayed events', () => {
  const ticking = setup({ types: { context: {} as { n: number }, events: {} as { type: 'tick' } | { type: 'end' } } }).createMachine({
    context: { n: 0 },
    initial: 'on',
    states: {
      on: {
        entry: [raise({ type: 'tick' }, { delay: 10 }), raise({ type: 'tick' }, { delay: 15 })],
        on: { tick: { actions: [assign({ n: ({ context }) => context.n + 1 }), raise({ type: 'tick' }, { delay: 10 })] }, end: 'off' },
        after: { 5_000: 'off' },
      },
      off: { type: 'final' },
    },
  })

  test('the end of an actor looks at its own alone, and leaves none behind', async () => {
    const { local, global, clock } = makeTree()
    const others = Array.from({ length: 20 }, () => local.spawn('other', ticking))
    const x = local.spawn('x', ticking)
    await clock.advance(500)
    const { _snapshot } = global.actor.system as unknown as { _snapshot: { _scheduledEvents: object } }
    const noLooking = {
      ownKeys: (): never => {
        throw new Error('all delays are looked through')
      },
    }
    const before = _snapshot._scheduledEvents
    _snapshot._scheduledEvents = new Proxy(before, noLooking)
    const pending = clock.pending
    x.send({ type: 'end' })
    expect((await x.outcome).status).toBe('completed')
    _snapshot._scheduledEvents = before
    expect(pending - clock.pending).toBe(3)
    expect(Object.keys(before)).toHaveLength(20 * 3)
    await clock.advance(20)
    const ticks = others[0]?.work?.getSnapshot().context.n
    expect(ticks).toBeGreaterThan(90)
    for (const other of others) void other.kill()
    await settle()
    expect([Object.keys(before), clock.pending]).toEqual([[], 0])
  })
})
