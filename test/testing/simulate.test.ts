/** Simulations: the same script, the same trace; every fault bites; what can't be simulated says so. */
import type { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { assign, createMachine } from 'xstate'
import { createGlobalManager, routine, type RoutineContext } from 'curtaincall'
import {
  arbitraries,
  explainTrace,
  faults,
  type Fault,
  law,
  laws,
  parseTrace,
  printTrace,
  readFault,
  replayTrace,
  simulate,
  sometimes,
  type Simulation,
  type Step,
  type TreeOptions,
  type TreePlan,
  writeTrace,
} from 'curtaincall/testing'

const untilTold = ({ signal }: RoutineContext): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => resolve()))

const plan: TreePlan = {
  kind: 'tree',
  name: 'g',
  children: [{ kind: 'routine', name: 'a' }],
  below: [
    {
      kind: 'manager',
      name: 'app',
      below: [{ kind: 'manager', name: 'l', work: [{ kind: 'routine', name: 'w', options: { restart: 'transient', shutdown: 50 } }] }],
    },
  ],
}
const story = ({ trace }: Simulation, actor = /w#/): string[] =>
  trace.events.filter((event) => actor.test(event.actor)).map(({ type, t }) => `${t} ${type.replace('routine.', '')}`)

describe('Y1: the same in, the same out', () => {
  test('byte for byte, whatever ran before', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraries(fc).scenario, async ({ tree, ...rest }) => {
        const first = printTrace((await simulate(tree, rest)).trace)
        await simulate(plan)
        expect(printTrace((await simulate(tree, rest)).trace)).toBe(first)
      }),
      { numRuns: 60, seed: 1 },
    )
  })

  test('a schedule changes the order of what is due at the same time, and nothing else', async () => {
    const race = {
      kind: 'tree',
      name: 'g',
      children: [
        { kind: 'routine', name: 'a', works: 20 },
        { kind: 'routine', name: 'b', faults: ['slow(10)'], works: 10 },
      ],
    } as const
    const ends = async (tape: number[]): Promise<string[]> =>
      (await simulate({ ...race, options: { maxRestarts: 0 } }, { tape, script: [{ do: 'wait', ms: 30 }] })).trace.events
        .filter(({ type }) => type === 'body.ended')
        .map(({ actor }) => actor)
    expect(await ends([])).toEqual(['g/a#a', 'g/b#b'])
    const other = await Promise.all([[1], [0, 1], [0, 0, 1]].map(ends))
    expect(other.some(([first]) => first === 'g/b#b')).toBe(true)
  })

  test('actor-model: the end of a body arrives when the schedule says so', async () => {
    const quick = { kind: 'tree', name: 'g', children: [], below: [] } as const
    const script = [{ do: 'wait', ms: 5 }] as const
    const run = (mode: 'native' | 'actor-model') =>
      simulate({ ...quick, children: [{ kind: 'routine', name: 'a', works: 1, options: { restart: 'temporary' } }] }, { mode, script })
    expect((await run('native')).violations).toEqual([])
    expect((await run('actor-model')).violations).toEqual([])
  })

  test('the seed is what jitter is made of', async () => {
    const tree: TreePlan = {
      ...plan,
      children: [{ kind: 'routine', name: 'a', faults: ['throws(0, 1)'], options: { backoff: { initial: 100, jitter: 1 } } }],
    }
    const delay = async (seed: number) =>
      (await simulate(tree, { seed, script: [{ do: 'wait', ms: 10 }] })).trace.events.find(({ type }) => type === 'routine.restarted')?.[
        'delay'
      ]
    expect(await delay(1)).toBe(await delay(1))
    expect(await delay(1)).not.toBe(await delay(2))
  })
})

