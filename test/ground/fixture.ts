/** Bodies of the tests of threads and processes. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { spawn } from 'node:child_process'
import { scryptSync } from 'node:crypto'
import { threadId } from 'node:worker_threads'
import { move, type WorkContext } from '../../src/worker/index.ts'

export const whichThread = (): number => threadId

const visitor = new AsyncLocalStorage<string>()

/** Leaves its name in the asynchronous context that it ends in; whose name it has found. */
export function enter({ input }: WorkContext<string>): string | undefined {
  const found = visitor.getStore()
  visitor.enterWith(input)
  return found
}

/** Computes in one call, which nothing interrupts. */
export function native({ logger, input }: WorkContext<number>): number {
  logger.info({}, 'up')
  const end = Date.now() + input
  // Each is a tenth of a second and more: between two a kill would end it, so it is one call that is long enough.
  scryptSync('a', 'b', 64, { N: 2 ** 17, r: 8, p: Math.max(1, Math.ceil(input / 150)), maxmem: 2 ** 30 })
  return Date.now() - end
}

export async function wait({ logger, signal }: WorkContext): Promise<void> {
  logger.info({}, 'up')
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

/** Ends when it has a message. */
export async function hold({ messages, logger }: WorkContext<undefined, string>): Promise<string> {
  logger.info({}, 'up')
  for await (const { message } of messages) return message
  return 'told to stop'
}

/** The sum of what it was handed, and the same again, handed over. */
export function sum({ input }: WorkContext<{ readonly bytes: Uint8Array<ArrayBuffer> }>): { sum: number; bytes: Uint8Array<ArrayBuffer> } {
  const bytes = input.bytes.map((each) => each + 1)
  return move({ sum: input.bytes.reduce((all, each) => all + each, 0), bytes }, [bytes.buffer])
}

/** Answers by handing over what it has: true if that is gone here then. */
export async function handOver({ messages }: WorkContext<undefined, string, Uint8Array<ArrayBuffer>>): Promise<boolean> {
  const bytes = new Uint8Array([7, 8])
  for await (const { reply } of messages) {
    reply(move(bytes, [bytes.buffer]))
    return bytes.byteLength === 0
  }
  return false
}

/** Fills its memory with many small things. */
export function fill(): number {
  const kept: object[] = []
  for (;;) kept.push({ at: kept.length, more: [1, 2, 3] })
}

/** Lets go of an error, and ends before that is thrown. */
export function letGo({ input }: WorkContext<number>): string {
  setTimeout(() => {
    throw new Error('too late')
  }, input)
  return 'ended'
}

export function loop({ logger }: WorkContext): never {
  logger.info({}, 'up')
  for (;;);
}

/** Fails at its first message. */
export async function fragile({ messages, logger }: WorkContext<undefined, string>): Promise<void> {
  logger.info({}, 'up')
  for await (const { message } of messages) throw new Error(message)
}

/** Says who it is, and starts another that ignores what it is told; both compute for ever. */
export function breed({ logger }: WorkContext): never {
  const code = "process.on('SIGTERM', () => {}); console.log('grandchild ' + process.pid); setInterval(() => {}, 1000)"
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'inherit', 'inherit'] })
  process.on('SIGTERM', () => undefined)
  child.unref()
  logger.info({ pid: process.pid, child: child.pid }, 'up')
  for (;;);
}

export function speak(): void {
  process.stdout.write('one\ntw')
  process.stdout.write('o\n')
  process.stderr.write('three')
}

/** As a native crash would. */
export function crash(): void {
  process.kill(process.pid, 'SIGSEGV')
}

export const notABody = 5
