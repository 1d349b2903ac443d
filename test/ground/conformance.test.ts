/** Each ground is held to the same. */
import { describe, test } from 'vitest'
import { type GroundBody, groundChecks } from 'curtaincall/testing'
import { childProcess, processPool } from '../../src/process/index.ts'
import { thread, threadPool, type WorkerPool } from '../../src/thread/index.ts'
import * as kit from '../../src/testing/ground-bodies.ts'

const sum = (counts: object): number => Object.values(counts).reduce((all: number, each: number) => all + each, 0)

/** Those that were not told to go, and those that are there once all that were are gone. */
async function leftOf(pool: WorkerPool): Promise<number> {
  const { ending: _, ...rest } = pool.counts
  await pool.close()
  return sum(rest) + sum(pool.counts)
}

type Any = Record<GroundBody, () => unknown>

const bodies: Record<GroundBody, unknown> = { ...kit }

describe('inline', () => {
  for (const { name, run } of groundChecks({ work: (_, body) => bodies[body] })) test(name, { timeout: 30_000 }, run)
})

describe('thread', () => {
  const pool = threadPool({ maxThreads: 4 })
  const left = (): Promise<number> => leftOf(pool)
  const work = (url: URL, body: GroundBody): unknown => thread<Any, GroundBody>(url, body, { pool })
  for (const { name, run } of groundChecks({ work, ends: true, sharesMemory: true, left })) test(name, { timeout: 30_000 }, run)
})

describe('process', () => {
  const pool = processPool({ maxProcesses: 4 })
  const left = (): Promise<number> => leftOf(pool)
  const work = (url: URL, body: GroundBody): unknown => childProcess<Any, GroundBody>(url, body, { pool })
  for (const { name, run } of groundChecks({ work, ends: true, left })) test(name, { timeout: 30_000 }, run)
})
