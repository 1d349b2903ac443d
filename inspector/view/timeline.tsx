/** Lifecycles as bars over time, from hours to milliseconds. */
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { Bar, TimelineView } from '../../src/inspector/protocol.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { type Layout, layOut } from '../state/lanes.ts'
import type { Session } from '../state/session.ts'
import { askedFor, TimeView, WIDEST_OFFERED } from '../state/time-view.ts'
import { Overview } from './overview.tsx'
import { count, Empty, Failed, Glyph, moment, PathLink, span, Stale, State } from './shared.tsx'
import { Lanes } from './timeline-lanes.tsx'
import { BAR_STATES, type Palette } from './timeline-chart.ts'
import './timeline.css'

const PRESETS = [
  ['10 s', 10_000],
  ['1 min', 60_000],
  ['10 min', 600_000],
  ['1 h', WIDEST_OFFERED],
] as const

/** Lines of the table. */
const LISTED = 100
/** Milliseconds for which a window has to stand still before anything is asked. */
const STILL = 120

export function TimelinePane() {
  const session = useSession()
  const [view] = useState(() => new TimeView())
  const [isBelow, setBelow] = useState(false)
  const [picked, setPicked] = useState<Bar>()
  const legend = useRef<HTMLUListElement>(null)
  const palette = useMemo(() => () => colorsIn(legend.current), [])
  const path = isBelow && session.place.path !== '' ? session.place.path : undefined
  const overview = useAnswer('timeline', { limit: 0, path }, 2_000)
  const whole = useKept(overview.answer)
  const asked = useAskedFor(view)
  const { answer, error } = useAnswer('timeline', asked === undefined ? undefined : { ...asked, path }, 1_000)
  const shown = useKept(answer)
  useNow(session, view, whole, shown)
  view.known = shown?.known ?? -Infinity
  const layout = useLayout(shown, view)
  const failure = error ?? overview.error
  if (failure !== undefined && (whole === undefined || shown === undefined)) return <Failed error={failure} />
  return (
    <div className="timeline">
      <Toolbar view={view} isBelow={isBelow} onBelow={setBelow} />
      <Overview view={view} whole={whole} palette={palette} />
      <Lanes view={view} layout={layout} palette={palette} picked={picked} onPick={setPicked}>
        {shown !== undefined && shown.total === 0 ? (
          <Empty title="Nothing has run here">
            {path === undefined ? 'Neither in this window, nor just beside it.' : `Nothing below ${path}, in this window.`}
          </Empty>
        ) : null}
      </Lanes>
      <Picked bar={picked} now={view.now} begun={session.player?.from} />
      <Legend ref={legend} shown={shown} />
      <BarTable view={view} shown={shown} />
      <Stale error={failure} />
    </div>
  )
}

/** The latest value that was not undefined. */
function useKept<Value>(value: Value | undefined): Value | undefined {
  const kept = useRef(value)
  if (value !== undefined) kept.current = value
  return kept.current
}

/** What the window asks for, once it stands still for a moment. */
function useAskedFor(view: TimeView): ReturnType<typeof askedFor> | undefined {
  const [asked, setAsked] = useState<ReturnType<typeof askedFor>>()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = (): void => {
      timer = undefined
      const next = askedFor(view)
      setAsked((before) => (before?.from === next.from && before.to === next.to ? before : next))
    }
    const off = view.subscribe(() => (timer ??= setTimeout(ask, STILL)))
    if (view.isKnown) ask()
    return () => {
      off()
      clearTimeout(timer)
    }
  }, [view])
  return asked
}

/** A clock before this does not go on by itself: it is that of a test. */
const CALENDAR = 1e11

