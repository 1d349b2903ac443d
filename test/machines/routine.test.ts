import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import { ROUTINE_EVENTS, routineMachine } from 'curtaincall/machines'
import { holdEqual } from '../support/equality.ts'
import { table } from '../support/routine-table.ts'

test('R1 to R6: the whole of it, transition by transition: effects, what is copied from the event, what becomes true', () => {
  const names = table.states.map((state) => (typeof state === 'string' ? state : String(Object.values(state)[0])))
  const lines = table.cells.flatMap(({ handled, target, actions, copies, raises }, i) => {
    const [from, event] = [names[Math.floor(i / ROUTINE_EVENTS.length)], ROUTINE_EVENTS[i % ROUTINE_EVENTS.length]]
    return handled ? [`${from} ${event} > ${names[target]}: ${[...actions, ...copies, ...raises].join(' ')}`] : []
  })
  expect(lines).toEqual([
    'pending start > working: begin',
    'pending exit > cancelled: settle reason',
    'pending done > completed: settle output',
    'pending fail > failed: settle error',
    'pending cancel > cancelled: settle reason',
    'pending kill > cancelled: settle reason killed',
    'working exit > cancelled: settle reason',
    'working done > completed: settle output',
    'working fail > failed: settle error',
    'working cancel > stopping: abort reason',
    'working timeout > expiring: abort error',
    'working kill > cancelled: abandon reason killed',
    'stopping exit > cancelled: settle',
    'stopping done > cancelled: settle output',
    'stopping fail > cancelled: settle error',
    'stopping giveUp > cancelled: abandon killed',
    'stopping kill > cancelled: abandon killed',
    'stopping end > ending: terminate killed',
    'expiring exit > failed: settle',
    'expiring done > failed: settle',
    'expiring fail > failed: settle',
    'expiring cancel > stopping: reason',
    'expiring giveUp > failed: abandon killed',
    'expiring kill > cancelled: abandon reason killed',
    'expiring end > lapsing: terminate killed',
    'ending done > cancelled: settle',
    'ending lost > cancelled: abandon stuck',
    'lapsing done > failed: settle',
    'lapsing cancel > ending: reason',
    'lapsing lost > failed: abandon stuck',
  ])
})

test('T1, T2, T3, N1: on random scripts the derived table, and its integers, decide what XState decides, context and actions included', () => {
  const { steps, met } = holdEqual(5_000)
  expect(steps).toBeGreaterThan(5_000)
  expect(met.size).toBeGreaterThan(table.cells.length * 0.9)
})

test('R5: every transition has at most one effect', () => {
  for (const cell of table.cells) expect(cell.actions.length).toBeLessThanOrEqual(1)
})

test('every state that is not final can still reach an end, and every transition is known', () => {
  expect(table.states).toHaveLength(9)
  const ends = new Set(table.final.flatMap((final, row) => (final ? [row] : [])))
  for (let changed = true; changed; ) {
    changed = false
    table.states.forEach((_, row) => {
      if (!ends.has(row) && ROUTINE_EVENTS.some((_event, i) => ends.has(table.cells[row * ROUTINE_EVENTS.length + i]?.target ?? -1))) {
        ends.add(row)
        changed = true
      }
    })
  }
  expect(ends.size).toBe(table.states.length)
})

describe('the machine is one that XState runs by itself', () => {
  test('it begins with its input and nothing else', () => {
    const empty = { input: undefined, output: undefined, error: undefined, reason: undefined, killed: false, stuck: false }
    expect(createActor(routineMachine).getSnapshot()).toMatchObject({ value: 'pending', context: empty })
    expect(createActor(routineMachine, { input: { input: 5 } }).getSnapshot().context).toEqual({ ...empty, input: 5 })
  })

  test('R1, R2', () => {
    const actor = createActor(routineMachine).start()
    actor.send({ type: 'start' })
    actor.send({ type: 'timeout', error: 'late' })
    actor.send({ type: 'cancel', reason: 'why' })
    actor.send({ type: 'done', output: 1 })
    expect(actor.getSnapshot()).toMatchObject({ status: 'done', value: 'cancelled', context: { reason: 'why', output: 1, killed: false } })
  })
})