describe('faults', () => {
  const wait = [{ do: 'wait', ms: 60 }] as const
  const failsOnce = [
    '0 spawned',
    '0 started',
    '20 body.ended',
    '20 failed',
    '20 restarted',
    '20 started',
    '60 body.asked',
    '60 body.ended',
    '60 cancelled',
  ]
  const cases: [Fault, string[]][] = [
    [faults.throws(20, 1), failsOnce],
    [faults.crashesAfter(20, 1), failsOnce],
    [faults.hangs(), ['0 spawned', '0 started', '60 body.asked', '60 body.ended', '60 cancelled']],
    [faults.slow(20), ['0 spawned', '0 started', '60 body.asked', '80 body.ended', '80 cancelled']],
    [faults.ignoresCancel(), ['0 spawned', '0 started', '60 body.asked', '110 killed', '110 orphaned']],
    [faults.crashesOnCancel(), ['0 spawned', '0 started', '60 body.asked', '60 body.ended', '60 cancelled']],
    [faults.crashesInCleanup(30), ['0 spawned', '0 started', '60 body.asked', '90 body.ended', '90 cancelled']],
    [faults.duplicateDone(), ['0 spawned', '0 started', '60 body.asked', '60 body.ended', '60 cancelled']],
    [faults.spawnsWhileClosing(), ['0 spawned', '0 started', '60 body.asked', '60 body.ended', '60 cancelled']],
    [faults.leaksTimer(500), ['0 spawned', '0 started', '60 body.asked', '60 body.ended', '60 cancelled']],
    [faults.exits(30), ['0 spawned', '0 started', '30 body.ended', '30 cancelled']],
    [faults.shutsDown(30), ['0 spawned', '0 started', '30 body.asked', '30 body.ended', '30 cancelled']],
    [faults.startFails(1), ['0 spawned', '0 failed']],
  ]
  test.each(cases.map(([fault, expected]) => ({ fault, name: fault.text, expected })))(
    '$name does what it says, and no law is broken',
    async ({ fault, expected }) => {
      const simulation = await simulate(plan, { faults: { w: fault }, script: wait })
      expect(story(simulation)).toEqual(expected)
      expect(simulation.violations).toEqual([])
      expect(readFault(fault.text)?.text).toBe(fault.text)
    },
  )

  describe('crashesAfter', () => {
    const play = async (work: (context: RoutineContext<undefined, string>) => unknown, fault: Fault, ms = 60) => {
      const till = routine('till', work, { restart: 'transient' })
      const simulation = await simulate({ name: 'g', children: [till] }, { faults: { till: fault }, script: [{ do: 'wait', ms }] })
      expect(simulation.violations).toEqual([])
      return simulation.trace.events
        .filter(({ type }) => type === 'routine.failed' || type === 'routine.completed')
        .map(({ t, error }) => `${t} ${String(error)}`)
    }

    test('lets the body run, and ends it amid what it does, with its signal aborted', async () => {
      const done: string[] = []
      const failed = await play(
        async ({ incarnation, signal }) => {
          for (let part = 1; !signal.aborted; part++) {
            done.push(`${incarnation}.${part}`)
            await new Promise((resolve) => setTimeout(resolve, 15))
          }
          done.push(String(signal.reason))
        },
        faults.crashesAfter(20, 1),
      )
      expect(failed).toEqual(['20 Error: fault: crashes amid run 1'])
      const first = ['1.1', '1.2', '2.1', 'Error: fault: crashes amid run 1', '2.2', '2.3']
      expect(done).toEqual([...first, 'RoutineCancelledError: g shuts down'])
    })

    test('one that reads its messages, too; each of its runs', async () => {
      let loops = 0
      const failed = await play(async ({ messages, heartbeat, local, name }) => {
        heartbeat()
        expect([name, local.path]).toEqual(['till', 'g'])
        for await (const _ of messages);
        loops++
      }, faults.crashesAfter(25))
      expect(failed).toEqual(['25 Error: fault: crashes amid run 1', '50 Error: fault: crashes amid run 2'])
      expect(loops).toBe(3)
    })

    test('not one that has ended before, however it did', async () => {
      expect(await play(() => new Promise((resolve) => setTimeout(resolve, 5)), faults.crashesAfter(20))).toEqual(['5 undefined'])
      const throwing = () => {
        throw new Error('own')
      }
      expect(new Set(await play(throwing, faults.crashesAfter(20), 0))).toEqual(new Set(['0 Error: own']))
    })

    test('actor logic, which goes on where it was', async () => {
      const counted: number[] = []
      const more = assign({ n: ({ context }: { context: { n: number } }) => (counted.push(context.n + 1), context.n + 1) })
      const counting = createMachine({
        context: { n: 0 },
        initial: 'a',
        states: { a: { after: { 10: { target: 'a', reenter: true, actions: more } } } },
      })
      const shop = (options: TreeOptions) => {
        const global = createGlobalManager({ ...options, name: 'g' })
        const local = global.createApp('a').createLocal('l', { maxRestarts: 9 })
        local.spawn('m', counting, { restart: 'transient', resume: 'snapshot' })
        local.spawn('over', createMachine({ type: 'final' } as object), { restart: 'transient' })
        return global
      }
      const simulation = await simulate(shop, {
        faults: { m: faults.crashesAfter(25, 2), over: faults.crashesAfter(25) },
        script: [{ do: 'wait', ms: 60 }],
      })
      expect(simulation.violations).toEqual([])
      const ends = simulation.trace.events.filter(({ type }) => /failed|restarted|completed/.test(type))
      expect(ends.map(({ t, type, actor, error }) => `${t} ${actor} ${type} ${String(error ?? '')}`.trim())).toEqual([
        '0 g/a/l/over#r2 routine.completed',
        '25 g/a/l/m#r1 routine.failed Error: fault: crashes amid run 1',
        '25 g/a/l/m#r1 routine.restarted',
        '50 g/a/l/m#r1 routine.failed Error: fault: crashes amid run 2',
        '50 g/a/l/m#r1 routine.restarted',
      ])
      // What was left of a delay is waited for.
      expect(counted).toEqual([1, 2, 3, 4, 5])
    })
  })

  test('a throw in cleanup is kept, a refused spawn is heard of, a timer left behind is found, and whose it is', async () => {
    const crash = await simulate(plan, { faults: { w: 'crashesInCleanup(5)' } })
    expect(crash.run.report?.errors.map(({ error }) => String(error))).toEqual(['Error: fault: crashes in cleanup'])
    const late = await simulate(plan, { faults: { w: 'spawnsWhileClosing()' } })
    expect(late.trace.events.filter(({ type }) => type === 'routine.refused')).toHaveLength(1)
    const leak = await simulate(plan, { faults: { w: 'leaksTimer(500)' } })
    expect(leak.run.remains.timers.map(({ owner, kind, in: ms }) => [owner, kind, ms])).toEqual([['g/app/l/w#r1', 'setTimeout', 500]])
  })

  test('what is no fault, bites nobody, or cannot bite is refused', async () => {
    expect(['explodes()', 'slow(x)', 'slow', 'slow(20) '].map(readFault)).toEqual([undefined, undefined, undefined, undefined])
    await expect(simulate(plan, { faults: { w: 'explodes()' } })).rejects.toThrow(
      'fault of w must be one of `faults`, such as \'slow(20)\'; received "explodes()"',
    )
    await expect(simulate(plan, { faults: { nobody: 'hangs()' } })).rejects.toThrow('names of routines that come to be (a, w)')
    const logic = { children: [routine('m', createMachine({}))] }
    await expect(simulate(logic, { faults: { m: 'hangs()' } })).rejects.toThrow(
      'crashesAfter() or startFails() where the work is actor logic',
    )
    expect(() => faults.slow(-1)).toThrow('faults.slow must be given numbers from 0 on; received -1')
    expect(() => faults.throws('x' as never)).toThrow('faults.throws must be given numbers from 0 on; received "x"')
    expect(() => law('x', 5 as never)).toThrow('law x must be a function; received 5')
    expect(() => sometimes('x', 5 as never)).toThrow('goal x must be a function; received 5')
  })
})

