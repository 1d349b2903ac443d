/** Where a chart is shown: moved and zoomed by pointer, wheel and keyboard. */
import { type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Layout } from '../layout/graph.ts'
import type { Laid } from '../state/layouter.ts'

/** Where a chart is seen, and how large. */
interface Transform {
  readonly x: number
  readonly y: number
  readonly scale: number
}

interface Size {
  readonly width: number
  readonly height: number
}

/** How small and how large it may get; and the most that fitting enlarges. */
const LEAST = 0.15
const MOST = 4
const FITTING = 1.15
const STEP = 1.2
/** Pixels that an arrow key moves. */
const MOVE = 48
/** The scale below which the letters of a picture are too small to be read. */
const READABLE = 0.66
/** The scale at which one can read well. */
const EASY = 0.85
/** Pixels of height: the least, the most, that part of the window, and what is left free around a chart. */
const LOW = 180
const HIGH = 760
const PART = 0.62
const MARGIN = 16

const scaleOf = ({ width, height }: Layout, room: Size): number =>
  Math.min(FITTING, (room.width - MARGIN) / width, (room.height - MARGIN) / height)

/** The layout that can be shown the largest. */
function bestOf(layouts: readonly Layout[], room: Size): Layout {
  return layouts.reduce((best, each) => (scaleOf(each, room) > scaleOf(best, room) + 0.02 ? each : best))
}

/** All of it, in the middle. */
function fitted(layout: Layout, room: Size): Transform {
  const scale = scaleOf(layout, room)
  return { scale, x: (room.width - layout.width * scale) / 2, y: (room.height - layout.height * scale) / 2 }
}

/** Zooms about a point that stays where it is. */
function zoomed({ x, y, scale }: Transform, by: number, at: { readonly x: number; readonly y: number }): Transform {
  const next = Math.max(LEAST, Math.min(MOST, scale * by))
  const ratio = next / scale
  return { scale: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio }
}

/** At a size that can be read, with what is active in the middle, and nothing empty beside the picture. */
function following(layout: Layout, room: Size, active: ReadonlySet<string>): Transform {
  const lit = [...active].flatMap((id) => layout.boxes.get(id) ?? [])
  // The innermost: the smallest of them.
  const at = lit.toSorted((a, b) => a.width * a.height - b.width * b.height)[0] ?? { x: 0, y: 0, width: layout.width, height: 0 }
  const shift = (middle: number, size: number, space: number): number => {
    const whole = size * EASY
    return whole <= space - MARGIN
      ? (space - whole) / 2
      : Math.max(space - whole - MARGIN / 2, Math.min(MARGIN / 2, space / 2 - middle * EASY))
  }
  return {
    scale: EASY,
    x: shift(at.x + at.width / 2, layout.width, room.width),
    y: shift(at.y + at.height / 2, layout.height, room.height),
  }
}

interface StageProps {
  readonly laid: Laid
  readonly active: ReadonlySet<string>
  /** Stands below, beside the buttons. */
  readonly note: string
  readonly label: string
  readonly children: (layout: Layout) => ReactNode
}

/** What of a chart is seen, and how large, and what changes that. */
function useTransform(laid: Laid, most: Size, active: ReadonlySet<string>) {
  const [moved, setMoved] = useState<{ readonly layout: Layout; readonly transform: Transform } | 'fitted'>()
  const layout = bestOf(laid.layouts, most)
  const isSmall = scaleOf(layout, most) < READABLE
  // A flat chart needs no more height than it has.
  const needed = layout.height * (isSmall ? EASY : scaleOf(layout, most)) + MARGIN
  const height = Math.round(Math.max(LOW, Math.min(most.height, needed)))
  const room = useMemo(() => ({ width: most.width, height }), [most.width, height])
  const home = useMemo(() => (isSmall ? following(layout, room, active) : fitted(layout, room)), [isSmall, layout, room, active])
  const of = (given: typeof moved): Transform =>
    given === 'fitted' ? fitted(layout, room) : given?.layout === layout ? given.transform : home
  const latest = useRef(of)
  useEffect(() => {
    latest.current = of
  })
  // Several changes may come before anything is drawn anew: each starts from the result of the one before.
  const look = useCallback(
    (change: (transform: Transform) => Transform) => setMoved((before) => ({ layout, transform: change(latest.current(before)) })),
    [layout],
  )
  const follow = (): void => setMoved(undefined)
  const fit = (): void => setMoved('fitted')
  // Until somebody has moved it, it shows all, or follows what is active.
  return { layout, room, isSmall, transform: of(moved), follows: moved === undefined, look, follow, fit }
}

