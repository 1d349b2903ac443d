/**
 * A post-mortem that survives: one file for what went wrong, written by the process itself, on its way down.
 *
 * P1  Nothing of it listens on a port or waits for anything: what is to be written is written at once, before anybody is called next.
 * P2  A file is whole or not there: it is written under another name first.
 * P3  What can't be written is said, and harms nobody: neither the tree, nor how the process ends.
 * P4  There are never more files than the limit.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { type ShutdownAccount, ShutdownAccounts } from '../../machines/shutdown-account.ts'
import { shortName } from '../../machines/path.ts'
import { sentenceOfAccount } from '../../machines/shutdown-words.ts'
import { ConfigError } from '../contract/index.ts'
import { GlobalManager } from '../manager/index.ts'
import { callable, check, refuse, type Rule } from '../spec/index.ts'
import { instrument } from '../turn/index.ts'
import { BlackBox } from './black-box.ts'
import { blame } from './blame.ts'
import type { KeptEvent } from './protocol.ts'
import { type RecordedFault, savedPage } from './saved.ts'
import { withDeadline } from './shutdown-watch.ts'
import { textOf, why } from './story.ts'

/** What a post-mortem may be written for. */
const CAUSES = ['gaveUp', 'shutdown.timedOut', 'crash', 'hung'] as const
/**
 * One of them: a manager gave up; a shutdown ran out of time; an error that nobody caught ends the process; a routine is hung.
 */
export type PostMortemCause = (typeof CAUSES)[number]

/** Options of {@link recordPostMortem}. */
export interface PostMortemOptions {
  /** What it is written for. @default ['gaveUp', 'shutdown.timedOut', 'crash'] */
  readonly on?: readonly PostMortemCause[] | undefined
  /** The folder; made if it is not there. @default 'post-mortem' */
  readonly directory?: string | undefined
  /** Files that are written at most, in the life of the process. @default 10 */
  readonly limit?: number | undefined
  /** Events that are held, and written: the latest. @default 5000 */
  readonly events?: number | undefined
  /** Called when a file was written, with what it is about. @default prints both on `console.error` */
  readonly told?: ((file: string, sentence: string) => void) | undefined
}

/** What {@link recordPostMortem} returns. */
export interface PostMortem {
  /** Those that were written so far. */
  readonly files: readonly string[]
  /** Ends it. */
  close(): void
  [Symbol.dispose](): void
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0
const count = { range: 'a whole number above 0', accepts: isCount }
const RULES = {
  on: {
    range: `an array of ${CAUSES.map((cause) => `'${cause}'`).join(', ')}`,
    accepts: (value) => Array.isArray(value) && value.every((each) => CAUSES.includes(each as PostMortemCause)),
  },
  directory: { range: 'a path', accepts: (value) => typeof value === 'string' && value !== '' },
  limit: count,
  events: count,
  told: callable,
} satisfies Record<keyof PostMortemOptions, Rule>

/**
 * Writes a post-mortem where something goes wrong for good: one HTML file that opens from disk, in the inspector's page, with that fault at
 * that moment. It keeps the latest events in memory until then; nothing listens on a port, and no process is kept awake.
 *
 * @throws ConfigError for a wrong option, a folder that can't be made, or where the page is not there.
 * @example
 * using postMortem = recordPostMortem(global, { on: ['gaveUp', 'shutdown.timedOut'], directory: '/var/log/shop' })
 */
export function recordPostMortem(global: GlobalManager, options: PostMortemOptions = {}): PostMortem {
  if (!(global instanceof GlobalManager)) throw refuse('recordPostMortem global', 'a global manager', global)
  check('recordPostMortem', options, RULES)
  const recorder = new Recorder(global, options)
  return {
    get files() {
      return [...recorder.files]
    },
    close: () => recorder.close(),
    [Symbol.dispose]: () => recorder.close(),
  }
}

/** Milliseconds in which a second fault of the same kind is part of the first: what gives up takes others with it. */
const QUIET = 1_000
/** Links of a chain of causes that are followed back to an earlier fault. */
const LINKS = 200

interface Written {
  readonly cause: PostMortemCause
  readonly file: string
  readonly at: number
  readonly seq: number
  fault: RecordedFault
}

class Recorder {
  readonly files: string[] = []
  readonly #global: GlobalManager
  readonly #box: BlackBox
  readonly #accounts = new ShutdownAccounts()
  readonly #on: ReadonlySet<PostMortemCause>
  readonly #directory: string
  readonly #limit: number
  readonly #told: (file: string, sentence: string) => void
  /** Read ahead: on the way down nothing may be left to be found. */
  readonly #template: string
  readonly #off: (() => void)[] = []
  #last: Written | undefined

