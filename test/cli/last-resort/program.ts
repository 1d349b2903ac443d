/** A tree with a thread that cannot be ended for a while; run by ../last-resort.test.ts. */
import { writeSync } from 'node:fs'
import { createGlobalManager, handleSignals } from '../../../src/index.ts'
import { thread } from '../../../src/thread/index.ts'

const kind = process.argv[2]
const say = (line: string): void => void writeSync(1, `${line}\n`)
const ignore = (): void => undefined

const busy = Promise.withResolvers<void>()
const info = (_: object, message?: string): void => void (message === 'busy' && busy.resolve())
const global = createGlobalManager({ logger: { debug: ignore, info, warn: ignore, error: ignore } })
/** Keeps it awake until its tree has ended. */
const awake = setInterval(ignore, 60_000)
const local = global.createApp('app').createLocal('local')
if (kind === 'obeys') busy.resolve()
else {
  const hash = thread<typeof import('./busy.ts')>(new URL('./busy.ts', import.meta.url), 'hash', { killDeadline: 50 })
  local.spawn('hash', hash, { shutdown: 100 })
}
local.spawn('obedient', ({ signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 50))))

handleSignals(global, ['SIGTERM', 'SIGINT'], { timeout: 300, lastResort: 100 })
process.on('exit', () => say('exiting'))
if (kind?.endsWith('others listen')) {
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
  if (kind !== 'lingers' && kind !== 'others listen') clearInterval(awake)
})
await busy.promise
say('ready')
