/** The law that the hot path's table is the machine: on random scripts both come to the same, step by step. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type AnyMachineSnapshot, type AnyStateMachine, type EventObject, initialTransition, type StateValue, transition } from 'xstate'
import { Decisions, follow } from '../../machines/decisions.ts'
import { ROUTINE_EVENTS, routineMachine } from '../../machines/index.ts'
import { MANAGER_TERMS } from '../../machines/manager.ts'
import { ROUTINE_TERMS } from '../../machines/routine.ts'
import { EFFECTS, FIELDS } from '../../src/routine/routine-effects.ts'
import { COLUMNS, EFFECT, FIELD, FINAL, HANDLED, KILLS, steps, STRANDS, TARGET } from '../../src/routine/routine-steps.ts'
import * as managers from '../../src/manager/manager-steps.ts'
import { managerMachines } from './manager-table.ts'
import { table } from './routine-table.ts'

type RoutineEventType = (typeof ROUTINE_EVENTS)[number]

const scriptsOf = (...types: RoutineEventType[]): fc.Arbitrary<{ type: RoutineEventType; payload: unknown }[]> =>
  fc.array(fc.record({ type: fc.constantFrom(...types), payload: fc.anything() }), { maxLength: 12 })
// Most events end a routine: in half of the scripts they are rare.
const scripts = fc.oneof(scriptsOf(...ROUTINE_EVENTS), scriptsOf('start', 'start', 'cancel', 'timeout', 'giveUp', ...ROUTINE_EVENTS))

type Terms = ConstructorParameters<typeof Decisions>[1]

/** Most phases are passed, and what ends a life at once is rare. */
const managerScripts = fc.array(
  fc.record({
    type: fc.constantFrom('phaseDone', 'phaseDone', 'phaseDone', ...MANAGER_TERMS.events, 'unheard of'),
    mode: fc.constantFrom(undefined, 'graceful', 'immediate'),
    error: fc.anything(),
  }),
  { maxLength: 12 },
)

/** Machines whose decisions are remembered, with what may be sent to them. */
const remembered: readonly (readonly [AnyStateMachine, Terms, fc.Arbitrary<EventObject[]>])[] = [
  [
    routineMachine,
    ROUTINE_TERMS,
    scripts.map((script) => script.map(({ type, payload }) => ({ type, output: payload, error: payload, reason: payload }))),
  ],
  ...managerMachines.map((machine) => [machine, MANAGER_TERMS, managerScripts] as const),
]

/** All of a snapshot that can be printed. */
function plain({ machine, _nodes, ...rest }: AnyMachineSnapshot): object {
  return { ...rest, id: machine.id, nodes: new Set(_nodes.map(({ id }) => id)) }
}

/** Compares what is remembered of decisions with what XState decides, on so many scripts of each machine. Returns the steps. */
export function holdRemembered(numRuns: number, seed?: number): number {
  let steps = 0
  for (const [machine, terms, events] of remembered) {
    const decisions = new Decisions(machine, terms)
    fc.assert(
      fc.property(events, (script) => {
        let snapshot = initialTransition(machine, undefined)[0] as AnyMachineSnapshot
        let own = decisions.snapshotOf(snapshot.value as StateValue, snapshot.context)
        for (const event of script) {
          const [next, actions] = transition(machine, snapshot, event) as [AnyMachineSnapshot, readonly { readonly type: string }[]]
          const decision = decisions.of(own, event)
          assert.equal(decision === undefined, !terms.events.includes(event.type))
          if (decision !== undefined) {
            // D1.
            const followed = follow(decision, own, event)
            assert.deepEqual(
              decision.actions,
              actions.map(({ type }) => type),
            )
            assert.equal(followed === own, next === snapshot)
            own = followed
          }
          assert.deepEqual(plain(own), plain(next))
          assert.deepEqual(Object.keys(own), Object.keys(next))
          assert.ok(own.machine === next.machine)
          if (next.status === 'done') return
          snapshot = next
          steps++
        }
      }),
      { numRuns, ...(seed === undefined ? {} : { seed }) },
    )
  }
  return steps
}

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
        assert.deepEqual([step & HANDLED, step & (KILLS | STRANDS), step & FINAL].map(Boolean), [
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

/** The same of managers, on so many scripts of each level. */
export function holdManagersEqual(numRuns: number, seed?: number): Compared {
  const compared: Compared = { runs: 0, steps: 0, met: new Map() }
  for (const machine of managerMachines)
    fc.assert(
      fc.property(managerScripts, (script) => {
        compared.runs++
        let [snapshot] = initialTransition(machine, undefined) as [AnyMachineSnapshot, unknown]
        let stage = 0
        let error: unknown
        for (const event of script) {
          const [next, actions] = transition(machine, snapshot, event) as [AnyMachineSnapshot, readonly { readonly type: string }[]]
          const step = managers.stepOf(stage, event)
          const met = `${JSON.stringify(snapshot.value)} ${event.type}`
          compared.met.set(met, (compared.met.get(met) ?? 0) + 1)
          assert.equal((step & managers.HANDLED) !== 0, next !== snapshot || actions.length > 0)
          assert.equal(managers.EFFECTS[(step >> managers.EFFECT) & 7], actions[0]?.type ?? 'none')
          if ((step & managers.GAVE_UP) !== 0) ({ error } = event)
          if (step !== 0) stage = managers.stageAfter(stage, step)
          assert.deepEqual(managers.valueOf(stage), next.value)
          assert.deepEqual({ ...machine.config.context, ...managers.contextOf(stage, error) }, next.context)
          if (next.status === 'done') return
          snapshot = next
          compared.steps++
        }
      }),
      { numRuns, ...(seed === undefined ? {} : { seed }) },
    )
  return compared
}
