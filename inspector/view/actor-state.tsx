/** What an actor holds: now, or in one of its latest snapshots; and what differs between two of them. */
import { useState } from 'react'
import type { ActorView, Difference, SnapshotLine } from '../../src/inspector/protocol.ts'
import { readable } from '../../src/inspector/chart.ts'
import { valueText } from '../layout/active.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { Plain, Value } from './actor-value.tsx'
import { Failed, leftOut, moment } from './shared.tsx'

/** Snapshots never change. */
const SELDOM = 60_000

/** The event that led to it, as a person says it. */
const said = ({ event }: SnapshotLine): string => (event === '' ? 'as it was found' : readable(event))

interface PanelProps {
  readonly view: ActorView
  /** The snapshot that is looked at; undefined for the present. */
  readonly chosen: SnapshotLine | undefined
  readonly choose: (line: SnapshotLine | undefined) => void
}

export function StatePanel({ view, chosen, choose }: PanelProps) {
  const { path, snapshots } = view
  const recording = useSession().player?.recording
  // What it is compared with; undefined for the one before.
  const [against, setAgainst] = useState<number>()
  const shown = chosen ?? snapshots.at(-1)
  const index = snapshots.findIndex(({ n }) => n === shown?.n)
  const before = snapshots.find(({ n }) => n === against) ?? snapshots[index - 1]
  return (
    <section className="held" aria-label="State">
      <h3>State</h3>
      {recording === undefined ? null : <p className="note">As recorded, up to this moment.{leftOut(recording.traffic, 'snapshots')}</p>}
      <Scrubber snapshots={snapshots} index={index} chosen={chosen} choose={choose} />
      <Held view={view} chosen={chosen} />
      {shown === undefined ? null : (
        <>
          <Changes path={path} from={before} to={shown} />
          <Snapshots {...{ snapshots, shown, before, choose, against, setAgainst }} isNow={chosen === undefined} />
        </>
      )}
    </section>
  )
}

interface ScrubberProps {
  readonly snapshots: readonly SnapshotLine[]
  readonly index: number
  readonly chosen: SnapshotLine | undefined
  readonly choose: (line: SnapshotLine | undefined) => void
}

function Scrubber({ snapshots, index, chosen, choose }: ScrubberProps) {
  const line = snapshots[index]
  if (line === undefined) return <p className="note">It has not changed since somebody began to look.</p>
  const text = `${moment(line.at)}, ${line.event === '' ? '' : 'after '}${said(line)}`
  return (
    <div className="scrub">
      <input
        type="range"
        min={0}
        max={snapshots.length - 1}
        value={index}
        aria-label="Snapshot"
        aria-valuetext={`${text}: ${valueText(line.value)}`}
        onChange={({ target }) => choose(snapshots[target.valueAsNumber])}
      />
      <button type="button" disabled={chosen === undefined} onClick={() => choose(undefined)}>
        now
      </button>
      <span className="then-text" title={text}>
        {chosen === undefined ? 'now, since ' : ''}
        {text}
      </span>
    </div>
  )
}

function Held({ view: { path, context }, chosen }: { readonly view: ActorView; readonly chosen: SnapshotLine | undefined }) {
  const { answer, error } = useAnswer('look', chosen === undefined ? undefined : { path, n: chosen.n }, SELDOM)
  if (error !== undefined && answer === undefined) return <Failed error={error} />
  const value = chosen === undefined ? context : answer
  return (
    <div
      className="value scroll framed"
      tabIndex={0}
      role="region"
      aria-label={chosen === undefined ? 'Present context' : 'Context of the snapshot'}
    >
      {value === undefined ? (
        <p className="note">{chosen === undefined ? 'It holds nothing.' : 'Looking…'}</p>
      ) : (
        <Value owner={{ path, n: chosen?.n }} name={undefined} value={value} at={[]} />
      )}
    </div>
  )
}

