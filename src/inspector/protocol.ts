/**
 * What goes over the wire between a watched process and its page. Shared by both: nothing here knows Node.js or the DOM.
 *
 * W1  Frames applied in order to an empty table give the table that they were taken from, whatever happened between.
 * W2  What is coalesced is counted. An end is never lost: a node goes only by being named in `gone`.
 * W3  A text `{}` says nothing but that the process runs.
 */

import type { ShutdownsView } from './questions.ts'

export type * from './questions.ts'

/** The version that both sides have to speak. */
export const PROTOCOL = 1

/** States as numbers, in the order of their codes. */
export const STATES = ['pending', 'running', 'stopping', 'completed', 'failed', 'cancelled', 'killed', 'queued', 'hung'] as const
/** One of them. */
export type NodeState = (typeof STATES)[number]

/** How a routine may end. */
export const ENDS = ['completed', 'failed', 'cancelled', 'killed'] as const

/** Kinds as numbers. */
export const KINDS = ['global', 'app', 'local', 'manager', 'routine'] as const
/** One of them. */
export type NodeKind = (typeof KINDS)[number]

/** A node as it came to be. Ids are never used again. */
export interface NewNode {
  readonly id: number
  /** 0 for the root. */
  readonly parent: number
  readonly kind: NodeKind
  /** Name, and for a routine `name#id`. */
  readonly label: string
}

/** What of a node may change. */
export interface NodeChange {
  readonly id: number
  readonly state: NodeState
  readonly restarts: number
  readonly incarnation: number
}

/** Everything that changed since the frame before. */
export interface Frame {
  /** True if it is the whole tree: what was known before is void. */
  readonly whole: boolean
  /** From 1. */
  readonly number: number
  /** Milliseconds of the watched clock. */
  readonly at: number
  /** Lifecycle events that it stands for. */
  readonly events: number
  /** Changes that a later one in the same frame has taken the place of. */
  readonly coalesced: number
  /** Routines that have ended, ever, in the order of {@link ENDS}: those that stay to be looked at are only the latest. */
  readonly totals: readonly number[]
  readonly born: readonly NewNode[]
  readonly changed: readonly NodeChange[]
  readonly gone: readonly number[]
}

const HEADER = 36 + ENDS.length * 4
const CHANGE = 12
const MAGIC = 0xcc01
const MAGIC_WHOLE = 0xcc02
/** Three bytes hold no more. */
const MOST_RESTARTS = 0xffffff

/** Packs a frame: a header, 12 bytes for each change, 4 for each that is gone, names as JSON. */
export function encodeFrame({ whole, number, at, events, coalesced, totals, born, changed, gone }: Frame): Uint8Array {
  const names = new TextEncoder().encode(
    JSON.stringify(born.map(({ id, parent, kind, label }) => [id, parent, KINDS.indexOf(kind), label])),
  )
  const bytes = new Uint8Array(HEADER + changed.length * CHANGE + gone.length * 4 + names.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, whole ? MAGIC_WHOLE : MAGIC)
  view.setUint32(4, number)
  view.setFloat64(8, at)
  for (const [k, value] of [events, coalesced, changed.length, gone.length, names.length, ...totals].entries())
    view.setUint32(16 + k * 4, value)
  let offset = HEADER
  for (const { id, state, restarts, incarnation } of changed) {
    view.setUint32(offset, id)
    // A byte for the state, three for the restarts: what comes back every second has more than 65,535 of them after a day.
    view.setUint32(offset + 4, STATES.indexOf(state) * 0x1000000 + Math.min(restarts, MOST_RESTARTS))
    view.setUint32(offset + 8, incarnation)
    offset += CHANGE
  }
  for (const id of gone) {
    view.setUint32(offset, id)
    offset += 4
  }
  bytes.set(names, offset)
  return bytes
}

/** Unpacks a frame. Throws RangeError if it is none, or cut. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = bytes.byteLength < HEADER ? 0 : view.getUint32(0)
  if (magic !== MAGIC && magic !== MAGIC_WHOLE) throw new RangeError('not a frame of this version')
  const [events = 0, coalesced = 0, changes = 0, leaving = 0, length = 0] = Array.from({ length: 5 }, (_, k) => view.getUint32(16 + k * 4))
  const names = HEADER + changes * CHANGE + leaving * 4
  if (bytes.byteLength !== names + length) throw new RangeError(`a frame of ${names + length} bytes was cut to ${bytes.byteLength}`)
  const changed = Array.from({ length: changes }, (_, k) => {
    const at = HEADER + k * CHANGE
    const both = view.getUint32(at + 4)
    const state = named(STATES, both >>> 24)
    return { id: view.getUint32(at), state, restarts: both & MOST_RESTARTS, incarnation: view.getUint32(at + 8) }
  })
  const totals = ENDS.map((_, k) => view.getUint32(36 + k * 4))
  const gone = Array.from({ length: leaving }, (_, k) => view.getUint32(HEADER + changes * CHANGE + k * 4))
  const born = bornIn(new TextDecoder().decode(bytes.subarray(names)))
  return { whole: magic === MAGIC_WHOLE, number: view.getUint32(4), at: view.getFloat64(8), events, coalesced, totals, born, changed, gone }
}

function named<Name>(names: readonly Name[], code: number): Name {
  const name = names[code]
  if (name === undefined) throw new RangeError(`a frame holds the code ${code}, which stands for nothing`)
  return name
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function bornIn(text: string): NewNode[] {
  let entries: unknown
  try {
    entries = JSON.parse(text)
  } catch {
    entries = undefined
  }
  if (!Array.isArray(entries)) throw new RangeError('a frame holds no names')
  return entries.map((entry: unknown) => {
    const [id, parent, kind, label] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (!isId(id) || !isId(parent) || !isId(kind) || typeof label !== 'string') throw new RangeError('a frame holds a name that is none')
    return { id, parent, kind: named(KINDS, kind), label }
  })
}

/** Stands in a message for who sent it, or asked, where that is not known; no path is it. */
export const UNKNOWN_SENDER = '?'

/** One line of the log. */
export interface LogLine {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly path: string
  readonly cause: number | null
  /** The rest of the event, in words. */
  readonly said: string
  /** What it follows from, of what happens to one for the sake of another, such as a group that is restarted. */
  readonly because?: string | undefined
}

/** What a sample holds. */
export const SAMPLE = [
  'at',
  'running',
  'pending',
  'failures',
  'restarts',
  'spawned',
  'ended',
  'lag',
  'heap',
  'refused',
  'orphaned',
] as const

/** What an order may be. */
export const CONTROLS = ['cancel', 'kill', 'restart', 'send', 'shutdown', 'shutdownNow'] as const
/** One of them. */
export type Control = (typeof CONTROLS)[number]

/** What an order came to. */
export interface Done {
  readonly hit: number
  /** Paths of those that could not be hit, and why; the first few. */
  readonly missed: readonly string[]
  /** Machines that took no transition for the event that they were sent, if there are any. */
  readonly ignored?: number | undefined
}

/** What a page is told when the tree has ended: who held it up is to be known when there is nobody left to be asked. */
export interface Last {
  readonly last: { readonly shutdown: ShutdownsView }
}

/** What the server says first. */
export interface Hello {
  readonly hello: typeof PROTOCOL
  readonly name: string
  readonly controls: boolean
  readonly source: 'live' | 'file'
  readonly now: number
}