  constructor(global: GlobalManager, options: PostMortemOptions) {
    const { on = ['gaveUp', 'shutdown.timedOut', 'crash'], directory = 'post-mortem', limit = 10, events = 5_000, told = print } = options
    this.#global = global
    this.#on = new Set(on)
    this.#directory = directory
    this.#limit = limit
    this.#told = told
    this.#template = template(global.path)
    try {
      mkdirSync(directory, { recursive: true })
    } catch (cause) {
      throw new ConfigError(`recordPostMortem directory: ${(cause as Error).message}`, { option: 'directory', path: global.path, cause })
    }
    this.#box = new BlackBox(global, events)
    const listener = instrument((event: LifecycleEvent) => this.#note(event))
    this.#off.push(global.on('*', listener))
    if (!this.#on.has('crash')) return
    // It only looks: the process ends as it would have.
    const crashed = (error: unknown): void => this.#crashed(error)
    process.on('uncaughtExceptionMonitor', crashed)
    this.#off.push(() => void process.off('uncaughtExceptionMonitor', crashed))
  }

  close(): void {
    for (const off of this.#off.splice(0)) off()
  }

  #note(live: LifecycleEvent): void {
    const event = withDeadline(this.#global, live as unknown as KeptEvent)
    this.#box.record(event)
    const { deadline } = event as { readonly deadline?: number }
    const account = this.#accounts.note(live, deadline)
    if (account !== undefined && account.endedAt >= (account.deadline ?? Infinity))
      this.#write('shutdown.timedOut', faultOf(account), account.seq)
    if (live.type === 'manager.gaveUp') this.#write('gaveUp', this.#reason('gaveUp', live), live.seq)
    else if (live.type === 'routine.hung') this.#write('hung', this.#reason('hung', live), live.seq)
    // What came of it belongs to it.
    else if (live.type === 'manager.stopped' && live.path === this.#last?.fault.path && this.#last.cause === 'gaveUp')
      this.#rewrite(this.#last)
  }

  #crashed(error: unknown): void {
    const { clock } = this.#global.tree
    const detail = attempt(() => String((error as Error).stack ?? error)) ?? 'an error that can’t be read'
    const said = `the process crashed: ${attempt(() => textOf(error)) ?? 'an error that can’t be read'}`
    this.#write('crash', { kind: 'crash', said, at: clock.now(), view: 'health', path: this.#global.path, detail }, 0)
  }

  #reason(kind: string, { path, seq, at }: LifecycleEvent): RecordedFault {
    const { ledger } = this.#box
    const view = blame((of) => why(ledger, of, undefined), this.#accounts.all, { seq })
    return { kind, said: view?.headline ?? `${shortName(path)}: ${kind}`, at, view: 'why', path, seq }
  }

  #write(cause: PostMortemCause, fault: RecordedFault, seq: number): void {
    if (!this.#on.has(cause)) return
    const last = this.#last
    if (last?.cause === cause && (fault.at - last.at < QUIET || this.#leadsTo(last.seq, seq))) {
      // A manager that gives up may take the one above with it: that one's chain of causes holds all of it.
      if (cause === 'gaveUp' && this.#leadsTo(last.seq, seq)) this.#rewrite({ ...last, fault })
      return
    }
    if (this.files.length >= this.#limit) return
    const file = join(this.#directory, `${this.#nameOf(cause, fault.at)}.html`)
    if (this.#save(file, fault)) {
      this.files.push(file)
      this.#last = { cause, file, at: fault.at, seq, fault }
      this.#told(file, fault.said)
    }
  }

  #rewrite(written: Written): void {
    const isNews = written.fault.said !== this.#last?.fault.said
    this.#last = written
    if (this.#save(written.file, written.fault) && isNews) this.#told(written.file, written.fault.said)
  }

  /** True if one event is among the causes of another. */
  #leadsTo(from: number, to: number): boolean {
    const { ledger } = this.#box
    let seq: number | null = to
    for (let k = 0; k < LINKS && seq !== null && seq > from; k++) seq = ledger.at(ledger.indexOf(seq))?.cause ?? null
    return seq === from
  }

  /** By the clock of the tree. */
  #nameOf(cause: PostMortemCause, at: number): string {
    // A clock that begins at 0 has no day.
    const moment = at < 1e11 ? String(Math.round(at)) : new Date(Math.round(at)).toISOString().replace(/[-:.]/g, '')
    const name = this.#global.name.replace(/[^\w.-]/g, '_').slice(0, 80)
    return `${name}-${cause}-${moment}-${this.files.length + 1}`
  }

  /** P1, P2, P3. */
  #save(file: string, fault: RecordedFault): boolean {
    try {
      const recording = { ...this.#box.recording(), fault }
      const text = savedPage(this.#template, gzipSync(JSON.stringify([recording])).toString('base64'))
      writeFileSync(`${file}.part`, text)
      renameSync(`${file}.part`, file)
      return true
    } catch (error) {
      console.error(
        'curtaincall: no post-mortem was written of %s: %s',
        fault.said,
        attempt(() => (error as Error).message),
      )
      return false
    }
  }
}

function faultOf(account: ShutdownAccount): RecordedFault {
  const { path, endedAt, seq } = account
  return { kind: 'shutdown.timedOut', said: sentenceOfAccount(account), at: endedAt, view: 'shutdown', path, seq }
}

function print(file: string, sentence: string): void {
  console.error('curtaincall: %s\n  post-mortem: %s', sentence, file)
}

function attempt<Result>(look: () => Result): Result | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}

/** The page as one file, with room for a recording. */
function template(path: string): string {
  for (const folder of ['../../inspector/', '../../dist/inspector/']) {
    try {
      return readFileSync(new URL(`${folder}standalone.html`, import.meta.url), 'utf8')
    } catch {
      // Built, it lies beside src; from the sources, in dist.
    }
  }
  throw new ConfigError('recordPostMortem: the page of the inspector is not built: npm run build', { path })
}
