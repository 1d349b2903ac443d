/** Why something happened: the chain of its causes, what followed from it, and what can be done. */
import type { WhyStep, WhyView } from '../../src/inspector/protocol.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { typeClass } from './log.tsx'
import { Empty, Failed, moment, PathLink, span, Stale } from './shared.tsx'
import { FailureFolded, FailureOf } from './stack.tsx'
import { Violations } from './violations.tsx'
import { WrongNow } from './wrong-now.tsx'

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
      <NothingWrong path={path} />
    )
  }
  return (
    <>
      <Story story={answer} />
      <Stale error={error} />
    </>
  )
}

/** Where a law is broken something has gone wrong, whatever the events say. */
function NothingWrong({ path }: { readonly path: string }) {
  const { isLawBroken } = useSession()
  const where = path === '' ? 'As far back as the recording goes.' : `At ${path}, as far back as the recording goes.`
  if (!isLawBroken) return <Empty title="Nothing has gone wrong">{where}</Empty>
  return (
    <Empty title="No failure">
      No routine has failed, hung or been given up on{path === '' ? '' : ` at ${path}`}. What is wrong is that a law is broken: the events
      that show it stand above.
    </Empty>
  )
}

function Story({ story: { headline, steps, advice, cut, holder, now } }: { readonly story: WhyView }) {
  const session = useSession()
  const { seq, path } = session.place
  return (
    <article className="story">
      <h2>{headline}</h2>
      {seq === 0 ? (
        <p className="note">
          {whatItIs(steps.find((step) => step.asked))}
          {path === '' ? '' : ` at ${path}`}. Every event in the log and in a history leads here, too.
        </p>
      ) : (
        <button type="button" className="link" onClick={() => session.go({ seq: 0 })}>
          the latest that went wrong instead
        </button>
      )}
      {holder === undefined ? null : (
        <p className="note">
          {holder.said}: <PathLink path={holder.path} whole />{' '}
          {holder.seq === undefined ? null : (
            <button type="button" className="link" onClick={() => session.go({ seq: holder.seq ?? 0 })}>
              why that one
            </button>
          )}{' '}
          <button type="button" className="link" onClick={() => session.go({ view: 'shutdown' })}>
            who held up the shutdown
          </button>
        </p>
      )}
      {advice === undefined ? null : (
        <p className="advice">
          <strong>What to do:</strong> {advice}
        </p>
      )}
      {now === undefined ? null : <WrongNow now={now} said={headline} />}
      {cut ? (
        <p className="note">
          {steps.length === 0 ? 'The events that led to it are' : 'What led to the first of these is'} not recorded any more.
        </p>
      ) : null}
      {steps.length === 0 ? null : <Chain steps={steps} />}
    </article>
  )
}

/** What an explanation is of where no event was asked about. */
function whatItIs(asked: WhyStep | undefined): string {
  if (asked === undefined) return 'What is wrong now'
  return typeClass(asked.type) === '' ? 'Nothing that is held has gone wrong; the latest that happened' : 'The latest that went wrong'
}

function Chain({ steps }: { readonly steps: readonly WhyStep[] }) {
  const begun = steps[0]?.at ?? 0
  const asked = steps.findIndex((step) => step.asked)
  return (
    <>
      <h3>What led to it</h3>
      <Steps steps={steps.slice(0, asked + 1)} begun={begun} />
      <h3>What followed</h3>
      {asked + 1 === steps.length ? <p className="note">Nothing, so far.</p> : <Steps steps={steps.slice(asked + 1)} begun={begun} />}
    </>
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
              {step.type} · event {session.numberOf(step.seq)}
              {step.path === '' ? null : (
                <>
                  {' '}
                  · <PathLink path={step.path} whole />
                </>
              )}
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
