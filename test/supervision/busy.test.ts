/** What happens to a child while its supervisor is busy with another one: it has ended, and nobody has answered that yet. */
import { describe, expect, test, vi } from 'vitest'
import { fromTransition } from 'xstate'
import {
  type LocalManager,
  manager,
  type ResumeOptions,
  type Routine,
  type RoutineEnd,
  routine,
  type RoutineOptions,
  watch,
} from 'curtaincall'
import type { Work } from '../../src/contract/routine-context.ts'
import { makeTree, slowToStop, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const SLOW = 200
/** When the others end, by then it is busy. */
const BEFORE = 10

/** A body that takes so long, and then does this. */
type After = (act: () => unknown) => Work

/** A local manager that stops `slow` for a while, and has these besides. */
async function busyWith(
  given: (after: After) => [name: string, work: Work, options?: RoutineOptions<never> & ResumeOptions][],
  maxRestarts = 3,
) {
  const tree = makeTree()
  const after: After = (act) => () => new Promise<void>((resolve) => tree.clock.setTimeout(resolve, BEFORE)).then(act)
  const specs = given(after).map(([name, work, options]) => routine(name, work as never, options as never))
  const local = tree.global.getApp('a')?.createLocal('busy', {
    maxRestarts,
    restart: 'temporary',
    children: [routine('slow', slowToStop(tree.clock, SLOW)), ...specs],
  }) as LocalManager
  await local.ready()
  await settle()
  const stopped = local.terminateChild('slow')
  await tree.clock.advance(BEFORE)
  const child = (name: string): Routine<unknown, any> => local.routine(name) as Routine<unknown, any>
  return { ...tree, local, stopped, child }
}

const lives = ({ story }: Tree, filter: RegExp): string[] => story(filter).map((line) => line.split(' ')[0] as string)

describe('while its supervisor is busy', () => {
  test('a manager that is shut down between two lives stays down', async () => {
    const tree = makeTree()
    const app = tree.global.createApp('b', {
      children: [routine('slow', slowToStop(tree.clock, SLOW)), manager('m', { maxRestarts: 0 })],
    })
    await app.ready()
    const m = app.getLocal('m') as LocalManager
    const stopped = app.terminateChild('slow')
    m.spawn('crash', () => Promise.reject(new Error('boom')), { restart: 'permanent' })
    await settle()
    expect(m.state).toBe('failed')
    expect((await m.shutdown()).trigger).toBe('limit')
    await tree.clock.advance(SLOW)
    await stopped
    expect([m.state, m.incarnation, app.getLocal('m')]).toEqual(['failed', 1, undefined])
    expect(lives(tree, /^manager.(stopped|restarted) g\/b\/m/)).toEqual(['manager.stopped'])
    expect((await m.outcome).trigger).toBe('limit')
    // Whoever orders it anew has it.
    await app.restartChild('m')
    expect(app.getLocal('m')?.state).toBe('running')
  })

  test('who begins to watch one that is not to come back is told at once, and once', async () => {
    const { clock, child, stopped } = await busyWith((after) => [['quick', after(() => 5), { restart: 'temporary' }]])
    const quick = child('quick')
    expect(quick.state).toBe('completed')
    const listener = vi.fn<(end: RoutineEnd) => void>()
    watch(quick, listener)
    const unwanted = watch(quick, listener)
    unwanted()
    await settle()
    expect(listener.mock.calls).toEqual([[expect.objectContaining({ outcome: { status: 'completed', output: 5 }, willRestart: false })]])
    await clock.advance(SLOW)
    await stopped
    await quick.outcome
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('who begins to watch one that is to come back is told of its next end', async () => {
    let runs = 0
    const flaky = (): unknown => (++runs > 1 ? 'better' : Promise.reject(new Error('boom')))
    const { clock, child, stopped } = await busyWith((after) => [['flaky', after(flaky), { restart: 'transient' }]])
    const ends: RoutineEnd[] = []
    watch(child('flaky'), (end) => ends.push(end))
    await clock.advance(SLOW + BEFORE)
    await stopped
    expect(ends.map(({ incarnation, outcome }) => [incarnation, outcome.status])).toEqual([[2, 'completed']])
  })

  test('shutdownNamed does not wait for a supervisor that has yet to hear of an end', async () => {
    const { local, clock, stopped } = await busyWith(() => [['quick', untilTold as Work]])
    const before = clock.now()
    const report = await local.shutdownNamed('quick', { timeout: 50 })
    expect(report).toMatchObject({ cancelled: 1, killed: 0, timedOut: false })
    expect(clock.now()).toBe(before)
    await clock.advance(SLOW)
    await stopped
  })

  test('the last restart may be one from the beginning, though others have used up what was left', async () => {
    const resuming = fromTransition((count: number, event: { type: 'count' | 'boom' }) => {
      if (event.type === 'boom') throw new Error('boom')
      return count + 1
    }, 0)
    let runs = 0
    const failing = (): unknown => (++runs > 1 ? new Promise(() => undefined) : Promise.reject(new Error('boom')))
    const tree = await busyWith(
      (after) => [
        ['other', after(failing)],
        ['resumes', resuming, { resume: 'snapshot' }],
      ],
      1,
    )
    const { child, clock, stopped, local } = tree
    child('resumes').send({ type: 'count' })
    child('resumes').send({ type: 'boom' })
    await clock.advance(SLOW)
    await stopped
    await settle()
    expect(local.state).toBe('running')
    expect([child('other').incarnation, child('resumes').incarnation]).toEqual([2, 2])
    expect(child('resumes').work?.getSnapshot()).toMatchObject({ context: 0 })
    expect(lives(tree, /^manager.gaveUp/)).toEqual([])
  })
})