export function ChartStage({ laid, active, note, label, children }: StageProps) {
  const box = useRef<HTMLDivElement>(null)
  const most = useRoom(box)
  const { layout, room, isSmall, transform, follows, look, follow, fit } = useTransform(laid, most, active)
  const center = { x: room.width / 2, y: room.height / 2 }
  const zoom = (by: number): void => look((before) => zoomed(before, by, center))
  useWheel(box, look)
  return (
    <>
      <div className="canvas" style={{ height: room.height + 2 }}>
        <div
          className={`stage ${follows ? 'follows' : ''}`}
          ref={box}
          tabIndex={0}
          role="group"
          aria-label={`${label}. Arrow keys move, plus and minus zoom, 0 shows all of it.`}
          onKeyDown={(event) => {
            const change = keyed(event.key, center)
            if (event.ctrlKey || event.metaKey || event.altKey) return
            if (event.key === '0') fit()
            else if (change !== undefined) look(change)
            else return
            event.preventDefault()
          }}
          onPointerDown={(event) => event.button === 0 && event.currentTarget.setPointerCapture(event.pointerId)}
          onPointerMove={({ currentTarget, pointerId, movementX, movementY }) => {
            if (!currentTarget.hasPointerCapture(pointerId)) return
            if (movementX !== 0 || movementY !== 0) look(({ x, y, scale }) => ({ scale, x: x + movementX, y: y + movementY }))
          }}
        >
          <svg width={room.width} height={room.height} role="presentation">
            <g transform={`translate(${transform.x} ${transform.y}) scale(${transform.scale})`}>{children(layout)}</g>
          </svg>
        </div>
      </div>
      <div className="below-chart">
        <p className="note">{note}</p>
        <div className="zoom">
          {isSmall ? (
            <button type="button" aria-pressed={follows} onClick={follow}>
              follow what is active
            </button>
          ) : null}
          <button type="button" aria-label="Zoom out" onClick={() => zoom(1 / STEP)}>
            −
          </button>
          <button type="button" onClick={fit} title="Show all of it (0)">
            all
          </button>
          <button type="button" aria-label="Zoom in" onClick={() => zoom(STEP)}>
            +
          </button>
        </div>
      </div>
    </>
  )
}

function keyed(key: string, center: { readonly x: number; readonly y: number }): ((transform: Transform) => Transform) | undefined {
  const by = { ArrowLeft: [MOVE, 0], ArrowRight: [-MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE] }[key]
  if (by !== undefined) return ({ x, y, scale }) => ({ scale, x: x + (by[0] as number), y: y + (by[1] as number) })
  if (key === '+' || key === '=') return (transform) => zoomed(transform, STEP, center)
  if (key === '-') return (transform) => zoomed(transform, 1 / STEP, center)
  return undefined
}

/** The most room that a chart may take, so that the rest of the view is not out of sight. */
function useRoom(box: RefObject<HTMLDivElement | null>): Size {
  const [room, setRoom] = useState<Size>({ width: 800, height: 420 })
  useEffect(() => {
    if (box.current === null) return undefined
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return
      const width = Math.round(entry.contentRect.width)
      const height = Math.round(Math.max(LOW, Math.min(HIGH, window.innerHeight * PART)))
      if (width > 0) setRoom((before) => (before.width === width && before.height === height ? before : { width, height }))
    })
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [box])
  return room
}

/** The wheel zooms if the chart has the focus, or with Ctrl: else it scrolls the page, as everywhere. */
function useWheel(box: RefObject<HTMLDivElement | null>, look: (change: (transform: Transform) => Transform) => void): void {
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const turned = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== element) return
      event.preventDefault()
      const { left, top } = element.getBoundingClientRect()
      const at = { x: event.clientX - left, y: event.clientY - top }
      look((transform) => zoomed(transform, 1.0015 ** -event.deltaY, at))
    }
    // React's own listener is passive, and could not keep the page from scrolling.
    element.addEventListener('wheel', turned, { passive: false })
    return () => element.removeEventListener('wheel', turned)
  }, [box, look])
}
