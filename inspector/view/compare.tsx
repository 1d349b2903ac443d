/** Two recordings side by side, such as a counterexample as it was found, and the smallest run that was made of it. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { KeptEvent, Recording } from '../../src/inspector/protocol.ts'
import { lineOf } from '../../src/inspector/story.ts'
import { useSession } from '../state/hooks.ts'
import { numberIn } from '../state/number.ts'
import { pairsOf, witnessesOf } from '../state/pairs.ts'
import { typeClass } from './log.tsx'
import { count, Empty, moment, nameOf, span } from './shared.tsx'
import './compare.css'

/** Pixels that a line is high, as in compare.css; and lines above and below the window that are rendered already. */
const HEIGHT = 24
const SPARE = 10

export function ComparePane() {
  const session = useSession()
  const one = session.player?.recording
  const other = session.beside
  const pairs = useMemo(() => (one === undefined || other === undefined ? undefined : pairsOf(one, other)), [one, other])
  if (one === undefined || other === undefined || pairs === undefined)
    return (
      <Empty title="There is nothing beside">
        Open two recordings, such as a counterexample and what it was made of: curtaincall inspect FILE OTHER.
      </Empty>
    )
  const itself = new Map(one.events.map((event) => [event.seq, event]))
  const kept = new Set([...pairs.values()].map(({ seq }) => seq))
  const fewer = other.events.length - one.events.length
  return (
    <div className="compare">
      <p className="note">
        {count(one.events.length)} events beside {count(other.events.length)}
        {fewer > 0 ? `: ${count(fewer)} fewer` : ''}. Lines that the other has not are pale. A line leads to its moment in the first.
      </p>
      <Column recording={one} title="Shown" pair={(event) => itself.get(event.seq)} isShared={({ seq }) => kept.has(seq)} />
      <Column recording={other} title="Beside it" pair={(event) => pairs.get(event.seq)} isShared={({ seq }) => pairs.has(seq)} />
    </div>
  )
}

interface ColumnProps {
  readonly recording: Recording
  readonly title: string
  /** The same event in the first recording. */
  readonly pair: (event: KeptEvent) => KeptEvent | undefined
  readonly isShared: (event: KeptEvent) => boolean
}

function Column({ recording, title, pair, isShared }: ColumnProps) {
  const session = useSession()
  const { name, events, story, violations } = recording
  const witnesses = useMemo(() => witnessesOf(recording), [recording])
  const box = useRef<HTMLDivElement>(null)
  const { first, many } = useWindow(box, events.length)
  const chosen = events.findIndex((event) => pair(event)?.seq === session.place.seq)
  const witness = events.findIndex(({ seq }) => witnesses.has(seq))
  const wanted = chosen >= 0 ? chosen : witness
  useEffect(() => reveal(box.current, wanted), [wanted])
  return (
    <section aria-label={`${title}: ${name}`}>
      <h2>
        {title}: {name}
      </h2>
      <pre tabIndex={0} aria-label="How it was made">
        {howMade(story)}
      </pre>
      <ul className="broken">
        {violations.length === 0 ? <li className="note">Every law holds.</li> : null}
        {violations.map(({ law, message }, k) => (
          <li key={k} title={message}>
            <strong>✗ {law}</strong> {message}
          </li>
        ))}
      </ul>
      <div className="compared" ref={box} tabIndex={0} role="region" aria-label={`Events of ${name}`}>
        <ol style={{ height: events.length * HEIGHT }}>
          {events.slice(first, first + many).map((event, k) => (
            <EventLine
              key={event.seq}
              event={event}
              at={first + k}
              from={recording.from}
              number={numberIn(recording, event.seq)}
              laws={witnesses.get(event.seq) ?? []}
              pair={pair(event)}
              isShared={isShared(event)}
            />
          ))}
        </ol>
      </div>
    </section>
  )
}

/** How a recording was made, in words. The story of a trace is its script; that of a saved recording is a sentence already. */
function howMade(story: string): string {
  if (story === '') return 'Nothing is known of how it was made.'
  return story.startsWith('recorded from ') ? story : `what was done: ${story}`
}

interface EventLineProps {
  readonly event: KeptEvent
  readonly at: number
  readonly from: number
  readonly number: number
  readonly laws: readonly string[]
  readonly pair: KeptEvent | undefined
  readonly isShared: boolean
}

function EventLine({ event, at, from, number, laws, pair, isShared }: EventLineProps) {
  const session = useSession()
  const { type, path } = event
  const { said } = lineOf(event)
  const isChosen = pair !== undefined && pair.seq === session.place.seq
  const depth = path === '' ? 0 : path.split('/').length - 1
  const go = (): void => {
    // An event that is only here has no moment there: the same time since the beginning is the nearest.
    session.scrub(pair?.at ?? (session.player?.from ?? 0) + event.at - from)
    session.go({ seq: pair?.seq ?? 0 })
  }
  return (
    <li className={`${typeClass(type)} ${isShared ? '' : 'alone'}`} style={{ transform: `translateY(${at * HEIGHT}px)` }}>
      <button type="button" aria-pressed={isChosen} onClick={go} title={`event ${number}, ${moment(event.at)}: ${path} ${type} ${said}`}>
        <time>{span(event.at - from)}</time>
        <span style={{ paddingInlineStart: Math.min(8, depth) * 12 }}>
          {path === '' ? '' : `${nameOf(path)} `}
          <b>{type.replace(/^(routine|manager)\./, '')}</b> <small>{said}</small>
        </span>
        {laws.length === 0 ? null : <mark>▶ {laws.join(', ')}</mark>}
      </button>
    </li>
  )
}

/** Which lines are in sight. */
function useWindow(box: React.RefObject<HTMLDivElement | null>, total: number): { first: number; many: number } {
  const [seen, setSeen] = useState({ top: 0, height: 600 })
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const measure = (): void => setSeen({ top: element.scrollTop, height: element.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    element.addEventListener('scroll', measure, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [box, total])
  const first = Math.max(0, Math.floor(seen.top / HEIGHT) - SPARE)
  return { first, many: Math.ceil(seen.height / HEIGHT) + 2 * SPARE }
}

function reveal(element: HTMLDivElement | null, index: number): void {
  if (element === null || index < 0) return
  const top = index * HEIGHT
  if (top >= element.scrollTop && top <= element.scrollTop + element.clientHeight - HEIGHT) return
  element.scrollTop = Math.max(0, top - element.clientHeight / 2)
}
