/** What laws know of the steps of a script, whatever somebody or something is called. */
import { describe, expect, test } from 'vitest'
import { CurtaincallError, type GlobalManager, routine, type RoutineContext } from 'curtaincall'
import { faults, type Run, simulate, type Simulation, type Step, toldOnce } from 'curtaincall/testing'

const untilTold = ({ signal }: RoutineContext): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
/** Goes on for so long after it was told to stop. */
const slow =
  (ms: number) =>
  ({ signal }: RoutineContext): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, ms)))
const broken = ({ violations }: Simulation): string[] => violations.map(({ law, message }) => `${law}: ${message}`)

describe('names with blanks are names like others', () => {
  test.each(['front', 'front desk', 'desk at the front'])('one that is told by name goes its own way: %s', async (name) => {
    const shop = { name: 'shop', children: [routine(name, untilTold), routine('mid', untilTold), routine('last', slow(100))] }
    const script: Step[] = [
      { do: 'shutdown', at: 'shop' },
      { do: 'wait', ms: 10 },
      { do: 'cancel', routine: name },
      { do: 'wait', ms: 500 },
    ]
    expect(broken(await simulate(shop, { script, end: false }))).toEqual([])
  })

  test.each(['till', 'front till', 'till at the front'])('one that was told to stop and is restarted is found: %s', async (name) => {
    const { run } = await simulate({ name: 'shop', children: [routine(name, untilTold)] }, { script: [{ do: 'cancel', routine: name }] })
    const actor = `shop/${name}#${name}`
    const at = run.events.findIndex(({ type }) => type === 'routine.cancelled')
    const restarted = [...run.events.slice(0, at + 1), { i: at + 1, t: 0, actor, type: 'routine.restarted' as const }]
    const found = (events: Run['events']) => [...toldOnce.check({ ...run, events })].map(({ message }) => message)
    expect(found(run.events)).toEqual([])
    expect(found(restarted)).toEqual([`${actor} was told to stop, and is restarted`])
    // So it is with what a file holds, which has no more than the text.
    expect(found(restarted.map(({ do: _do, target: _target, ...event }) => event))).toEqual(found(restarted))
  })
})

describe('a free step is what it does, not what it is called', () => {
  const deaf = { name: 'shop', children: [routine('till', () => new Promise(() => undefined))] }
  const kill = (global: GlobalManager) => void global.routinesNamed('till')[0]?.kill()

  test.each(['tidy up', 'kill time', 'cancel till'])('one that does nothing lets nothing pass: %s', async (name) => {
    expect(broken(await simulate(deaf, { script: [{ do: name, run: () => undefined }] }))).toEqual([
      'gracefulIfCooperative: shop/till#till was killed though everybody obeys in time',
    ])
  })

  test.each<[string, Extract<Step, { run: unknown }>['run']]>([
    ['at once', kill],
    [
      'later',
      async (global) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        kill(global)
      },
    ],
  ])('one that kills is as the step that does: %s', async (_when, run) => {
    expect(
      broken(
        await simulate(deaf, {
          script: [
            { do: 'tidy up', run },
            { do: 'wait', ms: 10 },
          ],
        }),
      ),
    ).toEqual([])
  })

  test.each<[string, Step[]]>([
    ['with little time', [{ do: 'close early', run: (global) => global.shutdown({ timeout: 10 }) }]],
    ['at once', [{ do: 'close now', run: (global) => global.shutdown({ mode: 'immediate' }) }]],
    ['with little time for a phase', [{ do: 'close', run: (global) => global.shutdown({ phases: { waiting: 10 } }) }]],
    [
      'of what stops already',
      [
        { do: 'shutdown', at: 'shop' },
        { do: 'wait', ms: 10 },
        { do: 'hurry', run: (global) => global.shutdown({ mode: 'immediate' }) },
      ],
    ],
    [
      'later',
      [
        {
          do: 'close at five',
          run: async (global) => {
            await new Promise((resolve) => setTimeout(resolve, 5))
            await global.shutdown({ timeout: 10 })
          },
        },
        { do: 'wait', ms: 200 },
      ],
    ],
  ])('a shutdown that one asks for counts like any other: %s', async (_how, script) => {
    const work = { name: 'shop', children: [routine('till', slow(50)), routine('oven', slow(50))] }
    expect(broken(await simulate(work, { script }))).toEqual([])
  })

  test('and lets no more pass: it has a deadline, and whoever has time is not killed', async () => {
    const close: Step = { do: 'close', run: (global) => global.shutdown({ timeout: 60_000 }) }
    // Nobody waits for it; where nothing else ends the run, it is not over, and not too late.
    const { run, violations } = await simulate(deaf, { script: [close], end: false })
    expect(run.requests).toMatchObject([{ path: 'shop', deadline: Infinity, endedAt: undefined }])
    expect(violations.map(({ law }) => law)).not.toContain('withinOverallTimeout')
    const ended = await simulate(deaf, { script: [close] })
    expect(ended.run.requests).toMatchObject([
      { path: 'shop', at: 0, deadline: 10_000 },
      { path: 'shop', at: 0, deadline: 60_000, phased: false },
    ])
    expect(broken(ended)).toEqual(['gracefulIfCooperative: shop/till#till was killed though everybody obeys in time'])
  })
})

