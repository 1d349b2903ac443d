/** Who an actor is, in the first lines of its view. */
import type { ActorView } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import { count, nameOf, PathLink, span, State } from './shared.tsx'
import { PlaceLink } from './stack.tsx'

/** @param isOver True if only events are known of it. */
export function ActorHead({ view, isOver }: { readonly view: ActorView; readonly isOver: boolean }) {
  const isRecording = useSession().player !== undefined
  const { path, kind, state, incarnation, budget, heartbeat, source } = view
  const above = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  return (
    <header className="actor-head">
      <div className="line">
        <h2>{nameOf(path)}</h2>
        <State state={state} />
        <span className="note">
          {kind === 'routine' || kind === 'manager' ? kind : `${kind} manager`}, {kind === 'routine' ? 'run' : 'life'} {incarnation}
        </span>
      </div>
      <p className="where">
        {above === '' ? (
          <span className="note">the root of the tree</span>
        ) : (
          <span>
            <span className="note">in</span> <PathLink path={above} whole />
          </span>
        )}
        {kind !== 'routine' || isOver || isRecording ? null : <Source source={source} />}
      </p>
      {budget === undefined && heartbeat === undefined ? null : (
        <div className="gauges">
          {budget === undefined ? null : <Budget {...budget} />}
          {heartbeat === undefined ? null : <Heartbeat {...heartbeat} />}
        </div>
      )}
    </header>
  )
}

function Source({ source }: { readonly source: string | undefined }) {
  if (source === undefined) return <span className="note">spawned at: not captured: spawned while nobody looked</span>
  return (
    <span className="source">
      <span className="note">spawned at</span> <PlaceLink place={source} />
    </span>
  )
}

/** JSON has no Infinity: a missing limit comes as null. */
const isLimit = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value)

function Budget({ used, max, window }: NonNullable<ActorView['budget']>) {
  if (!isLimit(max)) return <p className="gauge note">It restarts what is below it as often as needed: there is no limit.</p>
  const left = Math.max(0, max - used)
  const within = isLimit(window) ? ` within ${span(window)}` : ''
  const level = left === 0 ? 'bad' : used >= max / 2 && used > 0 ? 'odd' : ''
  const said = left === 0 ? 'the next failure makes it give up' : `it gives up after ${count(left + 1)} more${within}`
  return <Gauge title="Restarts" value={used} max={max} text={`${count(used)} of ${count(max)}${within}`} said={said} level={level} />
}

function Heartbeat({ silent, hungAfter }: NonNullable<ActorView['heartbeat']>) {
  if (!isLimit(hungAfter)) return <p className="gauge note">Last heartbeat {span(silent)} ago; it never counts as hung.</p>
  const isHung = silent > hungAfter
  const said = isHung ? 'it counts as hung' : `it counts as hung after ${span(hungAfter)} of silence`
  const level = isHung ? 'bad' : silent > hungAfter / 2 ? 'odd' : ''
  return <Gauge title="Silent for" value={silent} max={hungAfter} text={span(silent)} said={said} level={level} />
}

interface GaugeProps {
  readonly title: string
  readonly value: number
  readonly max: number
  readonly text: string
  readonly said: string
  readonly level: string
}

const SIGNS: Readonly<Record<string, string>> = { bad: '✕ ', odd: '! ' }

function Gauge({ title, value, max, text, said, level }: GaugeProps) {
  const part = max === 0 ? 1 : Math.min(1, value / max)
  return (
    <div className={`gauge ${level}`}>
      <span className="title">{title}</span>
      <svg
        role="meter"
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={Math.max(max, 1)}
        aria-valuenow={Math.min(value, Math.max(max, 1))}
        aria-valuetext={`${text}; ${said}`}
        viewBox="0 0 120 10"
        width="120"
        height="10"
      >
        <rect className="track" x="0.5" y="0.5" width="119" height="9" rx="4.5" />
        <rect className="level" x="1" y="1" width={118 * part} height="8" rx="4" />
      </svg>
      <span className="text">{text}</span>
      <span className="note">
        {SIGNS[level] ?? ''}
        {said}
      </span>
    </div>
  )
}
