/** A tree with a routine that does not obey and a thread that cannot be ended for a while; run by ../last-resort.test.ts. */
import { writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { createGlobalManager, handleSignals } from '../../../src/index.ts'

const kind = process.argv[2]
const say = (line: string): void => void writeSync(1, `${line}\n`)

/** In a call that no thread leaves before it is done, for longer than any of these programs lives. */
const BUSY = `
  const { parentPort } = require('node:worker_threads')
  parentPort.postMessage('busy')
  require('node:crypto').pbkdf2Sync('curtain', 'call', 50_000_000, 64, 'sha512')
`

const global = createGlobalManager()
/** Keeps it awake until its tree has ended. */
const awake = setInterval(() => undefined, 60_000)
const local = global.createApp('app').createLocal('local')
if (kind !== 'obeys') {
  const thread = new Worker(BUSY, { eval: true })
  await new Promise((resolve) => void thread.once('message', resolve))
  local.spawn('deaf', () => new Promise(() => undefined), { shutdown: 200 })
}
local.spawn('obedient', ({ signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 50))))

handleSignals(global, ['SIGTERM', 'SIGINT'], { timeout: 300, lastResort: 100 })
process.on('exit', () => say('exiting'))
if (kind === 'others listen') {
  let heard = 0
  process.on('SIGTERM', () => void (++heard > 2 && say('another heard it')))
}
global.on('manager.phase', ({ path, phase }) => {
  if (path !== global.path || phase !== 'closing') return
  say('closing')
  if (kind === 'exits at once') process.exit(0)
})
void global.outcome.then(() => {
  say('ended')
  if (kind === 'exits') process.exit(0)
  process.exitCode = 7
  clearInterval(awake)
})
setTimeout(() => say('ready'), 0)
