/** When listeners hear what happens, and what they find then. */
import { describe, expect, test } from 'vitest'
import { type LifecycleEvent, routine, type RoutineContext } from 'curtaincall'
import { deaf, makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const boom = (): never => {
  throw new Error('boom')
}

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test('T4: what comes of what a listener does is told when it has returned, in order, to all of the first event before', () => {
    const { local, global } = makeTree({}, mode)
    const heard: string[] = []
    let running = 0
    global.on('routine.spawned', ({ name, seq }) => {
      heard.push(`${name} ${seq}`)
      expect(++running).toBe(1)
      if (name !== 'first') return void running--
      const second = local.spawn('second', untilTold)
      // What it has done is done, and counted; it is told later.
      expect([local.count, local.routines()[1]]).toEqual([2, second])
      local.spawn('third', untilTold)
      running--
    })
    global.on('routine.spawned', ({ name }) => heard.push(name))
    local.spawn('first', untilTold)
    const numbers = heard.filter((_, i) => i % 2 === 0).map((line) => Number(line.split(' ')[1]))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(heard.map((line) => line.split(' ')[0])).toEqual(['first', 'first', 'second', 'second', 'third', 'third'])
  })

  test('T10: a listener hears what happened after its on and before its off, whenever that is told', () => {
    const { local, global } = makeTree({}, mode)
    const [late, left]: string[][] = [[], []]
    const off = local.on('routine.spawned', ({ name }) => left?.push(name))
    const once = global.on('routine.spawned', () => {
      once()
      local.spawn('second', untilTold)
      off()
      global.on('routine.spawned', ({ name }) => late?.push(name))
      local.spawn('third', untilTold)
    })
    local.spawn('first', untilTold)
    expect([left, late]).toEqual([['first', 'second'], ['third']])
  })

  test('T9: once a listener of a failure has shut down all, nothing is restarted', async () => {
    const tree = makeTree({}, mode)
    const { local, global, clock, events } = tree
    global.on('routine.failed', () => void global.shutdown())
    const x = local.spawn('x', boom, { restart: 'transient' })
    await clock.runOut()
    const [closing, ...after] = events.slice(events.findIndex(({ type }) => type === 'manager.phase'))
    expect(closing).toMatchObject({ path: 'g', phase: 'closing' })
    const later = after.filter((event): event is LifecycleEvent => event.type.startsWith('routine.'))
    // The answer was given before anybody heard of the end: it stands, and ends before it begins.
    expect(later.map(({ type }) => type)).toEqual(['routine.cancelled'])
    expect([global.state, (await x.outcome).status, global.metrics()]).toMatchObject(['completed', 'cancelled', { restarts: 1 }])
  })

  test('T9: a run whose drop of letters somebody hears of has been told of itself before', async () => {
    const { local, global, clock, story } = makeTree({}, mode)
    global.on('message.dropped', () => void local.shutdown())
    const body = (): Promise<never> => new Promise<void>((resolve) => clock.setTimeout(resolve, 10)).then(boom)
    const x = local.spawn('x', body, { restart: 'permanent', mailbox: { betweenIncarnations: 'drop' } })
    x.send('a letter' as never)
    await clock.runOut()
    const told = ['spawned', 'started', 'failed', 'restarted', 'dropped', 'cancelled']
    expect(story(/^(routine|message)/).map((line) => line.split(/[. ]/)[1])).toEqual(told)
    expect(global.metrics().restarts).toBe(1)
  })

  test.each(['abort', 'restartIf', 'logger'] as const)(
    'T9: a group that is restarted by who is called between an end and its answer waits for that end (%s)',
    async (how) => {
      const { local, clock, events }: Tree = makeTree(
        { strategy: 'one_for_all', maxRestarts: 10 },
        { ...mode, logger: loggerThat(() => how === 'logger' && act()) },
      )
      let acted = false
      const act = (): boolean => {
        if (!acted) local.routine('a')?.exit(new Error('of no use without b'))
        acted = true
        return true
      }
      const looks = ({ signal }: RoutineContext): Promise<never> => {
        signal.addEventListener('abort', act)
        return deaf()
      }
      const fails = (context: RoutineContext): unknown =>
        context.incarnation > 1 ? untilTold(context) : new Promise<void>((resolve) => clock.setTimeout(resolve, 60)).then(boom)
      const killed = how === 'abort' ? ({ hungAfter: 50, onHung: 'kill' } as const) : {}
      await local.startChild(routine('a', untilTold))
      const restartIf = how === 'restartIf' ? act : () => true
      await local.startChild(routine('b', how === 'abort' ? looks : fails, { restartIf, ...killed }))
      await clock.advance(90)
      expect(acted).toBe(true)
      const ends = events.flatMap((event) => ('willRestart' in event ? [`${event.path} ${event.incarnation}`] : []))
      expect(ends).toEqual([...new Set(ends)])
      const answer = await local.whichChildren()
      const up = answer.ok ? answer.value.filter(({ child }) => child !== undefined) : []
      expect([local.count, local.routines().length]).toEqual([up.length, up.length])
      const { spawned, running, completed, failed, cancelled, killed: forced } = local.metrics()
      expect([spawned, running]).toEqual([running + completed + failed + cancelled + forced, up.length])
    },
  )

  test('T9: a call in restartIf finds the end that it is asked about, and waits for its answer', async () => {
    const { local, events } = makeTree({ strategy: 'one_for_all', maxRestarts: 10 }, mode)
    const restartIf = (): boolean => {
      local.routine('a')?.exit(new Error('of no use without b'))
      return true
    }
    await local.startChild(routine('a', untilTold))
    await local.startChild(routine('b', (context) => (context.incarnation === 1 ? boom() : untilTold(context)), { restartIf }))
    await settle()
    const [a, b] = ['a', 'b'].map((id) => events.flatMap((event) => ('id' in event && event.id === id ? [event.type.slice(8)] : [])))
    expect(b?.filter((type) => type !== 'spawned' && type !== 'started')).toEqual(['failed'])
    expect(a?.filter((type) => type !== 'spawned' && type !== 'started')).toEqual(['failed', 'orphaned', 'restarted', 'settled'])
    expect(local.routines().map(({ id, incarnation, state }) => [id, incarnation, state])).toEqual([
      ['a', 2, 'running'],
      ['b', 2, 'running'],
    ])
    expect(local.count).toBe(2)
  })
})

/** Acts when something has failed. */
function loggerThat(act: () => unknown) {
  const silent = (): void => undefined
  return { debug: silent, info: silent, warn: (_: object, what?: string) => (what === 'routine failed' ? act() : undefined), error: silent }
}
