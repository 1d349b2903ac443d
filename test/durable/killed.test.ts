/** A process that is killed between any two entries: nothing that lasts is lost, done twice in a state, or told otherwise. DR2–DR4, Z5. */
import type { RoutineContext } from 'curtaincall'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { list } from '../support/list-machine.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { makeTree, type Tree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'
import { Told } from '../support/store-host.ts'

/** What each body has come to in the present process. */
let come: Record<string, unknown[]> = {}

/** A function: it waits after every second message, and ends at 'end', or fails at 'fail'. */
async function reader({ id, messages }: RoutineContext<any, any>): Promise<unknown> {
  const mine = (come[id] ??= [])
  for await (const { message } of messages) {
    mine.push(message.n)
    if (message.type === 'end') return { end: message.n }
    if (message.type === 'fail') throw new Error(`failed at ${message.n}`)
  }
  return 'told to stop'
}

const work = { reader, list }
const ROUTINES = ['reader', 'list', 'list'] as const

type Step =
  | { readonly do: 'spawn'; readonly who: number; readonly restart: 'temporary' | 'permanent' }
  | { readonly do: 'send'; readonly who: number; readonly type: 'add' | 'end' | 'fail' }
  | { readonly do: 'cancel'; readonly who: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'settle' }

const who = fc.nat({ max: ROUTINES.length - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('spawn' as const), who, restart: fc.constantFrom('temporary' as const, 'permanent' as const) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      who,
      type: fc.constantFrom('add' as const, 'add' as const, 'add' as const, 'end' as const, 'fail' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 300, 500, 900) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
)

function start(store: MemoryStore, at = 1_000): Tree {
  come = {}
  const tree = makeTree({ maxRestarts: 1_000 }, { store, work, logger: false })
  tree.clock.block(at - 1_000)
  return tree
}

async function play(tree: Tree, steps: readonly Step[]): Promise<void> {
  let n = 0
  const handles = new Map<number, any>()
  for (const each of steps) {
    if (each.do === 'wait') await tree.clock.advance(each.ms)
    else if (each.do === 'settle') await settle()
    else if (each.do === 'spawn') {
      if (handles.has(each.who)) continue
      const name = ROUTINES[each.who] as 'list'
      const options = { durable: true, id: `r${each.who}`, restart: each.restart, ...(name === 'list' ? { resume: 'snapshot' } : {}) }
      handles.set(each.who, tree.local.spawn(name, work[name], options as never))
    } else {
      const handle = handles.get(each.who) ?? tree.local.routine(`r${each.who}`)
      if (each.do === 'cancel') void handle?.cancel('by hand')
      else handle?.send({ type: each.type, n: ++n })
    }
  }
  await settle()
}

/** All of the messages that were accepted of one, as they are in the journal. */
function messagesOf(store: MemoryStore, id: string): { n: number; type: string }[] {
  return store.entries.flatMap((entry) =>
    entry.type === 'message' && entry.id === id ? [entry.message as { n: number; type: string }] : [],
  )
}

/** Up to the first that ends or crashes it. */
function calm<Message extends { type: string }>(messages: readonly Message[]): readonly Message[] {
  const end = messages.findIndex(({ type }) => type !== 'add')
  return end < 0 ? messages : messages.slice(0, end)
}

async function checkPrefix(written: readonly string[], at: number): Promise<void> {
  const store = new MemoryStore()
  store.written.push(...written)
  const before = Told.of(store.entries)
  const tree = start(store, at)
  await settle()
  for (const { id, work: name, messages } of before.unfinished.values()) {
    const all = messagesOf(store, id)
    const ends = messages.some(({ message }) => (message as { type: string }).type !== 'add')
    const routine = tree.local.routine(id) as any
    if (!ends) expect(routine?.state).toBe('running')
    if (name === 'reader') {
      // At least once, and in order: from the first that was not handled.
      const left = messages.map(({ message }) => message as { n: number; type: string })
      const reads = ends ? [...calm(left), left[calm(left).length] as { n: number }] : left
      expect((come[id] ?? []).slice(0, reads.length)).toEqual(reads.map(({ n }) => n))
    } else if (calm(all).length === all.length) {
      // In its state each of them is there exactly once, and rings once.
      await tree.clock.advance(1_000)
      const state = routine.work.getSnapshot().context.all as string[]
      expect(state.filter((each) => !each.startsWith('ring'))).toEqual(all.map(({ n }) => `${n}`))
      expect(state.filter((each) => each.startsWith('ring'))).toEqual(all.map(({ n }) => `ring ${n}`))
    }
  }
  const after = store.told
  for (const [id, { outcome }] of before.outcomes) {
    expect(after.outcomes.get(id)?.outcome).toEqual(outcome)
    expect(come[id]).toBeUndefined()
    expect(await tree.global.outcomeOf(id)).toMatchObject({ status: (outcome as { status: string }).status })
  }
  store.kill()
}

test('killed between any two entries of any script, and started again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), async (steps) => {
      const store = new MemoryStore()
      const tree = start(store)
      await settle()
      await play(tree, steps)
      const at = tree.clock.now()
      const { written } = store
      for (let k = 0; k <= written.length; k++) await checkPrefix(written.slice(0, k), at)
    }),
    { numRuns: 60 },
  )
}, 60_000)

