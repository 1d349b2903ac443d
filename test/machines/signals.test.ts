/** machines/signals.ts: what becomes of signals, by itself. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { initialTransition, transition } from 'xstate'
import { type SignalsMachineEvent, signalsMachine } from 'curtaincall/machines'

const holding = fc.record({ type: fc.constantFrom('overdue', 'ended', 'exit', 'exited'), holds: fc.boolean() })
const event = fc.oneof(fc.constantFrom({ type: 'signal' }, { type: 'survived' }), holding) as fc.Arbitrary<SignalsMachineEvent>

/** What is done about these, and after how many of them. */
function effects(events: readonly SignalsMachineEvent[]): { what: string; after: number }[] {
  let [state] = initialTransition(signalsMachine)
  return events.flatMap((each, index) => {
    const [next, actions] = transition(signalsMachine, state, each)
    state = next
    return actions.map(({ type }) => ({ what: type, after: index + 1 }))
  })
}

test('SG1: a shutdown begins once, and becomes immediate once, later', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const told = effects(events).flatMap(({ what }) => (what === 'shutDown' || what === 'hasten' ? [what] : []))
      expect(['', 'shutDown', 'shutDown,hasten']).toContain(told.join())
    }),
  )
})

test('SG2: once the tree has ended, or the process exits, nobody listens', () => {
  fc.assert(
    fc.property(fc.array(event), fc.constantFrom('ended', 'exit'), fc.boolean(), (events, type, holds) => {
      expect(effects([...events, { type, holds }]).map(({ what }) => what)).toContain('takeOff')
    }),
  )
})

test('SG3: the signal is raised again only after two, when time is over or the process exits, and once nobody listens', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 3 }), (events) => {
      const done = effects(events)
      const at = done.findIndex(({ what }) => what === 'raise')
      if (at < 0) return
      const before = events.slice(0, done[at]?.after)
      expect(before.filter(({ type }) => type === 'signal').length).toBeGreaterThanOrEqual(2)
      expect(before.some(({ type }) => type === 'overdue' || type === 'exited')).toBe(true)
      expect(done.slice(0, at).some(({ what }) => what === 'takeOff')).toBe(true)
    }),
  )
})

test('SG3: where nothing is left of a tree that has ended, it is never raised', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const nothing = events.map((each) => ('holds' in each ? { ...each, holds: false } : each))
      expect(
        effects([{ type: 'signal' }, { type: 'signal' }, { type: 'ended', holds: false }, ...nothing]).map(({ what }) => what),
      ).not.toContain('raise')
    }),
  )
})

test('SG3: once it is undone it is never raised', () => {
  fc.assert(
    fc.property(fc.array(event), fc.array(event), (before, after) => {
      const done = effects([...before, { type: 'ended', holds: false }, ...after])
      expect(done.flatMap((each) => (each.after > before.length ? [each.what] : []))).not.toContain('raise')
    }),
  )
})

test('SG4: it is killed only after it survived that', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const done = effects(events)
      const kill = done.find(({ what }) => what === 'kill')
      if (kill === undefined) return
      expect(events[kill.after - 1]?.type).toBe('survived')
      expect(done.some(({ what, after }) => what === 'raise' && after < kill.after)).toBe(true)
    }),
  )
})
