/** Whether anything is wrong, and where: the view that is shown first. */
import type { HealthView } from '../../src/inspector/protocol.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { type Columns, columnsOf, perSecond, sparkline } from '../state/samples.ts'
import { useTicking } from '../state/ticking.ts'
import { HeldUp } from './account.tsx'
import { Crashed } from './fault.tsx'
import { isWell, Managers, short } from './health-table.tsx'
import { GROUPS, typeClass } from './log.tsx'
import { Plot } from './plot.tsx'
import { count, Empty, Failed, Glyph, moment, nameOf, PathLink, span, Stale } from './shared.tsx'
import { LawBroken } from './violations.tsx'
import './health.css'

/** Samples that a trend shows. */
const TREND = 90

export function HealthPane() {
  const session = useSession()
  const { answer: answered, error } = useAnswer('health', {}, 1_000)
  useTicking(true, 1_000)
  const { end, isLawBroken } = session
  const answer = answered === undefined || end === undefined ? answered : overBy(answered, session.table.pathOf(session.table.root), end)
  if (answer === undefined) return error === undefined ? <Empty title="Looking at the health of all…" /> : <Failed error={error} />
  const columns = columnsOf(answer.samples)
  const hasCrashed = session.player?.recording.fault?.kind === 'crash' && session.player.at >= session.player.to
  return (
    <div className="health">
      <Stale error={error} />
      {isLawBroken ? <LawBroken /> : hasCrashed ? <Crashed /> : end === undefined ? <Verdict health={answer} /> : <Over end={end} />}
      {end === undefined ? null : <HeldUp />}
      <Cards health={answer} columns={columns} />
      <div className="halves">
        <Managers health={answer} />
        <Wrong />
      </div>
      <Plots columns={columns} />
    </div>
  )
}

const plural = (many: number, one: string): string => `${count(many)} ${one}${many === 1 ? '' : 's'}`

/** A tree that has shut down keeps the health of its last phase, `stopping`: how it ended is known from the tree. */
function overBy(health: HealthView, root: string, end: string): HealthView {
  const nodes = health.nodes.map((node) => (node.path === root && node.status === 'stopping' ? { ...node, status: end } : node))
  const { stopping = 0, ...others } = health.statuses
  return { ...health, nodes, statuses: stopping === 0 ? others : { ...others, stopping: stopping - 1, [end]: (others[end] ?? 0) + 1 } }
}

/** Shown once the whole tree has ended. */
function Over({ end }: { readonly end: string }) {
  return (
    <h2 className={`verdict ${end}`}>
      <Glyph state={end} quiet /> It has ended: {end}
    </h2>
  )
}

/** Whether anything is wrong, in one sentence. */
function Verdict({ health: { statuses, nodes } }: { readonly health: HealthView }) {
  const all = Object.values(statuses).reduce((sum, each) => sum + each, 0)
  const ill = Object.entries(statuses).filter(([status]) => !isWell(status))
  const worst = ['failed', 'hung', 'degraded', 'stopping'].find((status) => (statuses[status] ?? 0) > 0)
  if (ill.length === 0 || worst === undefined)
    return (
      <h2 className="verdict healthy">
        <Glyph state="completed" quiet /> Nothing is wrong: {all === 1 ? 'the manager is' : `all ${count(all)} managers are`} healthy
      </h2>
    )
  // What is wrong below is wrong in all managers above, so that the deepest are named.
  const those = nodes.filter(({ status }) => status === worst)
  const where = those.filter(({ path }) => !those.some((other) => other.path.startsWith(`${path}/`)))
  return (
    <h2 className={`verdict ${worst}`}>
      <Glyph state={worst === 'degraded' ? 'hung' : worst} quiet /> {WORDS[worst] ?? worst}:{' '}
      {where.slice(0, 3).map(({ path }) => (
        <PathLink key={path} path={path} whole />
      ))}
      {where.length > 3 ? ` and ${count(where.length - 3)} more` : ''}
      <small>
        {ill.map(([status, many]) => `${count(many)} ${status}`).join(', ')} of {plural(all, 'manager')}
      </small>
    </h2>
  )
}

const WORDS: Readonly<Record<string, string>> = {
  failed: 'Failed',
  hung: 'Silent for too long below',
  degraded: 'Restarted lately',
  stopping: 'Stopping',
}

// --- numbers ---------------------------------------------------------------------------------

interface Card {
  readonly label: string
  readonly value: string
  readonly isBad?: boolean
  readonly trend: readonly number[]
  readonly title: string
}

const MEGABYTE = 1_048_576
const megabytes = (value: number): string => `${value.toFixed(value < 100 && !Number.isInteger(value) ? 1 : 0)} MB`

