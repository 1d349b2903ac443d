/** Traces as files: what survives the way through one, and what of an edited one is refused. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { routine, type RoutineContext } from 'curtaincall'
import {
  explainTrace,
  parseTrace,
  printTrace,
  readTrace,
  replayTrace,
  type SimulatedTree,
  simulate,
  type SimulationOptions,
  type Trace,
  type TreePlan,
  writeTrace,
} from 'curtaincall/testing'

const folder = mkdtempSync(join(tmpdir(), 'curtaincall-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const plan: TreePlan = {
  kind: 'tree',
  name: 't',
  below: [{ kind: 'manager', name: 'a', below: [{ kind: 'manager', name: 'l', work: [{ kind: 'routine', name: 'w', works: 5 }] }] }],
}

/** Plays a tree, and plays again what is left of it in a file. */
async function throughFile(tree: SimulatedTree, options: SimulationOptions): Promise<{ readonly read: Trace; readonly summary: string }> {
  const { trace } = await simulate(tree, options)
  const file = join(folder, 'trace.cct.jsonl')
  writeTrace(file, trace)
  const read = readTrace(file)
  expect(read.header).toEqual(trace.header)
  expect(printTrace(read)).toBe(printTrace(trace))
  const { divergence, summary } = await replayTrace(file, trace.header.tree === undefined ? { tree } : {})
  expect(divergence).toBeUndefined()
  return { read, summary }
}

test('the story says who held up a shutdown, in the words of the terminal and the inspector', async () => {
  const work = (name: string, faults: readonly string[]) => ({ kind: 'routine', name, faults, options: { shutdown: 'infinity' } }) as const
  const tree = {
    kind: 'tree',
    name: 't',
    below: [
      {
        kind: 'manager',
        name: 'a',
        below: [
          { kind: 'manager', name: 'first', work: [work('pricing', ['ignoresCancel()'])] },
          { kind: 'manager', name: 'last', work: [work('legacy', ['ignoresCancel()'])] },
        ],
      },
    ],
  } as unknown as TreePlan
  const { trace } = await simulate(tree, {
    script: [
      { do: 'wait', ms: 5 },
      { do: 'shutdown', at: 't', timeout: 3_000 },
    ],
    end: false,
  })
  expect(explainTrace(trace)).toMatch(
    /shutdown of t: legacy held all for 3\.0 s; pricing got 0 ms\n {2}critical path: legacy 3\.0 s\n {2}got 0 ms: pricing\n {2}killed: legacy, pricing\n/,
  )
  const calm = await simulate(plan, { script: [{ do: 'shutdown', at: 't' }], end: false })
  expect(explainTrace(calm.trace)).not.toContain('shutdown of')
})

describe('a run plays again from its file', () => {
  test.each<[string, SimulatedTree, SimulationOptions]>([
    ['in the end', plan, { end: { timeout: Infinity } }],
    ['in a step', plan, { script: [{ do: 'shutdown', at: 't', timeout: Infinity }], end: false }],
    ['of the tree', { ...plan, options: { maxRoutines: Infinity } }, {}],
    [
      'of a manager in it',
      { kind: 'tree', name: 't', children: [{ kind: 'manager', name: 'm', options: { maxRestarts: Infinity }, children: [] }] },
      {},
    ],
  ])('without a limit %s', async (_, tree, options) => {
    const { read } = await throughFile(tree, options)
    expect(explainTrace(read)).not.toContain('null')
  })

  test('a name that reads like no limit stays a name', async () => {
    const { read } = await throughFile({ kind: 'tree', name: 'Infinity' }, {})
    expect(read.events[0]?.actor).toBe('Infinity')
  })

  test('with its limit of timers', async () => {
    const ticking = ({ signal }: RoutineContext): Promise<void> =>
      new Promise((resolve) => {
        const interval = setInterval(() => {}, 1)
        signal.addEventListener('abort', () => {
          clearInterval(interval)
          resolve()
        })
      })
    const tree = { name: 'm', children: [routine('tick', ticking)] }
    const { read } = await throughFile(tree, { steps: 20_000, script: [{ do: 'wait', ms: 12_000 }] })
    expect(read.header.steps).toBe(20_000)
  })

  test('with what it let pass', async () => {
    const reads = async (): Promise<number> => {
      const { readFile } = await import('node:fs/promises')
      return (await readFile(import.meta.filename)).length
    }
    const tree = { name: 'm', children: [routine('reads', reads, { restart: 'temporary' as const })] }
    const { read } = await throughFile(tree, { allowEscapes: true, laws: [] })
    expect(read.header.allowEscapes).toBe(true)
    expect((await simulate(plan)).trace.header).not.toHaveProperty('allowEscapes')
  })
})