describe('a free step that rejects', () => {
  const shop = { name: 'shop', children: [routine('till', untilTold)] }
  const later = (error: () => unknown, ms = 5): Step => ({
    do: 'look',
    run: async () => {
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
      throw error()
    },
  })
  const wait: Step = { do: 'wait', ms: 10 }

  test.each<[string, Step[]]>([
    ['at once', [later(() => new Error('not so'), 0)]],
    ['later', [later(() => new Error('not so')), wait]],
    ['with what an expectation says', [later(() => new CurtaincallError('ERR_TEST', 'not so')), wait]],
  ])('makes the simulation reject: %s', async (_when, script) => {
    await expect(simulate(shop, { script })).rejects.toThrow('not so')
  })

  test('with what the library refuses has its answer', async () => {
    const name: Step = { do: 'wait for a fourth', run: async (global) => global.createApp('') }
    const { trace, violations } = await simulate(shop, { script: [name, later(() => new CurtaincallError('ERR_FAILED', 'no')), wait] })
    expect(trace.events.filter(({ type }) => type === 'step').map(({ how }) => how)).toEqual(['ERR_CONFIG', 'ERR_FAILED'])
    expect(violations).toEqual([])
  })

  test('is not awaited', async () => {
    const { trace } = await simulate(shop, { script: [{ do: 'wait for ever', run: () => new Promise(() => undefined) }] })
    expect(trace.events.at(-1)).toMatchObject({ type: 'manager.stopped', t: 0 })
  })
})

test("laws see what a step was; a trace's events are as they were", async () => {
  const shop = { name: 'shop', children: [routine('front till', untilTold)] }
  const script: Step[] = [
    { do: 'restart', routine: 'front till' },
    { do: 'startChild', at: 'shop', child: { kind: 'routine', name: 'side till' } },
    { do: 'look around', run: () => undefined },
  ]
  const { run, trace } = await simulate(shop, { script, faults: { 'front till': faults.slow(1) } })
  expect(run.events.filter(({ type }) => type === 'step')).toMatchObject([
    { text: 'restart front till', do: 'restart', target: 'front till' },
    { text: 'startChild side till at shop', do: 'startChild', target: 'side till', at: 'shop' },
    { text: 'look around', do: 'look around', free: true },
  ])
  expect(trace.events.filter(({ type }) => type === 'step').map((event) => Object.keys(event))).toEqual(
    script.map(() => ['i', 't', 'actor', 'type', 'text']),
  )
  expect(trace.events).toHaveLength(run.events.length)
})

describe('whom a step names', () => {
  const tree = { name: 'g', children: [routine('till', untilTold)] }
  const played = (...script: Step[]) => simulate(tree, { script })

  test('has to be somebody who comes to be', async () => {
    const refused = (step: Step) => expect(played({ do: 'wait', ms: 1 }, step)).rejects
    await refused({ do: 'cancel', routine: 'tilll' }).toThrow(
      'simulate script step 1 (cancel) option routine must be the name of a routine that comes to be (till); received "tilll"',
    )
    await refused({ do: 'shutdown', at: 'g/m' }).toThrow(
      'simulate script step 1 (shutdown) option at must be the path of a manager that comes to be (g); received "g/m"',
    )
    await refused({ do: 'terminateChild', at: 'g', id: 'oven' }).toThrow(
      'simulate script step 1 (terminateChild) option id must be the id of a child that comes to be (till, g); received "oven"',
    )
  })

  test('may be there later, or have been: then it has met nobody', async () => {
    const oven: Step = { do: 'startChild', at: 'g', child: { kind: 'routine', name: 'oven', options: { restart: 'temporary' } } }
    const { trace } = await played(
      { do: 'cancel', routine: 'oven' },
      oven,
      { do: 'cancel', routine: 'oven' },
      { do: 'kill', routine: 'oven' },
    )
    const steps = trace.events.filter(({ type }) => type === 'step')
    expect(steps.slice(0, 3).map(({ text, how }) => [text, how])).toEqual([
      ['cancel oven', 'nobody there'],
      ['startChild oven at g', undefined],
      ['cancel oven', undefined],
    ])
  })
})
