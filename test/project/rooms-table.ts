/**
 * Prints the rooms of src/, what leads from one to another, and what breaks the rules: `npm run rooms`. With `--faults` it prints
 * each offending line, and with `--breaks` what test/project/rooms.json would hold if all of it were known. With `--lower` it lowers the
 * numbers in that file to what is still there.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  arrowsBetween,
  breaksOf,
  faultsOf,
  fileCircles,
  floors,
  isDoor,
  isInner,
  type Known,
  known,
  LIST,
  ROOMS,
  roomCircles,
  roomsBy,
  upwardArrows,
} from './rooms.ts'
import { exportsOf, root, type Sources, sourcesOfProject } from './sources.ts'

const sources = sourcesOfProject()
const { flat, breaks } = known()
const roomOf = roomsBy(flat)
const arrows = arrowsBetween(sources, roomOf)
const upward = upwardArrows(sources, roomOf)
const faults = faultsOf(sources, roomOf)
const out = (line: string): void => void process.stdout.write(`${line}\n`)
const linesOf = (files: readonly string[]): number => files.reduce((sum, file) => sum + sources.text(file).split('\n').length - 1, 0)

/** How many names the rest may import of a room: its door's, or what the rest imports while it has none. */
function exportsOfRoom(room: string, files: readonly string[]): string {
  const door = files.find((file) => isDoor(file) || /^(machines|src|src\/testing|src\/inspector)\/index\.ts$/.test(file))
  if (door !== undefined) return String(new Set(exportsOf(sources.body(door))).size)
  const names = arrows.flatMap(({ to, names: each }) => (roomOf(to) === room ? each.map((name) => `${to} ${name}`) : []))
  return `(${new Set(names).size})`
}

function row(room: string): string[] {
  const files = sources.files.filter((file) => roomOf(file) === room)
  const leaving = arrows.filter(({ from }) => roomOf(from) === room)
  const entering = arrows.filter(({ to }) => roomOf(to) === room)
  const rising = upward.filter(({ from }) => roomOf(from) === room)
  const targets = new Set(leaving.map(({ to }) => roomOf(to)))
  const types = rising.filter(({ typeOnly }) => typeOnly).length
  const [largest = []] = fileCircles(sources, (file) => roomOf(file) === room)
  return [
    room,
    String(files.length),
    String(linesOf(files)),
    exportsOfRoom(room, files),
    `${leaving.length} to ${targets.size}`,
    `${entering.length} from ${new Set(entering.map(({ from }) => roomOf(from))).size}`,
    rising.length === 0 ? '0' : `${rising.length} (${types} types)`,
    String(largest.length),
  ]
}

function printTable(): void {
  const head = ['room, bottom up', 'files', 'lines', 'exports', 'imports out', 'imports in', 'upwards', 'largest circle in it']
  out(`| ${head.join(' | ')} |\n| --- |${' ---: |'.repeat(head.length - 1)}`)
  for (const room of ROOMS) if (sources.files.some((file) => roomOf(file) === room)) out(`| ${row(room).join(' | ')} |`)
  out('\nExports in brackets: the room has no door, and so many names of it are imported from outside.\n')
}

function printWhole(title: string, all: Sources, among: (file: string) => boolean): void {
  const files = all.files.filter(among)
  const next = (file: string): string[] => all.arrows(file).flatMap(({ to }) => (among(to) ? [to] : []))
  const rising = upward.filter(({ from, to }) => among(from) && among(to))
  const found = fileCircles(all, among)
  out(
    `${title}: ${files.length} files, ${linesOf(files)} lines, ${floors(files, next)} floors, ${rising.length} imports upwards ` +
      `(${rising.filter(({ typeOnly }) => typeOnly).length} types), circles of ${found.map(({ length }) => length).join(', ') || 'none'} files`,
  )
}

function print(): void {
  printTable()
  printWhole('the rooms', sources, (file) => isInner(roomOf(file)))
  printWhole('all of src/ and machines/', sources, () => true)
  for (const rooms of roomCircles(sources, roomOf)) out(`a circle of ${rooms.length} rooms: ${rooms.join(', ')}`)
  for (const files of fileCircles(sources)) out(`a circle of ${files.length} files: ${files.join(', ')}`)
  out('\n| rule | files | weight | known |\n| --- | ---: | ---: | ---: |')
  const total = (files: Readonly<Record<string, number>> = {}): number => Object.values(files).reduce((sum, each) => sum + each, 0)
  for (const [rule, files] of Object.entries(breaksOf(faults))) {
    out(`| ${rule} | ${Object.keys(files).length} | ${total(files)} | ${total(breaks[rule])} |`)
  }
}

/** What still lies flat, and the given breaks, as the file has them. */
function listOf(listed: Known['breaks']): string {
  const left = Object.entries(flat).flatMap(([room, names]) => {
    const lying = names.split(' ').filter((name) => sources.has(`src/${name}.ts`))
    return lying.length === 0 ? [] : [[room, lying.join(' ')]]
  })
  return `${JSON.stringify({ flat: Object.fromEntries(left) as object, breaks: listed }, null, 2)}\n`
}

/** The known breaks as far as they are still there: nothing is added, and no number rises. */
function lowered(): Known['breaks'] {
  const measured = breaksOf(faults)
  const files = (rule: string): [string, number][] =>
    Object.entries(breaks[rule] ?? {}).flatMap(([at, limit]) => {
      const count = measured[rule]?.[at]
      return count === undefined ? [] : [[at, Math.min(count, limit)]]
    })
  const rules = Object.keys(breaks).map((rule) => [rule, Object.fromEntries(files(rule))] as const)
  return Object.fromEntries(rules.filter(([, each]) => Object.keys(each).length > 0))
}

if (process.argv.includes('--breaks')) process.stdout.write(listOf(breaksOf(faults)))
else if (process.argv.includes('--lower')) writeFileSync(join(root, LIST), listOf(lowered()))
else if (process.argv.includes('--faults')) for (const { rule, says } of faults) out(`${rule}: ${says}`)
else print()
