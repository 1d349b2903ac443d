/**
 * All that has gone wrong, each distinct problem once: a pure fold over lifecycle events, for a living tree and a recording alike.
 *
 * Knows neither Node.js nor the DOM.
 *
 * J1  Every `routine.failed` is counted once: the counts of all failures and of the older ones together are as many as there were.
 * J2  Which events belong together, and how many they are, does not depend on their order, as long as all are told apart.
 * J3  It is bounded: of more problems than are told apart, those that came last the longest ago are only counted.
 */
import { above, shortName } from '../../machines/path.ts'
import { failureOf, namedIn, placeOf } from './failure.ts'
import type { FailureView, ProblemKind, ProblemsView, ProblemView, StackFrame } from './problem-views.ts'
import { PROBLEMS } from './problem-views.ts'
import type { KeptEvent } from './protocol.ts'
import { textOf } from './story.ts'

/** Problems that are told apart, and different paths of one that are counted. */
const GROUPS = 200
const PATHS = 100
/** Milliseconds of one part of a trend, and parts. */
const PART = 10_000
const PARTS = 60

/** An event that is a problem. */
interface Fault extends Pick<ProblemView, 'key' | 'kind' | 'said' | 'error' | 'who' | 'place' | 'restarted'> {
  readonly seq: number
  readonly at: number
  readonly path: string
}

interface Group {
  latest: Fault
  first: number
  count: number
  readonly paths: Set<string>
  /** How often, by parts of time. */
  readonly parts: Map<number, number>
}

const KINDS: Readonly<Record<string, ProblemKind | undefined>> = {
  'routine.failed': 'failed',
  'routine.killed': 'killed',
  'routine.hung': 'hung',
  'routine.refused': 'refused',
  'message.dropped': 'dropped',
  'manager.gaveUp': 'gaveUp',
  'loop.blocked': 'blocked',
  'store.failed': 'store',
}

export class Problems {
  /** The one that came last the longest ago stands first. */
  readonly #groups = new Map<string, Group>()
  readonly #older = { groups: 0, count: 0 }
  readonly #most: number

  constructor(most = GROUPS) {
    this.#most = most
  }

  note(event: KeptEvent): void {
    const fault = faultOf(event)
    if (fault === undefined) return
    const { key, at, path } = fault
    const group = this.#groups.get(key) ?? {
      latest: fault,
      first: at,
      count: 0,
      paths: new Set<string>(),
      parts: new Map<number, number>(),
    }
    group.count++
    group.first = Math.min(group.first, at)
    if (fault.seq >= group.latest.seq) group.latest = fault
    if (group.paths.size < PATHS) group.paths.add(path)
    const part = Math.floor(at / PART)
    group.parts.set(part, (group.parts.get(part) ?? 0) + 1)
    if (group.parts.size > PARTS * 2) forgetBefore(group.parts, Math.max(...group.parts.keys()) - PARTS)
    this.#groups.delete(key)
    this.#groups.set(key, group)
    if (this.#groups.size > this.#most) this.#fold()
  }

  #fold(): void {
    const [key, group] = this.#groups.entries().next().value as [string, Group]
    this.#groups.delete(key)
    this.#older.groups++
    this.#older.count += group.count
  }

  /** The worst kind first, and of one kind the newest problem first: so that what is read stays where it is. */
  view(now: number): Omit<ProblemsView, 'warnings'> {
    const problems = [...this.#groups.values()].map((group) => viewOf(group, now))
    const rank = ({ kind }: ProblemView): number => PROBLEMS.indexOf(kind)
    problems.sort((a, b) => rank(a) - rank(b) || b.first - a.first || (a.key < b.key ? -1 : 1))
    return { now, part: PART, problems, older: { ...this.#older } }
  }
}

function forgetBefore(parts: Map<number, number>, first: number): void {
  for (const part of parts.keys()) if (part <= first) parts.delete(part)
}

function viewOf({ latest, first, count, paths, parts }: Group, now: number): ProblemView {
  const { at: last, ...rest } = latest
  const present = Math.floor(now / PART)
  const trend = Array.from({ length: PARTS }, (_, k) => parts.get(present - PARTS + 1 + k) ?? 0)
  return { ...rest, count, first, last, paths: paths.size, trend }
}

/** The failure that an event holds, which was checked if it comes from a file; of an older recording, what its text says. */
export function failureIn(event: KeptEvent): FailureView {
  const { failure, error } = event
  if (failure !== undefined) return failure as FailureView
  return typeof error === 'string' ? { ...namedIn(error), frames: [], causes: [] } : failureOf(error)
}

/** Words with a digit in them are numbers and ids: what differs by these alone is one problem. */
const likeness = (text: string): string => text.replace(/[\w-]*\d[\w-]*/g, '#')

function faultOf(event: KeptEvent): Fault | undefined {
  const { type, path, seq, at } = event
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined
  if (kind === undefined) return undefined
  const who = shortName(path)
  const rest = { kind, who, seq, at, path, restarted: event['willRestart'] === true }
  if (kind === 'failed' || kind === 'store') {
    const { name, message, frames } = failureIn(event)
    const place = placeOf(frames)
    return { ...rest, error: name, said: message, place, key: keyOf(kind, who, name, message, place) }
  }
  const said = SAYINGS[kind](event)
  return { ...rest, error: '', said, place: undefined, key: keyOf(kind, who, above(path), kind === 'refused' ? said : '', undefined) }
}

function keyOf(kind: ProblemKind, who: string, what: string, said: string, place: StackFrame | undefined): string {
  const where = place === undefined ? '' : `${place.file}:${place.line}:${place.column}`
  return [kind, likeness(who), likeness(what), likeness(said), where].join(' | ')
}

const seconds = (value: unknown): string => (typeof value === 'number' ? `${(value / 1_000).toFixed(1)} s` : 'a while')

const SAYINGS: Readonly<Record<Exclude<ProblemKind, 'failed' | 'store'>, (event: KeptEvent) => string>> = {
  gaveUp: ({ restarts, window }) => `more than ${textOf(restarts)} restarts within ${seconds(window)}`,
  killed: () => 'did not end when it was told to, and was given up on',
  hung: ({ silence }) => `silent for ${seconds(silence)}`,
  blocked: ({ duration }) => `blocked the event loop for ${seconds(duration)}: nothing else could run`,
  dropped: () => 'a message was dropped: its mailbox is full',
  refused: ({ name, code }) => `refused to spawn ${textOf(name)}: ${REFUSALS.get(code) ?? textOf(code)}`,
}

const REFUSALS: ReadonlyMap<unknown, string> = new Map([
  ['ERR_QUEUE_FULL', 'its queue is full'],
  ['ERR_AT_CAPACITY', 'it runs as many as it may'],
  ['ERR_NOT_ACCEPTING', 'it is shutting down'],
])
