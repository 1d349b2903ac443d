/**
 * What the entries of a durable journal mean: what each changes of what is known of its routine.
 *
 * E1  A spawn counts if its id is unknown: never spawned, or its outcome is retained no more.
 * E2  All others count while their routine lives: after its spawn, before its outcome. So the first outcome counts.
 * E3  Messages are numbered, and wait until they are handled; one that was handled, or is there, changes nothing.
 * E4  A snapshot takes the place of the one before, and handles all messages up to its number. What was handled stays handled.
 */

/** What an entry is about. */
export type EntryKind = 'spawned' | 'message' | 'handled' | 'snapshot' | 'outcome'

/** One entry, as far as decisions need it: `Body` is whatever a store keeps of the rest. */
export interface EntryFacts<Body> {
  readonly kind: EntryKind
  readonly id: string
  /** Of a message, or up to which messages were handled; of a spawn or an outcome, when. */
  readonly number: number
  readonly body: Body
}

/** The number of an entry as it is stored: of which message it is about, or when it happened. */
export function numberOf(
  entry:
    | { readonly type: 'spawned'; readonly at: number }
    | { readonly type: 'outcome'; readonly at: number }
    | { readonly type: Exclude<EntryKind, 'spawned' | 'outcome'>; readonly number: number },
): number {
  return entry.type === 'spawned' || entry.type === 'outcome' ? entry.at : entry.number
}

/** What is known of one id. */
export interface Known<Body> {
  stage: 'unknown' | 'living' | 'ended'
  /** Of its spawn. */
  spawn: Body | undefined
  /** Up to which number its messages were handled. */
  handled: number
  snapshot: Body | undefined
  /** Those that wait, by their number, in the order of their coming. */
  messages: Map<number, Body>
  outcome: Body | undefined
}

/** What is known of an id that was never heard of. */
export function unheardOf<Body>(): Known<Body> {
  return { stage: 'unknown', spawn: undefined, handled: 0, snapshot: undefined, messages: new Map(), outcome: undefined }
}

/** E1–E4: changes what is known by one entry. False if it changes nothing. */
export function learn<Body>(known: Known<Body>, { kind, number, body }: EntryFacts<Body>): boolean {
  if (known.stage !== (kind === 'spawned' ? 'unknown' : 'living')) return false
  switch (kind) {
    case 'spawned':
      known.stage = 'living'
      known.spawn = body
      return true
    case 'message':
      if (number <= known.handled || known.messages.has(number)) return false
      known.messages.set(number, body)
      return true
    case 'handled':
      return handle(known, number)
    case 'snapshot':
      known.snapshot = body
      handle(known, number)
      return true
    default:
      known.stage = 'ended'
      known.outcome = body
      known.snapshot = undefined
      known.messages.clear()
      return true
  }
}

function handle<Body>(known: Known<Body>, number: number): boolean {
  if (number <= known.handled) return false
  known.handled = number
  for (const each of known.messages.keys()) if (each <= number) known.messages.delete(each)
  return true
}
