/** Prints the rooms of src/, and what leads from one to another: `npm run rooms`. With `--faults` it prints each line that breaks a rule. */
import { arrowsBetween, faultsOf, fileCircles, floors, isDoor, isInner, ROOMS, roomCircles, roomOf, upwardArrows } from './rooms.ts'
import { exportsOf, type Sources, sourcesOfProject } from './sources.ts'

const sources = sourcesOfProject()
const arrows = arrowsBetween(sources)
const upward = upwardArrows(sources)
const faults = faultsOf(sources)
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
  for (const rooms of roomCircles(sources)) out(`a circle of ${rooms.length} rooms: ${rooms.join(', ')}`)
  for (const files of fileCircles(sources)) out(`a circle of ${files.length} files: ${files.join(', ')}`)
  out(`${faults.length} lines break a rule`)
}

if (process.argv.includes('--faults')) for (const { rule, says } of faults) out(`${rule}: ${says}`)
else print()
