/** `curtaincall run FILE`: runs a program under supervision and shuts it down in order, whatever happens. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { createGlobalManager, type GlobalManager, handleSignals, type ShutdownOptions } from '../index.ts'
import { LiveLine, type Screen } from './live-line.ts'
import { type Program, type ProgramContext, type ProgramResult, UsageError } from './program.ts'
import { summaryLines } from './summary.ts'

/** What the command line says. */
export interface RunOptions {
  readonly file: string
  readonly args: readonly string[]
  readonly timeout: number
  readonly drain: number
}

const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143 } as const

async function load(file: string): Promise<Program> {
  const path = resolve(file)
  if (!existsSync(path)) throw new UsageError(`There is no file ${file}.`)
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown }
  if (typeof module.default !== 'function') throw new UsageError(`${file} has no default export that is a function of a global manager.`)
  return module.default as Program
}

interface Finish {
  readonly lines: ProgramResult
  readonly error?: unknown
}

async function perform(program: Program, global: GlobalManager, context: ProgramContext): Promise<Finish> {
  try {
    return { lines: await program(global, context) }
  } catch (error) {
    return { lines: undefined, error }
  }
}

/**
 * Runs the program.
 *
 * @returns The exit code: 0; 1 if the program threw or the tree gave up; 130 after SIGINT, 143 after SIGTERM.
 */
export async function run(options: RunOptions, screen: Screen): Promise<number> {
  const program = await load(options.file)
  const startedAt = performance.now()
  const global = createGlobalManager({ name: 'run' })
  const live = new LiveLine(screen, () => global.metrics())
  const stopping = new AbortController()
  const shutdown: ShutdownOptions = { timeout: options.timeout, drain: options.drain }
  let code = 0
  const noted = (signal: NodeJS.Signals): void => {
    live.print(code === 0 ? `${signal}: shutting down; once more to make it immediate` : `${signal}: immediately`)
    if (code === 0) code = SIGNAL_EXITS[signal as keyof typeof SIGNAL_EXITS]
  }
  const names = Object.keys(SIGNAL_EXITS) as (keyof typeof SIGNAL_EXITS)[]
  for (const name of names) process.on(name, noted)
  handleSignals(global, names, shutdown)
  global.on('manager.phase', ({ path, phase }) => {
    if (path !== global.path) return
    if (phase === 'closing') stopping.abort(new Error('the run is shut down'))
    live.print(`phase ${phase}`)
  })
  live.start()
  const context: ProgramContext = {
    args: options.args,
    signal: stopping.signal,
    refuse: (sentence) => {
      throw new UsageError(sentence)
    },
  }
  const job = perform(program, global, context)
  void job.then(({ error }) => error instanceof UsageError && live.mute())
  // A tree that gives up, or is shut down by a signal, ends the run before the job does.
  await Promise.race([job, global.outcome])
  const report = await global.shutdown(shutdown)
  const { lines, error } = await inTime(job, options.timeout)
  live.stop()
  for (const name of names) process.off(name, noted)
  if (error instanceof UsageError) throw error
  for (const line of [...(lines ?? []), ...summaryLines(global, report, performance.now() - startedAt)]) live.print(line)
  if (error !== undefined) process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : inspect(error)}\n`)
  return code !== 0 ? code : error !== undefined || global.state === 'failed' ? 1 : 0
}

/** The job has nothing left to wait for by now; one that waits for something else is left behind. */
async function inTime(job: Promise<Finish>, timeout: number): Promise<Finish> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Finish>((keep) => {
    timer = setTimeout(() => keep({ lines: [`the program had not returned ${timeout} ms after the shutdown`] }), timeout)
  })
  const finish = await Promise.race([job, late])
  clearTimeout(timer)
  return finish
}
