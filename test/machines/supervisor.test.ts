/** A supervisor's mind by itself: what it wants done, line by line. What comes of it in a tree is held to OTP's recordings. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Begun,
  type Call,
  type Child,
  type Command,
  type Message,
  RestartWindow,
  supervise,
  type Supervision,
} from 'curtaincall/machines'

const child = (id: string, more: Partial<Child> = {}): Child => ({
  id,
  restart: 'permanent',
  significant: false,
  type: 'worker',
  state: 'undefined',
  alive: false,
  run: 0,
  ...more,
})

/** A supervisor that has started these. `starts` holds what the next starts come to, `ok` once it is empty. */
function team(children: Child[], options: Partial<Supervision<Child>> = {}) {
  const mailbox: Message<Child>[] = []
  const mind: Supervision<Child> = {
    strategy: 'one_for_one',
    template: undefined,
    autoShutdown: 'never',
    limit: new RestartWindow(10, 1_000),
    children: new Map(children.map((each) => [each.id, each])),
    significant: new Set(children.filter(({ significant }) => significant)),
    post: (message) => mailbox.push(message),
    ...options,
  }
  const starts: Begun[] = []
  const verdicts: unknown[] = []
  const process = supervise(mind)
  const perform = (command: Command<Child>): unknown => {
    if (command.do === 'reply') command.reply(command.verdict)
    return command.do === 'start' ? (starts.shift() ?? 'ok') : command.do === 'delay' ? 0 : undefined
  }
  const play = (input?: unknown): string[] => {
    const lines: string[] = []
    for (let { value, done } = process.next(input); done !== true; ) {
      const command = value as Command<Child>
      const message = command.do === 'receive' ? mailbox.shift() : undefined
      if (command.do === 'receive' && message === undefined) break
      const words = [
        command.do,
        'why' in command && command.why,
        'child' in command && command.child?.id,
        'again' in command && command.again && 'again',
      ]
      if (message === undefined) lines.push(words.filter(Boolean).join(' '))
      ;({ value, done } = process.next(message === undefined ? perform(command) : { message, now: 0 }))
    }
    return lines
  }
  const tell = (message: Message<Child>): string[] => play({ message, now: 0 })
  const exit = (of: Child, more: object = {}): string[] => {
    of.alive = false
    return tell({ type: 'exit', child: of, run: of.run, kind: 'abnormal', wish: 'policy', ...more })
  }
  const call = (question: Call<Child>): string[] => tell({ type: 'call', call: question, reply: (verdict) => void verdicts.push(verdict) })
  play()
  return { mind, starts, verdicts, tell, exit, call }
}

test('V2: an ordered restart is one whatever the restart type says, and a resume that comes too late is none', () => {
  const a = child('a', { restart: 'temporary' })
  const { tell, exit } = team([a])
  expect(tell({ type: 'resume', child: a, run: a.run })).toEqual([])
  expect(exit(a, { kind: 'normal', wish: 'again' })).toEqual(['delay a', 'start a again'])
  const all = team([a, child('b')], { strategy: 'one_for_all' })
  expect(all.exit(a, { wish: 'again' })).toEqual(['delay a', 'stop b again', 'start a again', 'start b again'])
})

test('V3: a child whose restart has failed is not alive while it waits for the next', () => {
  const a = child('a')
  const { starts, exit } = team([a], { post: () => undefined })
  starts.push('error')
  expect(exit(a)).toEqual(['delay a', 'start a again'])
  expect(a).toMatchObject({ state: 'restarting', alive: false })
})

test('V4: who of a group is stopped to come back, who is left, and who was down anyway', () => {
  const [a, t, b] = [child('a'), child('t', { restart: 'temporary' }), child('b')]
  const { call, starts, exit } = team([a, t, b, child('c')], { strategy: 'one_for_all' })
  call({ op: 'terminateChild', id: 'c' })
  starts.push('ok', 'ignore')
  expect(exit(a)).toEqual(['delay a', 'stop b again', 'stop t', 'leave t', 'start a again', 'start b again', 'leave b', 'start c again'])
})

