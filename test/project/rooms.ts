/**
 * The rooms of src/ and the walls between them, computed from the sources, types included.
 *
 * - `homeless`: a file of src/ lies in a room.
 * - `upward`: a room imports only rooms that stand before it in {@link ROOMS}. Below all of them is machines/; above them are
 *   src/index.ts, and then the test kit, the inspector, the store and the command.
 * - `roomCircle`: there is no circle between rooms; a circle weighs as many as it has rooms.
 * - `fileCircle`: a circle of files has three of them at most; a larger one weighs as many as it has files.
 * - `door`: what stands outside a room imports it only through its index.ts. machines/ is no room and is imported file by file.
 * - `doorShape`: an index.ts of a room is one sentence, and then nothing but exports of what lies elsewhere.
 *
 * `reach` is in reach.ts; `inheritance`, `interfaceSize` and `interfaceAbsent` are in declarations.ts.
 */
import { inheritanceFaults, interfaceFaults } from './declarations.ts'
import { reachFaults } from './reach.ts'
import type { Arrow, Sources } from './sources.ts'

/** Bottom up. */
const INNER = [
  'contract',
  'port',
  'spec',
  'durable',
  'turn',
  'count',
  'admission',
  'message',
  'routine',
  'supervision',
  'shutdown',
  'manager',
  'recovery',
] as const

export const ROOMS: readonly string[] = [
  'machines',
  ...INNER,
  'index',
  'ground',
  'worker',
  'thread',
  'process',
  'testing',
  'inspector',
  'sqlite',
  'watchdog',
  'cli',
]

/** What one place does against a rule. */
export interface Fault {
  readonly rule: string
  /** The file that is to change; of a circle, its first member. */
  readonly at: string
  readonly weight: number
  /** The offending line, and what is wrong with it. */
  readonly says: string
}

/** The room that a file lies in, by its folder. */
export function roomOf(file: string): string | undefined {
  if (file.startsWith('machines/')) return 'machines'
  if (file === 'src/index.ts') return 'index'
  const [, folder] = /^src\/([^/]+)\//.exec(file) ?? []
  return folder !== undefined && ROOMS.includes(folder) ? folder : undefined
}

export const isInner = (room: string | undefined): boolean => (INNER as readonly (string | undefined)[]).includes(room)

export const isDoor = (file: string): boolean => isInner(/^src\/([^/]+)\/index\.ts$/.exec(file)?.[1])

/** All imports that lead from one room into another. */
export function arrowsBetween(sources: Sources): Arrow[] {
  return sources.files.flatMap((file) => sources.arrows(file).filter(({ to }) => roomOf(file) !== roomOf(to)))
}

/** Imports that lead to a room that stands later. */
export function upwardArrows(sources: Sources): Arrow[] {
  const height = (file: string): number => ROOMS.indexOf(roomOf(file) ?? '')
  return arrowsBetween(sources).filter(({ from, to }) => height(from) >= 0 && height(to) > height(from))
}

/** An import in words. */
function say({ from, to, line, typeOnly, names }: Arrow): string {
  return `${from}:${line} imports ${typeOnly ? 'the type of ' : ''}${names.join(', ')} of ${to}`
}

/** Strongly connected sets of more than one, each in the order of `nodes`, largest first. */
export function circles(nodes: readonly string[], next: (node: string) => readonly string[]): string[][] {
  const { sets } = connected(nodes, next)
  const large = sets.filter((set) => set.length > 1).map((set) => set.toSorted((a, b) => nodes.indexOf(a) - nodes.indexOf(b)))
  return large.toSorted((a, b) => b.length - a.length)
}

/** How many floors the files would stand on if each stood on all that it imports and a circle were one file. */
export function floors(nodes: readonly string[], next: (node: string) => readonly string[]): number {
  const { sets, setOf } = connected(nodes, next)
  // A set is complete only after all that it leads to.
  const heights: number[] = []
  sets.forEach((set, i) => {
    const below = set.flatMap(next).flatMap((node) => (setOf.get(node) === i ? [] : [heights[setOf.get(node) as number] as number]))
    heights.push(1 + Math.max(0, ...below))
  })
  return Math.max(0, ...heights)
}

