/** `curtaincall inspect`: opens the inspector's page on recordings. */
import { basename } from 'node:path'
import type { TraceLike } from '../inspector/index.ts'
import type { Output } from './output.ts'
import { portError, UsageError } from './program.ts'
import { readOr } from './reading.ts'

/** What the command line says. */
export interface InspectOptions {
  /** The one that is shown, and one that stands beside it. */
  readonly files: readonly string[]
  readonly port: number
}

/** Shows recordings until SIGINT, SIGTERM or SIGHUP comes; that is how it is meant to end, so it is no failure. */
export async function inspectTraces({ files, port }: InspectOptions, out: Output): Promise<number> {
  const [{ readTrace }, { showRecording }] = await Promise.all([import('../testing/index.ts'), import('../inspector/index.ts')])
  const traces = named(
    files.map((file) => readOr<TraceLike>(file, readTrace)),
    files,
  )
  const stopped = firstOf(['SIGINT', 'SIGTERM', 'SIGHUP'])
  let inspector: Awaited<ReturnType<typeof showRecording>>
  try {
    inspector = await showRecording(traces, { port })
  } catch (error) {
    // What stands in a file that is not as it was written.
    if ((error as { option?: string }).option === 'traces') throw new UsageError((error as Error).message)
    throw portError(error, port)
  }
  out.say(`inspector: ${inspector.url}\nCtrl-C ends it`)
  await stopped
  await inspector.close()
  return 0
}

/** Those that were not saved by the page are called by their files; those that would be called the same, by these as well. */
function named(traces: readonly TraceLike[], files: readonly string[]): TraceLike[] {
  const short = files.map((file) => basename(file))
  const places = areDistinct(short) ? short : files
  const names = traces.map(({ header: { recording } }, k) => recording?.name ?? (places[k] as string))
  return traces.map((trace, k) => {
    const name = names[k] as string
    const { recording = { name, from: 0, base: [] } } = trace.header
    const said = areDistinct(names) ? name : `${name} (${places[k]})`
    return { ...trace, header: { ...trace.header, recording: { ...recording, name: said } } }
  })
}

const areDistinct = (names: readonly string[]): boolean => new Set(names).size === names.length

/** Resolves with the first of these signals. The page's server keeps no process awake; this does. */
function firstOf(signals: readonly NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    const awake = setInterval(() => undefined, 60_000)
    const heard = (): void => {
      clearInterval(awake)
      for (const signal of signals) process.off(signal, heard)
      resolve()
    }
    for (const signal of signals) process.on(signal, heard)
  })
}
