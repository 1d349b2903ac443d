/** Draws a timeline: bars in lanes, an axis above, and signs that do not need their colours. */
import { shortName } from '../../machines/path.ts'
import type { Bar } from '../../src/inspector/protocol.ts'
import type { Layout, Placed } from '../state/lanes.ts'
import { ticks } from '../state/ticks.ts'
import type { TimeView } from '../state/time-view.ts'
import { drawUnknown } from './unknown-time.ts'

/** Pixels. */
export const AXIS = 24
const HEADER = 22
const LANE = 18
const BAR = 14
const SIGN = 7
const ARROW = 7
/** A bar is never narrower: what is short is still there. */
const NARROWEST = 2

export type Palette = Readonly<Record<string, string>>

/** States that bars have, in the order in which they are drawn. */
export const BAR_STATES = ['running', 'completed', 'cancelled', 'killed', 'failed'] as const

/** How much of its colour the inside of a bar has; text on it stays readable. */
const TINT: Readonly<Record<string, number>> = { running: 0.2, completed: 0.34, cancelled: 0.22, killed: 0.38, failed: 0.14 }

export interface Scene {
  readonly layout: Layout
  readonly view: TimeView
  readonly chosen: string
  readonly hovered: Bar | undefined
  /** The moment of a recording that is looked at. */
  readonly cursor: number | undefined
  readonly scrollTop: number
}

/** How high all lanes are together. */
export function heightOf(layout: Layout): number {
  return layout.groups.reduce((sum, { lanes }) => sum + HEADER + lanes * LANE, AXIS + 6)
}

interface Box {
  readonly placed: Placed
  readonly x: number
  readonly y: number
  readonly width: number
  /** True if the run before it ended just before it. */
  readonly isClose: boolean
}

const FONT = '11.5px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
const BOLD = `600 ${FONT}`

export class TimelineChart {
  palette: Palette = {}
  #boxes: Box[] = []
  #tops: number[] = []
  readonly #widths = new Map<string, number>()
  #hatch: CanvasPattern | undefined
  #hatched = ''

  /** Draws it all; the canvas is as large as what is seen. */
  draw(canvas: HTMLCanvasElement, scene: Scene): void {
    const context = fitted(canvas)
    if (context === undefined) return
    const { layout, view, scrollTop } = scene
    const { clientWidth: width, clientHeight: height } = canvas
    this.#place(layout, view, scrollTop, width, height)
    context.clearRect(0, 0, width, height)
    this.#grid(context, view, width, height)
    this.#unknown(context, view, width, height)
    this.#chosen(context, scene.chosen, width)
    this.#links(context, view, width)
    const byState = Map.groupBy(
      this.#boxes.filter(({ x, width: wide }) => x < width && x + wide > 0),
      ({ placed }) => placed.bar.state,
    )
    for (const state of BAR_STATES) this.#bars(context, state, byState.get(state) ?? [], width)
    this.#labels(context, width)
    this.#outline(context, scene.hovered)
    this.#headers(context, layout, scrollTop, width, height)
    this.#line(context, view, view.now, 'running', [2, 3], width, height)
    if (scene.cursor !== undefined) this.#line(context, view, scene.cursor, 'accent', [], width, height)
    this.#axis(context, view, width)
  }

  /** The bar at a place of the canvas, with some room for short ones. */
  hit(x: number, y: number): Bar | undefined {
    if (y < AXIS) return undefined
    let best: Bar | undefined
    let distance = 5
    for (const { placed, x: left, y: top, width } of this.#boxes) {
      if (y < top - 2 || y > top + BAR + 2) continue
      const away = x < left ? left - x : Math.max(0, x - left - width)
      if (away >= distance) continue
      distance = Math.max(away, 0.01)
      best = placed.bar
    }
    return best
  }

