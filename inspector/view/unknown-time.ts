/** Draws time of which nothing is known: hatched, so that it is not taken for one in which nothing happened. */

/** Pixels from one line to the next. */
const GAP = 8

interface Area {
  /** Its right edge; it begins at the left edge of the canvas. */
  readonly end: number
  readonly top: number
  readonly height: number
  readonly color: string
}

export function drawUnknown(context: CanvasRenderingContext2D, { end, top, height, color }: Area): void {
  if (end <= 0 || height <= 0) return
  context.save()
  context.beginPath()
  context.rect(0, top, end, height)
  context.clip()
  context.strokeStyle = color
  context.lineWidth = 1
  context.globalAlpha = 0.35
  context.beginPath()
  for (let x = -height; x < end; x += GAP) {
    context.moveTo(x, top + height)
    context.lineTo(x + height, top)
  }
  context.stroke()
  context.globalAlpha = 1
  context.beginPath()
  context.moveTo(end - 0.5, top)
  context.lineTo(end - 0.5, top + height)
  context.stroke()
  context.restore()
}
