/** Campaigns: what they find, how small they make it, and what they say. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { type LocalManager, manager, routine, type RoutineContext } from 'curtaincall'
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
    const error = await counterexample(() => fuzzTree({ runs: 500, laws: [...laws, nobodyIsKilled], traces: folder, fc }))
    expect(error).toMatchObject({ code: 'ERR_TEST', law: 'nobodyIsKilled' })
    expect(error.trace?.header.tree).toBeDefined()
    const routines = error.trace?.events.filter(({ type }) => type === 'routine.spawned') ?? []
    expect(routines).toHaveLength(1)
    expect(error.trace?.header.script.length).toBeLessThanOrEqual(1)
    const [file = ''] = readdirSync(folder)
    expect(error.message).toContain(`seed 1, path "`)
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
    const [smallest, original] = ['', '.original'].map((mark) => join(own, `nobodyIsKilled-1${mark}.cct.jsonl`)) as [string, string]
    expect(readdirSync(own).map((name) => join(own, name))).toEqual([smallest, original])
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
    expect(readdirSync(own)).toEqual(['never-1.cct.jsonl'])
    expect(error.message).toContain(`look: npx curtaincall inspect ${join(own, 'never-1.cct.jsonl')}\n`)
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
    const file = join(own, 'tillsAreClosed-1.cct.jsonl')
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
