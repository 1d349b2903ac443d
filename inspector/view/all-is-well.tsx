/** Shown where nothing is wrong: what is going on, what the signs mean, and what one could do first. */
import { STATES } from '../../src/inspector/protocol.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { columnsOf, perSecond } from '../state/samples.ts'
import { GROUPS } from './log.tsx'
import { count, Glyph, moment, PathLink, span } from './shared.tsx'

export function AllIsWell({ hadProblems }: { readonly hadProblems: boolean }) {
  const { end, player } = useSession()
  return (
    <section className="all-is-well" aria-label="State">
      <h2 className={`verdict ${end ?? 'healthy'}`}>
        <Glyph state={end ?? 'completed'} quiet />{' '}
        {end !== undefined ? `It has ended: ${end}` : hadProblems ? 'Nothing is wrong now' : 'Nothing is wrong'}
      </h2>
      <GoingOn />
      {hadProblems ? null : <FirstSteps />}
      <Legend />
      {player === undefined || hadProblems ? null : <p className="note">Up to this moment of the recording.</p>}
    </section>
  )
}

function GoingOn() {
  const { table } = useSession()
  const { answer } = useAnswer('health', {}, 1_000)
  const { answer: restarts } = useAnswer('log', { only: GROUPS.restarts, limit: 1 }, 2_000)
  const counts = table.root === 0 ? undefined : table.counts(table.root)
  const { ended, at } = columnsOf(answer?.samples ?? [])
  const rates = perSecond(ended, at)
  const rate = rates.slice(-5).reduce((sum, each) => sum + each, 0) / Math.max(1, rates.slice(-5).length)
  const last = restarts?.lines.at(-1)
  return (
    <ul className="going-on">
      <li>
        <strong>{count(answer?.metrics['running'] ?? counts?.running ?? 0)}</strong> <span>running</span>
      </li>
      {rates.length === 0 ? null : (
        <li>
          <strong>{rate === 0 ? '0' : rate < 10 ? rate.toFixed(1) : count(rate)}</strong> <span>ends a second</span>
        </li>
      )}
      <li>
        <strong>{last === undefined ? 'none' : moment(last.at)}</strong>{' '}
        <span>
          {last === undefined ? (
            'restarts so far'
          ) : (
            <>
              last restart, of <PathLink path={last.path} />
            </>
          )}
        </span>
      </li>
      {answer === undefined || answer.samples.length === 0 ? null : (
        <li>
          <strong>{span(Math.max(0, ...columnsOf(answer.samples).lag.slice(-5)))}</strong> <span>longest delay of the event loop</span>
        </li>
      )}
    </ul>
  )
}

/** What one could do first. */
function FirstSteps() {
  return (
    <ol className="first-steps" aria-label="First steps">
      <li>
        <b>Choose</b> somebody in the tree: <em>Actor</em> shows its statechart, what it holds, and what has happened to it.
      </li>
      <li>
        When something fails, a card stands here. <b>Why</b> tells what led to it, and what followed.
      </li>
      <li>
        <b>Look back</b>, below, stops at any moment of what was recorded.
      </li>
    </ol>
  )
}

/** What the signs stand for. */
function Legend() {
  return (
    <ul className="legend" aria-label="Signs of states">
      {STATES.map((state) => (
        <li key={state}>
          <Glyph state={state} quiet /> {state}
        </li>
      ))}
      <li>
        <span aria-hidden>↻</span> restarted
      </li>
    </ul>
  )
}
