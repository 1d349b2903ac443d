/** What is asked of the kit is checked, and what is wrong is named. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createMachine } from 'xstate'
import { createGlobalManager } from 'curtaincall'
import {
  createTestProbe,
  describeModel,
  expectNoLeaks,
  explore,
  exploreMachine,
  fuzzTree,
  propertyShutdown,
  replayTrace,
  simulate,
  startSupervised,
  transitionCoverage,
  transitionPaths,
  virtualTime,
} from 'curtaincall/testing'

const any = (value: unknown): never => value as never
const probe = () => createTestProbe(createGlobalManager())

test.each<[string, () => Promise<unknown>, string]>([
  [
    'an unknown option of expectNoLeaks',
    () => expectNoLeaks(() => 1, any({ allowOrphan: true })),
    'expectNoLeaks: unknown option "allowOrphan"; known are owner, allowOrphans, allowUnseen',
  ],
  ['an owner that is no path', () => expectNoLeaks(() => 1, any({ owner: 5 })), 'expectNoLeaks option owner must be a path; received 5'],
  [
    'an unknown option of runToQuiescence',
    () => virtualTime((time) => time.runToQuiescence(any({ step: 3 }))),
    'runToQuiescence: unknown option "step"; known are steps',
  ],
  [
    'steps that are no number',
    () => virtualTime((time) => time.runToQuiescence(any({ steps: 'x' }))),
    'runToQuiescence option steps must be a whole number of at least 0; received "x"',
  ],
  [
    'an end that is neither options nor false',
    () => simulate({}, any({ end: true })),
    'simulate option end must be an object of shutdown options, or false; received true',
  ],
  [
    'an unknown option of the end',
    () => simulate({}, any({ end: { tiemout: 5 } })),
    'simulate end: unknown option "tiemout"; known are mode, timeout, drain, phases',
  ],
  [
    'a horizon that is no time',
    () => simulate({}, any({ horizon: -1 })),
    'simulate option horizon must be a number of milliseconds from 0 to 2147483647; received -1',
  ],
  [
    'a wait for no number of timers',
    () => simulate({}, { script: [{ do: 'wait', timers: any('all') }] }),
    'simulate script step 0 (wait) option timers must be a whole number of at least 0; received "all"',
  ],
  [
    'a wait for nothing',
    () => simulate({}, { script: [any({ do: 'wait' })] }),
    'simulate script step 0 (wait) option ms must be a number of',
  ],
  ['allowUnseen that is no flag', () => expectNoLeaks(() => 1, any({ allowUnseen: 1 })), 'expectNoLeaks option allowUnseen must be'],
  ['what is no law', () => simulate({}, any({ laws: [{}] })), 'simulate option laws must be an array of laws; received an array'],
  ...[5, undefined, null].map((tree): [string, () => Promise<unknown>, string] => [
    `a simulation of ${tree}`,
    () => simulate(any(tree)),
    `simulate tree must be a plan, options of a global manager, or a function that makes one; received ${tree}`,
  ]),
  ...[5, undefined, null].map((tree): [string, () => Promise<unknown>, string] => [
    `a tree that is ${tree}`,
    () => startSupervised(any(tree)),
    `startSupervised tree must be options of a global manager, or a function that returns one; received ${tree}`,
  ]),
  [
    'a function that returns no tree',
    () => startSupervised(any(() => undefined)),
    'startSupervised tree must be options of a global manager, or a function that returns one; received undefined',
  ],
  [
    'an unknown option of startSupervised',
    () => startSupervised({}, any({ allowOrphan: true })),
    'startSupervised: unknown option "allowOrphan"; known are onTestFinished, timeout, allowGivingUp, owner, allowOrphans, allowUnseen',
  ],
  ...[undefined, null, {}].map((subject): [string, () => Promise<unknown>, string] => [
    `the end of ${JSON.stringify(subject)}`,
    () => probe().expectTerminated(any(subject)),
    'expectTerminated subject must be a routine or a manager; received',
  ]),
  [
    'an event to match with a word',
    () => probe().expectEvent('routine.failed', any('till')),
    'expectEvent match must be fields of the event, or a function; received "till"',
  ],
  [
    'an event not to match with null',
    () => probe().expectNoEvent('routine.failed', any(null)),
    'expectNoEvent match must be fields of the event, or a function; received null',
  ],
])('%s', async (_what, act, message) => {
  const thrown: unknown = await act().catch((error: unknown) => error)
  expect(thrown).toMatchObject({ name: 'ConfigError', message: expect.stringContaining(message) as string })
})

/** What each function of the kit says that it knows, when it is given an option that there is not. */
async function known(act: (options: never) => unknown): Promise<string[]> {
  try {
    await act({ nonsense: 1 } as never)
  } catch (error) {
    const [, list = ''] = /unknown option "nonsense"; known are (.*)$/.exec((error as Error).message) ?? []
    return list.split(', ')
  }
  return []
}

test('every option of the kit stands in the table of the documents, and no other', async () => {
  const text = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
  const rows = text
    .slice(text.indexOf('## Every option'), text.indexOf('## How this library'))
    .matchAll(/^\| ([^|]*)\| ([^|]*)\| [^|]*\|/gm)
  const named = (cell: string): string[] => [...cell.matchAll(/`([\w.]+)`/g)].map(([, name]) => name as string)
  const told = new Map<string, string[]>()
  let owners: string[] = []
  for (const [, of = '', options = ''] of rows) {
    if (of.trim() !== '') owners = named(of)
    for (const owner of owners) told.set(owner, [...(told.get(owner) ?? []), ...named(options)])
  }
  const global = createGlobalManager()
  const probe = createTestProbe(global)
  const machine = createMachine({})
  const system = { initial: 0, steps: () => [], ended: () => true, key: String }
  const { trace } = await simulate({})
  const asked: Record<string, (options: never) => unknown> = {
    virtualTime: (options) => virtualTime(() => undefined, options),
    'time.runToQuiescence': (options) => virtualTime((time) => time.runToQuiescence(options)),
    startSupervised: (options) => startSupervised({}, options),
    expectNoLeaks: (options) => expectNoLeaks(() => undefined, options),
    'probe.expectEvent': (options) => probe.expectEvent('routine.failed', undefined, options),
    'probe.expectNoEvent': (options) => probe.expectNoEvent('routine.failed', undefined, options),
    'probe.expectTerminated': (options) => probe.expectTerminated(global, options),
    simulate: (options) => simulate({}, options),
    fuzzTree: (options) => fuzzTree(options),
    propertyShutdown: (options) => propertyShutdown({}, options),
    replayTrace: (options) => replayTrace(trace, options),
    explore: (options) => explore(system, options),
    exploreMachine: (options) => exploreMachine(machine, options),
    transitionPaths: (options) => transitionPaths(machine, options),
    describeModel: (options) => describeModel({ describe, test }, machine, options),
    'coverage.report': (options) => transitionCoverage(machine).report(options),
  }
  const knows = new Map<string, string[]>()
  for (const [owner, act] of Object.entries(asked)) knows.set(owner, (await known(act)).toSorted())
  told.delete('of')
  expect(new Map([...told].map(([owner, options]) => [owner, options.toSorted()]))).toEqual(knows)
  await global.shutdown()
})
