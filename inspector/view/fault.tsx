/** What a recording was written for by itself: shown above every view of it. */
import { useSession } from '../state/hooks.ts'
import { placeOfFault } from '../state/place.ts'
import { Glyph, moment } from './shared.tsx'
import './fault.css'

export function FaultBanner() {
  const session = useSession()
  const fault = session.player?.recording.fault
  if (fault === undefined) return null
  const isThere = session.place.view === fault.view && session.player?.at === Math.ceil(fault.at)
  return (
    <aside className="fault" aria-label="Post-mortem">
      <p>
        <strong>Post-mortem:</strong> {fault.said} <small>{moment(fault.at)}</small>
      </p>
      {isThere ? null : (
        <button type="button" className="link" onClick={() => session.go(placeOfFault(fault))}>
          back to that moment
        </button>
      )}
      {fault.detail === undefined ? null : (
        <details open>
          <summary>The error</summary>
          <pre>{fault.detail}</pre>
        </details>
      )}
    </aside>
  )
}

/** In place of how well the tree is: that says nothing of an error outside of it. */
export function Crashed() {
  return (
    <h2 className="verdict failed">
      <Glyph state="failed" quiet /> The process crashed, by an error that no routine has caught
      <small>This is the tree as it was by then.</small>
    </h2>
  )
}
