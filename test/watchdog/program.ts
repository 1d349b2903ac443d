/** A tree with a watchdog, and a body that blocks the event loop; run by watchdog.test.ts. */
import { pbkdf2Sync } from 'node:crypto'
import { writeSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { assign, createMachine } from 'xstate'
import { createGlobalManager } from '../../src/index.ts'
import { startWatchdog } from '../../src/watchdog/index.ts'

const [kind = '', endAfter = 'Infinity'] = process.argv.slice(2)
const say = (what: object): void => void writeSync(1, `${JSON.stringify(what)}\n`)

/** Runs JavaScript, and nothing else. */
function spin(ms: number): number {
  const until = performance.now() + ms
  let turns = 0
  while (performance.now() < until) turns++
  return turns
}

/** How many rounds of a hash take about this long. */
function roundsFor(ms: number): number {
  const begun = performance.now()
  pbkdf2Sync('curtain', 'call', 100_000, 64, 'sha512')
  return Math.ceil((ms * 100_000) / (performance.now() - begun))
}
const ROUNDS = roundsFor(800)

const machine = createMachine({
  context: { turns: 0 },
  on: { work: { actions: assign({ turns: () => spin(600) }) } },
})

const global = createGlobalManager({ name: 'shop', ...(kind === 'gives up' ? { maxRestarts: 0 } : { logger: false as const }) })
const local = global.createApp('api').createLocal('images')
global.on('loop.blocked', (event) => say(event))
const watchdog = startWatchdog(global, { threshold: 100, endAfter: Number(endAfter) })
await watchdog.ready

/** Others beside it, of trees of their own. */
const others = kind === 'watched by several' ? ['bank', 'mill'].map((name) => createGlobalManager({ name, logger: false })) : []
const watchdogs = others.map((each) => {
  each.on('loop.blocked', (event) => say(event))
  return startWatchdog(each, { threshold: 100 })
})
await Promise.all(watchdogs.map(({ ready }) => ready))

const bodies: Record<string, () => unknown> = {
  'watched by several': async () => {
    for (const id of ['1', '2', '3']) {
      await local.spawn('body', () => spin(300), { id }).outcome
      await wait(50)
    }
  },
  'at its start': () => local.spawn('body', () => spin(600), { id: '1' }).outcome,
  'after an await': () =>
    local.spawn(
      'body',
      async ({ signal }) => {
        await wait(20, undefined, { signal })
        return spin(600)
      },
      { id: '1' },
    ).outcome,
  'without its context': () => local.spawn('body', () => wait(20).then(() => spin(600)), { id: '1' }).outcome,
  'one of two': async () => {
    const body = async () => {
      await wait(20)
      const turns = spin(300)
      return turns
    }
    local.spawn('other', () => wait(2_000), { id: 'other' })
    await Promise.all(['1', '2'].map((id) => local.spawn('body', body, { id }).outcome))
  },
  'its only one': () =>
    local.spawn(
      'body',
      async function resize() {
        await wait(20)
        return spin(600)
      },
      { id: '1' },
    ).outcome,
  'an actor': async () => {
    const routine = local.spawn('body', machine, { id: '1' })
    await routine.started
    routine.send({ type: 'work' })
  },
  natively: () =>
    local.spawn(
      'body',
      async ({ signal }) => {
        await wait(20, undefined, { signal })
        pbkdf2Sync('curtain', 'call', ROUNDS, 64, 'sha512')
        return signal.aborted
      },
      { id: '1' },
    ).outcome,
  elsewhere: () => spin(600),
  'gives up': () => {
    const failing = (): never => {
      throw new Error('again')
    }
    global
      .createApp('failing', { maxRestarts: 0 })
      .createLocal('local', { maxRestarts: 0 })
      .spawn('body', failing, { restart: 'permanent' })
  },
  'not at all': () => local.spawn('body', () => wait(600), { id: '1' }).outcome,
}
await bodies[kind]?.()
// The loop turns at least once more.
await wait(250)
say({ left: (globalThis as Record<symbol, unknown>)[Symbol.for('curtaincall.watchdogs')] === undefined })
await global.shutdown()
say({ left: (globalThis as Record<symbol, unknown>)[Symbol.for('curtaincall.watchdogs')] === undefined })
