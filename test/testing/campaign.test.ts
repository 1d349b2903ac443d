/** Campaigns: what they find, how small they make it, and what they say. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { createMachine } from 'xstate'
import { createGlobalManager, type LocalManager, manager, routine, type RoutineContext } from 'curtaincall'
import { untilTold } from '../support/tree.ts'
import {
  arbitraries,
  CounterexampleError,
  fuzzTree,
  law,
  laws,
  propertyShutdown,
  readTrace,
  replayTrace,
  simulate,
  sometimes,
  type TreeOptions,
} from 'curtaincall/testing'

const folder = mkdtempSync(join(tmpdir(), 'curtaincall-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const counterexample = async (run: () => Promise<unknown>): Promise<CounterexampleError> => {
  try {
    await run()
  } catch (error) {
    if (error instanceof CounterexampleError) return error
    throw error
  }
  throw new Error('nothing was found')
}

/** Not a law of ours: there are trees in which somebody is killed. */
const nobodyIsKilled = law('nobodyIsKilled', function* ({ events }) {
  for (const { type, i } of events) if (type === 'routine.killed') yield { message: 'somebody is killed', witnesses: [i] }
})
const nobodyFails = law('nobodyFails', function* ({ events }) {
  for (const { type, i } of events) if (type === 'routine.failed') yield { message: 'somebody fails', witnesses: [i] }
})

/** fast-check, which makes nothing smaller. */
const still = (of: typeof fc): typeof fc =>
  ({ ...of, check: (property: never, options: object) => of.check(property, { ...options, endOnFailure: true }) }) as unknown as typeof fc

describe('fuzzTree', () => {
  test('a law that does not hold is broken by a tree that is as small as can be, in a file that replays', async () => {
    const error = await counterexample(() => fuzzTree({ runs: 500, seed: 3, laws: [...laws, nobodyIsKilled], traces: folder, fc }))
    expect(error).toMatchObject({ code: 'ERR_TEST', law: 'nobodyIsKilled' })
    expect(error.trace?.header.tree).toBeDefined()
    const routines = error.trace?.events.filter(({ type }) => type === 'routine.spawned') ?? []
    expect(routines).toHaveLength(1)
    expect(error.trace?.header.script.length).toBeLessThanOrEqual(1)
    const [file = ''] = readdirSync(folder)
    expect(error.message).toContain(`seed 3, path "`)
    expect(error.message).toContain(`replay: npx curtaincall replay ${join(folder, file)}`)
    const { divergence, simulation } = await replayTrace(join(folder, file), { laws: [...laws, nobodyIsKilled] })
    expect(divergence).toBeUndefined()
    expect(simulation.violations.map((each) => each.law)).toEqual(['nobodyIsKilled'])
    expect(readTrace(join(folder, file)).verdict.violations).toEqual(error.trace?.verdict.violations)
  })

  test('what it was made of lies beside it, breaks the same law, and replays, too', async () => {
    const own = join(folder, 'both')
    const error = await counterexample(() => fuzzTree({ runs: 500, laws: [...laws, nobodyIsKilled], traces: own, fc }))
    expect(error.shrinks).toBeGreaterThan(0)
    const [smallest, original] = readdirSync(own).map((name) => join(own, name)) as [string, string]
    expect(smallest).toMatch(/nobodyIsKilled-1-[\da-f]{8}\.cct\.jsonl$/)
    expect(original).toBe(smallest.replace('.cct', '.original.cct'))
    expect(readdirSync(own)).toHaveLength(2)
    expect(error.message).toContain(`npx curtaincall inspect ${smallest} ${original}`)
    const trace = readTrace(original)
    expect(trace).toEqual(JSON.parse(JSON.stringify(error.original)))
    expect(trace.events.length).toBeGreaterThan(error.trace?.events.length ?? 0)
    expect(new Set(trace.verdict.violations.map((each) => each.law))).toEqual(new Set(['nobodyIsKilled']))
    // Its path is that of the run itself, without the steps by which it was made smaller.
    expect(trace.header.found).toEqual({ seed: 1, path: String(error.runs - 1) })
    expect((await replayTrace(original, { laws: [nobodyIsKilled] })).divergence).toBeUndefined()
  })

  test('where nothing can be made smaller there is no other', async () => {
    const own = join(folder, 'one')
    const never = law('never', function* () {
      yield { message: 'it never holds' }
    })
    const error = await counterexample(() =>
      propertyShutdown({ kind: 'tree', name: 'g', children: [] }, { runs: 1, laws: [never], traces: own, fc: still(fc) }),
    )
    expect([error.shrinks, error.original]).toEqual([0, undefined])
    const [file = '', ...others] = readdirSync(own)
    expect(others).toEqual([])
    expect(error.message).toContain(`look: npx curtaincall inspect ${join(own, file)}\n`)
  })

  test('what is shrunk breaks the law that was broken, though others are on the way', async () => {
    for (const seed of [1, 2, 3]) {
      const error = await counterexample(() => fuzzTree({ runs: 200, seed, laws: [nobodyIsKilled, nobodyFails], traces: false, fc }))
      expect(error.trace?.verdict.violations.map((each) => each.law)).toContain(error.law)
      expect(new Set(error.trace?.verdict.violations.map((each) => each.law)).size).toBe(1)
    }
  })

  test('a goal that no run reaches fails the campaign; those that are reached are counted', async () => {
    const never = sometimes('the moon is reached', () => false)
    await expect(fuzzTree({ runs: 20, goals: [never], fc })).rejects.toThrow('no run of 20 reached the goal: the moon is reached (seed 1)')
    const { goals, runs, seed } = await fuzzTree({ runs: 50, seed: 2, goals: [sometimes('anything', () => true)], fc })
    expect([goals, runs, seed]).toEqual([{ anything: 50 }, 50, 2])
  })

  test('wrong options are named', async () => {
    await expect(fuzzTree({ runs: -1 })).rejects.toThrow('fuzzTree option runs must be a whole number of at least 0; received -1')
    await expect(propertyShutdown({}, { rnus: 1 } as never)).rejects.toThrow('propertyShutdown: unknown option "rnus"')
    await expect(fuzzTree({ laws: [{}] } as never)).rejects.toThrow('fuzzTree option laws must be an array of laws; received an array')
    await expect(fuzzTree({ goals: [laws[0]] } as never)).rejects.toThrow(
      'fuzzTree option goals must be an array of goals; received an array',
    )
  })
})

