/** How the command looks: whether there are columns to draw in, and colours. */
import { stripVTControlCharacters } from 'node:util'
import { harmless } from './words.ts'

/** What decides it. */
interface Surroundings {
  readonly isTTY: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const
export type Colour = keyof typeof COLOURS

/** A piece of text in a colour; of what it is given a terminal obeys nothing. */
export type Paint = (colour: Colour, text: string) => string

/** True if lines may be drawn in place: on a terminal that can, and where nobody keeps what is printed. */
export function isDrawable({ isTTY, env }: Surroundings): boolean {
  return isTTY && env['CI'] === undefined && env['TERM'] !== 'dumb'
}

/** As by convention: NO_COLOR takes colours away, FORCE_COLOR gives them, else terminals have them. */
export function paintFor(surroundings: Surroundings): Paint {
  const { NO_COLOR = '', FORCE_COLOR = '' } = surroundings.env
  const isColoured = NO_COLOR === '' && (FORCE_COLOR === '' ? isDrawable(surroundings) : FORCE_COLOR !== '0')
  return isColoured ? (colour, text) => `\u001b[${COLOURS[colour]}m${harmless(text)}\u001b[0m` : (_, text) => harmless(text)
}

/** What a text takes on a terminal, its colours left out. */
const width = (text: string): number => Array.from(stripVTControlCharacters(text)).length

/** As many of the parts as there is room for, whole, the first ones before all others. */
export function fitParts(parts: readonly string[], between: string, columns: number): string {
  let line = ''
  for (const part of parts) {
    const next = line === '' ? part : `${line}${between}${part}`
    if (width(next) > columns) break
    line = next
  }
  return line
}

/** Breaks lines between words, never in one; what follows the first is indented by so much. */
export function wrapped(text: string, columns: number, indent: string): string {
  const lines: string[] = []
  const [lead = ''] = /^ */.exec(text) ?? []
  let line = lead
  for (const word of text.slice(lead.length).split(' ')) {
    const next = line === lead ? `${lead}${word}` : `${line} ${word}`
    if (line === lead || width(next) <= columns) line = next
    else {
      lines.push(line)
      line = `${indent}${word}`
    }
  }
  return [...lines, line].join('\n')
}
