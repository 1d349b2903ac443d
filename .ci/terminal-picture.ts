/** Draws what a terminal shows, given as text on stdin, as an SVG on stdout: `… | node .ci/terminal-picture.ts > docs/terminal.svg` */
import { text } from 'node:stream/consumers'

const COLUMN = 8.43
const LINE = 19
const MARGIN = 16

const escape = (line: string): string => line.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const lines = (await text(process.stdin)).trimEnd().split('\n')
const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * COLUMN) + 2 * MARGIN
const height = lines.length * LINE + 2 * MARGIN
const rows = lines.map((line, i) => `  <text x="${MARGIN}" y="${MARGIN + 14 + i * LINE}" xml:space="preserve">${escape(line)}</text>`)

process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
  <rect width="100%" height="100%" rx="8" fill="#16181d"/>
  <g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" fill="#e6e6e6">
${rows.join('\n')}
  </g>
</svg>
`)
