/** The port of grounds: work that brings its own ground along. */
import { expect, test } from 'vitest'
import { type Ground, GROUND, type Run } from '../../src/port/ground.ts'
import type { LocalManager, Routine } from '../../src/index.ts'
import { makeTree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

/** A ground that writes down what it is told, and whose bodies do nothing by themselves. */
class FakeGround implements Ground {
  readonly calls: string[] = []
  readonly runs: Run[] = []
  readonly ends: boolean
  replies: ((value: unknown) => void)[] = []

  constructor(ends = true) {
    this.ends = ends
  }

  begin(run: Run): void {
    run.footing = { open: true }
    this.runs.push(run)
    this.calls.push(`begin ${run.number} ${String(run.input)}`)
  }

  ask(run: Run, reason: unknown): void {
    this.calls.push(`ask ${run.number} ${String(reason)} asked=${run.asked}`)
  }

  kill(run: Run, reason: unknown): void {
    this.calls.push(`kill ${run.number} ${String(reason)} over=${run.over}`)
  }

  takes(run: Run): boolean {
    return run.footing !== undefined
  }

  accepts(run: Run): boolean {
    return run.footing !== undefined
  }

  deliver(_run: Run, message: unknown, reply: ((value: unknown) => void) | undefined): void {
    this.calls.push(`deliver ${String(message)}`)
    reply?.(`re: ${String(message)}`)
  }
}

function spawnOn(local: LocalManager, ground: Ground, options: object = {}): Routine<unknown, unknown> {
  return local.spawn('work', { [GROUND]: ground } as never, { input: 'in', ...options } as never) as unknown as Routine<unknown, unknown>
}

test('work begins on its ground, and what that says it returned is its output', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground)
  await settle()
  expect(ground.calls).toEqual(['begin 1 in'])
  expect(routine.state).toBe('running')
  ground.runs[0]?.returned(42)
  expect(await routine.outcome).toEqual({ status: 'completed', output: 42 })
  expect(ground.calls).toEqual(['begin 1 in'])
})

test('what its body throws fails it, and a restart is another run', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground, { restart: 'transient' })
  await settle()
  ground.runs[0]?.threw(new Error('broken'))
  await settle()
  expect(ground.calls).toEqual(['begin 1 in', 'begin 2 in'])
  ground.runs[0]?.returned('too late')
  expect(routine.state).toBe('running')
  ground.runs[1]?.returned('second')
  expect(await routine.outcome).toEqual({ status: 'completed', output: 'second' })
})

test('a cancel asks its ground before it returns', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground)
  await settle()
  void routine.cancel('enough')
  expect(ground.calls).toEqual(['begin 1 in', 'ask 1 enough asked=true'])
  ground.runs[0]?.returned('obeyed')
  expect(await routine.outcome).toMatchObject({ status: 'cancelled', killed: false, output: 'obeyed' })
})

test('a ground that takes a killed body away leaves no orphan', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground)
  await settle()
  void routine.kill('now')
  expect(await routine.outcome).toMatchObject({ status: 'cancelled', killed: true })
  expect(ground.calls.at(-1)).toBe('kill 1 now over=true')
  expect(local.metrics().orphaned).toBe(0)
})

test('a ground that cannot has an orphan until it says that the body has ended after all', async () => {
  const { local } = makeTree()
  const ground = new FakeGround(false)
  const routine = spawnOn(local, ground)
  await settle()
  void routine.kill('now')
  await routine.outcome
  expect(local.metrics().orphaned).toBe(1)
  ground.runs[0]?.returned(undefined)
  expect(local.metrics().orphaned).toBe(0)
})

test('messages are handed to a ground that takes them, and it may answer', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground)
  await settle()
  routine.send('hello')
  expect(ground.calls.at(-1)).toBe('deliver hello')
  expect(await routine.ask('why')).toBe('re: why')
  ground.runs[0]?.returned(undefined)
})

test('a body may be told to stop while it is being begun: its run says so', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const asked: boolean[] = []
  ground.begin = (run) => {
    void routine.cancel()
    asked.push(run.asked)
    run.returned(undefined)
  }
  const routine = spawnOn(local, ground)
  expect(await routine.outcome).toMatchObject({ status: 'cancelled' })
  expect(asked).toEqual([true])
})
