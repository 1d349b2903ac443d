/** Prints in whose context bodies and listeners on their signals are called: in a process of its own, for flags of Node.js. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createGlobalManager, type RoutineContext } from '../../src/index.ts'

const request = new AsyncLocalStorage<string>()
const lines: string[] = []
const note = (what: string): void => void lines.push(`${what} in ${request.getStore() ?? 'none'}`)
const work = ({ name, signal }: RoutineContext<any>): Promise<void> => {
  note(name)
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      if (name !== 'none') note(`end of ${name}`)
      resolve()
    })
  })
}

const global = createGlobalManager()
const local = global.createApp('a').createLocal('l', { maxRoutines: 4, overflow: 'queue' })
const before = local.spawn('none', work)
const [anna] = ['anna', 'bert'].map((who) => request.run(who, () => local.spawn(who, work)))
local.spawn('none', work)
await local.spawn('last', () => undefined).cancel()
await before.started
await request.run('carl', () => anna?.cancel())
await request.run('carl', () => global.shutdown())
process.stdout.write(JSON.stringify(lines))
