/**
 * Indexes a folder: one supervised routine per file, sixteen at a time, with a bounded queue
 * that holds the walker back.
 *
 *     npm start                      the checkout's own node_modules, beside a small shop in which things go wrong
 *     npm start -- FOLDER            another folder
 *     npm start -- FOLDER --faults   with simulated passing faults, to watch restarts
 *     npm start -- --help            all of it, and the options of the command
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { LocalManager, Program, RoutineContext } from 'curtaincall'
import { openDemo } from './demo.ts'

interface Entry {
  readonly hash: string
  readonly bytes: number
  readonly lines: number
}

interface Index {
  readonly entries: Map<string, Entry>
  readonly failures: { readonly file: string; readonly error: unknown }[]
}

/** What the system runs short of for a moment; everything else will be no different the next time. */
const PASSING = new Set(['EAGAIN', 'EBUSY', 'EMFILE', 'ENFILE', 'ETIMEDOUT'])
const MOST_RESTARTS = 5
const NEWLINE = 10

function isPassing(error: unknown, restarts: number): boolean {
  return restarts < MOST_RESTARTS && PASSING.has((error as NodeJS.ErrnoException).code ?? '')
}

/** Files and links to files below a folder. Folders behind links are not entered, so there are no loops. */
async function* walk(folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile()) yield path
    else if (entry.isSymbolicLink() && (await mayLeadToFile(path))) yield path
  }
}

/**
 * A link that leads nowhere may: that it can't be read is for the report. A pipe or a device may not, since opening one can wait
 * for ever, in a thread that nothing can call back.
 */
async function mayLeadToFile(link: string): Promise<boolean> {
  const target = await stat(link).catch(() => undefined)
  return target?.isFile() ?? true
}

/** The work of one routine: nothing in it knows of retries, limits or Ctrl-C beyond its signal. */
async function measure({ input: file, signal }: RoutineContext<string>): Promise<Entry> {
  const hash = createHash('sha256')
  let bytes = 0
  let lines = 0
  for await (const chunk of createReadStream(file, { signal })) {
    const data = chunk as Buffer
    hash.update(data)
    bytes += data.length
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) lines++
  }
  return { hash: hash.digest('hex'), bytes, lines }
}

/** One file in fifty is busy at the first attempt, the same ones in each run. */
function withFaults(work: typeof measure): typeof measure {
  return async (context) => {
    const digest = createHash('sha256').update(context.input).digest()
    if (context.incarnation === 1 && digest.readUInt16BE() % 50 === 0) throw Object.assign(new Error('busy (simulated)'), { code: 'EBUSY' })
    return work(context)
  }
}

async function indexAll(local: LocalManager, folder: string, work: typeof measure): Promise<Index> {
  const index: Index = { entries: new Map(), failures: [] }
  for await (const file of walk(folder)) {
    // Backpressure: the walker goes no further than there is room in the queue, and stops when nothing is accepted.
    if (!(await local.whenAvailable({ room: 'queue' }))) break
    const routine = local.spawn('file', work, {
      input: file,
      restart: 'transient',
      restartIf: isPassing,
      backoff: { initial: 20, factor: 3, max: 1_000, jitter: 0.2 },
      timeout: 60_000,
    })
    void routine.outcome.then((outcome) => {
      if (outcome.status === 'completed') index.entries.set(file, outcome.output)
      else if (outcome.status === 'failed') index.failures.push({ file, error: outcome.error })
    })
  }
  await local.waitFor('file')
  return index
}

function summary(folder: string, { entries, failures }: Index): string[] {
  const hashes = new Set<string>()
  let bytes = 0
  let lines = 0
  for (const entry of entries.values()) {
    hashes.add(entry.hash)
    bytes += entry.bytes
    lines += entry.lines
  }
  const shown = failures.slice(0, 10).map(({ file, error }) => `failed: ${relative(folder, file)}: ${(error as Error).message}`)
  const more = failures.length > shown.length ? [`failed: and ${failures.length - shown.length} more`] : []
  const same = entries.size - hashes.size
  return [...shown, ...more, `index: ${entries.size} files, ${bytes} bytes, ${lines} lines, ${same} of them copies of another`]
}

export const help = `Indexes the files of a folder, one supervised routine each, and shows it in an inspector until Ctrl-C.

  npm start                      the checkout's own node_modules
  npm start -- FOLDER            another folder
  npm start -- FOLDER --faults   with simulated passing faults, to watch restarts
  npm start -- --once            ends with the job
  npm start -- --controls        lets the inspector give orders

It is run by the command of the package; this is what that says:`

const program: Program = async (global, { args, refuse }) => {
  const names = args.filter((arg) => arg !== '--faults' && arg !== '--demo')
  const folder = names[0] ?? join(import.meta.dirname, '..', '..', 'node_modules')
  if (names.length > 1) refuse(`The indexer takes one folder; received ${names.length}.`)
  const found = await stat(folder).catch(() => undefined)
  if (found === undefined) return refuse(`There is no folder ${folder}.`)
  if (!found.isDirectory()) return refuse(`${folder} is not a folder.`)
  // It never ends by itself: there is none where the run ends with the job, or nobody can look at it.
  const isSeen = !process.argv.some((arg) => arg === '--once' || arg === '--no-inspect')
  if (args.includes('--demo') && isSeen) openDemo(global)
  // Passing faults come in bursts, and one file's bad moment says nothing about the others: hence the generous limit.
  const local = global.createApp('indexer').createLocal('files', {
    maxRoutines: 16,
    overflow: 'queue',
    maxQueue: 256,
    maxRestarts: 10_000,
    restartWindow: 1_000,
  })
  return summary(folder, await indexAll(local, folder, args.includes('--faults') ? withFaults(measure) : measure))
}

export default program