test('V4: after a start that fails the rest of the group is left, and comes back with the retry', () => {
  const [a, b, c] = [child('a'), child('b'), child('c')]
  const waiting: Message<Child>[] = []
  const { starts, exit, tell } = team([a, b, c], { strategy: 'one_for_all', post: (message) => void waiting.push(message) })
  starts.push('error')
  expect(exit(c)).toEqual(['delay c', 'stop b again', 'stop a again', 'start a again', 'leave b', 'leave c'])
  expect([a, b, c].map(({ state }) => state)).toEqual(['restarting', 'undefined', 'undefined'])
  expect(tell(waiting[0] as Message<Child>)).toEqual(['delay a', 'start a again', 'start b again', 'start c again'])
})

test('V6: only the own end of a significant child ends the supervisor, and only where that is asked for', () => {
  for (const [autoShutdown, wish, lines] of [
    ['any_significant', 'policy', ['leave a', 'end auto_shutdown a']],
    ['any_significant', 'told', ['leave a']],
    ['never', 'policy', ['leave a']],
  ] as const) {
    const a = child('a', { restart: 'transient', significant: true })
    expect(team([a, child('b')], { autoShutdown }).exit(a, { kind: 'normal', wish })).toEqual(lines)
  }
})

test('V7: calls that stop and forget', () => {
  const a = child('a', { restart: 'transient', significant: true })
  const { mind, call, starts, verdicts } = team([a], { autoShutdown: 'all_significant' })
  expect(call({ op: 'terminateChild', id: 'a' })).toEqual(['stop a', 'leave a', 'reply'])
  starts.push('ignore')
  expect(call({ op: 'restartChild', id: 'a' })).toEqual(['start a', 'leave a', 'reply'])
  expect(call({ op: 'deleteChild', id: 'a' })).toEqual(['leave a', 'reply'])
  expect(verdicts).toEqual([{ ok: true }, { ok: true }, { ok: true }])
  expect([mind.children.size, mind.significant.size]).toEqual([0, 0])
})

test('V9: the significant children that are known are those that run or are to, whatever has been ended, started, left and forgotten', () => {
  const ids = ['a', 'b', 'c', 'd']
  const deed = fc.record({
    do: fc.constantFrom('exit', 'restartChild', 'terminateChild', 'deleteChild', 'startChild', 'post'),
    id: fc.constantFrom(...ids),
    wish: fc.constantFrom('policy', 'no', 'told', 'again', 'free'),
    kind: fc.constantFrom('normal', 'shutdown', 'abnormal'),
    begun: fc.constantFrom<Begun>('ok', 'ok', 'ignore', 'error'),
  })
  const childOf = (id: string): fc.Arbitrary<Child> =>
    fc.record({ restart: fc.constantFrom('transient', 'temporary'), significant: fc.boolean() }).map((more) => child(id, more as never))
  fc.assert(
    fc.property(
      fc.tuple(...ids.map(childOf)),
      fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
      fc.array(deed, { maxLength: 30 }),
      (children, strategy, script) => {
        const posted: Message<Child>[] = []
        const { mind, exit, call, tell, starts } = team(children, {
          strategy: strategy as never,
          autoShutdown: 'all_significant',
          limit: new RestartWindow(1_000, 1_000),
          post: (message) => void posted.push(message),
        })
        for (const { do: what, id, begun, ...why } of script) {
          starts.splice(0, Infinity, begun)
          const present = mind.children.get(id)
          let lines: string[] = []
          if (what === 'exit' && present?.state === 'running') lines = exit(present, why)
          else if (what === 'post') {
            const next = posted.shift()
            if (next !== undefined) lines = tell(next)
          } else if (what === 'startChild') call({ op: what, child: child(id, { restart: 'transient', significant: true }) })
          else if (what !== 'exit') call({ op: what, id } as Call<Child>)
          const left = [...mind.children.values()].filter(({ significant, state }) => significant && state !== 'undefined')
          expect(new Set(mind.significant)).toEqual(new Set(left))
          if (!lines.some((line) => line.startsWith('end'))) continue
          expect(left).toEqual([])
          return
        }
      },
    ),
    { numRuns: 1_000 },
  )
})
