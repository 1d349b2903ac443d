/** `curtaincall run FILE`: runs a program under supervision and shuts it down in order, whatever happens. */
import { createGlobalManager, type GlobalManager, type Program, type ProgramContext, type ShutdownOptions } from '../index.ts'
import type { Following, Inspector } from '../inspector/index.ts'
import { Interruption } from './interruption.ts'
import { listenForKeys, openBrowser } from './browser.ts'
import type { Output } from './output.ts'
import { linesOf, loadModule, ProgramError, portError, UsageError } from './program.ts'
import { Reporter } from './reporter.ts'
import { isOf, shown, stackOf } from './words.ts'

/** What the command line says. */
export interface RunOptions {
  readonly file: string
  readonly args: readonly string[]
  readonly timeout: number
  readonly drain: number
  /** End with the job, though an inspector is open. */
  readonly once: boolean
  /** The folder for post-mortems; undefined writes none. */
  readonly postMortem?: string | undefined
  /** How to open the inspector; undefined opens none. */
  readonly inspect: { readonly port: number; readonly controls: boolean } | undefined
}

/** Milliseconds in which a program returns that waits for nothing but its tree, when that has ended. */
const LAST_WORDS = 100

async function load(file: string): Promise<Program> {
  const module = await loadModule(file)
  if (typeof module.default !== 'function') throw new UsageError(`${file} has no default export that is a function of a global manager.`)
  return module.default as Program
}

interface Finish {
  readonly lines: readonly string[]
  /** What it threw: undefined can be thrown as well. */
  readonly thrown?: { readonly error: unknown }
}

async function perform(program: Program, global: GlobalManager, context: ProgramContext, file: string): Promise<Finish> {
  try {
    return { lines: linesOf(await program(global, context), file) }
  } catch (error) {
    return { lines: [], thrown: { error } }
  }
}

async function openInspector(global: GlobalManager, options: RunOptions['inspect']): Promise<Inspector | undefined> {
  if (options === undefined) return undefined
  const { startInspector } = await import('../inspector/index.ts')
  try {
    return await startInspector(global, options)
  } catch (error) {
    throw portError(error, options.port)
  }
}

/**
 * Runs the program. With an inspector the tree stays up when the job is done, until a signal comes, unless `once` says otherwise.
 *
 * @param out Where nobody reads any more what goes there, it is shut down.
 * @returns The exit code: 0; 1 if the program threw, or returned no lines, or the tree gave up; 130 after SIGINT, 143 after SIGTERM, 129
 * after SIGHUP and 141 where nobody read any more, if neither the job was done nor the tree had ended before.
 */
export async function run(options: RunOptions, out: Output): Promise<number> {
  const program = await load(options.file)
  // A program that only waits, for its signal or for messages, has nothing of its own that would.
  const awake = setInterval(() => undefined, 60_000)
  try {
    return await supervise(program, options, out)
  } finally {
    clearInterval(awake)
  }
}

