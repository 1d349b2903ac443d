/** Exploration, coverage, refinement: the machines of machines/ from every side. */
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { type AnyMachineSnapshot, createMachine, fromPromise, type InspectionEvent, initialTransition, transition } from 'xstate'
import { type AnyRoutine, type Clock, createGlobalManager, manager, routine } from 'curtaincall'
import { appManagerMachine, globalManagerMachine, localManagerMachine, PHASES, phaseIsOver, routineMachine } from 'curtaincall/machines'
import {
  arbitraries,
  explore,
  exploreMachine,
  models,
  refines,
  simulate,
  type System,
  type Trace,
  type TreeOptions,
  transitionCoverage,
  type TreePlan,
} from 'curtaincall/testing'
import { type Ground, GROUND } from '../../src/port/index.ts'

/** States in which it may have been forced. */
const FORCED = new Set(['cancelled', 'failed', { running: 'ending' }, { running: 'lapsing' }].map((value) => JSON.stringify(value)))

const managers = [globalManagerMachine, appManagerMachine, localManagerMachine]

describe('each machine, every state', () => {
  test('routine: no deadlock, every state reaches an end, a final state is final, killed is told apart', () => {
    const { states, edges, deadlocks, trapped, violations } = exploreMachine(routineMachine, {
      invariants: {
        'R1: an end is an end': ({ status, value }) => (status === 'done') === (typeof value === 'string' && value !== 'pending'),
        'R4: killed only where it was forced': ({ value, context }) => !context.killed || FORCED.has(JSON.stringify(value)),
        'R6: stuck only where it was forced': ({ context }) => !context.stuck || context.killed,
      },
      symmetry: ({ value, context }) => JSON.stringify([value, context.killed, context.stuck]),
    })
    expect([...deadlocks, ...trapped, ...violations]).toEqual([])
    expect([states.length, edges.length]).toEqual([13, 30])
  })

  test.each(managers)('$id: no deadlock, every state reaches an end, in five phases and in order', (machine) => {
    const events = [
      { type: 'start' },
      { type: 'shutdown' },
      { type: 'shutdown', mode: 'immediate' },
      { type: 'giveUp', error: 'e' },
      { type: 'hurry' },
      { type: 'phaseDone' },
    ]
    const { states, edges, deadlocks, trapped, violations } = exploreMachine(machine, {
      events,
      invariants: {
        'M2: failed only if it gave up': ({ value, context }) => (value === 'failed' ? context.gaveUp : true),
        'M2: cancelled only if hurried, completed only if not': ({ value, context }) =>
          value === 'cancelled' ? context.hurried : value !== 'completed' || !context.hurried,
      },
    })
    expect([...deadlocks, ...trapped, ...violations]).toEqual([])
    expect(states.length).toBe(2 + PHASES.length * 4 + 4)
    const phases = (key: string): number => PHASES.indexOf((JSON.parse(key) as [{ stopping: (typeof PHASES)[number] }])[0].stopping)
    // M1
    for (const { from, to, event } of edges) if (event === 'phaseDone' && phases(to) >= 0) expect(phases(to)).toBe(phases(from) + 1)
  })
})

interface Team {
  readonly manager: AnyMachineSnapshot
  /** Routines in their slots; `undefined` is a slot that was never taken. */
  readonly routines: readonly (AnyMachineSnapshot | undefined)[]
}

