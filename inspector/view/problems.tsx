/** All that has gone wrong, each distinct problem once: the view that is shown first. */
import { useState } from 'react'
import { PROBLEMS, type ProblemKind, type ProblemsView, type ProblemView, type Warning } from '../../src/inspector/problem-views.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { asMoment } from '../state/place.ts'
import { useTicking } from '../state/ticking.ts'
import { HeldUp } from './account.tsx'
import { AlertChoice } from './alerts.tsx'
import { AllIsWell } from './all-is-well.tsx'
import { Scene } from './scene.tsx'
import { count, Empty, Failed, Glyph, moment, nameOf, PathLink, span, Stale } from './shared.tsx'
import { FailureOf, PlaceLink } from './stack.tsx'
import { LawBroken } from './violations.tsx'
import './problems.css'

/** Milliseconds for which a problem counts as present. */
export const PRESENT = 60_000

export function ProblemsPane() {
  const { answer, error } = useAnswer('problems', {}, 1_000)
  useTicking(true, 1_000)
  const session = useSession()
  if (answer === undefined) return error === undefined ? <Empty title="Looking for what is wrong…" /> : <Failed error={error} />
  const { problems, warnings, older, now } = answer
  const present = problems.filter(({ last }) => now - last < PRESENT)
  const earlier = problems.filter(({ last }) => now - last >= PRESENT)
  const isWell = present.length === 0 && warnings.length === 0
  return (
    <div className="problems">
      <Stale error={error} />
      {session.isLawBroken ? (
        <LawBroken />
      ) : isWell ? (
        <AllIsWell hadProblems={problems.length > 0} />
      ) : (
        <Verdict present={present} warnings={warnings} />
      )}
      {session.end === undefined ? null : <HeldUp />}
      {warnings.length === 0 ? null : <Warnings warnings={warnings} />}
      <Cards title="" problems={present} view={answer} opensFirst />
      <Cards title="Earlier" problems={earlier} view={answer} opensFirst={isWell} />
      {older.groups === 0 ? null : (
        <p className="note">
          {count(older.groups)} older problems are not told apart any more; they came {times(older.count)}.
        </p>
      )}
      {session.player === undefined ? <AlertChoice /> : null}
    </div>
  )
}

const times = (many: number): string => (many === 1 ? 'once' : `${count(many)} times`)

/** What it is called, and its sign. */
export const KINDS: Readonly<Record<ProblemKind, { readonly word: string; readonly glyph: string }>> = {
  gaveUp: { word: 'gave up', glyph: 'failed' },
  killed: { word: 'had to be killed', glyph: 'killed' },
  hung: { word: 'was silent', glyph: 'hung' },
  blocked: { word: 'blocked the event loop', glyph: 'hung' },
  store: { word: 'store failed', glyph: 'failed' },
  failed: { word: 'failed', glyph: 'failed' },
  dropped: { word: 'dropped messages', glyph: 'stopping' },
  refused: { word: 'refused', glyph: 'stopping' },
}

function Verdict({ present, warnings }: { readonly present: readonly ProblemView[]; readonly warnings: readonly Warning[] }) {
  const [worst] = present
  const many = present.length
  const kinds = PROBLEMS.filter((kind) => present.some((each) => each.kind === kind))
  return (
    <h2 className={`verdict ${worst === undefined ? 'degraded' : 'failed'}`}>
      <Glyph state={worst === undefined ? 'hung' : 'failed'} quiet />
      <span className="verdict-text">
        {worst === undefined
          ? `${count(warnings.length)} ${warnings.length === 1 ? 'thing' : 'things'} to look at`
          : `${count(many)} ${many === 1 ? 'problem' : 'problems'} in the last minute: ${worst.who} ${KINDS[worst.kind].word}`}
      </span>
      {kinds.length < 2 ? null : (
        <small>{kinds.map((kind) => `${count(present.filter((each) => each.kind === kind).length)} ${KINDS[kind].word}`).join(', ')}</small>
      )}
    </h2>
  )
}

const SIGNS: Readonly<Record<Warning['kind'], string>> = { held: 'stopping', silent: 'hung', budget: 'hung', queue: 'queued' }

function Warnings({ warnings }: { readonly warnings: readonly Warning[] }) {
  const session = useSession()
  return (
    <ul className="warnings" aria-label="What holds up, or may go wrong next">
      {warnings.map(({ kind, path, said }) => (
        <li key={`${kind} ${path}`}>
          <Glyph state={SIGNS[kind]} quiet /> <PathLink path={path} /> <span>{said}</span>
          {kind === 'held' ? (
            <button type="button" className="link" onClick={() => session.go({ view: 'shutdown' })}>
              who blocks
            </button>
          ) : null}
        </li>
      ))}
    </ul>
  )
}

interface CardsProps {
  readonly title: string
  readonly problems: readonly ProblemView[]
  readonly view: ProblemsView
  /** The first one is open until somebody closes it. */
  readonly opensFirst: boolean
}

