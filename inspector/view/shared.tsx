/** Small things that all views use. */
import type { ReactNode } from 'react'
import { createPortal } from 'react-dom'
import type { RecordedTraffic } from '../../src/inspector/traffic-record.ts'
import { useSession } from '../state/hooks.ts'

/** Shapes that differ without their colours. */
const SHAPES: Readonly<Record<string, ReactNode>> = {
  pending: <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" strokeWidth="2" />,
  queued: <path d="M3 4h10M3 8h10M3 12h10" stroke="currentColor" strokeWidth="2" />,
  running: <path d="M4 2.5 13.5 8 4 13.5z" fill="currentColor" />,
  stopping: <path d="M3 3h10v10H3zM3 8h10" fill="none" stroke="currentColor" strokeWidth="2" />,
  completed: <path d="m2.5 8.5 3.5 4 7.5-9" fill="none" stroke="currentColor" strokeWidth="2.4" />,
  failed: <path d="m3 3 10 10M13 3 3 13" stroke="currentColor" strokeWidth="2.6" />,
  cancelled: <path d="M8 2a6 6 0 1 0 .01 0M4 12 12 4" fill="none" stroke="currentColor" strokeWidth="2" />,
  killed: <path d="M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5z" fill="currentColor" />,
  hung: <path d="M3 2h10L8 8l5 6H3l5-6z" fill="currentColor" />,
}

/** The sign of a state; its name is for screen readers. */
export function Glyph({ state, quiet = false }: { readonly state: string; readonly quiet?: boolean }) {
  const label = quiet ? ({ 'aria-hidden': true } as const) : ({ role: 'img', 'aria-label': state } as const)
  return (
    <svg className={`glyph ${state}`} viewBox="0 0 16 16" width="14" height="14" {...label}>
      {SHAPES[state] ?? SHAPES['pending']}
    </svg>
  )
}

/** A state in words, with its sign. */
export function State({ state }: { readonly state: string }) {
  return (
    <span className={`state ${state}`}>
      <Glyph state={state} quiet /> {state}
    </span>
  )
}

/** Shown where there is nothing: why, and what one could do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  )
}

/** Shown where an answer has failed. */
export function Failed({ error }: { readonly error: string }) {
  return (
    <div className="empty failed" role="alert">
      <strong>This could not be shown</strong>
      <p>{error}</p>
    </div>
  )
}

/** The id of the place at the bottom that says that what is shown is old; there, so that nothing else moves. */
export const STALE = 'stale'

/** Says that what is shown could not be asked for again. */
export function Stale({ error }: { readonly error: string | undefined }) {
  const room = document.getElementById(STALE)
  return error === undefined || room === null ? null : createPortal(`What is shown is not the latest: ${error}`, room)
}

/** The last part of a path. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** A path that leads to its actor. */
export function PathLink({ path, whole = false }: { readonly path: string; readonly whole?: boolean }) {
  const session = useSession()
  return (
    <button type="button" className="link" title={path} onClick={() => session.go({ path, view: 'actor' })}>
      {whole ? path : nameOf(path)}
    </button>
  )
}

/** A number for people. */
export const count = (value: number): string => Math.round(value).toLocaleString('en')

/** What is missing in a recording, in words; empty if nothing is. */
export function leftOut(traffic: RecordedTraffic | undefined, what: 'messages' | 'snapshots'): string {
  const lacking = traffic?.leftOut[what] ?? 0
  const charts = what === 'snapshots' ? (traffic?.leftOut.charts ?? 0) : 0
  const present = what === 'snapshots' ? (traffic?.leftOut.present ?? 0) : 0
  const said = [
    ...(lacking === 0 ? [] : [`${count(lacking)} earlier ${what}`]),
    ...(present === 0 ? [] : [`how ${count(present)} actors were that did not change`]),
    ...(charts === 0 ? [] : [`${count(charts)} charts`]),
  ]
  return said.length === 0 ? '' : ` Not in this recording: ${said.join(' and ')}, of all actors.`
}

/** A length of time for people. */
export function span(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '–'
  if (milliseconds < 1) return '0 ms'
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`
  const minutes = Math.floor(milliseconds / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.round((milliseconds % 60_000) / 1_000)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A moment: the time of day where the clock is that of the platform, else milliseconds since its beginning. */
export function moment(at: number): string {
  if (at < 1e11) return `${count(at)} ms`
  const date = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
