/** Start-up: what it takes until something can be done. Each figure is a process that does nothing else, with the package as it is built. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { startUpRows } from './rows.ts'

const root = join(import.meta.dirname, '..')

/** A program that prints the milliseconds of one expression, of whose value `isRight` is asked. */
const timed = (expression: string, isRight: string, before = ''): string => `${before}
  const begun = performance.now()
  const value = ${expression}
  const took = performance.now() - begun
  if (!(${isRight})) throw new Error('it came to nothing')
  console.log(took)`

const isLoaded = (name: string): string => `typeof value.${name} === 'function'`
const core = "const { createGlobalManager } = await import('curtaincall')"

const programs: Readonly<Record<string, string>> = {
  'import curtaincall': timed("await import('curtaincall')", isLoaded('createGlobalManager')),
  'import xstate': timed("await import('xstate')", isLoaded('createActor')),
  'first-manager curtaincall': timed("createGlobalManager({ name: 'g' })", "value.state === 'running'", core),
  'first-routine curtaincall': timed(
    "local.spawn('job', async () => 5)",
    '(await value.result()) === 5',
    `${core}\nconst local = createGlobalManager().createApp('a').createLocal('l')`,
  ),
}

/** What is run from beginning to end, and how its output begins. */
const commands: Readonly<Record<string, readonly [args: readonly string[], says: string]>> = {
  'command curtaincall': [[join('dist', 'src', 'cli', 'curtaincall.js'), '--help'], 'curtaincall: '],
  'command node': [['-e', '0'], ''],
}

const run = (...args: readonly string[]): string =>
  execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' } })

function wall(args: readonly string[], says: string): number {
  const begun = performance.now()
  const output = run(...args)
  const took = performance.now() - begun
  if (!output.startsWith(says)) throw new Error(`${args.join(' ')} says ${output}`)
  return took
}

/** True for a row that is measured here. */
export const isStartUp = (benchmark: string): boolean => startUpRows.some((row) => row.benchmark === benchmark)

/** Milliseconds. */
export function measureStartUp(benchmark: string, variant: string): number {
  const what = `${benchmark} ${variant}`
  const command = commands[what]
  if (command !== undefined) return wall(...command)
  return Number(run('--input-type=module', '-e', programs[what] as string))
}