function Cards({ title, problems, view, opensFirst }: CardsProps) {
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map())
  // The one that was the first stays open when a worse one comes above it: somebody may read it.
  const [first, setFirst] = useState<string>()
  if (problems.length > 0 && !problems.some(({ key }) => key === first)) setFirst(problems[0]?.key)
  if (problems.length === 0) return null
  return (
    <section aria-label={title === '' ? 'Problems' : title}>
      {title === '' ? null : <h3>{title}</h3>}
      {problems.map((problem) => {
        const isOpen = toggled.get(problem.key) ?? (opensFirst && problem.key === first)
        return (
          <Card
            key={problem.key}
            problem={problem}
            view={view}
            isOpen={isOpen}
            toggle={() => setToggled(new Map([...toggled, [problem.key, !isOpen]]))}
          />
        )
      })}
    </section>
  )
}

interface CardProps {
  readonly problem: ProblemView
  readonly view: ProblemsView
  readonly isOpen: boolean
  readonly toggle: () => void
}

function Card({ problem, view, isOpen, toggle }: CardProps) {
  const { kind, who, error, said, count: many, trend } = problem
  const { word, glyph } = KINDS[kind]
  return (
    <article className={`problem ${kind} ${isOpen ? 'open' : ''}`}>
      <header>
        <h3>
          <button type="button" className="opener" aria-expanded={isOpen} onClick={toggle}>
            <span className="twist" aria-hidden>
              {isOpen ? '▾' : '▸'}
            </span>
            <Glyph state={glyph} quiet />
            <span className="headline">
              <b>
                {who} {word}
              </b>{' '}
              {error === '' ? '' : `${error}: `}
              {said}
            </span>
          </button>
        </h3>
        <span className="often">
          <Trend trend={trend} part={view.part} />
          <strong title={`It came ${times(many)}`}>×{count(many)}</strong>
        </span>
      </header>
      <Facts problem={problem} now={view.now} />
      {isOpen ? (
        <div className="details">
          {kind === 'failed' ? <FailureOf seq={problem.seq} /> : <Reason seq={problem.seq} />}
          <Scene seq={problem.seq} path={problem.path} />
        </div>
      ) : null}
    </article>
  )
}

/** What is known of a problem that is no failure: why it came, and what to do about it. */
function Reason({ seq }: { readonly seq: number }) {
  const { answer, isLoading } = useAnswer('why', { seq }, 10_000)
  if (answer === undefined) return <p className="note">{isLoading ? 'Looking for the cause…' : 'Nothing more is held of it.'}</p>
  return (
    <div className="reason">
      <p>{answer.headline}</p>
      {answer.advice === undefined ? null : (
        <p className="advice">
          <strong>What to do:</strong> {answer.advice}
        </p>
      )}
    </div>
  )
}

function Facts({ problem, now }: { readonly problem: ProblemView; readonly now: number }) {
  const session = useSession()
  const { kind, place, path, paths, first, last, seq, restarted, count: many } = problem
  const ago = (at: number): string =>
    now - at < 1_000
      ? 'just now'
      : `${span(Math.floor((now - at) / 1_000) * 1_000)
          .replace('.00', '')
          .replace('.0', '')} ago`
  return (
    <p className="problem-facts">
      {place === undefined || place.file === '' ? null : <PlaceLink place={`${place.file}:${place.line}:${place.column}`} />}
      <span>
        <PathLink path={path} /> {paths > 1 ? `and ${paths >= 100 ? 'at least 99' : count(paths - 1)} more` : ''}
      </span>
      <span title={`${moment(first)} – ${moment(last)}`}>
        {many === 1 || last - first < 1_000 ? ago(last) : `last ${ago(last)}, first ${ago(first)}`}
      </span>
      {kind === 'failed' ? <span>{restarted ? 'is restarted' : 'is not restarted'}</span> : null}
      <span className="ways">
        <button
          type="button"
          className="link"
          aria-label={`why ${nameOf(path)} ${KINDS[kind].word}`}
          onClick={() => session.go({ view: 'why', seq })}
        >
          why
        </button>
        <button
          type="button"
          className="link"
          aria-label={`see that moment: ${nameOf(path)}, ${moment(last)}`}
          onClick={() => session.go({ view: 'actor', path, at: asMoment(last) })}
        >
          see that moment
        </button>
      </span>
    </p>
  )
}

/** How often it came in the last ten minutes. */
function Trend({ trend, part }: { readonly trend: readonly number[]; readonly part: number }) {
  const most = Math.max(1, ...trend)
  const last = trend.reduce((sum, each) => sum + each, 0)
  return (
    <svg
      className="trend"
      viewBox={`0 0 ${trend.length * 2} 20`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${count(last)} in the last ${span(trend.length * part)}`}
    >
      <path d="M0 19.5H120" className="base" />
      {trend.map((value, k) =>
        value === 0 ? null : (
          <rect key={k} x={k * 2} width="1.6" y={19 - Math.max(3, (value / most) * 18)} height={Math.max(3, (value / most) * 18)} />
        ),
      )}
    </svg>
  )
}
