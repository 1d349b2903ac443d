/** The whole of time in one strip: how much began when, what failed, and a window that can be dragged. */
import { useEffect, useRef } from 'react'
import type { TimelineView } from '../../src/inspector/protocol.ts'
import type { TimeView } from '../state/time-view.ts'
import { moment } from './shared.tsx'
import { fitted, type Palette } from './timeline-chart.ts'
import { drawUnknown } from './unknown-time.ts'

/** Pixels from an edge of the window in which a press is on the edge. */
const EDGE = 6

interface Drag {
  readonly part: 'all' | 'from' | 'to'
  readonly at: number
  readonly from: number
  readonly to: number
}

export function Overview({
  view,
  whole,
  palette,
}: {
  readonly view: TimeView
  readonly whole: TimelineView | undefined
  readonly palette: () => Palette
}) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const element = canvas.current
    if (element === null) return undefined
    const draw = (): void => drawOverview(element, view, whole, palette())
    draw()
    let frame = 0
    const soon = (): void => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(draw)
    }
    const off = view.subscribe(soon)
    const observer = new ResizeObserver(soon)
    observer.observe(element)
    return () => {
      off()
      cancelAnimationFrame(frame)
      observer.disconnect()
    }
  }, [view, whole, palette])
  const drag = useWindowDrag(view)
  return (
    <div className="overview">
      <canvas
        ref={canvas}
        role="img"
        aria-label={
          whole === undefined ? 'All of time' : `All of time, from ${moment(whole.first)} to ${moment(whole.now)}: starts and failures`
        }
        onPointerDown={drag.grab}
        onPointerMove={drag.pull}
        onPointerUp={drag.release}
        onPointerCancel={drag.release}
      />
      <div className="ends" aria-hidden>
        <span>{whole === undefined ? ' ' : moment(whole.first)}</span>
        <span>
          <i className="starts" /> starts <i className="failures" /> failures
        </span>
        <span>{whole === undefined ? ' ' : moment(whole.now)}</span>
      </div>
    </div>
  )
}

/** Drags the window as a whole, or one edge of it; a press elsewhere brings it there. */
function useWindowDrag(view: TimeView) {
  const held = useRef<Drag>(undefined)
  const timeAt = (x: number, width: number): number => view.first + (x / width) * Math.max(1, view.now - view.first)
  const grab = (event: React.PointerEvent<HTMLCanvasElement>): void => {
    const { width, left } = event.currentTarget.getBoundingClientRect()
    event.currentTarget.setPointerCapture(event.pointerId)
    const x = event.clientX - left
    const at = timeAt(x, width)
    const perPixel = Math.max(1, view.now - view.first) / width
    const near = (edge: number): boolean => Math.abs(at - edge) < EDGE * perPixel
    if (at < view.from - EDGE * perPixel || at > view.to + EDGE * perPixel) view.show(at - view.span / 2, at + view.span / 2)
    const isWide = view.span > 3 * EDGE * perPixel
    held.current = { part: isWide && near(view.from) ? 'from' : isWide && near(view.to) ? 'to' : 'all', at, from: view.from, to: view.to }
  }
  const pull = (event: React.PointerEvent<HTMLCanvasElement>): void => {
    const start = held.current
    if (start === undefined) return
    const { width, left } = event.currentTarget.getBoundingClientRect()
    const by = timeAt(event.clientX - left, width) - start.at
    if (start.part === 'all') view.show(start.from + by, start.to + by)
    else if (start.part === 'from') view.show(Math.min(start.from + by, start.to - 1), start.to)
    else view.show(start.from, Math.max(start.to + by, start.from + 1))
  }
  const release = (): void => {
    held.current = undefined
  }
  return { grab, pull, release }
}

function drawOverview(canvas: HTMLCanvasElement, view: TimeView, whole: TimelineView | undefined, palette: Palette): void {
  const context = fitted(canvas)
  if (context === undefined) return
  const { clientWidth: width, clientHeight: height } = canvas
  const color = (name: string): string => palette[name] ?? '#888'
  context.clearRect(0, 0, width, height)
  const extent = Math.max(1, view.now - view.first)
  if (whole !== undefined) {
    const end = Math.min(width, ((whole.known - view.first) / extent) * width)
    drawUnknown(context, { end, top: 0, height, color: color('muted') })
    // The counts are of a moment ago, and the strip has grown since.
    const share = Math.min(1, (whole.to - whole.from) / extent)
    drawBins(context, whole.starts, color('running'), (width * share) / whole.starts.length, height)
    drawBins(context, whole.failures, color('failed'), (width * share) / whole.failures.length, height)
  }
  const x = (at: number): number => ((at - view.first) / extent) * width
  const from = Math.max(0, Math.min(width - 4, x(view.from)))
  const to = Math.min(width, Math.max(from + 4, x(view.to)))
  context.fillStyle = color('bg')
  context.globalAlpha = 0.62
  context.fillRect(0, 0, from, height)
  context.fillRect(to, 0, width - to, height)
  context.globalAlpha = 1
  context.strokeStyle = color('accent')
  context.lineWidth = 2
  context.strokeRect(from + 1, 1, Math.max(2, to - from - 2), height - 2)
  context.fillStyle = color('accent')
  for (const edge of [from, to]) context.fillRect(edge === from ? edge : edge - 4, height / 2 - 8, 4, 16)
}

/** Heights are square roots, so that one failure is seen beside a thousand starts. */
function drawBins(context: CanvasRenderingContext2D, bins: readonly number[], color: string, width: number, height: number): void {
  const most = Math.sqrt(Math.max(1, ...bins))
  context.fillStyle = color
  context.globalAlpha = 0.8
  for (const [k, value] of bins.entries()) {
    if (value === 0) continue
    const tall = Math.max(3, (Math.sqrt(value) / most) * (height - 8))
    context.fillRect(k * width, height - tall, Math.max(1, width - 0.5), tall)
  }
  context.globalAlpha = 1
}
