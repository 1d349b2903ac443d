import fc from 'fast-check'
import { expect, test } from 'vitest'
import { initialTransition, transition } from 'xstate'
import { appManagerMachine, globalManagerMachine, localManagerMachine, type ManagerMachineEvent, PHASES } from 'curtaincall/machines'

const events: ManagerMachineEvent[] = [
  { type: 'start' },
  { type: 'shutdown', mode: 'graceful' },
  { type: 'shutdown', mode: 'immediate' },
  { type: 'giveUp', error: 'limit' },
  { type: 'hurry' },
  { type: 'phaseDone' },
]

const managers = [globalManagerMachine, appManagerMachine, localManagerMachine] as const

test.each(managers)('M1 to M4: $id, way by way', (machine) => {
  const ways: [string, ManagerMachineEvent[], string][] = [
    ['completed', [{ type: 'shutdown' }], 'close'],
    ['cancelled', [{ type: 'shutdown', mode: 'immediate' }], 'close'],
    ['failed', [{ type: 'giveUp', error: 'limit' }], 'close'],
    ['completed', [{ type: 'start' }, { type: 'shutdown', mode: 'graceful' }], 'open close'],
    ['cancelled', [{ type: 'start' }, { type: 'shutdown', mode: 'immediate' }], 'open close'],
    ['failed', [{ type: 'start' }, { type: 'giveUp', error: 'limit' }], 'open close'],
    ['cancelled', [{ type: 'start' }, { type: 'shutdown' }, { type: 'hurry' }], 'open close'],
    ['failed', [{ type: 'start' }, { type: 'giveUp', error: 'limit' }, { type: 'hurry' }], 'open close'],
  ]
  for (const [end, events, effects] of ways) {
    let [snapshot] = initialTransition(machine as typeof globalManagerMachine)
    const done: string[] = []
    const seen: unknown[] = []
    for (const event of [...events, ...PHASES.map(() => ({ type: 'phaseDone' }) as const)]) {
      const [next, actions] = transition(machine as typeof globalManagerMachine, snapshot, event)
      done.push(...actions.map(({ type }) => type))
      if (JSON.stringify(next.value) !== JSON.stringify(snapshot.value)) seen.push(next.value)
      snapshot = next
    }
    const running = events[0]?.type === 'start' ? ['running'] : []
    expect(seen).toEqual([...running, ...PHASES.map((phase) => ({ stopping: phase })), end])
    expect([snapshot.status, done.join(' ')]).toEqual(['done', `${effects} cancel wait kill clean end`])
  }
})

test.each(managers)('M1, M2, M4: $id passes through all five phases and ends as it should', (machine) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 25 }), (script) => {
      let [snapshot] = initialTransition(machine as typeof globalManagerMachine)
      const effects: string[] = []
      let gaveUp = false
      let hurried = false
      for (const event of script) {
        if (snapshot.status === 'done') break
        if (snapshot.value === 'running' || snapshot.value === 'pending') {
          gaveUp ||= event.type === 'giveUp'
          hurried ||= event.type === 'shutdown' && event.mode === 'immediate'
        } else if (typeof snapshot.value === 'object') hurried ||= event.type === 'hurry'
        const [next, actions] = transition(machine as typeof globalManagerMachine, snapshot, event)
        effects.push(...actions.map((action) => action.type))
        snapshot = next
      }
      const order = ['open', 'close', 'cancel', 'wait', 'kill', 'clean', 'end']
      // One that never got to run ends in the same way.
      if (effects[0] === 'close') effects.unshift('open')
      expect(effects).toEqual(order.slice(0, effects.length))
      if (snapshot.status === 'done') expect(snapshot.value).toBe(gaveUp ? 'failed' : hurried ? 'cancelled' : 'completed')
    }),
    { numRuns: 500 },
  )
})

test.each([
  [globalManagerMachine, 'global'],
  [appManagerMachine, 'app'],
  [localManagerMachine, 'local'],
] as const)('%# begins with nothing held against it, and keeps why it gave up', (machine, level) => {
  const [snapshot] = initialTransition(machine as typeof globalManagerMachine)
  const blank = { level, error: undefined, gaveUp: false, hurried: false }
  expect([snapshot.value, snapshot.context]).toEqual(['pending', blank])
  const [next] = transition(machine as typeof globalManagerMachine, snapshot, { type: 'giveUp', error: 'limit' })
  expect([next.value, next.context]).toEqual([{ stopping: 'closing' }, { ...blank, gaveUp: true, error: 'limit' }])
})

test('the phases of the machine are the phases of the events', () => {
  expect(Object.keys(localManagerMachine.config.states?.stopping?.states ?? {})).toEqual([...PHASES])
})
