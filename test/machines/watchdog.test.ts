/** machines/watchdog.ts: what a watchdog makes of what it sees, by itself. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { initialTransition, transition } from 'xstate'
import { machineOfWatchdog, type WatchdogLook } from '../../machines/watchdog.ts'

const limits = { threshold: 100, endAfter: 1_000 }
const machine = machineOfWatchdog()
const look = fc.record({
  type: fc.constant('look' as const),
  moved: fc.boolean(),
  still: fc.integer({ min: 0, max: 2_000 }),
  late: fc.constantFrom(0, 50, 100, 5_000),
})

/** What is done at each of these looks. */
function effects(looks: readonly WatchdogLook[]): string[][] {
  let [state] = initialTransition(machine, limits)
  return looks.map((each) => {
    const [next, actions] = transition(machine, state, each)
    state = next
    return actions.map(({ type }) => type)
  })
}

test('WD1: asked is once for each time, and only about what has not moved for the threshold', () => {
  fc.assert(
    fc.property(fc.array(look), (looks) => {
      let asked = false
      for (const [k, done] of effects(looks).entries()) {
        const { moved, still } = looks[k] as WatchdogLook
        if (done.includes('ask')) expect([asked, moved, still >= limits.threshold]).toEqual([false, false, true])
        asked = done.includes('ask') || (asked && !moved && !done.includes('startOver'))
      }
    }),
  )
})

test('WD2: a look that comes late asks nothing and ends nothing: it counts from there', () => {
  fc.assert(
    fc.property(fc.array(look), (looks) => {
      for (const [k, done] of effects(looks).entries())
        if ((looks[k] as WatchdogLook).late >= limits.threshold) expect(done.filter((each) => each !== 'startOver')).toEqual([])
    }),
  )
})

test('WD3: the process is ended once, after a question, for what has not moved for the limit, and nothing comes after', () => {
  fc.assert(
    fc.property(fc.array(look, { minLength: 2 }), (looks) => {
      const done = effects(looks)
      const at = done.findIndex((each) => each.includes('end'))
      if (at < 0) return
      const { moved, still } = looks[at] as WatchdogLook
      expect([moved, still >= limits.endAfter]).toEqual([false, true])
      expect(done.slice(0, at).some((each) => each.includes('ask'))).toBe(true)
      expect(done.slice(at + 1).flat()).toEqual([])
    }),
  )
})