/** Tarjan's algorithm. */
function connected(nodes: readonly string[], next: (node: string) => readonly string[]): { sets: string[][]; setOf: Map<string, number> } {
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const setOf = new Map<string, number>()
  const stack: string[] = []
  const sets: string[][] = []
  const visit = (node: string): number => {
    order.set(node, order.size)
    stack.push(node)
    let least = order.get(node) as number
    for (const to of next(node)) {
      if (!order.has(to)) least = Math.min(least, visit(to))
      else if (!setOf.has(to)) least = Math.min(least, order.get(to) as number)
    }
    low.set(node, least)
    if (least === order.get(node)) {
      const set = stack.splice(stack.lastIndexOf(node))
      for (const each of set) setOf.set(each, sets.length)
      sets.push(set)
    }
    return least
  }
  for (const node of nodes) if (!order.has(node)) visit(node)
  return { sets, setOf }
}

/** Of the files of some rooms, or of all. */
export function fileCircles(sources: Sources, among: (file: string) => boolean = () => true): string[][] {
  const files = sources.files.filter(among)
  return circles(files.toSorted(), (file) => sources.arrows(file).flatMap(({ to }) => (among(to) ? [to] : [])))
}

export function roomCircles(sources: Sources): string[][] {
  const arrows = arrowsBetween(sources)
  const next = (room: string): string[] => arrows.flatMap(({ from, to }) => (roomOf(from) === room ? [roomOf(to) ?? room] : []))
  return circles(ROOMS, next)
}

/** All that the sources do against the rules. */
export function faultsOf(sources: Sources): Fault[] {
  const one = (rule: string, at: string, says: string): Fault => ({ rule, at, weight: 1, says })
  const homeless = sources.files.filter((file) => roomOf(file) === undefined)
  const behind = arrowsBetween(sources).filter(({ to }) => isInner(roomOf(to)) && !isDoor(to))
  return [
    ...homeless.map((file) => one('homeless', file, `${file} is in no room: give it a folder`)),
    ...upwardArrows(sources).map((arrow) =>
      one('upward', arrow.from, `${say(arrow)}, from ${roomOf(arrow.from)} up to ${roomOf(arrow.to)}`),
    ),
    ...roomCircles(sources).map((rooms) => circle('roomCircle', rooms)),
    ...fileCircles(sources).flatMap((files) => (files.length > 3 ? [circle('fileCircle', files)] : [])),
    ...behind.map((arrow) => one('door', arrow.from, `${say(arrow)}, and not through src/${roomOf(arrow.to)}/index.ts`)),
    ...sources.files.flatMap((file) => (isDoor(file) ? doorFaults(sources, file) : [])),
    ...sources.files.flatMap((file) => (isInner(roomOf(file)) ? [...reachFaults(sources, file), ...inheritanceFaults(sources, file)] : [])),
    ...interfaceFaults(sources),
  ]
}

function circle(rule: string, members: readonly string[]): Fault {
  return { rule, at: members[0] as string, weight: members.length, says: `a circle of ${members.length}: ${members.join(', ')}` }
}

function doorFaults(sources: Sources, file: string): Fault[] {
  const fault = (says: string): Fault => ({ rule: 'doorShape', at: file, weight: 1, says })
  const others = sources.body(file).filter(({ type, source }) => !/^Export(Named|All)Declaration$/.test(type) || !source)
  const first = sources.parsed(file).comments.find(({ start }) => start === 0)
  const text = first?.value.replaceAll(/^[*\s]+/gm, ' ').trim() ?? ''
  const isSentence = first?.type === 'Block' && /^\S[^]*[.!?]$/.test(text) && !/[.!?]\s/.test(text)
  return [
    ...(isSentence ? [] : [fault(`${file}:1 does not begin with one sentence about the room, as a comment`)]),
    ...others.map((statement) => fault(`${sources.place(file, statement)} is no export of what lies elsewhere`)),
  ]
}
