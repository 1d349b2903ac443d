/** What each ground is held to, wherever it has its bodies. */
import assert from 'node:assert/strict'
import { FORCE, MEMORY } from './forceful-ground-checks.ts'
import { type Act, errorOf, type GroundUnderTest, Stage } from './ground-stage.ts'

export type { GroundBody, GroundUnderTest } from './ground-stage.ts'

/** One check. */
export interface GroundCheck {
  readonly name: string
  /** Rejects if the ground does not keep to it. */
  run(): Promise<void>
}

const OUTPUTS: Readonly<Record<string, Act>> = {
  async 'starts, and gives its output'(stage) {
    assert.deepEqual(await stage.spawn('double', { input: 21 }).outcome, { status: 'completed', output: 42 })
  },

  async 'knows who it is'(stage) {
    const routine = stage.spawn('describe', { id: 'one', input: { file: 'cat' } })
    const expected = { id: 'one', name: 'describe', path: 'checked/app/local/describe#one', incarnation: 1, input: { file: 'cat' } }
    assert.deepEqual(await routine.outcome, { status: 'completed', output: expected })
  },

  async 'runs one after the other, each for itself'(stage) {
    const seen = []
    for (const input of ['first', 'second']) seen.push(await stage.spawn('remember', { input }).outcome)
    assert.deepEqual(
      seen,
      ['first', 'second'].map((input) => ({ status: 'completed', output: [undefined, input] })),
    )
  },

  async 'leaves with the reasons of OTP'(stage) {
    const ends = await Promise.all(['normal', 'shutdown', 'killed', 'error'].map((input) => stage.spawn('leave', { input }).outcome))
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['completed', 'cancelled', 'failed', 'failed'],
    )
    assert.deepEqual((ends[1] as { reason: unknown }).reason, { shutdown: 'enough' })
    assert.equal(errorOf(ends[3]).message, 'left with an error')
  },
}

const FAILURES: Readonly<Record<string, Act>> = {
  async 'fails with its stack, its chain of causes, codes and own properties'(stage) {
    const outcome = await stage.spawn('fail', { input: 'chain' }).outcome
    assert.equal(outcome.status, 'failed')
    const top = errorOf(outcome)
    const middle = top.cause as typeof top
    const root = middle.cause as typeof top
    assert.deepEqual([top.name, top.message, top['code']], ['TopError', 'top', 'E_TOP'])
    assert.match(top.stack ?? '', /ground-bodies/)
    assert.ok(middle instanceof RangeError && root instanceof TypeError)
    assert.deepEqual([middle['code'], middle['details'], root['code'], root.message], ['E_MIDDLE', { size: 5 }, 'E_ROOT', 'root'])
  },

  async 'fails with several errors, one of the DOM, one that points at itself, and what is none'(stage) {
    const inputs = ['several', 'dom', 'circle', 'none']
    const [several, dom, circle, none] = (await Promise.all(inputs.map((input) => stage.spawn('fail', { input }).outcome))).map(errorOf)
    const { errors } = several as unknown as AggregateError
    assert.ok(several instanceof AggregateError)
    assert.deepEqual(
      errors.map((each: unknown) => (each instanceof Error ? [each.name, (each as unknown as { code: string }).code] : each)),
      [['TypeError', 'E_ROOT'], ['RangeError', 'E_MIDDLE'], 'no error'],
    )
    assert.ok(dom instanceof DOMException)
    assert.deepEqual([dom.name, dom.message], ['DataError', 'not now'])
    assert.equal(circle?.cause, circle)
    assert.deepEqual(none, { plain: 'object' })
  },

  async 'fails with what cannot be copied, as far as it can'(stage) {
    const error = errorOf(await stage.spawn('fail', { input: 'function' }).outcome)
    assert.deepEqual([error.message, error['count'], error['handler'] === undefined], ['holds a function', 3, false])
  },

  async 'is run again after a failure, with what it has not received'(stage) {
    const routine = stage.spawn('collect', { restart: 'transient' })
    routine.send('crash')
    routine.send('kept')
    assert.deepEqual(await routine.ask('last'), ['kept', 'last'])
    assert.deepEqual(await routine.outcome, { status: 'completed', output: ['kept', 'last'] })
    assert.equal(routine.incarnation, 2)
  },
}

const STOPS: Readonly<Record<string, Act>> = {
  async 'obeys a cancel, and hears why'(stage) {
    const reason = Object.assign(new Error('enough'), { handler: () => undefined })
    const routine = await stage.up('obey')
    assert.deepEqual(await routine.cancel(reason), { status: 'cancelled', reason, killed: false, output: 'obeyed: enough' })
    assert.equal(((await routine.outcome) as { reason: unknown }).reason, reason)
  },

  async 'obeys by throwing the reason, which is the very one that was given'(stage) {
    const reason = new Error('enough')
    const routine = await stage.up('throwReason')
    const outcome = await routine.cancel(reason)
    assert.equal(outcome.status, 'cancelled')
    assert.equal(errorOf(outcome), reason)
  },

  async 'is cancelled before it could begin'(stage) {
    const outcome = await stage.spawn('obey').cancel('never mind')
    assert.deepEqual([outcome.status, (outcome as { killed: boolean }).killed], ['cancelled', false])
  },

  async 'is given up on when it does not obey'(stage) {
    const routine = await stage.up('deaf', { shutdown: 20 })
    assert.deepEqual(await routine.cancel('now'), { status: 'cancelled', reason: 'now', killed: true })
  },

  async 'is killed'(stage) {
    const routine = await stage.up('deaf')
    assert.deepEqual(await routine.kill('now'), { status: 'cancelled', reason: 'now', killed: true })
  },

  async 'runs out of time'(stage) {
    const outcome = await stage.spawn('obey', { timeout: 300 }).outcome
    assert.deepEqual([outcome.status, errorOf(outcome)['code']], ['failed', 'ERR_TIMEOUT'])
  },

  async 'comes too late with its result'(stage) {
    const routine = await stage.up('late', { input: 30, shutdown: 5 })
    assert.deepEqual(await routine.cancel('now'), { status: 'cancelled', reason: 'now', killed: true })
    await stage.until(() => stage.local.metrics().orphaned === 0)
    assert.equal('output' in ((await routine.outcome) as object), false)
  },

  async 'hears that its manager closes'(stage) {
    const routine = await stage.up('finish')
    await stage.global.shutdown({ drain: 5_000 })
    assert.deepEqual(await routine.outcome, { status: 'completed', output: 'finished what there was' })
  },
}