/** Keeps the window at what is now, and moves it there by whole pixels only. */
function useNow(session: Session, view: TimeView, whole: TimelineView | undefined, shown: TimelineView | undefined): void {
  const isLive = session.player === undefined
  const heard = useRef({ now: 0, at: 0 })
  const known = isLive ? Math.max(whole?.now ?? 0, shown?.now ?? 0, whole === undefined ? 0 : session.table.at) : (session.player?.to ?? 0)
  const first = Math.min(whole?.first ?? Infinity, shown?.first ?? Infinity)
  useEffect(() => {
    if (known === 0 || first === Infinity) return undefined
    if (known > heard.current.now || !isLive) heard.current = { now: known, at: performance.now() }
    const estimate = (): number => {
      const { now, at } = heard.current
      return isLive && now > CALENDAR ? now + performance.now() - at : now
    }
    if (!view.isKnown || !isLive) view.learn(first, estimate(), isLive)
    if (!isLive) return undefined
    // As often as it makes a pixel, and at most twenty times a second.
    const timer = setInterval(
      () => view.learn(Math.min(view.first, first), Math.max(view.now, estimate()), true),
      Math.max(50, Math.min(1_000, view.span / 1_000)),
    )
    return () => clearInterval(timer)
  }, [view, known, first, isLive])
}

/** Lanes are assigned anew for another scale, and else kept. */
function useLayout(shown: TimelineView | undefined, view: TimeView): Layout {
  const before = useRef<{ readonly scale: number; readonly layout: Layout }>(undefined)
  return useMemo(() => {
    const scale = Math.round(Math.log2(view.span) * 2)
    const gap = (view.span / 1_000) * 9
    const kept = before.current?.scale === scale ? before.current.layout.laneOf : undefined
    const layout = layOut(shown?.bars ?? [], gap, kept)
    before.current = { scale, layout }
    return layout
  }, [shown, view])
}

function Toolbar({
  view,
  isBelow,
  onBelow,
}: {
  readonly view: TimeView
  readonly isBelow: boolean
  readonly onBelow: (isBelow: boolean) => void
}) {
  const session = useSession()
  useSyncExternalStore(view.subscribe, () => `${view.isFollowing} ${Math.round(view.span)}`)
  const isLive = session.player === undefined
  return (
    <div className="bar">
      {isLive ? (
        <button type="button" aria-pressed={view.isFollowing} onClick={() => (view.isFollowing ? view.pan(0) : view.follow())}>
          ● follow now
        </button>
      ) : null}
      <span className="bar" role="group" aria-label="Length of the window">
        {PRESETS.map(([label, length]) => (
          <button
            key={label}
            type="button"
            className="chip"
            aria-pressed={Math.abs(view.span - length) < length * 0.01}
            onClick={() => view.last(length)}
          >
            {label}
          </button>
        ))}
        <button type="button" className="chip" onClick={() => view.showAll()}>
          all
        </button>
        <button type="button" className="chip" aria-label="Zoom out" title="Zoom out (−)" onClick={() => zoomBy(view, 2)}>
          −
        </button>
        <button type="button" className="chip" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoomBy(view, 0.5)}>
          +
        </button>
      </span>
      <span className="window-span">{span(view.span)}</span>
      <label>
        <input type="checkbox" checked={isBelow} disabled={session.place.path === ''} onChange={({ target }) => onBelow(target.checked)} />{' '}
        only the chosen one and below
      </label>
    </div>
  )
}

const zoomBy = (view: TimeView, factor: number): void => view.zoom(factor, (view.from + view.to) / 2)

/** Length and state of a bar, in words. */
function lengthOf(bar: Bar, now: number): string {
  return span(Math.max(0, (bar.to ?? now) - bar.from))
}

/** One line about the bar that was clicked. Its place is reserved, so that nothing moves. */
function Picked({ bar, now, begun }: { readonly bar: Bar | undefined; readonly now: number; readonly begun: number | undefined }) {
  const session = useSession()
  const why = useAnswer('why', bar === undefined || bar.seq === 0 ? undefined : { seq: bar.seq }, 10_000).answer?.headline
  return (
    <div className="picked" role="status">
      {bar === undefined ? (
        <span className="note">
          Click a bar for more, twice for why. Wheel and +/− zoom, drag and arrows move
          {session.player === undefined ? ', shift+wheel scrolls.' : ', a click on the axis goes there.'}
        </span>
      ) : (
        <>
          <State state={bar.state} />
          <PathLink path={bar.path} whole />
          <span>
            run {bar.incarnation}, {begun === bar.from ? 'since before the recording' : `from ${moment(bar.from)}`},{' '}
            {bar.to === undefined ? 'so far ' : 'for '}
            {lengthOf(bar, now)}
          </span>
          {bar.seq === 0 ? null : (
            <button type="button" className="link" onClick={() => session.go({ view: 'why', seq: bar.seq })}>
              {bar.to === undefined ? 'why it began' : 'why it ended'}
            </button>
          )}
          {why === undefined ? null : (
            <span className="note because" title={why}>
              {why.replace(/^.* – because /s, 'because ')}
            </span>
          )}
        </>
      )}
    </div>
  )
}