/** A manager with so many routines, driven by the decisions of machines/ alone. */
function team(slots: number): System<Team> {
  const told = (event: object) => (each: AnyMachineSnapshot | undefined) =>
    each === undefined || each.status === 'done' ? each : (transition(routineMachine, each, event as never)[0] as AnyMachineSnapshot)
  const phaseOf = ({ value }: AnyMachineSnapshot): string | undefined =>
    typeof value === 'object' ? (value as { stopping?: string }).stopping : undefined
  const isLiving = (each: AnyMachineSnapshot | undefined): boolean => each !== undefined && each.status !== 'done'
  const move = (state: Team, event: object): Team => {
    const manager = transition(localManagerMachine, state.manager, event as never)[0] as AnyMachineSnapshot
    const entered = phaseOf(manager) === phaseOf(state.manager) ? undefined : phaseOf(manager)
    if (entered === 'closing')
      return { manager, routines: state.routines.map((each) => (each?.value === 'pending' ? told({ type: 'cancel' })(each) : each)) }
    if (entered === 'cancelling') return { manager, routines: state.routines.map(told({ type: 'cancel' })) }
    if (entered === 'killing') return { manager, routines: state.routines.map(told({ type: 'kill' })) }
    return { manager, routines: state.routines }
  }
  function* steps(state: Team): Iterable<readonly [string, Team]> {
    const { manager, routines } = state
    if (manager.status === 'done') return
    const phase = phaseOf(manager)
    for (const type of ['start', 'shutdown', 'giveUp', 'hurry']) yield [type, move(state, { type })]
    const signs = {
      held: false,
      draining: false,
      hooked: false,
      exceeded: false,
      overdue: manager.context.hurried,
      living: routines.filter(isLiving).length,
    }
    if (phase !== undefined && phaseIsOver({ ...signs, phase: phase as never })) yield ['phaseDone', move(state, { type: 'phaseDone' })]
    for (const [k, each] of routines.entries()) {
      const put = (next: AnyMachineSnapshot): Team => ({ manager, routines: routines.map((other, j) => (j === k ? next : other)) })
      if (each === undefined && manager.value === 'running')
        yield ['spawn', put(initialTransition(routineMachine, undefined)[0] as AnyMachineSnapshot)]
      // A shutdown time, or the whole of it, may be over at any moment once it was told.
      const ways = phase === undefined ? ['start', 'done', 'fail', 'timeout', 'cancel'] : ['done', 'fail', 'giveUp']
      if (each !== undefined && isLiving(each))
        for (const type of ways) yield [`${type} ${k}`, put(told({ type })(each) as AnyMachineSnapshot)]
    }
  }
  return {
    initial: {
      manager: initialTransition(localManagerMachine)[0] as AnyMachineSnapshot,
      routines: Array.from({ length: slots }, () => undefined),
    },
    steps,
    ended: ({ manager }) => manager.status === 'done',
    // Slots are alike: which of them is in which state does not matter.
    key: ({ manager, routines }) =>
      JSON.stringify([
        manager.value,
        manager.context.gaveUp,
        manager.context.hurried,
        routines.map((each) => JSON.stringify(each?.value)).toSorted(),
      ]),
  }
}

describe('a manager and its routines together', () => {
  test.each([1, 2, 3, 4])('%i: nobody outlives it, none comes while it stops, and it can always end', (slots) => {
    const living = ({ routines }: Team): number => routines.filter((each) => each !== undefined && each.status !== 'done').length
    const { states, edges, deadlocks, trapped, violations } = explore(team(slots), {
      invariants: {
        'childBeforeParent: an ended manager has no living routine': (state) => state.manager.status !== 'done' || living(state) === 0,
        'noLiveResources: cleaning begins when nobody lives': (state) =>
          JSON.stringify(state.manager.value) !== '{"stopping":"cleaning"}' || living(state) === 0,
      },
    })
    expect([...deadlocks, ...trapped, ...violations]).toEqual([])
    expect(edges.filter(({ from, event }) => event === 'spawn' && !from.startsWith('["running"'))).toEqual([])
    expect(states.length).toBeGreaterThan(30 * slots)
  })

  test('symmetry makes them fewer, and finds the same', () => {
    const whole = {
      ...team(2),
      key: ({ manager, routines }: Team) =>
        JSON.stringify([manager.value, manager.context.gaveUp, manager.context.hurried, routines.map((each) => each?.value)]),
    }
    expect(explore(whole).states.length).toBeGreaterThan(explore(team(2)).states.length * 1.5)
    expect(explore(whole).trapped).toEqual([])
  })
})