describe("people's own trees", () => {
  test('options, or a function that hands them on', async () => {
    const options = await simulate({ name: 'shop', children: [routine('till', untilTold)] })
    expect(options.run.report?.cancelled).toBe(1)
    const made = await simulate((given) => {
      const global = createGlobalManager({ ...given, name: 'shop' })
      global.createApp('a').createLocal('l').spawn('job', untilTold)
      return global
    })
    expect(made.trace.events.some(({ actor }) => actor === 'shop/a/l/job#r1')).toBe(true)
    await expect(simulate(() => createGlobalManager())).rejects.toThrow('hands the options it gets on to createGlobalManager')
  })

  test('steps that are functions; what the library refuses is the answer, anything else is thrown', async () => {
    const tree = { name: 'shop', children: [routine('till', untilTold)] }
    const simulation = await simulate(tree, {
      script: [{ do: 'open a second shop', run: (global) => global.createApp('a').createLocal('l', { maxRoutines: 0 as never }) }],
    })
    expect(simulation.trace.events.find(({ type }) => type === 'step')).toMatchObject({ text: 'open a second shop', how: 'ERR_CONFIG' })
    const thrown = simulate(tree, {
      script: [
        {
          do: 'burn it down',
          run: () => {
            throw new Error('fire')
          },
        },
      ],
    })
    await expect(thrown).rejects.toThrow('fire')
  })

  test('input and output are named, loudly', async () => {
    const { readFile } = await import('node:fs/promises')
    const reads = { children: [routine('r', async () => void (await readFile(new URL(import.meta.url))), { restart: 'temporary' })] }
    await expect(simulate(reads, { script: [{ do: 'wait', ms: 1 }] })).rejects.toMatchObject({ code: 'ERR_ESCAPED' })
  })
})

