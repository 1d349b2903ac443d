/** One life of the crash campaign: opens the store, tells what it finds, and appends until it is killed. */
import { readFileSync, writeSync } from 'node:fs'
import { sqliteStore } from '../../src/sqlite/index.ts'
import { FakeHost, restored } from '../support/store-host.ts'
import { entriesOf, type Order } from './workload.ts'

const order = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as Order
const { file, moment, fsync, retain, ended } = order
/** A pipe takes what it has room for. */
function say(what: string): void {
  const bytes = Buffer.from(what)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

const host = new FakeHost()
host.failed = (error) => say(`failed ${(error as Error).message}\n`)
// In pages of 4 kB: what is there, and a little more.
const maxSize = moment === 'full' ? 600_000 : Infinity
const store = sqliteStore(file, { fsync, retain: { count: retain }, maxWaiting: 200_000, maxSize, patience: 60_000 })
say('begins\n')
const journal = await store.open(host)
say(`opened ${JSON.stringify({ position: journal.position, lines: host.lines })}\n`)
const unfinished = await restored(journal)
const outcomes = await Promise.all(ended.map(async (id) => [id, await journal.outcomeOf(id)]))
const strangers = await Promise.all(['never', 'l0-', ''].map((id) => journal.has(id)))
say(`found ${JSON.stringify({ unfinished, outcomes, strangers })}\n`)

let acknowledged = 0
function acknowledge(error?: unknown): void {
  if (error !== undefined) say(`refused ${(error as Error).message}\n`)
  else {
    acknowledged++
    say('.')
  }
}

const entries = entriesOf(order)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
if (moment === 'backing-up') {
  const again = async (): Promise<void> => {
    await store.backup(`${file}.copy`, { overwrite: true })
    say('backed\n')
    await again()
  }
  again().catch((error: unknown) => say(`refused ${(error as Error).message}\n`))
}
for (let round = 0; ; round++) {
  const burst = moment === 'digesting' ? 2_000 : 1 + ((round * 37) % 120)
  for (let i = 0; i < burst; i++) journal.append(entries.next().value as never, acknowledge)
  if (round % 9 === 4) void journal.has(`l${order.life}-0`).catch(() => undefined)
  if (journal.isFull) await new Promise<void>((resolve) => journal.whenRoom(resolve))
  else if (round % 3 === 0) await turn()
  if (moment === 'closing' && acknowledged > 300) break
}
say('closes\n')
await journal.close()
say('closed\n')
