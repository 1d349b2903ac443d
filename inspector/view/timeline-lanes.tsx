/** The lanes of a timeline: drawn when something has changed, moved by wheel, drag and keys. */
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { Bar } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import type { Layout } from '../state/lanes.ts'
import type { Session } from '../state/session.ts'
import type { TimeView } from '../state/time-view.ts'
import { moment, nameOf, span, State } from './shared.tsx'
import { AXIS, heightOf, type Palette, type Scene, TimelineChart } from './timeline-chart.ts'

interface Hover {
  readonly bar: Bar
  readonly x: number
  readonly y: number
}

/** Pixels from which on a press is a drag. */
const DRAG = 4

export function Lanes({
  view,
  layout,
  palette,
  picked,
  onPick,
  children,
}: {
  readonly view: TimeView
  readonly layout: Layout
  readonly palette: () => Palette
  readonly picked: Bar | undefined
  readonly onPick: (bar: Bar | undefined) => void
  readonly children: ReactNode
}) {
  const session = useSession()
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [chart] = useState(() => new TimelineChart())
  const [hover, setHover] = useState<Hover>()
  const scene = useRef<Omit<Scene, 'view' | 'scrollTop'>>(undefined)
  const cursor = session.player?.at
  scene.current = { layout, chosen: session.place.path, hovered: hover?.bar ?? picked, cursor }
  const redraw = useRedraw(view, chart, box, canvas, scene)
  const mode = matchMedia('(prefers-color-scheme: dark)').matches
  useEffect(() => {
    chart.palette = palette()
    redraw.current?.()
  }, [chart, palette, redraw, layout, session.place.path, cursor, hover, picked, mode])
  useWheel(box, view)
  const drag = useDrag(box, view, session, chart, onPick)
  const look = (event: React.PointerEvent): void => {
    if (drag.move(event)) {
      setHover(undefined)
      return
    }
    const { left, top } = (canvas.current as HTMLCanvasElement).getBoundingClientRect()
    const [x, y] = [event.clientX - left, event.clientY - top]
    const bar = chart.hit(x, y)
    setHover((before) => (bar === undefined ? undefined : before?.bar === bar ? before : { bar, x, y }))
  }
  return (
    <div className="lanes-frame">
      <div
        ref={box}
        className={`lanes ${hover === undefined ? '' : 'over'}`}
        role="application"
        aria-roledescription="timeline"
        aria-label="Runs over time. Arrows move, plus and minus zoom, Home shows all, End goes to now. The same as a table is below."
        tabIndex={0}
        onKeyDown={(event) => press(event, view, session)}
        onPointerDown={drag.down}
        onPointerMove={look}
        onPointerUp={drag.up}
        onPointerCancel={drag.up}
        onPointerLeave={() => setHover(undefined)}
        onScroll={() => redraw.current?.()}
        onDoubleClick={() => {
          if (picked !== undefined && picked.seq > 0) session.go({ view: 'why', seq: picked.seq })
        }}
      >
        <div className="lanes-sheet" style={{ height: heightOf(layout) }}>
          <canvas ref={canvas} />
        </div>
      </div>
      {children}
      {hover === undefined ? null : <Tip hover={hover} now={view.now} width={box.current?.clientWidth ?? 600} />}
    </div>
  )
}

/** Draws at most once in each animation frame, and only if something has changed. */
function useRedraw(
  view: TimeView,
  chart: TimelineChart,
  box: React.RefObject<HTMLDivElement | null>,
  canvas: React.RefObject<HTMLCanvasElement | null>,
  scene: React.RefObject<Omit<Scene, 'view' | 'scrollTop'> | undefined>,
): React.RefObject<(() => void) | undefined> {
  const redraw = useRef<() => void>(undefined)
  useEffect(() => {
    const [frame, element] = [box.current, canvas.current]
    if (frame === null || element === null) return undefined
    let due = 0
    const draw = (): void => {
      due = 0
      if (scene.current !== undefined) chart.draw(element, { ...scene.current, view, scrollTop: frame.scrollTop })
    }
    const soon = (): void => {
      if (due === 0) due = requestAnimationFrame(draw)
    }
    redraw.current = soon
    const off = view.subscribe(soon)
    const observer = new ResizeObserver(() => {
      element.style.height = `${frame.clientHeight}px`
      soon()
    })
    observer.observe(frame)
    return () => {
      off()
      observer.disconnect()
      cancelAnimationFrame(due)
    }
  }, [view, chart, box, canvas, scene])
  return redraw
}