describe('Y2: a simulation ends', () => {
  test('by its step limit, and says what was still running', async () => {
    const busy = {
      name: 'g',
      children: [
        routine(
          'ticks',
          () =>
            new Promise(() => {
              setInterval(() => undefined, 1)
            }),
          { shutdown: 'infinity' as const },
        ),
      ],
    }
    const error = await simulate(busy, { steps: 50, end: { timeout: 1_000 } }).catch((thrown: unknown) => thrown as Error)
    expect(error).toMatchObject({ code: 'ERR_TEST' })
    expect((error as Error).message).toMatch(/^50 timers have fired and 2 are still pending:/)
    expect((error as Error).message).toContain('g/ticks#ticks: running, incarnation 1')
  })

  test('wrong options are named', async () => {
    await expect(simulate(plan, { tape: [1.5] })).rejects.toThrow('tape must be an array of whole numbers of at least 0')
    await expect(simulate(plan, { script: [{ do: 'dance' } as never] })).rejects.toThrow('step 0 must be one of wait')
    const wrong: [object, string][] = [
      [{ do: 'wait', msec: 5 }, 'simulate script step 1 (wait): unknown option "msec"; known are do, ms'],
      [{ do: 'wait' }, 'step 1 (wait) option ms must be a number of milliseconds'],
      [{ do: 'shutdown', path: 'g' }, 'unknown option "path"; known are do, at, mode, timeout, drain, phases'],
      [{ do: 'shutdown', at: 'g', mode: 'slow' }, "option mode must be 'graceful' or 'immediate'; received \"slow\""],
      [{ do: 'shutdown', at: 'g', phases: { waiting: -1 } }, 'shutdown phases option waiting must be a number of milliseconds'],
      [{ do: 'cancel', routine: 5 }, 'option routine must be the name of a routine; received 5'],
      [{ do: 'spawn', at: 'g/app/l', work: { name: 'x' } }, 'option work must be a plan of kind routine; received an object'],
    ]
    for (const [step, message] of wrong)
      await expect(simulate(plan, { script: [{ do: 'wait', ms: 1 }, step as never] })).rejects.toThrow(message)
    await expect(simulate(plan, { seed: 0.5 })).rejects.toThrow('seed must be a whole number')
    await expect(simulate(plan, { sead: 1 } as never)).rejects.toThrow('unknown option "sead"')
  })
})