describe('what exploration finds', () => {
  const trap = createMachine({
    id: 'trap',
    initial: 'a',
    states: {
      a: { on: { go: 'b', wander: 'c', end: 'd' } },
      b: {},
      c: { on: { back: 'e' } },
      e: { on: { back: 'c' } },
      d: { type: 'final' },
    },
  })

  test('a state with no way out, and one that runs in circles', () => {
    const { deadlocks, trapped } = exploreMachine(trap)
    expect(deadlocks.map(({ state, path }) => [state.value, path])).toEqual([['b', ['go']]])
    expect(trapped.map(({ state }) => state.value)).toEqual(['b', 'c', 'e'])
  })

  test('the shortest way to where an invariant does not hold', () => {
    const { violations } = exploreMachine(trap, { invariants: { 'never e': ({ value }) => value !== 'e' } })
    expect(violations.map(({ invariant, at }) => [invariant, at.path])).toEqual([['never e', ['wander', 'back']]])
  })

  test('too many states, and what is no machine, are refused', () => {
    const counter = createMachine({ context: { n: 0 }, on: { more: { actions: ({ context }) => void context } } })
    expect(() => explore({ initial: 0, steps: (n) => [['more', n + 1]], ended: () => false, key: String }, { limit: 50 })).toThrow(
      'more than 50 states; one of the last is 50 by more, more',
    )
    expect(exploreMachine(counter).states).toHaveLength(1)
    expect(() => exploreMachine({} as never)).toThrow('exploreMachine machine must be an XState machine')
    expect(() => exploreMachine(trap, { invariant: {} } as never)).toThrow('unknown option "invariant"')
  })
})

describe('coverage', () => {
  test('every transition of machines/ is taken by the runtime itself', async () => {
    const coverage = transitionCoverage(routineMachine, ...managers)
    const { inspect } = coverage
    for (const { tree, ...rest } of fc.sample(arbitraries(fc).scenario, { numRuns: 500, seed: 1 }))
      (await simulate(tree, { ...rest, inspect })).assert()
    await rareWays(inspect)
    expect(coverage.report({ min: 100 }).map(({ machine, taken, total }) => `${machine} ${taken}/${total}`)).toEqual([
      'routine 30/30',
      'globalManager 15/15',
      'appManager 15/15',
      'localManager 15/15',
    ])
  }, 60_000)

  test('what was never taken is named', () => {
    const coverage = transitionCoverage(localManagerMachine)
    expect(() => coverage.report({ min: 100 })).toThrow(
      'localManager: 0 of 15\n  never taken: localManager.pending --start--> localManager.running\n  never taken: localManager.pending --shutdown [immediate]--> localManager.stopping',
    )
    expect(coverage.counts(localManagerMachine)['localManager.running --giveUp--> localManager.stopping']).toBe(0)
    expect(() => transitionCoverage({} as never)).toThrow('must be XState machines')
    expect(() => coverage.report({ min: 101 })).toThrow('report option min must be a number from 0 to 100; received 101')
  })
})

/** On a ground that takes 20 ms to end a body, and may take as long as that; or on one that never does. */
function endedLater(options: TreeOptions, inspect: (event: InspectionEvent) => void): ReturnType<typeof createGlobalManager> {
  const global = createGlobalManager({ ...options, inspect })
  const local = global.createApp('a').createLocal('l')
  const clock = options.clock as Clock
  const spawn = (takes: number, timeout: number | undefined, then: (routine: AnyRoutine) => void): void => {
    const nothing = (): boolean => false
    const ground: Ground = {
      begin: () => undefined,
      ask: () => undefined,
      kill: (run) => void clock.setTimeout(() => run.returned(undefined), takes),
      ends: false,
      endsWithin: 30,
      takes: nothing,
      accepts: nothing,
      deliver: nothing,
    }
    const given = { shutdown: 10, ...(timeout === undefined ? {} : { timeout }) }
    then(local.spawn('w', { [GROUND]: ground } as never, given as never))
  }
  const soon = (act: () => unknown, ms: number): void => void clock.setTimeout(() => void act(), ms)
  for (const takes of [20, 100]) {
    spawn(takes, undefined, (routine) => soon(() => routine.kill(), 5))
    spawn(takes, 5, () => undefined)
    spawn(takes, 5, (routine) => soon(() => routine.kill(), 20))
    spawn(takes, 5, (routine) => soon(() => routine.cancel(), 20))
  }
  return global
}

