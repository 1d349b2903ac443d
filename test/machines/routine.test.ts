import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createActor, initialTransition, transition } from 'xstate'
import { ROUTINE_EVENTS, routineMachine, tabulate } from 'curtaincall/machines'

const table = tabulate(routineMachine, ROUTINE_EVENTS, ['output', 'error', 'reason'])
const scripts = fc.array(fc.record({ type: fc.constantFrom(...ROUTINE_EVENTS), payload: fc.anything() }), { maxLength: 12 })

test('R1 to R5: the whole of it, transition by transition: effects, what is copied from the event, what becomes true', () => {
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
    'expiring exit > failed: settle',
    'expiring done > failed: settle',
    'expiring fail > failed: settle',
    'expiring cancel > stopping: reason',
    'expiring giveUp > failed: abandon killed',
    'expiring kill > cancelled: abandon reason killed',
  ])
})

test('T1, T2, T3: on random scripts the derived table decides what XState decides, context and actions included', () => {
  let steps = 0
  fc.assert(
    fc.property(scripts, (script) => {
      let [snapshot] = initialTransition(routineMachine, undefined)
      let row = 0
      const context: Record<string, unknown> = { ...snapshot.context }
      for (const { type, payload } of script) {
        const [next, actions] = transition(routineMachine, snapshot, { type, output: payload, error: payload, reason: payload } as never)
        const cell = table.cells[row * ROUTINE_EVENTS.length + ROUTINE_EVENTS.indexOf(type)]
        if (cell === undefined) throw new Error('no such cell')
        row = cell.target
        for (const field of cell.copies) context[field] = payload
        for (const field of cell.raises) context[field] = true
        expect(table.states[row]).toEqual(next.value)
        expect(table.final[row]).toBe(next.status === 'done')
        expect(cell.actions).toEqual(actions.map((action) => action.type))
        expect(context).toEqual(next.context)
        snapshot = next
        steps++
      }
    }),
    { numRuns: 2_000 },
  )
  expect(steps).toBeGreaterThan(5_000)
})

test('R5: every transition has at most one effect', () => {
  for (const cell of table.cells) expect(cell.actions.length).toBeLessThanOrEqual(1)
})

test('every state that is not final can still reach an end, and every transition is known', () => {
  expect(table.states).toHaveLength(7)
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
    const empty = { input: undefined, output: undefined, error: undefined, reason: undefined, killed: false }
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