describe('waits of a script', () => {
  /** Says when, at these moments. */
  const at = (...moments: number[]) => {
    const said: number[] = []
    const body = ({ signal }: RoutineContext) =>
      new Promise<void>((resolve) => {
        for (const ms of moments) setTimeout(() => said.push(ms), ms)
        signal.addEventListener('abort', () => resolve())
      })
    return { tree: { name: 'shop', children: [routine('till', body)] }, said }
  }
  const played = async (script: Step[], given: object = {}) => {
    const { tree, said } = at(1_000, 3_600_000, 3_600_000, 86_400_000)
    const seen: [ms: number, said: number][] = []
    const look: Step = { do: 'look', run: () => void seen.push([Date.now() - Date.UTC(2000, 0, 1), said.length]) }
    const { run, trace } = await simulate(tree, { script: script.flatMap((step) => [step, look]), laws: [], ...given })
    return { seen, run, trace }
  }

  test('to the next timer, to some, at most so long; and no further than there are timers', async () => {
    const { seen, run, trace } = await played([
      { do: 'wait', timers: 1 },
      { do: 'wait', ms: 10, timers: 1 },
      { do: 'wait', timers: 1 },
      { do: 'wait', ms: 86_400_000, timers: 1 },
      { do: 'wait', timers: 5 },
      { do: 'wait', timers: 1 },
      { do: 'wait', ms: 7, timers: 9 },
    ])
    const day = 86_400_000
    expect(seen).toEqual([
      [1_000, 1],
      [1_010, 1],
      // What is due at the same time goes with it, unless the tape says otherwise.
      [3_600_000, 3],
      [day, 4],
      [day, 4],
      [day, 4],
      [day + 7, 4],
    ])
    expect(run.reach).toMatchObject({ ms: day + 7, timers: 4, ahead: [] })
    expect(trace.header.story).toMatch(/^wait for the next timer; look; wait 10 ms, or for the next timer; .* wait for 5 timers; look/)
  })

  test('a run says how far it came, and what was ahead', async () => {
    const { run } = await played([{ do: 'wait', timers: 1 }])
    const timer = { kind: 'setTimeout', owner: 'shop/till#till' }
    const hour = { ...timer, in: 3_599_000, delay: 3_600_000 }
    expect(run.reach).toMatchObject({ ms: 1_000, timers: 1, ahead: [hour, hour, { ...timer, in: 86_399_000, delay: 86_400_000 }] })
    expect(run.events.slice(run.reach.events).map(({ type }) => type)[0]).toBe('manager.phase')
    // What a fault waits for is nothing of the tree.
    const faulty = await simulate(plan, { faults: { w: faults.throws(20, 1) }, script: [{ do: 'wait', ms: 5 }] })
    expect(faulty.run.reach.ahead).toEqual([])
  })

  test('none goes on behind the horizon', async () => {
    const { seen, trace } = await played(
      [
        { do: 'wait', timers: 1 },
        { do: 'wait', ms: 5_000 },
        { do: 'wait', timers: 3 },
        { do: 'wait', ms: 1 },
      ],
      {
        horizon: 4_000,
      },
    )
    expect(seen.map(([ms]) => ms)).toEqual([1_000, 4_000, 4_000, 4_000])
    expect(trace.header.horizon).toBe(4_000)
    const { tree } = at(1_000, 3_600_000, 3_600_000, 86_400_000)
    const script = trace.header.script.map((step) => (step.do === 'look' ? { do: 'look', run: () => undefined } : step)) as Step[]
    expect((await replayTrace(parseTrace(printTrace(trace), 'x'), { tree, script, laws: [] })).divergence).toBeUndefined()
  })
})

