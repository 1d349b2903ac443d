/** The heap over a long run, as a picture: `soak.csv` becomes `docs/soak.svg`. */
import { readFileSync, writeFileSync } from 'node:fs'

const WIDTH = 640
const HEIGHT = 240
const LEFT = 64
const BOTTOM = 32
const MEGA = 1_048_576

/** Draws heap bytes over tasks. */
export function drawCurve(csv: string, svg: string): void {
  const points = readFileSync(csv, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number) as [tasks: number, heap: number])
  const [most] = points.at(-1) as [number, number]
  const top = Math.ceil((1.25 * Math.max(...points.map(([, heap]) => heap))) / MEGA)
  const x = (tasks: number): string => (LEFT + ((WIDTH - LEFT - 16) * tasks) / most).toFixed(1)
  const y = (megabytes: number): string => (HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - 16) * megabytes) / top).toFixed(1)
  const line = points.map(([tasks, heap]) => `${x(tasks)},${y(heap / MEGA)}`).join(' ')
  const label = (at: string, text: string): string => `<text ${at}>${text}</text>`
  const marks = [0, top / 2, top].flatMap((megabytes) => [
    `<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${y(megabytes)}" y2="${y(megabytes)}" stroke="#8888"/>`,
    label(`x="${LEFT - 8}" y="${y(megabytes)}" text-anchor="end" dominant-baseline="middle"`, `${megabytes} MB`),
  ])
  const ends = [0, most / 2, most].map((tasks) =>
    label(`x="${x(tasks)}" y="${HEIGHT - 10}" text-anchor="middle"`, `${(tasks / 1e6).toLocaleString('en')} M tasks`),
  )
  const style = 'text { font: 12px sans-serif; fill: #666 } polyline { fill: none; stroke: #b3261e; stroke-width: 2 }'
  const alt = `Heap after garbage collection over ${most.toLocaleString('en')} tasks, one after another, 100 live`
  writeFileSync(
    svg,
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${alt}"><title>${alt}</title><style>${style}</style>${[...marks, ...ends].join('')}<polyline points="${line}"/></svg>\n`,
  )
}