  #color(name: string): string {
    return this.palette[name] ?? '#888'
  }

  #place(layout: Layout, view: TimeView, scrollTop: number, width: number, height: number): void {
    const scale = width / view.span
    this.#tops = []
    let top = AXIS - scrollTop
    for (const { lanes } of layout.groups) {
      this.#tops.push(top)
      top += HEADER + lanes * LANE
    }
    this.#boxes = []
    for (const placed of layout.placed) {
      const { bar, group, lane } = placed
      const y = (this.#tops[group] as number) + HEADER + lane * LANE + (LANE - BAR) / 2
      if (y > height || y + BAR < AXIS) continue
      const x = (bar.from - view.from) * scale
      const end = ((bar.to ?? Math.max(view.now, bar.from)) - view.from) * scale
      // A connector may reach into the window from a bar that does not.
      if (x > width + 400 || end < -400) continue
      const isClose = placed.before?.to !== undefined && (bar.from - placed.before.to) * scale < ARROW + SIGN
      this.#boxes.push({ placed, x, y, width: Math.max(NARROWEST, end - x), isClose })
    }
  }

  #grid(context: CanvasRenderingContext2D, view: TimeView, width: number, height: number): void {
    context.fillStyle = this.#color('line')
    context.globalAlpha = 0.6
    for (const { at } of ticks(view.from, view.to, width / 110)) {
      context.fillRect(Math.round(((at - view.from) / view.span) * width), AXIS, 1, height)
    }
    context.globalAlpha = 1
  }

  #unknown(context: CanvasRenderingContext2D, view: TimeView, width: number, height: number): void {
    const end = Math.min(width, ((view.known - view.from) / view.span) * width)
    drawUnknown(context, { end, top: AXIS, height: height - AXIS, color: this.#color('muted') })
  }

  /** Marks the runs of the chosen routine. */
  #chosen(context: CanvasRenderingContext2D, path: string, width: number): void {
    context.fillStyle = this.#color('chosen')
    context.strokeStyle = this.#color('accent')
    context.lineWidth = 1
    for (const { placed, x, y, width: wide } of this.#boxes) {
      if (placed.bar.path !== path) continue
      const left = Math.max(-4, x - 3.5)
      const right = Math.min(width + 4, x + wide + 3.5)
      context.fillRect(left, y - 1.5, right - left, BAR + 3)
      context.strokeRect(left, y - 1.5, right - left, BAR + 3)
    }
  }

  /** Dashed lines from the end of a run to the beginning of the next. */
  #links(context: CanvasRenderingContext2D, view: TimeView, width: number): void {
    const scale = width / view.span
    context.strokeStyle = this.#color('hung')
    context.fillStyle = this.#color('hung')
    context.lineWidth = 1.5
    context.beginPath()
    for (const { placed, x, y } of this.#boxes) {
      if (placed.before?.to === undefined) continue
      const from = (placed.before.to - view.from) * scale
      const middle = y + BAR / 2
      if (x - from < 3) continue
      context.moveTo(from, middle)
      context.lineTo(x, middle)
    }
    context.setLineDash([3, 2])
    context.stroke()
    context.setLineDash([])
  }

  #bars(context: CanvasRenderingContext2D, state: string, boxes: readonly Box[], width: number): void {
    const color = this.#color(state)
    if (boxes.length === 0) return
    context.fillStyle = color
    context.globalAlpha = TINT[state] ?? 0.3
    for (const { x, y, width: wide } of boxes) {
      const left = Math.max(-2, x)
      context.fillRect(left, y, Math.min(x + wide, width + 2) - left, BAR)
    }
    context.globalAlpha = 1
    if (state === 'failed') this.#hatching(context, boxes, width)
    context.fillStyle = color
    for (const { x, y, width: wide } of boxes) {
      context.fillRect(x, y, Math.min(2, wide), BAR)
      if (state !== 'running' && wide > 4) context.fillRect(x + wide - 1, y, 1, BAR)
      if (state === 'completed') context.fillRect(Math.max(0, x), y + BAR - 1, Math.min(x + wide, width) - Math.max(0, x), 1)
    }
    this.#signs(context, state, boxes)
    this.#arrows(context, boxes)
  }

  #hatching(context: CanvasRenderingContext2D, boxes: readonly Box[], width: number): void {
    context.fillStyle = this.#pattern(context)
    context.globalAlpha = 0.35
    for (const { x, y, width: wide } of boxes) {
      const left = Math.max(-2, x)
      if (wide > 4) context.fillRect(left, y, Math.min(x + wide, width + 2) - left, BAR)
    }
    context.globalAlpha = 1
  }

  #pattern(context: CanvasRenderingContext2D): CanvasPattern | string {
    const color = this.#color('failed')
    if (this.#hatch !== undefined && this.#hatched === color) return this.#hatch
    const tile = document.createElement('canvas')
    tile.width = 8
    tile.height = 8
    const ink = tile.getContext('2d')
    if (ink === null) return color
    ink.strokeStyle = color
    ink.lineWidth = 1.6
    ink.beginPath()
    for (const shift of [-8, 0, 8]) {
      ink.moveTo(shift, 8)
      ink.lineTo(shift + 8, 0)
    }
    ink.stroke()
    this.#hatched = color
    this.#hatch = context.createPattern(tile, 'repeat') ?? undefined
    return this.#hatch ?? color
  }

  /** At the end of each bar, how it ended. */
  #signs(context: CanvasRenderingContext2D, state: string, boxes: readonly Box[]): void {
    context.strokeStyle = this.#color(state)
    context.fillStyle = this.#color(state)
    context.lineWidth = 2
    context.beginPath()
    const half = SIGN / 2
    for (const { x, y, width } of boxes) {
      const end = x + width
      const middle = y + BAR / 2
      if (state === 'failed') {
        context.moveTo(end - half, middle - half)
        context.lineTo(end + half, middle + half)
        context.moveTo(end + half, middle - half)
        context.lineTo(end - half, middle + half)
      } else if (state === 'cancelled') {
        context.moveTo(end - half, middle + half + 1)
        context.lineTo(end + half, middle - half - 1)
      } else if (state === 'killed') context.rect(end - half, middle - half, SIGN, SIGN)
      else if (state === 'running') {
        context.moveTo(end, y + 1)
        context.lineTo(end + SIGN, middle)
        context.lineTo(end, y + BAR - 1)
      }
    }
    if (state === 'killed') context.fill()
    else context.stroke()
  }

  /** Where a run follows another. */
  #arrows(context: CanvasRenderingContext2D, boxes: readonly Box[]): void {
    context.fillStyle = this.#color('hung')
    context.beginPath()
    for (const box of boxes) {
      if (box.placed.before === undefined) continue
      const middle = box.y + BAR / 2
      // Where there is no room between the two, it stands further right, so as not to hide how the first one ended.
      const x = box.x + (box.isClose ? ARROW + 3 : 1)
      context.moveTo(x, middle)
      context.lineTo(x - ARROW, middle - 4)
      context.lineTo(x - ARROW, middle + 4)
      context.closePath()
    }
    context.fill()
  }

  #labels(context: CanvasRenderingContext2D, width: number): void {
    context.font = FONT
    context.textBaseline = 'middle'
    context.fillStyle = this.#color('text')
    for (const { placed, x, y, width: wide, isClose } of this.#boxes) {
      const left = Math.max(0, isClose ? x + ARROW : x) + 6
      const room = Math.min(width, x + wide) - left - (placed.bar.state === 'running' ? 2 : SIGN)
      if (room < 24) continue
      const { path, incarnation } = placed.bar
      const name = shortName(path)
      const label = incarnation > 1 ? `${name} · run ${incarnation}` : name
      const fits = this.#widthOf(context, label) <= room ? label : this.#widthOf(context, name) <= room ? name : ''
      if (fits !== '') context.fillText(fits, left, y + BAR / 2 + 0.5)
    }
  }

  #widthOf(context: CanvasRenderingContext2D, text: string): number {
    let width = this.#widths.get(text)
    if (width === undefined) {
      if (this.#widths.size > 5_000) this.#widths.clear()
      this.#widths.set(text, (width = context.measureText(text).width))
    }
    return width
  }

  #outline(context: CanvasRenderingContext2D, bar: Bar | undefined): void {
    const box = bar && this.#boxes.find(({ placed }) => placed.bar.path === bar.path && placed.bar.incarnation === bar.incarnation)
    if (box === undefined) return
    context.strokeStyle = this.#color('text')
    context.lineWidth = 1.5
    context.strokeRect(box.x - 1, box.y - 1, box.width + 2, BAR + 2)
  }

  /** The manager of each group of lanes; that of the topmost stays in sight. */
  #headers(context: CanvasRenderingContext2D, layout: Layout, scrollTop: number, width: number, height: number): void {
    context.font = BOLD
    context.textBaseline = 'middle'
    for (const [k, { path, lanes }] of layout.groups.entries()) {
      const own = this.#tops[k] as number
      const bottom = own + HEADER + lanes * LANE
      if (own > height || bottom < AXIS) continue
      const top = scrollTop > 0 ? Math.max(own, Math.min(AXIS, bottom - HEADER)) : own
      context.fillStyle = this.#color('raised')
      context.fillRect(0, top, width, HEADER - 2)
      context.fillStyle = this.#color('muted')
      context.fillText(path, 8, top + HEADER / 2 - 0.5)
    }
  }

  #line(context: CanvasRenderingContext2D, view: TimeView, at: number, color: string, dash: number[], width: number, height: number): void {
    const x = Math.round(((at - view.from) / view.span) * width) + 0.5
    if (x < 0 || x > width) return
    context.strokeStyle = this.#color(color)
    context.lineWidth = dash.length === 0 ? 2 : 1
    context.setLineDash(dash)
    context.beginPath()
    context.moveTo(x, 0)
    context.lineTo(x, height)
    context.stroke()
    context.setLineDash([])
  }

  #axis(context: CanvasRenderingContext2D, view: TimeView, width: number): void {
    context.fillStyle = this.#color('panel')
    context.fillRect(0, 0, width, AXIS - 2)
    context.fillStyle = this.#color('line')
    context.fillRect(0, AXIS - 2, width, 1)
    context.font = FONT
    context.textBaseline = 'middle'
    for (const { at, label } of ticks(view.from, view.to, width / 110)) {
      const x = Math.round(((at - view.from) / view.span) * width)
      context.fillStyle = this.#color('line')
      context.fillRect(x, 0, 1, AXIS - 2)
      context.fillStyle = this.#color('muted')
      if (x + 8 + this.#widthOf(context, label) < width) context.fillText(label, x + 5, AXIS / 2 - 1)
    }
  }
}

/** The context of a canvas that has as many pixels as the screen. */
export function fitted(canvas: HTMLCanvasElement): CanvasRenderingContext2D | undefined {
  const ratio = window.devicePixelRatio || 1
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)]
  if (width === 0 || height === 0) return undefined
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  const context = canvas.getContext('2d')
  if (context === null) return undefined
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  return context
}
