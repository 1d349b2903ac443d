/** `curtaincall inspect`: opens the inspector's page on recordings. */
import { basename } from 'node:path'
import type { Writable } from 'node:stream'
import type { TraceLike } from '../inspector/index.ts'
import { portError, UsageError } from './program.ts'
import { readOr } from './trace.ts'

/** What the command line says. */
export interface InspectOptions {
  /** The one that is shown, and one that stands beside it. */
  readonly files: readonly string[]
  readonly port: number
}

/** Shows recordings until SIGINT or SIGTERM comes; that is how it is meant to end, so it is no failure. */
export async function inspectTraces({ files, port }: InspectOptions, out: Writable): Promise<number> {
  const [{ readTrace }, { showRecording }] = await Promise.all([import('../testing/index.ts'), import('../inspector/index.ts')])
  const traces = files.map((file) => named(readOr<TraceLike>(file, readTrace), basename(file)))
  const stopped = firstOf(['SIGINT', 'SIGTERM'])
  let inspector: Awaited<ReturnType<typeof showRecording>>
  try {
    inspector = await showRecording(traces, { port })
  } catch (error) {
    // What stands in a file that is not as it was written.
    if ((error as { option?: string }).option === 'traces') throw new UsageError((error as Error).message)
    throw portError(error, port)
  }
  out.write(`inspector: ${inspector.url}\nCtrl-C ends it\n`)
  await stopped
  await inspector.close()
  return 0
}

/** One that was not saved by the page is called by its file. */
function named(trace: TraceLike, name: string): TraceLike {
  return { ...trace, header: { recording: { name, from: 0, base: [] }, ...trace.header } }
}

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