describe('files of counterexamples', () => {
  const broken = (name: string) =>
    law(name, function* () {
      yield { message: 'it never holds' }
    })
  const plan = (name: string) => ({ kind: 'tree', name }) as const
  const found = (name: string, traces: string, tree = plan('g')): Promise<CounterexampleError> =>
    counterexample(() => propertyShutdown(tree, { runs: 1, laws: [broken(name)], traces, fc: still(fc) }))
  const fileIn = ({ message }: CounterexampleError): string => / replay ("[^"]+"|\S+)/.exec(message)?.[1] ?? ''

  test('have a name that any file system takes, inside of the folder, whatever a law is called', async () => {
    const own = join(folder, 'named')
    const names = ['no seat/twice', 'no seat twice', '../../escaped', '..', 'Stuhl für "zwei"\0', 'x'.repeat(500)]
    for (const name of names) expect(fileIn(await found(name, own))).toContain(own)
    const files = readdirSync(own)
    expect(files).toHaveLength(names.length)
    expect(files.map((file) => file.replace(/-1-[\da-f]{8}.cct.jsonl$/, '')).toSorted()).toEqual(
      ['no-seat-twice', 'no-seat-twice', 'escaped', 'law', 'Stuhl-für-zwei', 'x'.repeat(60)].toSorted(),
    )
  })

  test('in a folder with blanks stand in quotation marks in the line that replays them', async () => {
    const file = fileIn(await found('never', join(folder, 'with a blank')))
    expect(file).toMatch(/^".*with a blank\/never-1-[\da-f]{8}\.cct\.jsonl"$/)
    expect(readTrace(file.slice(1, -1)).verdict.violations).toHaveLength(1)
  })

  test('of two trees do not overwrite each other; that of the same run is the same', async () => {
    const own = join(folder, 'two')
    const files = []
    for (const name of ['one', 'two', 'one']) files.push(fileIn(await found('never', own, plan(name))))
    expect(files[0]).toBe(files[2])
    expect(files.slice(0, 2).map((file) => readTrace(file).events[0]?.actor)).toEqual(['one', 'two'])
  })

  test('that can not be written cost the file, and not what was found', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    const error = await found('never', join(file, 'x'))
    expect(error.law).toBe('never')
    expect(error.trace?.verdict.violations).toHaveLength(1)
    expect(error.message).toMatch(/^never does not hold.*\nseed 1, path "0"\nthe trace could not be written: ENOTDIR/)
  })
})

