/** The statechart of the chosen actor: its own machine's, or that of its lifecycle. */
import { useEffect, useMemo, useState } from 'react'
import type { ActorView, ChartState, Position } from '../../src/inspector/protocol.ts'
import { activeIds, valueText } from '../layout/active.ts'
import { type Laid, layoutOf } from '../state/layouter.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { ChartDrawing } from './chart-drawing.tsx'
import { ChartStage } from './chart-stage.tsx'
import { ChartTable } from './chart-table.tsx'
import { Empty, Failed } from './shared.tsx'

/** A chart never changes: one asks again only in case there is another life of the actor. */
const SELDOM = 60_000

/** A snapshot that is looked at instead of the present. */
export interface Then {
  readonly value: unknown
}

export function ChartPanel({ view, then }: { readonly view: ActorView; readonly then: Then | undefined }) {
  const [wanted, setWanted] = useState<'work' | 'life'>('work')
  const which = view.work === undefined ? 'life' : wanted
  const { answer, error, isLoading } = useAnswer('chart', { path: view.path, which }, SELDOM)
  const position = (which === 'work' ? view.work : view.life) as Position
  return (
    <section className="chart" aria-label="Statechart">
      <div className="bar">
        <h3>Statechart</h3>
        {view.work === undefined ? null : (
          <span className="pair" role="group" aria-label="Which chart">
            <Choice title="its own machine" isOn={which === 'work'} choose={() => setWanted('work')} />
            <Choice title="lifecycle" isOn={which === 'life'} choose={() => setWanted('life')} />
          </span>
        )}
        <Active value={then === undefined || which !== snapshotsOf(view) ? position.value : then.value} isThen={then !== undefined} />
      </div>
      {error === undefined || answer !== undefined ? null : <Failed error={error} />}
      {answer === undefined && error === undefined ? (
        <div className="canvas">
          <Empty title={isLoading ? 'Drawing…' : 'No statechart is known'} />
        </div>
      ) : null}
      {answer === undefined ? null : (
        <Chart chart={answer} position={position} then={which === snapshotsOf(view) ? then : undefined} name={view.path} />
      )}
    </section>
  )
}

/** Of which of both charts the snapshots are. */
const snapshotsOf = ({ work }: ActorView): 'work' | 'life' => (work === undefined ? 'life' : 'work')

function Choice({ title, isOn, choose }: { readonly title: string; readonly isOn: boolean; readonly choose: () => void }) {
  return (
    <button type="button" className="chip" aria-pressed={isOn} onClick={choose}>
      {title}
    </button>
  )
}

function Active({ value, isThen }: { readonly value: unknown; readonly isThen: boolean }) {
  return (
    <span className="active-now" title={valueText(value)}>
      {isThen ? 'active then: ' : 'active: '}
      <strong>{valueText(value)}</strong>
    </span>
  )
}

interface ChartProps {
  readonly chart: ChartState
  readonly position: Position
  readonly then: Then | undefined
  readonly name: string
}

function Chart({ chart: answered, position, then, name }: ChartProps) {
  // The same chart is answered anew now and then: what is drawn stays as it is.
  const definition = useMemo(() => JSON.stringify(answered), [answered])
  const chart = useMemo(() => JSON.parse(definition) as ChartState, [definition])
  const laid = useLayout(chart)
  const value = then === undefined ? position.value : then.value
  const active = useMemo(() => activeIds(chart, value), [chart, value])
  const session = useSession()
  const counted =
    session.player === undefined
      ? '×n: taken so often since somebody began to look.'
      : Object.keys(position.taken).length > 0
        ? '×n: taken so often by this moment, since somebody began to look.'
        : 'As far as is recorded, no transition was taken by this moment.'
  const note = `${counted} Click, then turn the wheel to zoom; drag to move.`
  return (
    <>
      <ChartStage key={definition} laid={laid} active={active} note={note} label={`Statechart of ${name}. Active: ${valueText(value)}`}>
        {(layout) => <ChartDrawing graph={laid.graph} layout={layout} active={active} taken={position.taken} isThen={then !== undefined} />}
      </ChartStage>
      <ChartTable chart={chart} active={active} taken={position.taken} />
    </>
  )
}

/** Our own layout at once, and the better one as soon as it is there. */
export function useLayout(chart: ChartState): Laid {
  const { now, later } = useMemo(() => layoutOf(chart), [chart])
  const [laid, setLaid] = useState<Laid>(now)
  useEffect(() => {
    let isCurrent = true
    void later.then((better) => isCurrent && setLaid(better))
    return () => {
      isCurrent = false
    }
  }, [later])
  return laid.graph === now.graph ? laid : now
}