const CONVERSATIONS: Readonly<Record<string, Act>> = {
  async 'receives messages in their order, and answers'(stage) {
    const routine = stage.spawn('collect')
    for (const message of ['a', 'b', 'c']) routine.send(message)
    assert.deepEqual(await routine.ask('d'), ['a', 'b', 'c', 'd'])
    assert.deepEqual(await routine.ask('last'), ['a', 'b', 'c', 'd', 'last'])
    assert.deepEqual(await routine.outcome, { status: 'completed', output: ['a', 'b', 'c', 'd', 'last'] })
  },

  async 'receives no more once it is told to stop, and what it was asked has no answer then'(stage) {
    const routine = await stage.up('collect')
    const answer = routine.ask('no answer')
    // Answered, this one was received behind the other.
    await routine.ask('answer')
    const refused = assert.rejects(answer, { code: 'ERR_NOT_RUNNING' })
    assert.deepEqual(await routine.cancel('now'), { status: 'cancelled', reason: 'now', killed: false, output: ['no answer', 'answer'] })
    await refused
  },

  async 'writes log lines, errors whole'(stage) {
    const routine = stage.spawn('log')
    await routine.outcome
    await stage.said(({ text }) => text === 'of a child')
    const warning = stage.lines.find(({ text }) => text === 'a warning')
    const { err, count, path, incarnation } = warning?.details ?? {}
    assert.deepEqual([warning?.level, count, path, incarnation], ['warn', 2, routine.path, 1])
    assert.deepEqual([(err as Error).message, (err as { code?: string }).code], ['logged', 'E_LOGGED'])
    assert.equal(stage.lines.find(({ text }) => text === 'of a child')?.details['part'], 'inner')
  },

  async 'is called for in the asynchronous context of its spawn'(stage) {
    const routine = stage.storage.run('of the spawn', () => stage.spawn('log'))
    await stage.storage.run('of another', () => routine.outcome)
    assert.deepEqual(new Set(stage.lines.map(({ store }) => store)), new Set(['of the spawn']))
  },

  async 'is hung when it is silent, and not before'(stage) {
    const routine = stage.spawn('beat', { input: { times: 70, every: 20 }, hungAfter: 1_000 })
    await stage.said(({ text }) => text === 'up')
    assert.equal(
      stage.events.some(({ type }) => type === 'routine.hung'),
      false,
    )
    await stage.heard(({ type }) => type === 'routine.hung')
    await routine.cancel()
  },
}

const SHUTDOWNS: Readonly<Record<string, Act>> = {
  async 'goes through the five phases of a shutdown'(stage) {
    const [obeys] = [await stage.up('obey'), await stage.up('deaf', { shutdown: 'infinity' })]
    const report = await stage.global.shutdown({ timeout: 200 })
    assert.deepEqual(
      report.phases.map(({ phase }) => phase),
      ['closing', 'cancelling', 'waiting', 'killing', 'cleaning'],
    )
    assert.deepEqual([report.cancelled, report.killed, report.timedOut], [1, 1, true])
    assert.equal(((await obeys.outcome) as { killed: boolean }).killed, false)
    assert.deepEqual([stage.global.count, stage.global.routines().length], [0, 0])
  },
}

/**
 * What a ground is held to, check by check: start, output, failure, stopping, killing, time, messages, heartbeats, contexts, log lines, its
 * death, shutdown, and that nothing is left.
 *
 * @example
 * for (const { name, run } of groundChecks({ work: (url, body) => thread(url, body as never), ends: true })) test(name, run)
 */
export function groundChecks(ground: GroundUnderTest): GroundCheck[] {
  const all = [
    OUTPUTS,
    FAILURES,
    STOPS,
    CONVERSATIONS,
    SHUTDOWNS,
    ground.ends === true ? FORCE : {},
    ground.sharesMemory === true ? MEMORY : {},
  ]
  return all.flatMap((group) => Object.entries(group)).map(([name, act]) => ({ name, run: () => perform(ground, act) }))
}

async function perform(ground: GroundUnderTest, act: Act): Promise<void> {
  const stage = new Stage(ground)
  try {
    await act(stage)
  } finally {
    await stage.global.shutdown({ mode: 'immediate' })
  }
  if (ground.left !== undefined) assert.equal(await ground.left(), 0)
}