describe('what is no counterexample', () => {
  const tree = { kind: 'tree', name: 'g', children: [{ kind: 'routine', name: 'a' }] } as const
  const campaign = (options: object) => propertyShutdown(tree, { runs: 5, traces: join(folder, 'none'), ...options })

  test("what a goal or somebody's own counting throws comes out as it is, with the run that it was in", async () => {
    const mine = new RangeError('mine')
    const fails = (): never => {
      throw mine
    }
    await expect(campaign({ goals: [sometimes('g', fails)] })).rejects.toBe(mine)
    expect(mine.message).toBe('mine\nin run 1 of the campaign, seed 1')
    let runs = 0
    const third = () => {
      if (++runs === 3) throw new Error('the third')
    }
    await expect(campaign({ seed: 7, onRun: third })).rejects.toThrow('the third\nin run 3 of the campaign, seed 7')
    expect(runs).toBe(3)
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })

  test('a goal that answers with a promise is refused: it would always count as reached', async () => {
    for (const goal of [async () => false, () => Promise.reject(new Error('no'))])
      await expect(campaign({ goals: [sometimes('g', goal as never)] })).rejects.toMatchObject({
        code: 'ERR_CONFIG',
        option: 'goals',
        message:
          'goal g must be a function that says at once whether it is reached; it returned a promise\nin run 1 of the campaign, seed 1',
      })
  })

  test('a fault is of no name that both a function and a machine have', async () => {
    const machine = createMachine({ initial: 'a', states: { a: {} } })
    const both = (options: TreeOptions) => {
      const global = createGlobalManager({ ...options, name: 'b' })
      const local = global.createApp('x').createLocal('y')
      local.spawn('w', untilTold)
      local.spawn('w', machine)
      local.spawn('other', untilTold)
      return global
    }
    expect((await propertyShutdown(both, { runs: 60, traces: false })).runs).toBe(60)
  })

  /** fast-check that is told to stop by itself. */
  const stopping = (options: object): typeof fc =>
    ({ ...fc, check: (property: never, given: object) => fc.check(property, { ...given, ...options }) }) as unknown as typeof fc

  test('runs that were not played are not counted', async () => {
    let played = 0
    const { runs } = await campaign({ runs: 100_000, fc: stopping({ interruptAfterTimeLimit: 50 }), onRun: () => void played++ })
    expect(runs).toBe(played)
    expect(runs).toBeLessThan(100_000)
    const marked = stopping({ interruptAfterTimeLimit: 50, markInterruptAsFailure: true })
    await expect(campaign({ runs: 100_000, fc: marked })).rejects.toThrow(/^fast-check stopped after \d+ of 100000 runs \(seed 1\)$/)
  })
})

describe('propertyShutdown', () => {
  let open = 0
  const till = async ({ signal }: RoutineContext): Promise<void> => {
    open++
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await new Promise((resolve) => setTimeout(resolve, 20))
    open--
  }
  const tree = { name: 'shop', children: [routine('till', till)] }
  const tillsAreClosed = law('tillsAreClosed', function* ({ events }) {
    const left = open
    open = 0
    if (left > 0)
      yield { message: `${left} left open`, witnesses: events.filter(({ type }) => type === 'routine.killed').map(({ i }) => i) }
  })

  test("finds what is wrong with somebody's own tree, with the least that has to be done to it", async () => {
    const error = await counterexample(() => propertyShutdown(tree, { runs: 300, laws: [tillsAreClosed], traces: false }))
    expect(error.law).toBe('tillsAreClosed')
    expect(error.trace?.header.script).toHaveLength(1)
    expect(error.trace?.header.story).toMatch(/^(shut down shop|kill till|SIGTERM|abort the shutdown signal)/)
  })

  test('a fault that keeps others from coming to be is no mistake of the caller, in no tree', async () => {
    const works = (name: string) => ({ kind: 'routine', name }) as const
    const body = (context: RoutineContext): Promise<unknown> => {
      if (!context.signal.aborted) (context.local as LocalManager).spawn('helper', () => 1)
      return untilTold(context)
    }
    const trees = [
      { name: 'shop', children: ['till', 'oven', 'door'].map((each) => routine(each, untilTold)) },
      { kind: 'tree', name: 'shop', children: ['till', 'oven', 'door'].map(works) } as const,
      { name: 'shop', children: [manager('app', { children: [manager('local', { children: [routine('spawner', body)] })] })] },
    ]
    for (const tree of trees) for (const seed of [1, 2, 3]) await propertyShutdown(tree, { seed, runs: 60, traces: false })
  })

  test('a counterexample says what its replay needs', async () => {
    const own = join(folder, 'module')
    const error = await counterexample(() => propertyShutdown(tree, { runs: 300, laws: [tillsAreClosed], traces: own }))
    const file = join(own, readdirSync(own).find((name) => !name.includes('original')) ?? '')
    expect(error.message).toContain(
      `replay: npx curtaincall replay ${file} MODULE, where its default export is the tree and its export laws has tillsAreClosed\n`,
    )
    const { unchecked, summary } = await replayTrace(file, { tree })
    expect([unchecked, summary.includes('holds')]).toEqual([['tillsAreClosed'], false])
  })

  test('a tree that is in order passes', async () => {
    const { runs } = await propertyShutdown(
      { name: 'shop', children: [routine('quick', () => 1, { restart: 'temporary' })] },
      { runs: 100 },
    )
    expect(runs).toBe(100)
  })
})

