/** Goes wrong for good, in the way that it is told: `crash`, `gaveUp` or `shutdown.timedOut`; and writes a post-mortem into a folder. */
import { createGlobalManager } from 'curtaincall'
import { type PostMortemCause, recordPostMortem } from 'curtaincall/inspector'

const [, , how = 'crash', directory = 'post-mortem'] = process.argv
const global = createGlobalManager({ name: 'shop' })
recordPostMortem(global, { on: [how as PostMortemCause], directory })

const polite = ({ signal }: { signal: AbortSignal }): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', resolve))
const api = global.createApp('api', { maxRestarts: 0 })
const [prices, old] = [api.createLocal('prices'), api.createLocal('old')]
old.spawn('mailer', polite)
if (how === 'shutdown.timedOut') {
  prices.spawn('pricing', () => new Promise(() => undefined))
  old.spawn('legacy-export', () => new Promise(() => undefined), { shutdown: 'infinity' })
}
await new Promise((resolve) => setTimeout(resolve, 50))

if (how === 'crash')
  setTimeout(() => {
    throw new Error('the ledger is torn')
  }, 10)
else if (how === 'gaveUp') {
  const images = api.createLocal('images', { maxRestarts: 2 })
  const resize = (): never => {
    throw new Error('no such picture')
  }
  images.spawn('resize', resize, { restart: 'permanent' }).outcome.catch(() => undefined)
  await images.outcome
  await new Promise((resolve) => setTimeout(resolve, 100))
  process.exit(1)
} else {
  await global.shutdown({ timeout: 700 })
  process.exit(0)
}
await new Promise((resolve) => setTimeout(resolve, 60_000))
