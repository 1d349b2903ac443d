/** Laws that a recording breaks, and the events that show it. */
import type { Recording } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import { count, Glyph } from './shared.tsx'
import './violations.css'

/** Witnesses that are named. */
const NAMED = 12

/** Shown above every view of a recording that breaks a law. */
export function ViolationsBanner() {
  const session = useSession()
  const violations = session.player?.recording.violations ?? []
  if (violations.length === 0) return null
  const laws = [...new Set(violations.map(({ law }) => law))]
  // The last of them is what breaks it; those before it are what it may not be beside, or after.
  const last = violations.find(({ witnesses }) => witnesses.length > 0)?.witnesses.at(-1)
  return (
    <aside className="violated" aria-label="Broken laws">
      <span>
        <strong>✗ {laws.length === 1 ? 'A law is broken' : `${count(laws.length)} laws are broken`}:</strong>{' '}
        {violations.length === 1 ? `${violations[0]?.law}: ${violations[0]?.message}` : laws.join(', ')}
      </span>
      {last === undefined ? null : (
        <button type="button" className="link" onClick={() => session.go({ view: 'why', seq: last })}>
          what led to it
        </button>
      )}
      {session.beside === undefined ? null : (
        <button type="button" className="link" onClick={() => session.go({ view: 'compare' })}>
          compare with the other recording
        </button>
      )}
    </aside>
  )
}

/** The verdict on a run that breaks a law, however well it ended. */
export function LawBroken() {
  const { violations } = useSession().player?.recording ?? { violations: [] }
  const laws = [...new Set(violations.map(({ law }) => law))]
  return (
    <h2 className="verdict failed">
      <Glyph state="failed" quiet /> {laws.length === 1 ? 'It breaks a law' : `It breaks ${count(laws.length)} laws`}: {laws.join(', ')}
    </h2>
  )
}

/** All of them, in full; each witness leads to the moment it happened, and to why. */
export function Violations({ violations }: { readonly violations: Recording['violations'] }) {
  const session = useSession()
  const at = (seq: number): number | undefined => session.player?.recording.events.find((event) => event.seq === seq)?.at
  const look = (seq: number): void => {
    const moment = at(seq)
    if (moment !== undefined) session.scrub(moment)
    session.go({ view: 'why', seq })
  }
  return (
    <section className="violations" aria-label="Broken laws">
      <h2>Laws that this recording breaks</h2>
      <ul>
        {violations.map(({ law, message, witnesses }, k) => (
          <li key={k}>
            <strong>{law}</strong> <span>{message}</span>
            <small>
              {witnesses.length === 0 ? 'no single event shows it' : 'shown by event '}
              {witnesses.slice(0, NAMED).map((seq) => (
                <button key={seq} type="button" className="link" aria-pressed={seq === session.place.seq} onClick={() => look(seq)}>
                  {session.numberOf(seq)}
                </button>
              ))}
              {witnesses.length > NAMED ? ` and ${count(witnesses.length - NAMED)} more` : ''}
            </small>
          </li>
        ))}
      </ul>
    </section>
  )
}
