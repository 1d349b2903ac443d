import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createGlobalManager, type LocalManager, type RoutineContext } from 'curtaincall'
import { rehearse } from '../../src/rehearsal.ts'

/** What the engine has optimised code for: an object and all that hangs on it. */
interface Played {
  readonly local: LocalManager & Record<string, unknown>
  readonly group: unknown
  readonly promise: unknown
  readonly end: unknown
  readonly current: { readonly signal: AbortSignal; readonly output: unknown }
  readonly mailbox: unknown
}

const kinds: Readonly<Record<string, (row: Played) => unknown>> = {
  row: (row) => row,
  incarnation: ({ current }) => current,
  signal: ({ current }) => current.signal,
  group: ({ group }) => group,
  outcome: ({ end }) => end,
  mailbox: ({ mailbox }) => mailbox,
  local: ({ local }) => local,
  stage: ({ local }) => local.stage,
  bus: ({ local }) => local.stage.bus,
  clock: ({ local }) => local.stage.clock,
  registry: ({ local }) => local.registry,
  rows: ({ local }) => local.registry.rows,
  line: ({ local }) => local.registry.line,
  gate: ({ local }) => local.gate,
  listeners: ({ local }) => local.listeners,
  counters: ({ local }) => local.tally.totals,
}

test('P1: what is kept is what real routines are made of, and nothing is left to happen', async () => {
  setFlagsFromString('--allow-natives-syntax')
  const sameKind = runInThisContext('(one, other) => %HaveSameMap(one, other)') as (one: unknown, other: unknown) => boolean
  const before = process.getActiveResourcesInfo()
  const { rows } = rehearse() as { rows: readonly Played[] }
  expect(process.getActiveResourcesInfo()).toEqual(before)
  await using global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  const body = async ({ signal }: RoutineContext): Promise<number> => (signal.aborted ? 0 : 1)
  const routine = local.spawn('ends', body, { timeout: 5_000 })
  await routine.outcome
  local.metrics()
  const different = Object.entries(kinds).filter(([, of]) => !sameKind(of(rows[0] as Played), of(routine as unknown as Played)))
  expect(different.map(([name]) => name)).toEqual([])
})