describe('laws', () => {
  test("people's own are held like ours; one that throws is at fault itself", async () => {
    const quiet = law('quiet', function* ({ events }) {
      for (const { type, i } of events) if (type === 'routine.failed') yield { message: 'somebody failed', witnesses: [i] }
    })
    const broken = law('broken', () => {
      throw new TypeError('oops')
    })
    const { violations, assert, explain } = await simulate(plan, {
      faults: { w: faults.throws(5, 1) },
      script: [{ do: 'wait', ms: 9 }],
      laws: [...laws, quiet, broken],
    })
    expect(violations.map((each) => [each.law, each.message])).toEqual([
      ['quiet', 'somebody failed'],
      ['broken', 'the law itself is at fault, not the system: it threw TypeError: oops'],
    ])
    expect(assert).toThrow('✗ quiet: somebody failed')
    expect(explain()).toMatch(/▶ .* w#r1 failed .* ◀ quiet/)
  })
})

test('the timer of a signal may be left, since nobody can disarm it; another one may not', async () => {
  const leftBy = async (leave: () => unknown) => {
    const body = async () => {
      leave()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const shop = { name: 'shop', children: [routine('till', body, { restart: 'temporary' })] }
    return (await simulate(shop, { script: [{ do: 'wait', ms: 50 }] })).violations.map(({ message }) => message)
  }
  expect(await leftBy(() => AbortSignal.timeout(5_000))).toEqual([])
  expect(await leftBy(() => setTimeout(() => undefined, 5_000))).toEqual(['shop/till#till left a setTimeout behind, due in 4950 ms'])
})

describe('listeners on the process are those of the run that put them there', () => {
  const slow = ({ signal }: RoutineContext): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 400)))
  const shop = (...names: string[]) => ({ name: 'shop', children: names.map((name) => routine(name, slow)) })
  const broken = async (simulation: Promise<Simulation>) => (await simulation).violations.map(({ message }) => message)

  test('not those of one that is played at the same time, nor of anybody else', async () => {
    const signalled = () => simulate(shop('a', 'b', 'c'), { script: [{ do: 'signal' }], end: false })
    const quiet = () => simulate(shop('a'), { script: [{ do: 'wait', ms: 1 }] })
    const emitter: EventEmitter = process
    const before = emitter.listeners('newListener')
    const others = Array.from({ length: 12 }, () => broken(quiet()))
    const both = Promise.all([broken(quiet()), broken(signalled()), ...others])
    const stranger = () => undefined
    process.on('SIGTERM', stranger)
    expect((await both).flat()).toEqual([])
    process.off('SIGTERM', stranger)
    expect(emitter.listeners('newListener')).toEqual(before)
  })

  test('its own are found', async () => {
    const mine = () => undefined
    const script: Step[] = [{ do: 'listen', run: () => void process.once('SIGTERM', mine) }]
    expect(await broken(simulate(shop('a'), { script }))).toEqual(['1 listeners are left on the process'])
    process.off('SIGTERM', mine)
    expect(await broken(simulate(shop('a')))).toEqual([])
  })
})

