/** What somebody gets who installs the package and has declarations of their own emitted: types that can be named, and a kit that takes factories. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const OPTIONS = [
  '--ignoreConfig',
  '--strict',
  '--skipLibCheck',
  '--declaration',
  '--module',
  'nodenext',
  '--target',
  'es2024',
  '--types',
  'node',
]
const ENTRIES = { curtaincall: 'src', testing: 'src/testing', inspector: 'src/inspector', machines: 'machines' }
const LEVELS = ['GlobalManager', 'AppManager', 'LocalManager']
/** What is handed in, and never out. */
const PARAMETERS = new Set(['Recording', 'TraceLike'])

let folder = ''

beforeAll(() => {
  mkdirSync(join(root, '.tmp'), { recursive: true })
  folder = mkdtempSync(join(root, '.tmp', 'types-'))
  const installed = join(folder, 'node_modules', 'curtaincall')
  mkdirSync(installed, { recursive: true })
  // Copied: a package may name its own files, which somebody else may not.
  for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(installed, part), { recursive: true })
  for (const name of ['xstate', 'fast-check', '@types', 'undici-types'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the compiler says of a file, line by line. */
function complaints(name: string, text: string, ...options: string[]): string[] {
  writeFileSync(join(folder, name), text)
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    execFileSync(process.execPath, [tsc, ...OPTIONS, ...options, '--outDir', 'out', name], { cwd: folder, encoding: 'utf8' })
    return []
  } catch (error) {
    return (error as { stdout: string }).stdout
      .split('\n')
      .filter((line) => line.startsWith(name) || line.includes('node_modules/curtaincall'))
  }
}

/** The names of the types that an entry exports. */
function typesOf(declarations: string): string[] {
  return [...declarations.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, all, list = '']) =>
    list
      .split(',')
      .flatMap((each) => (all !== undefined || /^\s*type /.test(each) ? [each.replace(/^\s*type /, '').trim()].filter(Boolean) : [])),
  )
}

test('whatever a public call returns, and whatever an exported type holds, can be named', { timeout: 120_000 }, async () => {
  const lines: string[] = []
  for (const [entry, place] of Object.entries(ENTRIES)) {
    const values = (await import(pathToFileURL(join(root, 'dist', place, 'index.js')).href)) as Record<string, { prototype?: object }>
    lines.push(`import * as ${entry} from '${entry === 'curtaincall' ? entry : `curtaincall/${entry}`}'`)
    for (const name of Object.keys(values)) lines.push(`export const ${entry}_${name} = () => ${entry}.${name}`)
    for (const type of typesOf(readFileSync(join(root, 'dist', place, 'index.d.ts'), 'utf8')))
      if (!PARAMETERS.has(type)) lines.push(`export const ${entry}_of_${type} = (value: ${entry}.${type}) => ({ ...value })`)
    for (const level of LEVELS) {
      const names = new Set<string>()
      for (let at = values[level]?.prototype; at !== undefined && at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
        for (const name of Object.getOwnPropertyNames(at)) names.add(name)
      for (const name of names)
        if (name !== 'constructor') lines.push(`export const ${level}_${name} = (of: ${entry}.${level}) => of.${name}`)
    }
  }
  expect(lines.length).toBeGreaterThan(300)
  const unnamed = complaints('names.ts', `${lines.join('\n')}\n`, '--lib', 'es2024,esnext.disposable,dom', '--emitDeclarationOnly')
  // Some lines are none, such as those of types that take arguments, and of what is internal.
  expect(unnamed.filter((line) => /TS(2742|2883|4\d\d\d)\b/.test(line))).toEqual([])
  expect(unnamed.filter((line) => !/TS(2314|2339|2344|2445|2698|2707)\b/.test(line))).toEqual([])
})

test('the declarations are sound by themselves, also for who has all of them checked', { timeout: 120_000 }, () => {
  const entries = Object.keys(ENTRIES).map((entry) => `import '${entry === 'curtaincall' ? entry : `curtaincall/${entry}`}'\n`)
  for (const lib of ['es2024,esnext.disposable', 'es2024,esnext,dom'])
    expect(complaints('sound.ts', entries.join(''), '--lib', lib, '--skipLibCheck', 'false')).toEqual([])
})

test('the natural factory goes everywhere in the kit', { timeout: 120_000 }, () => {
  const program = `import { createGlobalManager, type GlobalManager, type GlobalManagerOptions } from 'curtaincall'
import * as kit from 'curtaincall/testing'
const make = (options: GlobalManagerOptions = {}): GlobalManager => createGlobalManager({ ...options, name: 'shop' })
const late = async (options?: GlobalManagerOptions): Promise<GlobalManager> => createGlobalManager(options)
for (const tree of [make, late]) {
  await kit.startSupervised(tree)
  await kit.simulate(tree)
  await kit.propertyShutdown(tree)
  await kit.replayTrace('x', { tree })
  await kit.expectNoLeaks(async (options) => (await tree(options)).shutdown())
}
await kit.expectNoLeaks((options) => createGlobalManager(options).shutdown().then(() => {}))
`
  expect(complaints('factory.ts', program, '--lib', 'es2024,esnext.disposable')).toEqual([])
})

test('the compiler names what is wrong with options, whatever the work is', { timeout: 120_000 }, () => {
  const program = `import { createGlobalManager, type RoutineContext, routine } from 'curtaincall'
import { setup } from 'xstate'
const local = createGlobalManager().createApp('a').createLocal('l')
const machine = setup({ types: { input: {} as { feed: string } } }).createMachine({})
const body = ({ input }: RoutineContext<number>) => input
local.spawn('m', machine, { input: { fed: 'x' } })
local.spawn('m', machine, { input: { feed: 'x' }, mailbox: { overflow: 'drop' } })
local.spawn('m', machine, { timeout: 5 })
local.spawn('m', machine)
routine('m', machine, { input: { feed: 'x' }, timeOut: 5 })
routine('m', machine)
local.spawn('f', async () => 1, { timeOut: 5 })
local.spawn('f', ({ id }) => id, { mailbox: { overflow: 'drop' } })
local.spawn('f', body)
`
  writeFileSync(join(folder, 'wrong.ts'), program)
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = spawnSync(
    process.execPath,
    [tsc, ...OPTIONS, '--lib', 'es2024,esnext.disposable', '--pretty', 'false', '--noEmit', 'wrong.ts'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  )
  const said = stdout.split(/^wrong\.ts\(/m).slice(1)
  const named = [
    /^6,.*'fed' does not exist/s,
    /^7,.*"drop"/s,
    /^8,.*'input' is missing/s,
    /^9,.*option input is missing/s,
    /^10,.*'timeOut'/s,
  ]
  named.push(/^11,.*option input is missing/s, /^12,.*'timeOut'/s, /^13,.*"drop"/s, /^14,.*InputIsMissing/s)
  expect(said).toHaveLength(named.length)
  said.forEach((text, i) => expect(text).toMatch(named[i] as RegExp))
})