describe('how far a campaign comes', () => {
  const HOUR = 3_600_000
  let seen = 0
  /** Does something each so many milliseconds until it is told to stop. */
  const every = (ms: number) => (context: RoutineContext) =>
    new Promise<void>((resolve) => {
      let n = 0
      const timer = setInterval(() => (seen = Math.max(seen, ++n)), ms)
      const stop = (): void => {
        clearInterval(timer)
        resolve()
      }
      if (context.signal.aborted) stop()
      else context.signal.addEventListener('abort', stop)
    })
  const farthest = async (tree: object, options: object = {}) => {
    seen = 0
    const result = await propertyShutdown(tree, { runs: 60, traces: false, ...options })
    return { ...result, seen }
  }

  test('to timers of a second, an hour and the longest there can be; to what comes each second, for an hour', async () => {
    for (const ms of [1_000, HOUR, 2_147_483_647]) {
      const { reach, seen: times } = await farthest({ children: [routine('r', every(ms))] })
      expect(times).toBeGreaterThan(0)
      expect(reach.unreached).toEqual([])
    }
    expect((await farthest({ children: [routine('r', every(1_000))] })).seen).toBeGreaterThan(3_600)
  })

  test.each([
    ['one timer', HOUR],
    ['what comes each minute', 60_000],
  ])('a bug that needs an hour of virtual time is found in under 1,000 runs: %s', async (_name, ms) => {
    const tree = (options: TreeOptions) => {
      seen = 0
      return createGlobalManager({ ...options, children: [routine('r', every(ms))] })
    }
    const neverLate = law('neverLate', function* ({ reach }) {
      if (seen >= HOUR / ms) yield { message: `after ${reach.ms} ms` }
    })
    for (const seed of [1, 2, 3]) {
      const error = await counterexample(() => propertyShutdown(tree, { runs: 1_000, seed, laws: [neverLate], traces: false }))
      expect(error.runs).toBeLessThan(1_000)
      expect(error.trace?.header.script.length).toBeLessThanOrEqual(2)
    }
  })

  test('a machine that waits is reached as well', async () => {
    let entered = 0
    const enter = () => void entered++
    const machine = createMachine({ initial: 'a', states: { a: { after: { [HOUR]: 'b' } }, b: { entry: enter } } })
    const { reach } = await farthest({ children: [routine('m', machine)] })
    expect([entered > 0, reach.unreached]).toEqual([true, []])
  })

  test('a tree that is busy is not taken for one that does not end', async () => {
    const { reach } = await farthest({ children: [routine('r', every(1))] })
    expect(reach.timers).toBeGreaterThan(10_000)
  })

  test('horizon and steps bound the scripts', async () => {
    const runs: { ms: number; steps: number }[] = []
    const onRun = ({ run, trace }: { run: { reach: { ms: number } }; trace: { header: { script: readonly { do: string }[] } } }) =>
      void runs.push({
        ms: run.reach.ms,
        steps: trace.header.script.length,
      })
    const tree = { children: [routine('r', every(7_000))] }
    const { reach } = await farthest(tree, { horizon: 60_000, steps: 30, onRun })
    expect([reach.ms, Math.max(...runs.map(({ ms }) => ms))]).toEqual([60_000, 60_000])
    // Steps that would name somebody where nobody is are left out.
    expect(Math.max(...runs.map(({ steps }) => steps))).toSatisfy((steps) => steps > 20 && steps <= 30)
    runs.length = 0
    const { goals } = await fuzzTree({
      runs: 100,
      horizon: 100,
      steps: 2,
      onRun,
      goals: [sometimes('far', ({ reach: { ms } }) => ms === 100)],
    })
    expect([goals['far'] !== 0, Math.max(...runs.map(({ ms }) => ms)), Math.max(...runs.map(({ steps }) => steps))]).toEqual([true, 100, 2])
    expect(
      (await farthest(tree, { runs: 20, horizon: 0, steps: 0, laws: [], onRun }).catch((error: Error) => error.message)) as string,
    ).toBe(
      'no run of 20 came to a timer of the tree; the farthest came to 0 ms: raise horizon or steps (seed 1)\n  setInterval of 7000 ms, of global/r',
    )
    await expect(fuzzTree({ horizon: -1 })).rejects.toThrow('fuzzTree option horizon must be a number of milliseconds from 0')
    await expect(propertyShutdown({}, { steps: 0.5 })).rejects.toThrow('propertyShutdown option steps must be a whole number')
  })

  test('a tree of whose timers none was ever reached fails; of which some were not says which', async () => {
    const day = { children: [routine('r', every(24 * HOUR))] }
    await expect(farthest(day, { horizon: HOUR })).rejects.toThrow(
      'no run of 60 came to a timer of the tree; the farthest came to 3600000 ms: raise horizon or steps (seed 1)\n  setInterval of 86400000 ms, of global/r',
    )
    const both = {
      children: [routine('soon', every(1_000)), routine('late', every(24 * HOUR)), routine('told', untilTold, { timeout: 12 * HOUR })],
    }
    const { reach } = await farthest(both, { horizon: HOUR })
    expect(reach.unreached).toEqual([
      { kind: 'clock', owner: undefined, delay: 12 * HOUR },
      { kind: 'setInterval', owner: 'global/late', delay: 24 * HOUR },
    ])
    expect((await farthest({ children: [routine('told', untilTold)] }, { horizon: 10 })).reach.unreached).toEqual([])
  })

  test('a counterexample far away replays', async () => {
    const own = join(folder, 'far')
    const tree = { children: [routine('r', every(HOUR))] }
    const notYet = law('notYet', function* ({ reach: { timers } }) {
      if (timers > 0) yield { message: 'a timer fired' }
    })
    await counterexample(() => propertyShutdown(tree, { runs: 500, laws: [notYet], traces: own, horizon: 2 * HOUR }))
    const [file = ''] = readdirSync(own)
    const { header } = readTrace(join(own, file))
    expect(header.horizon).toBe(2 * HOUR)
    const { divergence, simulation } = await replayTrace(join(own, file), { tree, laws: [notYet] })
    expect([divergence, simulation.violations.length]).toEqual([undefined, 1])
  })

  test('what escapes is thrown as such, and is no counterexample', async () => {
    const reads = () => readFile('package.json').then(() => undefined)
    const later = (context: RoutineContext) => untilTold(context).then(() => (Date.now() > Date.UTC(2000, 0, 1) ? reads() : undefined))
    const tree = { children: [routine('r', later)] }
    await expect(propertyShutdown(tree, { runs: 100, traces: false })).rejects.toMatchObject({
      code: 'ERR_ESCAPED',
      message: expect.stringMatching(/^virtual time does not reach FSREQ[^]*\nin run \d+ of the campaign, seed 1$/) as string,
    })
  })
})

describe('arbitraries', () => {
  test('each makes what it says, and names are unique', () => {
    const all = arbitraries(fc)
    const [tree] = fc.sample(all.tree, { numRuns: 50, seed: 1 }).toSorted((a, b) => JSON.stringify(b).length - JSON.stringify(a).length)
    const names = [...JSON.stringify(tree).matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(fc.sample(all.fault, { numRuns: 200, seed: 1 }).every((text) => /^\w+\([\d, ]*\)$/.test(text))).toBe(true)
    expect(
      fc
        .sample(all.script([], ['g']), { numRuns: 200, seed: 1 })
        .flat()
        .every((step) => !('routine' in step)),
    ).toBe(true)
  })

  test('most runs deviate from first come, first served when they are given a tape', async () => {
    let deviations = 0
    for (const { tree, ...rest } of fc.sample(arbitraries(fc).scenario, { numRuns: 200, seed: 1 }))
      deviations += (await simulate(tree, rest)).trace.verdict.deviations > 0 ? 1 : 0
    expect(deviations).toBeGreaterThan(30)
  })
})
