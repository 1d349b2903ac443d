/** The managers, the worst first. */
import { useState } from 'react'
import type { HealthView } from '../../src/inspector/protocol.ts'
import { WINDOW } from '../../src/inspector/recorded-health.ts'
import { useSession } from '../state/hooks.ts'
import { count, Glyph, PathLink, span } from './shared.tsx'

type Node = HealthView['nodes'][number]

/** The worst first; what has ended without a failure stands last. */
const ORDER = ['failed', 'hung', 'degraded', 'stopping', 'pending', 'healthy', 'cancelled', 'completed']
const SHOWN = 500

/** The sign of each status: a shape of its own. */
const GLYPHS: Readonly<Record<string, string>> = { healthy: 'completed', completed: 'cancelled' }

/** A number in little room. */
export const short = (value: number): string =>
  value < 10_000 ? count(value) : Intl.NumberFormat('en', { notation: 'compact' }).format(value)

/** True for a status in which nothing is wrong. */
export const isWell = (status: string): boolean =>
  status === 'healthy' || status === 'completed' || status === 'cancelled' || status === 'pending'

/** How near a manager is to giving up, from 0 to 1. */
/** Those that do not just run. */
const standing = ({ waiting = 0, stuck = 0 }: Node): string =>
  (waiting > 0 ? `, ${count(waiting)} waiting for a thread` : '') + (stuck > 0 ? `, ${count(stuck)} that could not be ended` : '')

const used = ({ restartsLeft, maxRestarts }: Node): number => (maxRestarts <= 0 ? 0 : 1 - restartsLeft / maxRestarts)

export function Managers({ health: { nodes, statuses } }: { readonly health: HealthView }) {
  const [onlyIll, setOnlyIll] = useState(false)
  const isRecording = useSession().player !== undefined
  const all = Object.values(statuses).reduce((sum, each) => sum + each, 0)
  const rank = ({ status }: Node): number => ORDER.indexOf(status)
  const rows = nodes
    .filter(({ status }) => !onlyIll || !isWell(status))
    .toSorted((a, b) => rank(a) - rank(b) || used(b) - used(a) || b.depth - a.depth)
    .slice(0, SHOWN)
  return (
    <section className="managers" aria-label="Managers">
      <div className="bar">
        <h3>Managers</h3>
        <label>
          <input type="checkbox" checked={onlyIll} onChange={({ target }) => setOnlyIll(target.checked)} /> only those not healthy
        </label>
        {isRecording ? (
          <span className="note" title="Options of managers are not recorded">
            degraded: restarted within {span(WINDOW)}
          </span>
        ) : null}
        {all > nodes.length ? (
          <span className="note">
            the worst {count(nodes.length)} of {count(all)}
          </span>
        ) : null}
      </div>
      <div className="lines" tabIndex={0} role="region" aria-label="Managers, the worst first">
        <table>
          <thead>
            <tr>
              <th scope="col">status</th>
              <th scope="col">manager</th>
              <th scope="col" title="Restarts left before it gives up">
                restarts left
              </th>
              <th scope="col" title="The longest silence of a routine below that is to be heard of">
                heartbeat
              </th>
              <th scope="col">permits</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((node) => (
              <ManagerRow key={node.path} node={node} />
            ))}
          </tbody>
        </table>
        {rows.length === 0 ? <p className="note none">All are healthy.</p> : null}
      </div>
    </section>
  )
}

function ManagerRow({ node }: { readonly node: Node }) {
  const { path, status, hung, oldestBeat, count: held, limit } = node
  const isRecording = useSession().player !== undefined
  const cut = path.lastIndexOf('/') + 1
  return (
    <tr>
      <td>
        <span className={`state ${status}`}>
          {status === 'degraded' ? <b aria-hidden>↻</b> : <Glyph state={GLYPHS[status] ?? status} quiet />} {status}
        </span>
      </td>
      <td className="path" title={path}>
        <small>{path.slice(0, cut)}</small>
        <PathLink path={path} />
      </td>
      <td>
        <Budget node={node} />
      </td>
      <td>{`${oldestBeat === undefined ? '–' : span(oldestBeat)}${hung > 0 ? `, ${count(hung)} hung` : ''}${standing(node)}`}</td>
      <td>{isRecording ? '–' : limit < 0 ? short(held) : `${short(held)} of ${short(limit)}`}</td>
    </tr>
  )
}

/** How near a manager is to giving up, as a bar and in words. */
function Budget({ node }: { readonly node: Node }) {
  const { restartsLeft, maxRestarts } = node
  const isRecording = useSession().player !== undefined
  if (maxRestarts < 0) return <small>{isRecording ? 'not recorded' : 'no limit'}</small>
  const left = maxRestarts === 0 ? 0 : restartsLeft / maxRestarts
  return (
    <span className={`budget ${left <= 0.34 && used(node) > 0 ? 'low' : ''}`}>
      <span className="gauge" aria-hidden>
        <span style={{ width: `${left * 100}%` }} />
      </span>
      {short(restartsLeft)} of {short(maxRestarts)}
    </span>
  )
}
