/** Draws time of which nothing is known: hatched, so that it is not taken for one in which nothing happened. */

const TILE = 8

/** Hatches a canvas from its left edge to `end`; `label` stands in it where there is room. */
export function drawUnknown(
  context: CanvasRenderingContext2D,
  {
    end,
    top,
    height,
    color,
    label,
  }: { readonly end: number; readonly top: number; readonly height: number; readonly color: string; readonly label: string },
): void {
  if (end <= 0 || height <= 0) return
  context.save()
  context.beginPath()
  context.rect(0, top, end, height)
  context.clip()
  context.strokeStyle = color
  context.lineWidth = 1
  context.globalAlpha = 0.35
  context.beginPath()
  for (let x = -height; x < end; x += TILE) {
    context.moveTo(x, top + height)
    context.lineTo(x + height, top)
  }
  context.stroke()
  context.globalAlpha = 1
  context.beginPath()
  context.moveTo(end - 0.5, top)
  context.lineTo(end - 0.5, top + height)
  context.stroke()
  if (label !== '' && context.measureText(label).width + 16 < end) {
    context.fillStyle = color
    context.fillText(label, 8, top + height - 10)
  }
  context.restore()
}
