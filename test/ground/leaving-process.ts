/** A program that leaves while a child of its ground computes for ever; see process.test.ts. */
import { createGlobalManager } from '../../src/index.ts'
import { childProcesses } from '../../src/process/index.ts'

const { breed } = childProcesses<typeof import('./fixture.ts')>(new URL('./fixture.ts', import.meta.url))
const write = (details: object, text?: string): void => {
  if (text !== 'up') return
  process.stdout.write(`${JSON.stringify(details)}\n`)
  process.exit(0)
}
const logger = { debug: write, info: write, warn: write, error: write }
createGlobalManager({ logger }).createApp('a').createLocal('l').spawn('breed', breed)
