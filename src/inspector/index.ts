/**
 * The inspector: one page that shows every lifecycle, live.
 *
 * @module
 */
import { ConfigError } from '../contract/index.ts'
import { GlobalManager } from '../manager/index.ts'
import { check, flag, refuse, type Rule } from '../spec/index.ts'
import { Controls } from './controls.ts'
import type { Recording } from './protocol.ts'
import { fromTrace, type TraceLike } from './recording.ts'
import type { InspectorServer } from './server.ts'
import { Shelf } from './shelf.ts'
import { Watch } from './watch.ts'
import type { Watched } from './watched.ts'

export type { Named, Share, ShutdownAccount, Stretch } from '../../machines/shutdown-account.ts'
export type { InspectionEventLike } from './census.ts'
export { type Awaited, follow, type Following, type FollowOptions } from './follow.ts'
export { type PostMortem, type PostMortemCause, type PostMortemOptions, recordPostMortem } from './post-mortem.ts'
export type { Recording } from './protocol.ts'
export type { TraceLike } from './recording.ts'
export type { StatelyAdapter, StatelyAdapterOptions, StatelyEvent, StatelySender, StatelySnapshot } from './stately.ts'
export { createStatelyAdapter } from './stately.ts'

/** Options of {@link startInspector}. */
export interface InspectorOptions {
  /** 0 takes a free one. @default 0 */
  readonly port?: number | undefined
  /** An address of the loopback interface: '127.0.0.1' or '::1'. @default '127.0.0.1' */
  readonly host?: string | undefined
  /** Lets the page cancel, kill, restart, shut down and send. @default false */
  readonly controls?: boolean | undefined
}

/** An inspector that runs. */
export interface Inspector {
  /** Where it is, its token included. */
  readonly url: string
  /** Ends it; pages see that it is gone. The tree goes on. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
const port: Rule = {
  range: 'a whole number from 0 to 65535',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
}
const RULES = {
  port,
  host: { range: LOOPBACK.map((each) => `'${each}'`).join(' or '), accepts: (value: unknown) => LOOPBACK.includes(value as string) },
  controls: flag,
} satisfies Record<keyof InspectorOptions, Rule>

/**
 * Opens a page on a tree. Until somebody opens it, the tree is not listened to. It keeps no process awake. What has happened
 * can still be looked at when the tree has ended; it closes when it is told to.
 *
 * @throws ConfigError for a wrong option; rejects with what the platform says if the port is taken.
 * @example
 * const inspector = await startInspector(global)
 * console.log(inspector.url)
 */
export async function startInspector(global: GlobalManager, options: InspectorOptions = {}): Promise<Inspector> {
  if (!(global instanceof GlobalManager)) throw refuse('startInspector global', 'a global manager', global)
  check('startInspector', options, RULES)
  const { controls = false } = options
  const watch = new Watch(global)
  return opened(watch, controls ? new Controls(global, watch.traffic) : undefined, options, global.path)
}

/**
 * Opens the page on recordings: traces of the test kit, or what was saved in the page. The first one is shown, the others
 * beside it.
 *
 * @throws ConfigError for a wrong option; rejects with what the platform says if the port is taken.
 * @example
 * const inspector = await showRecording([readTrace('found.cct.jsonl')])
 */
export async function showRecording(traces: readonly TraceLike[], options: Omit<InspectorOptions, 'controls'> = {}): Promise<Inspector> {
  if (!Array.isArray(traces) || traces.length === 0) throw refuse('showRecording traces', 'an array of at least one trace', traces)
  for (const trace of traces) if (!isTrace(trace)) throw refuse('showRecording traces', 'traces, with header, events and verdict', trace)
  check('showRecording', options, { port: RULES.port, host: RULES.host })
  const shelf = new Shelf(traces.map((trace, index) => recordingOf(trace as TraceLike, index)))
  return opened(shelf, undefined, options, undefined)
}

function recordingOf(trace: TraceLike, index: number): Recording {
  try {
    return fromTrace(trace, `recording ${index + 1}`)
  } catch (cause) {
    throw new ConfigError(`showRecording traces: of number ${index + 1} ${(cause as Error).message}`, { option: 'traces', cause })
  }
}

function isTrace(trace: unknown): boolean {
  const { header, events, recorded, verdict } = (trace ?? {}) as { [Key in keyof TraceLike]?: Partial<TraceLike[Key]> | null }
  return (
    typeof header === 'object' &&
    header !== null &&
    Array.isArray(events) &&
    (recorded === undefined || Array.isArray(recorded)) &&
    Array.isArray(verdict?.violations)
  )
}

/** The server is loaded when it is asked for: who only records, or follows, needs none. */
async function opened(
  watch: Watched,
  controls: Controls | undefined,
  options: InspectorOptions,
  path: string | undefined,
): Promise<Inspector> {
  const { host = '127.0.0.1', port: wanted = 0 } = options
  const server = await serverFor(watch, controls, path).catch((error: unknown) => {
    watch.close()
    throw error
  })
  const url = await server.listen(host === 'localhost' ? '127.0.0.1' : host, wanted).catch(async (error: unknown) => {
    await server.close()
    throw error
  })
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= server.close())
  return { url, close, [Symbol.asyncDispose]: close }
}

async function serverFor(watch: Watched, controls: Controls | undefined, path: string | undefined): Promise<InspectorServer> {
  const { InspectorServer: Server, pageFiles } = await import('./server.ts')
  try {
    return new Server(watch, controls, pageFiles())
  } catch (cause) {
    throw new ConfigError((cause as Error).message, { path, cause })
  }
}
