/** A tree that outlives its process, what is done to it, and what has to hold of its lives: for campaigns over a simulated disk. */
import { createGlobalManager, type GlobalManager, LocalManager, type Outcome, type RoutineContext } from 'curtaincall'
import { durableLaw, durableLaws, type Life, type LivesCampaignOptions, type TreeOptions } from 'curtaincall/testing'
import { list, type Message } from './list-machine.ts'

/** What is outside of the tree, and remembers. */
let sent = 0
let worked = new Map<string, number[]>()
let promised: {
  readonly spawned: Set<string>
  readonly messages: { readonly id: string; readonly n: number }[]
  readonly outcomes: Map<string, string>
  readonly changed: string[]
}
function reset(): void {
  sent = 0
  worked = new Map()
  promised = { spawned: new Set(), messages: [], outcomes: new Map(), changed: [] }
}

async function reader({ id, messages }: RoutineContext<unknown, Message>): Promise<unknown> {
  const mine = worked.get(id) ?? []
  worked.set(id, mine)
  for await (const { message } of messages) {
    await new Promise((resolve) => setTimeout(resolve, message.n % 3))
    mine.push(message.n)
    if (message.type === 'end') return { end: message.n }
    if (message.type === 'fail') throw new Error(`failed at ${message.n}`)
  }
  return 'told to stop'
}

export const shop = (options: TreeOptions): GlobalManager => {
  const global = createGlobalManager({ ...options, name: 'shop', work: { reader, list }, maxRestarts: 5, logger: false })
  const app = global.createApp('a')
  app.createLocal('l', { maxRoutines: 3, overflow: 'queue' })
  app.createLocal('m')
  return global
}

function local(global: GlobalManager, name: string): LocalManager | undefined {
  const there = global.whereis(`shop/a/${name}`)
  return there instanceof LocalManager && !there.closed ? there : undefined
}

function text(outcome: Outcome): string {
  return JSON.stringify(outcome, (_, value: unknown) => (value instanceof Error ? value.message : value))
}

const nothing = (): void => undefined

const spawn = (id: string, at: string, options: object) => (global: GlobalManager) => {
  const there = local(global, at)
  if (there === undefined || there.routine(id) !== undefined) return
  const routine = id.startsWith('list')
    ? there.spawn('list', list, { durable: true, id, resume: 'snapshot', ...options })
    : there.spawn('reader', reader, { durable: true, id, ...options })
  routine.durable.then(() => promised.spawned.add(id), nothing)
}

const send = (id: string, at: string, type: 'add' | 'end' | 'fail') => (global: GlobalManager) => {
  const routine = local(global, at)?.routine(id)
  if (routine === undefined) return
  const n = ++sent
  routine.send({ type, n } as never)
  routine.durable.then(() => promised.messages.push({ id, n }), nothing)
  void global.outcomeOf(id).then((outcome) => {
    if (outcome === undefined) return
    // What was told once is told for ever.
    if ((promised.outcomes.get(id) ?? text(outcome)) !== text(outcome)) promised.changed.push(id)
    promised.outcomes.set(id, text(outcome))
  }, nothing)
}

const moves: Record<string, (global: GlobalManager) => unknown> = {
  'spawn one of many': (global) => local(global, 'l')?.spawn('reader', reader, { durable: true }),
  'spawn what is not durable': (global) => local(global, 'l')?.spawn('reader', reader, { timeout: 700 }),
}
const ROUTINES = [
  ['list1', 'l', {}],
  ['list2', 'm', { restart: 'permanent' }],
  ['read1', 'l', {}],
  ['read2', 'm', { restart: 'permanent', backoff: { initial: 10 } }],
] as const
for (const [id, at, options] of ROUTINES) {
  moves[`spawn ${id}`] = spawn(id, at, options)
  for (const type of ['add', 'add', 'end', 'fail'] as const) moves[`${type} ${id}`] = send(id, at, type)
}

/** True if the power may have taken what was acknowledged. */
const maySlip = (lives: readonly Life[]): boolean => lives.some(({ end, fsync }) => end === 'power' && fsync === 'system')
const entriesOf = (lives: readonly Life[]) => lives.flatMap(({ journal }) => journal.appended)

