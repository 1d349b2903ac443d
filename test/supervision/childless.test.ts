/** A supervisor without children answers as the process of machines/supervisor.ts would, which it does without. */
import { expect, test } from 'vitest'
import { answerChildless } from '../../machines/childless.ts'
import { RestartWindow } from '../../machines/restart-policy.ts'
import { type Call, type Child, type Command, supervise } from '../../machines/supervisor.ts'

const calls: readonly Call<Child>[] = [
  { op: 'restartChild', id: 'a' },
  { op: 'deleteChild', id: 'a' },
  { op: 'terminateChild', id: 'a' },
  { op: 'whichChildren' },
  { op: 'countChildren' },
]

test.each(calls)('$op', (call) => {
  const steps = supervise<Child>({
    strategy: 'one_for_one',
    template: undefined,
    autoShutdown: 'never',
    limit: new RestartWindow(3, 5_000),
    children: new Map(),
    significant: new Set(),
    post: () => undefined,
  })
  const asked = [steps.next().value, steps.next().value] as Command<Child>[]
  expect(asked.map((command) => command.do)).toEqual(['ready', 'receive'])
  const answer = steps.next({ message: { type: 'call', call, reply: () => undefined }, now: 0 }).value
  expect(answer).toMatchObject({ do: 'reply', verdict: answerChildless(call) })
})
