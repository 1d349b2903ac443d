/** Where a chart is shown: moved and zoomed by pointer, wheel and keyboard. */
import { type ReactNode, type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import type { Layout } from '../layout/graph.ts'
import type { Laid } from '../state/layouter.ts'

interface Sight {
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
/** So much wider or higher may the picture be than what fits, before its letters get too small to be read. */
const READABLE = 0.62

const scaleOf = ({ width, height }: Layout, room: Size): number => Math.min(FITTING, room.width / width, room.height / height)

/** The layout that can be shown the largest. */
export function bestOf(layouts: readonly Layout[], room: Size): Layout {
  return layouts.reduce((best, each) => (scaleOf(each, room) > scaleOf(best, room) + 0.02 ? each : best))
}

/** All of it, in the middle. */
function fitted(layout: Layout, room: Size): Sight {
  const scale = scaleOf(layout, room)
  return { scale, x: (room.width - layout.width * scale) / 2, y: (room.height - layout.height * scale) / 2 }
}

/** Zooms about a point that stays where it is. */
function zoomed({ x, y, scale }: Sight, by: number, at: { readonly x: number; readonly y: number }): Sight {
  const next = Math.max(LEAST, Math.min(MOST, scale * by))
  const ratio = next / scale
  return { scale: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio }
}

interface StageProps {
  readonly laid: Laid
  readonly label: string
  readonly children: (layout: Layout) => ReactNode
}

export function ChartStage({ laid, label, children }: StageProps) {
  const box = useRef<HTMLDivElement>(null)
  const room = useRoom(box)
  const [moved, setMoved] = useState<{ readonly layout: Layout; readonly sight: Sight }>()
  const layout = bestOf(laid.layouts, room)
  // Until somebody has moved it, it fits, however large the room is.
  const sight = moved?.layout === layout ? moved.sight : fitted(layout, room)
  const look = useCallback(
    (change: (sight: Sight) => Sight) =>
      setMoved((before) => ({ layout, sight: change(before?.layout === layout ? before.sight : fitted(layout, room)) })),
    [layout, room],
  )
  const center = { x: room.width / 2, y: room.height / 2 }
  const zoom = (by: number): void => look((before) => zoomed(before, by, center))
  const isSmall = moved?.layout !== layout && sight.scale < READABLE
  useWheel(box, look)
  return (
    <div className="canvas">
      <div
        className="stage"
        ref={box}
        tabIndex={0}
        role="group"
        aria-label={`${label}. Arrow keys move, plus and minus zoom, 0 shows all of it.`}
        onKeyDown={(event) => {
          const change = keyed(event.key, center)
          if (event.ctrlKey || event.metaKey || event.altKey) return
          if (event.key === '0') setMoved(undefined)
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
          <g transform={`translate(${sight.x} ${sight.y}) scale(${sight.scale})`}>{children(layout)}</g>
        </svg>
      </div>
      <div className="zoom">
        {isSmall ? (
          <button type="button" onClick={() => look((before) => zoomed(before, 0.9 / before.scale, center))}>
            enlarge to read
          </button>
        ) : null}
        <button type="button" aria-label="Zoom out" onClick={() => zoom(1 / STEP)}>
          −
        </button>
        <button type="button" onClick={() => setMoved(undefined)} title="Show all of it (0)">
          fit
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => zoom(STEP)}>
          +
        </button>
      </div>
    </div>
  )
}

function keyed(key: string, center: { readonly x: number; readonly y: number }): ((sight: Sight) => Sight) | undefined {
  const by = { ArrowLeft: [MOVE, 0], ArrowRight: [-MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE] }[key]
  if (by !== undefined) return ({ x, y, scale }) => ({ scale, x: x + (by[0] as number), y: y + (by[1] as number) })
  if (key === '+' || key === '=') return (sight) => zoomed(sight, STEP, center)
  if (key === '-') return (sight) => zoomed(sight, 1 / STEP, center)
  return undefined
}

/** How much room there is. */
function useRoom(box: RefObject<HTMLDivElement | null>): Size {
  const [room, setRoom] = useState<Size>({ width: 800, height: 420 })
  useEffect(() => {
    if (box.current === null) return undefined
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return
      const { width, height } = entry.contentRect
      if (width > 0) setRoom({ width: Math.round(width), height: Math.round(height) })
    })
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [box])
  return room
}

/** The wheel zooms for whoever has clicked into the chart, or holds Ctrl: else it scrolls past, as everywhere. */
function useWheel(box: RefObject<HTMLDivElement | null>, look: (change: (sight: Sight) => Sight) => void): void {
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const turned = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== element) return
      event.preventDefault()
      const { left, top } = element.getBoundingClientRect()
      const at = { x: event.clientX - left, y: event.clientY - top }
      look((sight) => zoomed(sight, 1.0015 ** -event.deltaY, at))
    }
    // React listens passively, and then nothing can be prevented.
    element.addEventListener('wheel', turned, { passive: false })
    return () => element.removeEventListener('wheel', turned)
  }, [box, look])
}
