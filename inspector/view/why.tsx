/** Why something happened: the chain of its causes, what followed from it, and what can be done. */
import type { WhyStep, WhyView } from '../../src/inspector/protocol.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { typeClass } from './log.tsx'
import { Empty, Failed, moment, PathLink, span, Stale } from './shared.tsx'
import { FailureFolded, FailureOf } from './stack.tsx'
import { Violations } from './violations.tsx'

export function WhyPane() {
  const session = useSession()
  const { violations } = session.player?.recording ?? { violations: [] }
  return (
    <>
      {violations.length === 0 ? null : <Violations violations={violations} />}
      <Reasons />
    </>
  )
}

function Reasons() {
  const session = useSession()
  const { seq, path } = session.place
  const { answer, error, isLoading } = useAnswer('why', seq > 0 ? { seq } : { path: path === '' ? undefined : path }, 1_000)
  if (error !== undefined && answer === undefined) return <Failed error={error} />
  if (answer === undefined) {
    return isLoading ? (
      <Empty title="Looking for the cause…" />
    ) : seq > 0 ? (
      <Empty title="That event is not held any more">The recording goes back only so far.</Empty>
    ) : (
      <Empty title="Nothing has gone wrong">
        {path === '' ? 'As far back as the recording goes.' : `At ${path}, as far back as the recording goes.`}
      </Empty>
    )
  }
  return (
    <>
      <Story story={answer} />
      <Stale error={error} />
    </>
  )
}

function Story({ story: { headline, steps, advice, cut } }: { readonly story: WhyView }) {
  const session = useSession()
  const { seq, path } = session.place
  const begun = steps[0]?.at ?? 0
  const asked = steps.findIndex((step) => step.asked)
  return (
    <article className="story">
      <h2>{headline}</h2>
      {seq === 0 ? (
        <p className="note">
          The latest that went wrong{path === '' ? '' : ` at ${path}`}. Every event in the log and in a history leads here, too.
        </p>
      ) : (
        <button type="button" className="link" onClick={() => session.go({ seq: 0 })}>
          the latest that went wrong instead
        </button>
      )}
      {advice === undefined ? null : (
        <p className="advice">
          <strong>What to do:</strong> {advice}
        </p>
      )}
      {cut ? <p className="note">What led to the first of these is not recorded any more.</p> : null}
      <h3>What led to it</h3>
      <Steps steps={steps.slice(0, asked + 1)} begun={begun} />
      <h3>What followed</h3>
      {asked + 1 === steps.length ? <p className="note">Nothing, so far.</p> : <Steps steps={steps.slice(asked + 1)} begun={begun} />}
    </article>
  )
}

function Steps({ steps, begun }: { readonly steps: readonly WhyStep[]; readonly begun: number }) {
  const session = useSession()
  // Of what led to it, the nearest failure is open; of what followed, none.
  const shown = steps.some(({ asked }) => asked) ? steps.findLast(({ type }) => type === 'routine.failed')?.seq : undefined
  const witnesses = new Map(
    session.player?.recording.violations.flatMap(({ law, witnesses: all }) => all.map((seq) => [seq, law] as const)),
  )
  return (
    <ol className="steps">
      {steps.map((step) => (
        <li
          key={step.seq}
          className={`${typeClass(step.type)} ${step.asked ? 'asked' : ''}`}
          style={{ marginInlineStart: Math.min(12, step.depth) * 18 }}
        >
          <time title={moment(step.at)}>+{span(step.at - begun)}</time>
          <div>
            <p>{step.sentence}</p>
            <small>
              {step.type} · <PathLink path={step.path} whole />
              {witnesses.has(step.seq) ? <mark>shows {witnesses.get(step.seq)}</mark> : null}
            </small>
            {step.type !== 'routine.failed' ? null : step.seq === shown ? <FailureOf seq={step.seq} /> : <FailureFolded seq={step.seq} />}
          </div>
          {step.asked ? null : (
            <button type="button" className="link" onClick={() => session.go({ seq: step.seq })}>
              why this
            </button>
          )}
        </li>
      ))}
    </ol>
  )
}