function Cards({ health: { metrics }, columns }: { readonly health: HealthView; readonly columns: Columns }) {
  const { table } = useSession()
  const counts = table.root === 0 ? undefined : table.counts(table.root)
  const { at, running, pending, failures, restarts, refused, orphaned, lag, heap } = columns
  const total = (name: string): number => metrics[name] ?? 0
  const now = (name: 'running' | 'pending'): number =>
    metrics[name] ?? (name === 'pending' ? (counts?.pending ?? 0) + (counts?.queued ?? 0) : (counts?.running ?? 0))
  const slow = Math.max(0, ...lag.slice(-5))
  const sampled = lag.length > 0
  const cards: Card[] = [
    { label: 'running', value: short(now('running')), trend: running, title: 'Routines that run' },
    { label: 'pending', value: short(now('pending')), trend: pending, title: 'Routines that wait for a permit, or for their restart' },
    { label: 'failures', value: short(total('failures')), trend: perSecond(failures, at), title: 'Runs that failed, restarted or not' },
    { label: 'restarts', value: short(total('restarts')), trend: perSecond(restarts, at), title: 'Since the tree began' },
    {
      label: 'refused',
      value: short(total('refused')),
      isBad: total('refused') > 0,
      trend: perSecond(refused, at),
      title: 'Spawns that were turned away',
    },
    {
      label: 'orphaned',
      value: short(total('orphaned')),
      isBad: total('orphaned') > 0,
      trend: orphaned,
      title: 'Given up on, and still at work',
    },
    {
      label: 'loop lag',
      value: sampled ? span(slow) : '–',
      isBad: slow > 100,
      trend: lag,
      title: 'The longest delay of the event loop in the last five seconds',
    },
    {
      label: 'heap',
      value: sampled ? megabytes((heap.at(-1) ?? 0) / MEGABYTE) : '–',
      trend: heap,
      title: 'Memory that is used by objects',
    },
  ]
  return (
    <ul className="cards" aria-label="Numbers">
      {cards.map(({ label, value, isBad = false, trend, title }) => (
        <li key={label} className={isBad ? 'bad' : ''} title={title}>
          <span>
            {label}
            {isBad ? ' ▲' : ''}
          </span>
          <strong>{value}</strong>
          <svg viewBox="0 0 90 20" preserveAspectRatio="none" aria-hidden>
            {trend.length < 2 ? null : (
              <polyline
                points={sparkline(trend.slice(-TREND), 90, 20)}
                fill="none"
                stroke="currentColor"
                strokeWidth="1.5"
                vectorEffect="non-scaling-stroke"
              />
            )}
          </svg>
        </li>
      ))}
    </ul>
  )
}

const rate = (value: number): string => (value === 0 ? '0' : `${value < 10 ? value.toFixed(1) : count(value)}/s`)
const lagText = (value: number): string => (value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`)

function Plots({ columns: { at, running, pending, failures, restarts, lag, heap } }: { readonly columns: Columns }) {
  const isRecording = useSession().player !== undefined
  if (isRecording)
    return <p className="note">Loop lag, heap and rates are measured while a process is looked at; a recording holds none of them.</p>
  return (
    <section className="plots" aria-label="The last ten minutes">
      <Plot
        title="Routines"
        at={at}
        format={short}
        curves={[
          { label: 'running', colour: 'running', values: running },
          { label: 'pending', colour: 'pending', values: pending, dash: [4, 3] },
        ]}
      />
      <Plot
        title="Per second"
        at={at}
        format={rate}
        curves={[
          { label: 'failures', colour: 'failed', values: perSecond(failures, at) },
          { label: 'restarts', colour: 'hung', values: perSecond(restarts, at), dash: [4, 3] },
        ]}
      />
      <Plot title="Event loop" at={at} format={lagText} curves={[{ label: 'longest delay', colour: 'stopping', values: lag }]} />
      <Plot
        title="Memory"
        at={at}
        format={megabytes}
        curves={[{ label: 'heap used', colour: 'completed', values: heap.map((bytes) => bytes / MEGABYTE) }]}
      />
    </section>
  )
}

/** The error or reason of an event, where there is one: the rest is in the log. */
const gist = (said: string): string => /(?:^|, )(?:error|reason) (.+)$/s.exec(said)?.[1] ?? said

/** The latest that went wrong; each leads to why. */
function Wrong() {
  const session = useSession()
  const { answer, error } = useAnswer('log', { only: GROUPS.failures, limit: 8 }, 500)
  const lines = answer?.lines.toReversed() ?? []
  const { isLawBroken } = session
  return (
    <section className="wrong" aria-label="What went wrong lately">
      <h3>What went wrong lately</h3>
      {error === undefined || answer !== undefined ? null : <Failed error={error} />}
      {answer !== undefined && lines.length === 0 ? (
        <p className="note">
          {isLawBroken
            ? 'No routine has failed or hung: what is wrong is the law that is broken.'
            : 'Nothing, as far back as the log goes.'}
        </p>
      ) : null}
      <ol>
        {lines.map((line) => (
          <li key={line.seq} className={typeClass(line.type)}>
            <p>
              <strong>{line.type.replace(/^\w+\./, '').replace('gaveUp', 'gave up')}</strong> <PathLink path={line.path} />
            </p>
            <p className="said" title={`${line.path}: ${line.said}`}>
              <time title={moment(line.at)}>{moment(line.at).replace(/\.\d+$/, '')}</time> {gist(line.said)}
            </p>
            <button
              type="button"
              className="link"
              aria-label={`why ${nameOf(line.path)}, event ${session.numberOf(line.seq)}`}
              onClick={() => session.go({ view: 'why', seq: line.seq })}
            >
              why
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
}