describe('traces', () => {
  const recorded = (): Promise<Simulation> =>
    simulate(plan, { faults: { w: ['throws(5, 1)'] }, script: [{ do: 'wait', ms: 9 }, { do: 'signal' }] })

  test('read back as written, and played again the same way', async () => {
    const { trace } = await recorded()
    const text = printTrace(trace)
    const read = parseTrace(text, 'x')
    expect(printTrace(read)).toBe(text)
    const { divergence, summary } = await replayTrace(read)
    expect(divergence).toBeUndefined()
    expect(summary).toBe(`replayed: ${trace.events.length} events, the same as recorded\n✓ every law holds`)
  })

  test('a replay that goes otherwise says where', async () => {
    const { trace } = await recorded()
    const at = trace.events.findIndex(({ type }) => type === 'routine.failed')
    const events = trace.events.map((event) => (event.i === at ? { ...event, t: 4 } : event))
    const verdict = { violations: [{ law: 'permitsBalanced', message: 'x', witnesses: [] }], deviations: 0 }
    const { divergence, summary } = await replayTrace({ ...trace, events, verdict })
    expect(divergence).toMatchObject({ at, recorded: { t: 4 }, replayed: { t: 5 } })
    expect(summary).toContain(`DIVERGED at event ${at}`)
    expect(summary).toContain('recorded: 4 ms routine.failed g/app/l/w#r1\n  replayed: 5 ms routine.failed g/app/l/w#r1')
    expect(summary).toContain('✓ permitsBalanced was broken when this was recorded, and holds now')
  })

  test('what is no trace is refused', async () => {
    const { trace } = await recorded()
    const simulation = { trace } as never
    const range = "must be a trace: a simulation's, or one that was read; received"
    expect(() => explainTrace(simulation)).toThrow(`explainTrace trace ${range} an object`)
    expect(() => writeTrace('never-written.cct.jsonl', undefined as never)).toThrow(`writeTrace trace ${range} undefined`)
    await expect(replayTrace({ ...trace, verdict: undefined } as never)).rejects.toThrow(`replayTrace trace ${range} an object`)
  })

  test('a file that is cut, of another version, or edited is refused with the line', async () => {
    const lines = printTrace((await recorded()).trace).split('\n')
    const said = (text: string): string => {
      try {
        parseTrace(text, 'f')
        return 'read'
      } catch (error) {
        expect((error as { code: string }).code).toBe('ERR_TRACE')
        return (error as Error).message
      }
    }
    const edit = (line: number, change: (text: string) => string): string =>
      said(lines.map((text, i) => (i === line - 1 ? change(text) : text)).join('\n'))
    expect(said(lines.join('\n').slice(0, -20))).toMatch(/^f:\d+: the file is cut: its last line does not end$/)
    expect(said(`${lines.slice(0, -3).join('\n')}\n`)).toMatch(/the file is cut: the verdict is missing$/)
    expect(edit(1, (text) => text.replace('"version":1', '"version":9'))).toBe('f:1: a trace of version 9; this library reads version 1')
    expect(edit(1, () => '{"format":"other"}')).toBe('f:1: not the header of a trace')
    expect(edit(1, (text) => text.replace('"tape":[]', '"tape":7'))).toBe('f:1: the header lacks its seed, tape or script')
    expect(edit(4, () => 'nonsense')).toBe('f:4: not a line of JSON')
    expect(edit(5, (text) => text.replace(/"i":\d+/, '"i":77'))).toBe(
      'f:5: event 77 stands in the place of 3: a line was added or taken away',
    )
    expect(edit(lines.length - 2, (text) => text.replace(/"t":\d+/, '"t":-1'))).toMatch(/time runs backwards, from 9 to -1$/)
    expect(edit(5, (text) => text.replace(/"type":"[^"]+"/, '"type":3'))).toBe('f:5: an event needs a type and an actor')
    const caused = lines.findIndex((text, i) => i > 0 && text.includes('"cause"')) + 1
    expect(edit(caused, (text) => text.replace(/"cause":\d+/, '"cause":50'))).toBe(`f:${caused}: its cause 50 is not before it`)
    expect(edit(lines.length - 1, () => '{"verdict":{"violations":[{"law":"x","message":"","witnesses":[999]}]}}')).toMatch(
      /a witness of x is not among the events$/,
    )
    expect(said('')).toBe('f:1: not the header of a trace')
  })
})