// --- two of them -----------------------------------------------------------------------------

interface ChangesProps {
  readonly path: string
  readonly from: SnapshotLine | undefined
  readonly to: SnapshotLine
}

function Changes({ path, from, to }: ChangesProps) {
  const isSame = from === undefined || from.n === to.n
  const { answer, error } = useAnswer('diff', isSame ? undefined : { path, from: from.n, to: to.n }, SELDOM)
  return (
    <div className="changes">
      <h4 className="cut">
        {isSame ? 'What changed' : `What changed from ${moment(from.at)} (${said(from)}) to ${moment(to.at)} (${said(to)})`}
      </h4>
      <div className="scroll framed" tabIndex={0} role="region" aria-label="Differences">
        {isSame ? <p className="note">There is no other snapshot to compare it with.</p> : null}
        {error === undefined || answer !== undefined ? null : <p className="note">{error}</p>}
        {answer?.length === 0 ? <p className="note">Nothing that is shown differs.</p> : null}
        <ul className="differences">
          {answer?.map((each) => (
            <Change key={JSON.stringify(each.at)} {...each} />
          ))}
        </ul>
      </div>
    </div>
  )
}

const SIGNS = { added: '+', removed: '−', changed: '~' } as const

/** One difference, in a list. */
export function Change({ at, kind, before, after }: Difference) {
  return (
    <li className={kind}>
      <span className="sign" aria-hidden="true">
        {SIGNS[kind]}
      </span>
      <span className="unseen">{kind}</span>
      <span className="value-key">{placeText(at)}</span>
      <span className="values">
        {kind === 'added' ? null : (
          <del>
            <Plain value={before} />
          </del>
        )}
        {kind === 'changed' ? ' → ' : null}
        {kind === 'removed' ? null : (
          <ins>
            <Plain value={after} />
          </ins>
        )}
      </span>
    </li>
  )
}

/** `context.items[2].sku` */
function placeText(at: Difference['at']): string {
  return at.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`), '')
}

interface SnapshotsProps {
  readonly snapshots: readonly SnapshotLine[]
  readonly shown: SnapshotLine
  readonly before: SnapshotLine | undefined
  readonly isNow: boolean
  readonly choose: (line: SnapshotLine | undefined) => void
  readonly against: number | undefined
  readonly setAgainst: (n: number | undefined) => void
}

function Snapshots({ snapshots, shown, before, isNow, choose, against, setAgainst }: SnapshotsProps) {
  return (
    <>
      <h4>
        Latest snapshots
        {against === undefined ? null : (
          <button type="button" className="link" onClick={() => setAgainst(undefined)}>
            compare each with the one before
          </button>
        )}
      </h4>
      <div className="scroll framed" tabIndex={0} role="region" aria-label="Latest snapshots">
        <table className="snapshots">
          <thead>
            <tr>
              <th scope="col">from</th>
              <th scope="col">look</th>
              <th scope="col">when</th>
              <th scope="col">event</th>
              <th scope="col">state</th>
            </tr>
          </thead>
          <tbody>
            {snapshots.toReversed().map((line) => (
              <tr key={line.n} className={line.n === shown.n ? 'chosen' : ''}>
                <td>
                  <input
                    type="radio"
                    name="from"
                    aria-label={`compare with the snapshot of ${moment(line.at)}`}
                    checked={line.n === before?.n}
                    onChange={() => setAgainst(line.n)}
                  />
                </td>
                <td>
                  <input
                    type="radio"
                    name="to"
                    aria-label={`look at the snapshot of ${moment(line.at)}`}
                    checked={line.n === shown.n}
                    onChange={() => choose(line)}
                  />
                </td>
                <td className="when">{moment(line.at)}</td>
                <td title={line.event}>{said(line)}</td>
                <td title={valueText(line.value)}>
                  {valueText(line.value)}
                  {isNow && line.n === shown.n ? <small> (now)</small> : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
