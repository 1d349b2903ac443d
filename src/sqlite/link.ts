/** The way to the writer: a thread of its own, which keeps no process alive unless it is told to. */
import { Worker } from 'node:worker_threads'
import type { FromWriter, ToWriter, WriterSettings } from './messages.ts'

/** What a journal needs of its writer. */
export interface Link {
  post(message: ToWriter): void
  /** Whether it keeps the process alive. */
  hold(holds: boolean): void
  /** Does not wait for it. */
  abandon(): void
}

/** What a writer calls. `gone`: it has ended, with what was thrown if something was. */
export interface LinkListener {
  heard(message: FromWriter): void
  gone(error: unknown): void
}

export type StartWriter = (settings: WriterSettings, listener: LinkListener) => Link

/** The file of a thread, beside this one: in the package it was compiled. */
export function threadFile(name: string): URL {
  return new URL(`${name}.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
}

/** Starts a writer. */
export const startWriter: StartWriter = (settings, listener) => {
  // Nothing of what the process was started with is run again there.
  const worker = new Worker(threadFile('writer'), { workerData: settings, name: 'curtaincall store', execArgv: [] })
  worker.on('message', (message: FromWriter) => listener.heard(message))
  worker.on('messageerror', (error) => listener.gone(error))
  worker.on('error', (error) => listener.gone(error))
  worker.on('exit', () => listener.gone(undefined))
  return {
    post: (message) => worker.postMessage(message, message.type === 'group' ? [message.buffer] : []),
    hold: (holds) => (holds ? worker.ref() : worker.unref()),
    abandon: () => void worker.terminate(),
  }
}