/** What was promised to whoever asked. */
interface Promised {
  readonly spawned: Set<string>
  readonly messages: Map<string, number[]>
  readonly outcomes: Map<string, unknown>
}

test('what was acknowledged is there after any number of kills, also while it comes back; no outcome is ever another', async () => {
  const life = fc.record({ steps: fc.array(step, { maxLength: 8 }), writes: fc.nat({ max: 12 }), alsoWritten: fc.nat({ max: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
      const store = new MemoryStore()
      const promised: Promised = { spawned: new Set(), messages: new Map(), outcomes: new Map() }
      let at = 1_000
      let n = 0
      for (const { steps, writes, alsoWritten } of lives) {
        store.manual = true
        const tree = start(store, at)
        await settle()
        for (const each of steps) {
          if (each.do === 'spawn' && tree.local.routine(`r${each.who}`) === undefined) {
            const name = ROUTINES[each.who] as 'list'
            const id = `r${each.who}`
            const routine = tree.local.spawn(name, work[name], {
              durable: true,
              id,
              restart: each.restart,
              ...(name === 'list' ? { resume: 'snapshot' } : {}),
            } as never) as any
            void routine.durable.then(() => promised.spawned.add(id))
            await settle()
          } else if (each.do === 'send') {
            const routine = tree.local.routine(`r${each.who}`) as any
            if (routine === undefined) continue
            const number = ++n
            routine.send({ type: each.type, n: number })
            void routine.durable.then(() => promised.messages.set(routine.id, [...(promised.messages.get(routine.id) ?? []), number]))
          } else if (each.do === 'wait') await tree.clock.advance(each.ms)
          else if (each.do === 'settle') {
            store.journal?.write(writes)
            await settle()
          }
          for (let who = 0; who < ROUTINES.length; who++) {
            const id = `r${who}`
            if (!promised.outcomes.has(id))
              void tree.global.outcomeOf(id).then((outcome) => outcome !== undefined && promised.outcomes.set(id, text(outcome)))
          }
        }
        store.journal?.write(writes)
        await settle()
        at = tree.clock.now()
        store.kill(alsoWritten)
        const { told } = store
        for (const id of promised.spawned) expect(told.unfinished.has(id) || told.outcomes.has(id)).toBe(true)
        for (const [id, numbers] of promised.messages)
          for (const each of numbers) expect(messagesOf(store, id).map((message) => message.n)).toContain(each)
      }
      store.manual = false
      const tree = start(store, at)
      await settle()
      for (const [id, outcome] of promised.outcomes) expect(text(await tree.global.outcomeOf(id))).toBe(outcome)
      store.kill()
    }),
    { numRuns: 150 },
  )
}, 60_000)

function text(outcome: unknown): string {
  return JSON.stringify(outcome, (_, value: unknown) => (value instanceof Error ? value.message : value))
}