/** What signs mean, and how many of the bars are drawn. The colours of the canvas are read from here. */
function Legend({ ref, shown }: { readonly ref: React.Ref<HTMLUListElement>; readonly shown: TimelineView | undefined }) {
  return (
    <div className="bar-legend">
      <ul ref={ref}>
        {BAR_STATES.map((state) => (
          <li key={state}>
            <Glyph state={state} quiet /> {state}
          </li>
        ))}
        <li>
          <span className="link-sign" aria-hidden>
            ┄▸
          </span>{' '}
          restarted
        </li>
        <li title="Of this time not all is known: nobody was looking yet, or what was held has been let go. What is drawn there is what is rare.">
          <span className="unknown-sign" aria-hidden>
            ▨
          </span>{' '}
          not known
        </li>
        {OTHERS.map((name) => (
          <li key={name} hidden data-color={name} />
        ))}
      </ul>
      <span
        className="note"
        title="Counted in this window and just beside it. Where there are too many: failures first, then what begins or ends here, then the rest; the longest of each."
      >
        {shown === undefined
          ? 'Reading…'
          : shown.bars.length === shown.total
            ? `${count(shown.total)} runs, all drawn`
            : `${count(shown.bars.length)} of ${count(shown.total)} runs drawn: failures first, then the longest`}
      </span>
    </div>
  )
}

/** Colours that stand for no state. */
const OTHERS = ['line', 'panel', 'raised', 'text', 'muted', 'accent', 'chosen', 'bg', 'hung'] as const

function colorsIn(legend: HTMLElement | null): Palette {
  if (legend === null) return {}
  const palette: Record<string, string> = {}
  for (const state of BAR_STATES) {
    const sign = legend.querySelector(`.glyph.${state}`)
    if (sign !== null) palette[state] = getComputedStyle(sign).color
  }
  for (const name of OTHERS) {
    const probe = legend.querySelector(`[data-color=${name}]`)
    if (probe !== null) palette[name] = getComputedStyle(probe).color
  }
  return palette
}

/** The same as a table, for those who can't see the drawing. */
function BarTable({ view, shown }: { readonly view: TimeView; readonly shown: TimelineView | undefined }) {
  const session = useSession()
  const [isOpen, setOpen] = useState(false)
  const bars = isOpen ? (shown?.bars ?? []).filter(({ from, to = Infinity }) => from <= view.to && to >= view.from) : []
  return (
    <details className="bar-table" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>As a table</summary>
      <div className="lines" tabIndex={0} role="region" aria-label="Runs in the window">
        <table>
          <caption className="note">
            {bars.length > LISTED ? `The first ${LISTED} of ${count(bars.length)} in the window` : `${count(bars.length)} in the window`}
          </caption>
          <thead>
            <tr>
              <th scope="col">who</th>
              <th scope="col">run</th>
              <th scope="col">state</th>
              <th scope="col">from</th>
              <th scope="col">length</th>
              <th scope="col">why</th>
            </tr>
          </thead>
          <tbody>
            {bars.slice(0, LISTED).map((bar) => (
              <tr key={`${bar.path} ${bar.incarnation}`}>
                <td>
                  <PathLink path={bar.path} />
                </td>
                <td>{bar.incarnation}</td>
                <td>
                  <State state={bar.state} />
                </td>
                <td className="when">{moment(bar.from)}</td>
                <td>{lengthOf(bar, view.now)}</td>
                <td>
                  {bar.seq === 0 ? null : (
                    <button type="button" className="link" onClick={() => session.go({ view: 'why', seq: bar.seq })}>
                      why
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