describe('what was edited is refused', () => {
  type Line = Record<string, unknown>

  const edited = async (change: (header: Line, verdict: Line) => void): Promise<{ readonly text: string; readonly lines: number }> => {
    const lines = printTrace((await simulate(plan, { script: [{ do: 'wait', ms: 9 }] })).trace)
      .trimEnd()
      .split('\n')
    const [header, last] = [lines[0], lines.at(-1)].map((line) => JSON.parse(line ?? '') as Line) as [Line, Line]
    change(header, last['verdict'] as Line)
    const text = [header, ...lines.slice(1, -1).map((line) => JSON.parse(line) as Line), last]
      .map((line) => JSON.stringify(line))
      .join('\n')
    return { text: `${text}\n`, lines: lines.length }
  }
  const said = (run: () => unknown): { code: string; message: string } => {
    try {
      run()
    } catch (error) {
      return error as { code: string; message: string }
    }
    throw new Error('it was taken')
  }

  test.each<[why: string, change: (header: Line) => unknown]>([
    ['faults must be an object of arrays of texts; received undefined', (header) => delete header['faults']],
    ['faults must be an object of arrays of texts; received an object', (header) => (header['faults'] = { w: 'slow(2)' })],
    ['tape must be an array of whole numbers of at least 0; received an array', (header) => (header['tape'] = ['x'])],
    ['seed must be a whole number; received 1.5', (header) => (header['seed'] = 1.5)],
    ["mode must be 'native' or 'actor-model'; received undefined", (header) => delete header['mode']],
    ['strict must be true or false; received "no"', (header) => (header['strict'] = 'no')],
    ['on must be an object of texts; received undefined', (header) => delete header['on']],
    ['on must be an object of texts; received an object', (header) => (header['on'] = { node: { toString: 1 } })],
    ['story must be a text; received undefined', (header) => delete header['story']],
    ['script must be an array of steps; received an array', (header) => (header['script'] = [null])],
    ['end must be an object; received "never"', (header) => (header['end'] = 'never')],
    ['steps must be a whole number of at least 0; received -1', (header) => (header['steps'] = -1)],
  ])('in the header: %s', async (why, change) => {
    const { text } = await edited(change)
    expect(said(() => parseTrace(text, 'f'))).toMatchObject({ code: 'ERR_TRACE', message: `f:1: its header's ${why}` })
  })

  test.each<[why: string, tree: unknown]>([
    ["plan ? option name must be a string of 1 to 200 characters without '/' and '#'; received undefined", { kind: 'tree' }],
    ["plan ? option kind must be 'tree'; received undefined", 'x'],
    ['plan t: unknown option "childern"; known are kind, name, options, children, below', { kind: 'tree', name: 't', childern: [] }],
  ])('in the tree: %s', async (why, tree) => {
    const { text } = await edited((header) => (header['tree'] = tree))
    expect(said(() => parseTrace(text, 'f'))).toMatchObject({ code: 'ERR_TRACE', message: `f:1: ${why}` })
  })

  test.each<[why: string, violations: unknown[]]>([
    ['a broken law must be an object with a law, a message and witnesses; received an object', [{}]],
    ['a broken law must be an object with a law, a message and witnesses; received null', [null]],
    [
      'a broken law must be an object with a law, a message and witnesses; received an object',
      [{ law: 'x', message: '', witnesses: 'abc' }],
    ],
    ['a witness of x is not among the events', [{ law: 'x', message: '', witnesses: [0.5] }]],
  ])('in the verdict: %s', async (why, violations) => {
    const { text, lines } = await edited((_, verdict) => (verdict['violations'] = violations))
    expect(said(() => parseTrace(text, 'f'))).toMatchObject({ code: 'ERR_TRACE', message: `f:${lines}: ${why}` })
  })

  test('in the verdict: how often the schedule deviated', async () => {
    const { text } = await edited((_, verdict) => delete verdict['deviations'])
    expect(said(() => parseTrace(text, 'f')).message).toMatch(
      /its verdict's deviations must be a whole number of at least 0; received undefined$/,
    )
  })

  test('in an event: a cause that is no place', async () => {
    const { text } = await edited(() => {})
    expect(said(() => parseTrace(text.replace(/"cause":\d+/, '"cause":-1'), 'f')).message).toMatch(/its cause -1 is not before it$/)
  })

  /** A trace of which one event was changed, and that event's line. */
  const withEvent = async (change: (event: Line) => unknown): Promise<{ readonly text: string; readonly line: number }> => {
    const { text } = await edited(() => {})
    const lines = text.split('\n')
    const index = lines.findIndex((line) => line.includes('routine.completed'))
    const event = JSON.parse(lines[index] ?? '') as Line
    change(event)
    lines[index] = JSON.stringify(event)
    return { text: lines.join('\n'), line: index + 1 }
  }
  const odd = { toString: 1 }

  test.each<[why: string, change: (event: Line) => unknown]>([
    ['event an object stands in the place of', (event) => (event['i'] = odd)],
    ['its t must be a number; received an object', (event) => (event['t'] = odd)],
    ['its t must be a number; received null', (event) => (event['t'] = null)],
    ['time runs backwards, from', (event) => (event['t'] = -1)],
    ['an event needs a type and an actor', (event) => (event['actor'] = odd)],
    ['its cause an object is not before it', (event) => (event['cause'] = odd)],
    ['its incarnation must be a whole number of at least 0; received an object', (event) => (event['incarnation'] = odd)],
    ['its duration must be a number; received an object', (event) => (event['duration'] = odd)],
    ['its how must be a text; received an array', (event) => (event['how'] = [])],
    ['no type and no actor has more than 100000 characters', (event) => (event['type'] = 'x'.repeat(100_001))],
    [
      'no type and no actor has more than 100000 characters, and no actor more than 12000 levels',
      (event) => (event['actor'] = 'a/'.repeat(12_000)),
    ],
  ])('J1: in an event: %s', async (why, change) => {
    const { text, line } = await withEvent(change)
    expect(said(() => parseTrace(text, 'f'))).toMatchObject({
      code: 'ERR_TRACE',
      message: expect.stringContaining(`f:${line}: ${why}`) as string,
    })
  })

  test('J1: a line that is deeper than can be written down', async () => {
    const { text } = await withEvent((event) => (event['error'] = 'HERE'))
    const deep = text.replace('"HERE"', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    expect(said(() => parseTrace(deep, 'f'))).toMatchObject({
      code: 'ERR_TRACE',
      message: expect.stringMatching(/^f:\d+: not a line of JSON$/) as string,
    })
  })

  test('J1: an error in an event may be anything, and a path may be deep: they are explained', async () => {
    const { text } = await withEvent((event) => Object.assign(event, { error: odd, actor: 'a/'.repeat(11_000) }))
    const story = explainTrace(parseTrace(text, 'f'))
    expect(story).toContain('error {"toString":1}')
    expect(Math.max(...story.split('\n').map((line) => line.length))).toBeLessThan(300)
  })

  test('J1: whatever is put anywhere, it is refused with the line, or explained', async () => {
    const { text } = await edited(() => {})
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    const anything = fc.constantFrom<unknown>(odd, null, [], {}, -1, 1.5, true, '', 'x', '__proto__', [null], [odd], { length: 1e9 })
    const placesIn = (value: object): [object, string][] =>
      Object.entries(value).flatMap(
        ([key, each]) =>
          [[value, key], ...(typeof each === 'object' && each !== null ? placesIn(each as object) : [])] as [object, string][],
      )
    fc.assert(
      fc.property(fc.nat(), fc.nat(), anything, (line, place, value) => {
        const copy = structuredClone(lines)
        const places = placesIn(copy[line % copy.length] as object)
        const [at, key] = places[place % places.length] as [object, string]
        Object.assign(at, { [key]: value })
        const changed = `${copy.map((each) => JSON.stringify(each)).join('\n')}\n`
        let trace: Trace
        try {
          trace = parseTrace(changed, 'f')
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_TRACE', message: expect.stringMatching(/^f:\d+: /) as string })
          return
        }
        expect(explainTrace(trace)).toContain('seed')
      }),
      { numRuns: 1_000 },
    )
  })

  test('also where it is no file', async () => {
    const { header, ...rest } = (await simulate(plan)).trace
    const trace = { ...rest, header: { ...header, faults: undefined } } as unknown as Trace
    const message =
      "trace must be a trace: a simulation's, or one that was read (its header's faults must be an object of arrays of texts; received undefined); received an object"
    for (const run of [() => explainTrace(trace), () => writeTrace(join(folder, 'never'), trace)])
      expect(said(run)).toMatchObject({ code: 'ERR_CONFIG', message: expect.stringContaining(message) as string })
    await expect(replayTrace(trace)).rejects.toThrow(`replayTrace ${message}`)
  })
})