/** Ways that generated trees seldom or never go. */
async function rareWays(inspect: (event: InspectionEvent) => void): Promise<void> {
  const leaving = (fault: string, timeout?: number): TreePlan => ({
    kind: 'tree',
    name: 'g',
    below: [
      {
        kind: 'manager',
        name: 'a',
        below: [
          {
            kind: 'manager',
            name: 'l',
            work: [{ kind: 'routine', name: 'w', faults: [fault], options: { ...(timeout === undefined ? {} : { timeout }) } }],
          },
        ],
      },
    ],
  })
  // Ends itself while at work, while it is told to stop, and when it is out of time; and is killed then.
  await simulate(leaving('exits(20)'), { inspect, script: [{ do: 'wait', ms: 50 }] })
  await simulate(leaving('exits(20)'), { inspect, script: [{ do: 'wait', ms: 5 }] })
  await simulate(leaving('exits(20)', 5), { inspect, script: [{ do: 'wait', ms: 50 }] })
  await simulate(leaving('exits(20)', 5), {
    inspect,
    script: [
      { do: 'wait', ms: 10 },
      { do: 'kill', routine: 'w' },
    ],
  })
  await simulate((options) => endedLater(options, inspect), { inspect, script: [{ do: 'wait', ms: 400 }] })
  // Actors of the user's own end well, and not.
  const logic = {
    children: [
      routine(
        'ok',
        fromPromise(async () => 1),
        { restart: 'temporary' },
      ),
      routine(
        'no',
        fromPromise(() => Promise.reject(new Error('no'))),
        { restart: 'temporary' },
      ),
    ],
  }
  await simulate(logic, { inspect })
  // Ends before it begins: by its own choice in `start`.
  const early = (reason: 'normal' | 'shutdown') => routine(reason, () => 1, { restart: 'temporary', start: ({ exit }) => exit(reason) })
  await simulate({ children: [early('normal'), early('shutdown')] }, { inspect })
  // Managers that are shut down, or fail, before they run.
  for (const mode of ['graceful', 'immediate'] as const) {
    await simulate(
      (options) => {
        const fails = {
          start: () => {
            throw new Error('not yet')
          },
        }
        const global = createGlobalManager({ ...options, inspect, children: [manager('m', fails)] })
        void global.shutdown({ mode })
        return global
      },
      { inspect },
    )
    await simulate(
      (options) => {
        const global = createGlobalManager({ ...options, inspect })
        const fails = {
          start: () => {
            throw new Error('not yet')
          },
        }
        void global.createApp('a', { children: [manager('m', fails)] }).shutdown({ mode })
        void global
          .createApp('b')
          .createLocal('l', { children: [manager('m', fails)] })
          .shutdown({ mode })
        return global
      },
      { inspect },
    )
  }
  const fails = {
    start: () => {
      throw new Error('no start')
    },
  }
  const failing = simulate(
    (options) => {
      const global = createGlobalManager({ ...options, inspect })
      global.createApp('a', fails)
      global.createApp('b').createLocal('l', fails)
      return global
    },
    { inspect },
  )
  await failing
  await simulate({ children: [routine('never', () => 1, fails)] }, { inspect, script: [] })
}

describe('refinement', () => {
  test('a trace that was tampered with is not allowed by the machines', async () => {
    const { trace } = await simulate(
      {
        kind: 'tree',
        name: 'g',
        below: [{ kind: 'manager', name: 'a', below: [{ kind: 'manager', name: 'l', work: [{ kind: 'routine', name: 'w', works: 5 }] }] }],
      },
      { script: [{ do: 'wait', ms: 9 }] },
    )
    const said = (change: (trace: Trace) => Trace['events']): string[] =>
      models.flatMap((model) => [...refines(model, { events: change(trace) })].map(({ message }) => message))
    expect(said(({ events }) => events)).toEqual([])
    expect(said(({ events }) => events.filter(({ type }) => type !== 'routine.started'))).toEqual([])
    expect(said(({ events }) => events.filter(({ phase, actor }) => phase !== 'waiting' || actor !== 'g/a'))).toEqual([
      'the app manager machine does not allow manager.phase killing of g/a here',
      'the app manager machine does not allow manager.phase cleaning of g/a here',
      'the app manager machine does not allow manager.stopped of g/a here',
    ])
    expect(
      said(({ events }) =>
        events.map((event) => (event.type === 'manager.stopped' && event.actor === 'g' ? { ...event, state: 'failed' } : event)),
      ),
    ).toEqual(['the global manager machine does not allow manager.stopped of g here'])
    expect(said(({ events }) => events.flatMap((event) => (event.type === 'routine.completed' ? [event, event] : [event])))).toEqual([
      'the routine machine does not allow routine.completed of g/a/l/w#r1 here',
    ])
  })
})