async function supervise(program: Program, options: RunOptions, out: Output): Promise<number> {
  const startedAt = performance.now()
  const global = createGlobalManager({ name: 'run' })
  const reporter = new Reporter(out, global)
  const { live } = reporter
  const stopping = new AbortController()
  let closedAt: number | undefined
  const shutdown: ShutdownOptions = { timeout: options.timeout, drain: options.drain }
  const inspector = await openInspector(global, options.inspect)
  const interruption = new Interruption(global, shutdown, out.unread, (line) => live.print(line))
  const following = await followed(global, reporter, options.postMortem)
  global.on('manager.phase', ({ path, phase }) => {
    if (path !== global.path) return
    if (phase === 'closing') {
      closedAt = performance.now()
      stopping.abort(new Error('the run is shut down'))
      reporter.countDown(() => following.awaited())
    }
    reporter.phase(phase)
  })
  const leave = accompany(reporter, inspector?.url, options.file, out)
  const job = perform(program, global, contextFor(options, stopping.signal), options.file)
  void job.then(({ thrown }) => isOf(thrown?.error, UsageError) && live.mute())
  try {
    // A tree that gives up, or is shut down by a signal, ends the run before the job does.
    const ended = await Promise.race([job, global.outcome.then(() => undefined)])
    const interrupted = interruption.code
    const stayed = inspector !== undefined && !options.once && interrupted === 0 && !isOf(ended?.thrown?.error, UsageError)
    // What stays up goes on, and a terminal shows how.
    if (!stayed || !live.isTerminal) live.stop()
    if (stayed) {
      for (const line of ended?.lines ?? []) live.print(line)
      sayError(ended, out)
      live.print(`${stayText(ended)} until Ctrl-C`)
      await interruption.first
    }
    const report = await global.shutdown(shutdown)
    const left = options.timeout - (performance.now() - (closedAt ?? performance.now()))
    const finish = await inTime(job, left, interruption.second)
    interruption.end()
    await inspector?.close()
    live.leave()
    if (isOf(finish.thrown?.error, UsageError)) throw finish.thrown.error
    // Said already, if there was time to read it.
    const isNews = !stayed || finish !== ended
    for (const line of isNews ? finish.lines : []) live.print(line)
    reporter.end(report, performance.now() - startedAt)
    if (isNews) sayError(finish, out)
    return interrupted !== 0 ? interrupted : finish.thrown !== undefined || global.state === 'failed' ? 1 : 0
  } finally {
    leave()
  }
}

function contextFor({ args }: RunOptions, signal: AbortSignal): ProgramContext {
  return {
    args,
    signal,
    refuse: (sentence) => {
      throw new UsageError(sentence)
    },
  }
}

async function followed(global: GlobalManager, reporter: Reporter, directory: string | undefined): Promise<Following> {
  const { follow, recordPostMortem } = await import('../inspector/index.ts')
  if (directory !== undefined) recordPostMortem(global, { directory, told: (file, sentence) => reporter.written(file, sentence) })
  return follow(global, {
    fault: (event, sentence) => reporter.fault(event, sentence),
    closed: (account, _sentence, lines) => reporter.closed(account, lines),
  })
}

/** Says what is run, listens for keys, and keeps the live line out of the way of what others print. */
function accompany(reporter: Reporter, url: string | undefined, file: string, out: Output): () => void {
  const { live } = reporter
  const open = (address: string) => (): void => openBrowser(address, (sentence) => live.print(sentence))
  const noKeys = live.isTerminal && url !== undefined ? listenForKeys({ o: open(url) }) : undefined
  reporter.begin(file, url, noKeys !== undefined)
  const unheard = live.isTerminal
    ? out.hear(
        () => live.clear(),
        (isWhole) => (live.isHeld = !isWhole),
      )
    : undefined
  live.start()
  return () => {
    live.leave()
    unheard?.()
    noKeys?.()
  }
}

/** Why somebody may still look. Without an end of the job it was the tree that ended. */
function stayText(ended: Finish | undefined): string {
  if (ended === undefined) return 'the tree has ended before the job; the inspector stays'
  return `${ended.thrown === undefined ? 'the job is done' : 'the job has failed'}; the tree stays up for the inspector`
}

function sayError(finish: Finish | undefined, out: Output): void {
  if (finish?.thrown !== undefined) out.complain(errorText(finish.thrown.error))
}

function errorText(error: unknown): string {
  if (isOf(error, ProgramError)) return error.message
  return stackOf(error) ?? `the program threw ${shown(error)}`
}

/** The job has no tree left to wait for by now; what waits for something else is left behind when the time is up, or hurried. */
async function inTime(job: Promise<Finish>, time: number, hurried: Promise<void>): Promise<Finish> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Finish>((keep) => {
    const wait = (duration: number): void => {
      clearTimeout(timer)
      timer = setTimeout(() => keep({ lines: ['the program had not returned when everything else was over'] }), duration)
    }
    wait(Math.max(time, LAST_WORDS))
    void hurried.then(() => wait(LAST_WORDS))
  })
  const finish = await Promise.race([job, late])
  clearTimeout(timer)
  return finish
}