/** React's own listener for the wheel is passive, and could not keep the page from scrolling. */
function useWheel(box: React.RefObject<HTMLDivElement | null>, view: TimeView): void {
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const turn = (event: WheelEvent): void => {
      // With shift, lanes scroll.
      if (event.shiftKey) {
        if (event.deltaX === 0) return
        event.preventDefault()
        element.scrollTop += event.deltaX
        return
      }
      event.preventDefault()
      const { left } = element.getBoundingClientRect()
      const width = element.clientWidth
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) view.pan((event.deltaX / width) * view.span)
      else view.zoom(1.0015 ** Math.max(-400, Math.min(400, event.deltaY)), view.from + ((event.clientX - left) / width) * view.span)
    }
    element.addEventListener('wheel', turn, { passive: false })
    return () => element.removeEventListener('wheel', turn)
  }, [box, view])
}

interface Held {
  readonly x: number
  readonly y: number
  readonly from: number
  readonly top: number
  moved: boolean
}

function useDrag(
  box: React.RefObject<HTMLDivElement | null>,
  view: TimeView,
  session: Session,
  chart: TimelineChart,
  onPick: (bar: Bar | undefined) => void,
) {
  const held = useRef<Held>(undefined)
  const down = (event: React.PointerEvent): void => {
    const element = box.current
    if (element === null || event.button !== 0) return
    const { left } = element.getBoundingClientRect()
    // The scroll bar is the browser's.
    if (event.clientX - left > element.clientWidth) return
    held.current = { x: event.clientX, y: event.clientY, from: view.from, top: element.scrollTop, moved: false }
  }
  const move = (event: React.PointerEvent): boolean => {
    const [start, element] = [held.current, box.current]
    if (start === undefined || element === null) return false
    const [x, y] = [event.clientX - start.x, event.clientY - start.y]
    if (!start.moved && Math.hypot(x, y) < DRAG) return false
    if (!start.moved) element.setPointerCapture(event.pointerId)
    start.moved = true
    element.scrollTop = start.top - y
    view.pan(start.from - (x / element.clientWidth) * view.span - view.from)
    return true
  }
  const up = (event: React.PointerEvent): void => {
    const [start, element] = [held.current, box.current]
    held.current = undefined
    if (start === undefined || element === null || start.moved || event.type === 'pointercancel') return
    const { left, top } = element.getBoundingClientRect()
    const [x, y] = [event.clientX - left, event.clientY - top]
    if (y < AXIS && session.player !== undefined) {
      session.scrub(view.from + (x / element.clientWidth) * view.span)
      return
    }
    const bar = chart.hit(x, y)
    onPick(bar)
    if (bar !== undefined) session.go({ path: bar.path })
  }
  return { down, move, up }
}

function press(event: React.KeyboardEvent, view: TimeView, session: Session): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const far = event.shiftKey ? 0.5 : 0.1
  const middle = (view.from + view.to) / 2
  const isLive = session.player === undefined
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => view.pan(-view.span * far),
    ArrowRight: () => view.pan(view.span * far),
    '+': () => view.zoom(0.7, middle),
    '=': () => view.zoom(0.7, middle),
    '-': () => view.zoom(1 / 0.7, middle),
    Home: () => view.showAll(),
    End: () => (isLive ? view.follow() : view.show(view.now - view.span * 0.97, view.now + view.span * 0.03)),
  }
  const act = keys[event.key]
  if (act === undefined) return
  event.preventDefault()
  act()
}

function Tip({ hover: { bar, x, y }, now, width }: { readonly hover: Hover; readonly now: number; readonly width: number }) {
  const side = x > width / 2 ? { right: width - x + 12 } : { left: x + 12 }
  return (
    <div className="tip" role="tooltip" style={{ ...side, top: y + 16 }}>
      <State state={bar.state} /> <strong>{nameOf(bar.path)}</strong>
      <div className="note">{bar.path}</div>
      <div>
        run {bar.incarnation} · from {moment(bar.from)} · {bar.to === undefined ? 'so far ' : ''}
        {span(Math.max(0, (bar.to ?? now) - bar.from))}
      </div>
    </div>
  )
}