const promisesAreKept = durableLaw('promisesAreKept', function* (lives) {
  if (!maySlip(lives)) for (const id of promised.changed) yield { message: `of ${id} two outcomes were told` }
  const lasting = entriesOf(lives).flatMap(({ entry, said }) => (said === 'lasts' ? [entry] : []))
  // What was not acknowledged may be there all the same.
  const found = lives.flatMap(({ journal }) => journal.found?.unfinished ?? [])
  for (const id of promised.spawned)
    if (!lasting.some(({ type, id: of }) => type === 'spawned' && of === id) && !found.some((each) => each.id === id))
      yield { message: `the spawn of ${id} was promised to last, and nobody has acknowledged it` }
  // Whoever writes to what has ended in an earlier life is told of that end.
  const ended = new Set(lives.flatMap(({ journal }) => [...(journal.found?.outcomes.keys() ?? [])]))
  for (const { id, n } of promised.messages)
    if (!ended.has(id) && !lasting.some((entry) => entry.type === 'message' && (entry.message as Message).n === n))
      yield { message: `message ${n} of ${id} was promised to last, and nobody has acknowledged it` }
})
const messagesAreWorkedOn = durableLaw('messagesAreWorkedOn', function* (lives) {
  if (maySlip(lives)) return
  const ended = new Set(entriesOf(lives).flatMap(({ entry }) => (entry.type === 'outcome' ? [entry.id] : [])))
  // One may wait for a permit for ever.
  const started = new Set(lives.at(-1)?.run.events.flatMap(({ type, id }) => (type === 'routine.started' ? [id] : [])))
  for (const { id, n } of promised.messages)
    if (id.startsWith('read') && started.has(id) && !ended.has(id) && !worked.get(id)?.includes(n))
      yield { message: `nobody has come to message ${n} of ${id}` }
})
const oncePerState = durableLaw('oncePerState', function* (lives) {
  for (const { entry } of entriesOf(lives)) {
    if (entry.type !== 'snapshot') continue
    const { all } = (entry.snapshot as { context: { all: string[] } }).context
    const added = all.filter((each) => !each.startsWith('ring')).map(Number)
    if (new Set(all).size < all.length || added.some((n, k) => n < (added[k - 1] ?? 0)))
      yield { message: `${entry.id} has handled ${all.join(', ')}` }
  }
})
/** Only what was done by hand cancels: the end of a process does not. */
const stoppedIsNotEnded = durableLaw('stoppedIsNotEnded', function* (lives) {
  for (const [life, { journal, trace }] of lives.entries()) {
    const exits = JSON.stringify(trace.header.faults).includes('exits')
    if (exits || trace.header.script.some((step) => /^(cancel|kill|terminateChild|deleteChild)$/.test(step.do))) continue
    for (const { entry } of journal.appended)
      if (entry.type === 'outcome' && (entry.outcome as { status: string }).status === 'cancelled')
        yield { message: `${entry.id} is recorded as cancelled, and nobody has cancelled it`, life }
  }
})
const across = [...durableLaws, promisesAreKept, messagesAreWorkedOn, oncePerState, stoppedIsNotEnded]

const goals: Record<string, (lives: readonly Life[]) => boolean> = {
  'the power goes': (lives) => lives.some(({ end }) => end === 'power'),
  'killed in the middle': (lives) =>
    lives.some(({ end, run }) => end !== 'shutdown' && !run.events.some(({ text: says }) => says?.startsWith('the p') === true)),
  'killed while it opens': (lives) => lives.some(({ end, journal }) => end !== 'shutdown' && journal.found === undefined),
  'killed while it shuts down': (lives) =>
    lives.some(({ end, run }) => end !== 'shutdown' && run.events.some(({ type, actor }) => type === 'manager.phase' && actor === 'shop')),
  'the disk is full': (lives) => lives.some(({ journal }) => journal.failures.length > 0),
  'one is brought back': (lives) => lives.some(({ run }) => run.events.some((event) => event['restored'] === true)),
  'an outcome is told': () => promised.outcomes.size > 0,
  'a list is brought back with what it has': (lives) =>
    lives.some(
      ({ journal }) => journal.found?.unfinished.some(({ snapshot, delays }) => snapshot !== undefined && delays.length > 0) === true,
    ),
}

/** All of it together. */
export const campaign: LivesCampaignOptions = { moves, reset, across, goals }
