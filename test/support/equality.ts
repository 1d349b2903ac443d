/** The law that the hot path's table is the machine: on random scripts both come to the same, step by step. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { initialTransition, transition } from 'xstate'
import { ROUTINE_EVENTS, routineMachine } from '../../machines/index.ts'
import { COLUMNS, EFFECT, EFFECTS, FIELD, FIELDS, FINAL, HANDLED, KILLS, steps, TARGET } from '../../src/routine/routine-steps.ts'
import { table } from './routine-table.ts'

type RoutineEventType = (typeof ROUTINE_EVENTS)[number]

const scriptsOf = (...types: RoutineEventType[]): fc.Arbitrary<{ type: RoutineEventType; payload: unknown }[]> =>
  fc.array(fc.record({ type: fc.constantFrom(...types), payload: fc.anything() }), { maxLength: 12 })
// Most events end a routine: in half of the scripts they are rare.
const scripts = fc.oneof(scriptsOf(...ROUTINE_EVENTS), scriptsOf('start', 'start', 'cancel', 'timeout', 'giveUp', ...ROUTINE_EVENTS))

/** What was compared: scripts, steps, and how often each event met each state. */
export interface Compared {
  runs: number
  steps: number
  readonly met: Map<string, number>
}

/** Compares on so many scripts. Throws fast-check's report of the smallest that differs. */
export function holdEqual(numRuns: number, seed?: number): Compared {
  const compared: Compared = { runs: 0, steps: 0, met: new Map() }
  fc.assert(
    fc.property(scripts, (script) => {
      compared.runs++
      let [snapshot] = initialTransition(routineMachine, undefined)
      let row = 0
      const context: Record<string, unknown> = { ...snapshot.context }
      for (const { type, payload } of script) {
        const [next, actions] = transition(routineMachine, snapshot, { type, output: payload, error: payload, reason: payload } as never)
        const index = row * COLUMNS + ROUTINE_EVENTS.indexOf(type)
        const [cell, step = 0] = [table.cells[index], steps[index]]
        assert(cell !== undefined)
        const met = `${JSON.stringify(snapshot.value)} ${type}`
        compared.met.set(met, (compared.met.get(met) ?? 0) + 1)
        row = cell.target
        for (const field of cell.copies) context[field] = payload
        for (const field of cell.raises) context[field] = true
        assert.deepEqual(table.states[row], next.value)
        assert.equal(table.final[row], next.status === 'done')
        assert.deepEqual(
          cell.actions,
          actions.map((action) => action.type),
        )
        assert.deepEqual(context, next.context)
        // What the hot path reads of it.
        assert.equal(step & TARGET, row)
        assert.equal(EFFECTS[(step >> EFFECT) & 7], actions[0]?.type ?? 'none')
        assert.equal(FIELDS[(step >> FIELD) & 3], cell.copies[0] ?? 'none')
        assert.deepEqual([step & HANDLED, step & KILLS, step & FINAL].map(Boolean), [
          cell.handled,
          cell.raises.length > 0,
          next.status === 'done',
        ])
        snapshot = next
        compared.steps++
      }
    }),
    { numRuns, ...(seed === undefined ? {} : { seed }) },
  )
  return compared
}
