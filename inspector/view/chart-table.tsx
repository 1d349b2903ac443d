/** The same chart as a table: for those who can't see the picture, and for texts that are cut in it. */
import { memo } from 'react'
import type { ChartState, ChartTransition } from '../../src/inspector/protocol.ts'
import { count } from './shared.tsx'

interface TableProps {
  readonly chart: ChartState
  readonly active: ReadonlySet<string>
  readonly taken: Readonly<Record<string, number>>
}

interface IndentedState {
  readonly state: ChartState
  readonly depth: number
}

export const ChartTable = memo(function ChartTable({ chart, active, taken }: TableProps) {
  const states = flattened(chart, 0)
  const keys = new Map(states.map(({ state }) => [state.id, state.key]))
  return (
    <details className="as-table">
      <summary>States and transitions as a table</summary>
      <div className="scroll" tabIndex={0} role="region" aria-label="States and transitions">
        <table>
          <thead>
            <tr>
              <th scope="col">state</th>
              <th scope="col">on</th>
              <th scope="col">only if</th>
              <th scope="col">does</th>
              <th scope="col">leads to</th>
              <th scope="col">taken</th>
            </tr>
          </thead>
          <tbody>
            {states.flatMap((indented) => [
              <StateRow key={indented.state.id} {...indented} isActive={active.has(indented.state.id)} />,
              ...indented.state.transitions.map((each) => (
                <TransitionRow key={each.key} transition={each} keys={keys} taken={taken[each.key] ?? 0} />
              )),
            ])}
          </tbody>
        </table>
      </div>
    </details>
  )
})

function flattened(state: ChartState, depth: number): IndentedState[] {
  return [{ state, depth }, ...state.states.flatMap((child) => flattened(child, depth + 1))]
}

function StateRow({ state, depth, isActive }: IndentedState & { readonly isActive: boolean }) {
  const { entry, exit, invoke } = state
  const does = [
    ...(entry.length === 0 ? [] : [`on entry ${entry.join(', ')}`]),
    ...(exit.length === 0 ? [] : [`on exit ${exit.join(', ')}`]),
    ...invoke.map((source) => `runs ${source}`),
  ]
  const notes = [...(isActive ? ['active'] : []), ...(state.type === 'atomic' ? [] : [state.type])]
  return (
    <tr className={isActive ? 'chosen' : ''}>
      <th scope="row" data-depth={Math.min(depth, 6)}>
        {state.key} {notes.length === 0 ? null : <small>({notes.join(', ')})</small>}
      </th>
      <td colSpan={2} className="said">
        {state.description}
      </td>
      <td colSpan={3} className="said">
        {does.join('; ')}
      </td>
    </tr>
  )
}

interface RowProps {
  readonly transition: ChartTransition
  readonly keys: ReadonlyMap<string, string>
  readonly taken: number
}

function TransitionRow({ transition: { event, guard, actions, targets }, keys, taken }: RowProps) {
  return (
    <tr>
      <td />
      <td>{event}</td>
      <td>{guard ?? ''}</td>
      <td className="said">{actions.join(', ')}</td>
      <td>{targets.length === 0 ? 'stays' : targets.map((id) => keys.get(id) ?? id).join(', ')}</td>
      <td>{taken === 0 ? '' : count(taken)}</td>
    </tr>
  )
}
