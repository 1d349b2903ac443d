/** Which run begins, and what it begins from. */
import { describe, expect, test } from 'vitest'
import { type ActorLogic, type EventObject, fromTransition, type Snapshot } from 'xstate'
import { type Routine, routine } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

type Counted = Snapshot<number> & { readonly context: number }

/** Logic with a private member. */
class Counter {
  readonly #first = 7

  getInitialSnapshot(): Counted {
    return { status: 'active', output: undefined, error: undefined, context: this.#first } as Counted
  }

  transition(state: Counted, event: EventObject): Counted {
    return event.type === 'add' ? { ...state, context: state.context + 1 } : state
  }

  getPersistedSnapshot(state: Counted): Counted {
    return state
  }
}

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test('R1: what begins is the run that was to begin, not one that has followed it', async () => {
    const { local } = makeTree({ maxRestarts: 10 }, mode)
    const starts: number[] = []
    const start = ({ incarnation }: { readonly incarnation: number }): void => void starts.push(incarnation)
    const bodies: number[] = []
    const x = local.spawn(
      'x',
      (context) => {
        bodies.push(context.incarnation)
        return untilTold(context)
      },
      { restart: 'permanent', start },
    )
    // Each of them was to begin in the next microtask.
    x.exit(new Error('before it began'))
    x.exit(new Error('and again'))
    expect([x.state, x.incarnation]).toEqual(['pending', 3])
    await settle()
    // RS1: the first run has started, so its body follows; the second was over before that.
    expect([x.state, x.incarnation, starts, bodies]).toEqual(['running', 3, [1, 3], [1, 3]])
  })

  test('R1: the same of a child, whose next run is to wait', async () => {
    const { local, clock } = makeTree({ maxRestarts: 10 }, mode)
    const answer = local.startChild(routine('x', untilTold, { backoff: { initial: 50 } }))
    const x = local.routine('x') as Routine
    x.exit(new Error('before it began'))
    await settle()
    expect([(await answer).ok, x.state, x.incarnation]).toEqual([true, 'pending', 2])
    await clock.advance(50)
    expect([x.state, x.incarnation, x.startedAt]).toEqual(['running', 2, clock.now()])
  })

  describe.each(['fresh', 'snapshot'] as const)('logic is called on itself (%s)', (resume) => {
    const counter = new Counter() as unknown as ActorLogic<Snapshot<unknown>, EventObject>
    const frozen = Object.freeze(fromTransition((n: number) => n + 1, 0))

    test.each([
      ['with private members', counter, 8],
      ['that is frozen', frozen, 1],
    ])('%s', async (_, logic, after) => {
      const { local } = makeTree({ children: [routine('child', logic, { resume })] }, mode)
      const spawned = local.spawn('x', logic as never, { resume } as never) as unknown as Routine<unknown, EventObject>
      await settle()
      for (const each of [spawned, local.routine('child') as unknown as typeof spawned]) {
        each.send({ type: 'add' })
        expect([each.state, (each.work as { getSnapshot(): unknown } | undefined)?.getSnapshot()]).toMatchObject([
          'running',
          { context: after },
        ])
      }
    })
  })
})
