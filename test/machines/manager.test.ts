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

test.each([globalManagerMachine, appManagerMachine, localManagerMachine])(
  'M1, M2, M4: $id passes through all five phases and ends as it should',
  (machine) => {
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
  },
)

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
