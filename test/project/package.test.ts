/** What a user gets: the entries of the exports map, the tarball, and documents whose programs run. */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tracked } from './sources.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>
}

describe('the package', () => {
  test('every entry of the exports map is built and exports these names', async () => {
    const names: Record<string, string[]> = {}
    for (const [entry, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue
      expect(readFileSync(join(root, target.types), 'utf8')).not.toBe('')
      names[entry] = Object.keys((await import(pathToFileURL(join(root, target.default)).href)) as object).toSorted()
    }
    expect(names).toMatchInlineSnapshot(`
      {
        ".": [
          "AppManager",
          "AskTimeoutError",
          "ConfigError",
          "CurtaincallError",
          "GlobalManager",
          "LocalManager",
          "MAX_NAMES",
          "MailboxFullError",
          "ManagerExistsError",
          "NotRunningError",
          "RestartLimitError",
          "RoutineCancelledError",
          "RoutineFailedError",
          "RoutineHungError",
          "RoutineTimeoutError",
          "SelfAskError",
          "SpawnRefusedError",
          "StartFailedError",
          "createGlobalManager",
          "durableStore",
          "handleSignals",
          "ignore",
          "link",
          "manager",
          "routine",
          "watch",
        ],
        "./inspector": [
          "createStatelyAdapter",
          "follow",
          "recordPostMortem",
          "showRecording",
          "startInspector",
        ],
        "./machines": [
          "PHASES",
          "ROUTINE_EVENTS",
          "RestartWindow",
          "WORKER_EVENTS",
          "appManagerMachine",
          "backoffDelay",
          "globalManagerMachine",
          "isBadCombination",
          "judgeHealth",
          "localManagerMachine",
          "phaseIsOver",
          "routineMachine",
          "shouldRestart",
          "signalsMachine",
          "supervise",
          "tabulate",
          "workerMachine",
        ],
        "./process": [
          "GroundLostError",
          "childProcess",
          "childProcesses",
          "processPool",
        ],
        "./sqlite": [
          "sqliteStore",
        ],
        "./testing": [
          "CounterexampleError",
          "SimulatedDisk",
          "arbitraries",
          "cancelReachesAll",
          "childBeforeParent",
          "createTestProbe",
          "describeModel",
          "durableLaw",
          "durableLaws",
          "endedStaysEnded",
          "exactlyOneTerminal",
          "expectNoLeaks",
          "expectations",
          "explainTrace",
          "explore",
          "exploreMachine",
          "faults",
          "fuzzTree",
          "gracefulIfCooperative",
          "groundChecks",
          "invariants",
          "journalKeepsItsWord",
          "killedOnlyIfDeaf",
          "law",
          "laws",
          "models",
          "noLiveResources",
          "noSpawnAfterStop",
          "nothingAcknowledgedIsLost",
          "parseTrace",
          "permitsBalanced",
          "phasesInOrder",
          "printTrace",
          "propertyLives",
          "propertyShutdown",
          "readFault",
          "readTrace",
          "refines",
          "replayTrace",
          "reportAddsUp",
          "restartIntensity",
          "restartOrEscalate",
          "reverseOrder",
          "simulate",
          "simulateLives",
          "simulatedStore",
          "sometimes",
          "startSupervised",
          "toldInOrder",
          "toldOnce",
          "transitionCoverage",
          "transitionPaths",
          "unfinishedGoesOn",
          "virtualTime",
          "withinOverallTimeout",
          "writeTrace",
        ],
        "./thread": [
          "GroundLostError",
          "move",
          "thread",
          "threadPool",
          "threads",
        ],
        "./watchdog": [
          "startWatchdog",
        ],
        "./worker": [
          "move",
        ],
      }
    `)
  })

  test('its entries share one copy of each module, of its classes and of its state', async () => {
    const files = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^(src|machines)\/.*\.js$/.test(file),
    )
    // The bundler says where each module begins.
    const modules = files.flatMap((file) => readFileSync(join(root, 'dist', file), 'utf8').match(/^\/\/ (src|machines)\/.*\.ts$/gm) ?? [])
    expect(modules.length).toBeGreaterThan(100)
    expect(modules.filter((module, at) => modules.indexOf(module) !== at)).toEqual([])
    const load = (entry: string): Promise<object> => import(pathToFileURL(join(root, 'dist', 'src', entry)).href) as Promise<object>
    const [core, kit] = (await Promise.all([load('index.js'), load('testing/index.js')])) as [
      typeof import('curtaincall'),
      typeof import('curtaincall/testing'),
    ]
    await expect(kit.simulate('no tree' as never, {} as never)).rejects.toBeInstanceOf(core.ConfigError)
  })

  test('what is built is loaded as a few files, whose stacks and classes have the names of the sources', async () => {
    const code = `const loaded = []
      const { registerHooks } = await import('node:module')
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      const { createGlobalManager } = await import('curtaincall')
      console.log(loaded.filter((url) => url.includes('/dist/') && !url.includes('node_modules')).length)
      try { createGlobalManager({ name: 5 }) } catch (error) { console.log(error.stack) }`
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' })
    expect(Number.parseInt(said, 10)).toBeLessThanOrEqual(3)
    expect(said).toMatch(/at compileGlobalSpec .*core\.js:\d+/)
    expect(said).toMatch(/at createGlobalManager .*core\.js:\d+/)
  })

  test('the tarball holds what is built, the documents a user reads, and nothing else', () => {
    const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' })
    const [{ files }] = JSON.parse(out) as [{ files: { path: string }[] }]
    const paths = files.map(({ path }) => path)
    const expected =
      /^(dist\/inspector\/(page\.(js|css|LICENSES\.txt)|(index|standalone)\.html|icon\.svg|files\.json|elk\.(js|LICENSE\.txt))|dist\/(src|machines)\/[a-z0-9/-]+\.(js|d\.ts)|docs\/\w+\.md|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/
    expect(paths.filter((path) => !expected.test(path))).toEqual([])
    expect(paths).toEqual(
      expect.arrayContaining([
        'dist/src/index.js',
        'dist/src/index.d.ts',
        'dist/machines/index.js',
        'dist/src/cli/curtaincall.js',
        'README.md',
        'LICENSE',
      ]),
    )
  })

  test('what is packed is built, also for a dependency on the repository; an install builds nothing', { timeout: 120_000 }, () => {
    const clone = mkdtempSync(join(root, '.tmp', 'clone-'))
    for (const file of tracked()) {
      mkdirSync(dirname(join(clone, file)), { recursive: true })
      copyFileSync(join(root, file), join(clone, file))
    }
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
    const isBuilt = (): boolean => existsSync(join(clone, 'dist', 'src', 'index.js'))
    const prepare = (env: object): void => {
      execFileSync('npm', ['run', '--silent', 'prepare'], { cwd: clone, env: { ...process.env, npm_package_resolved: undefined, ...env } })
    }
    prepare({})
    expect(isBuilt()).toBe(false)
    prepare({ npm_package_resolved: clone })
    expect(isBuilt()).toBe(true)
    rmSync(join(clone, 'dist'), { recursive: true })
    const out = execFileSync('npm', ['pack', '--json'], { cwd: clone, encoding: 'utf8' })
    const [{ files, filename }] = JSON.parse(out.slice(out.indexOf('[\n'))) as [{ files: { path: string }[]; filename: string }]
    expect(isBuilt()).toBe(true)
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['dist/src/index.js', 'dist/inspector/page.js']))
    // What npm would call where it is installed is in it; the clone is as it was.
    const packed = execFileSync('tar', ['-xzOf', filename, 'package/package.json'], { cwd: clone, encoding: 'utf8' })
    const { scripts } = JSON.parse(packed) as { scripts: Record<string, string> }
    expect(Object.keys(scripts).filter((name) => ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'].includes(name))).toEqual(
      [],
    )
    expect(readFileSync(join(clone, 'package.json'), 'utf8')).toBe(readFileSync(join(root, 'package.json'), 'utf8'))
    rmSync(clone, { recursive: true, force: true })
  })

  describe('in a minified bundle', () => {
    let code = ''
    let alone = ''

    async function bundle(input: string): Promise<string> {
      const rolldownOptions = {
        input,
        preserveEntrySignatures: 'strict' as const,
        external: ['xstate'],
        output: { format: 'es' as const },
      }
      const built = await build({ configFile: false, logLevel: 'silent', root, build: { write: false, minify: true, rolldownOptions } })
      const [{ output }] = [built].flat() as unknown as [{ output: { code: string }[] }]
      expect(output).toHaveLength(1)
      return output[0]?.code ?? ''
    }

    const compressed = (text: string): number => gzipSync(text, { level: 9 }).length

    beforeAll(async () => {
      const folder = mkdtempSync(join(root, '.tmp', 'alone-'))
      const entry = join(folder, 'alone.ts')
      writeFileSync(entry, `export { createGlobalManager } from '${join(root, 'src/index.ts')}'\n`)
      code = await bundle(join(root, 'src/index.ts'))
      alone = await bundle(entry)
      rmSync(folder, { recursive: true })
    })

    test('the core stays within its budget: 57.6 kB compressed, beside xstate', () => {
      expect(code).toMatch(/from\s*["']xstate["']/)
      expect(compressed(code)).toBeLessThanOrEqual(57.6 * 1_024)
    })

    test('createGlobalManager alone has no more than 45.5 kB, and nothing of durable routines or children', () => {
      expect(compressed(alone)).toBeLessThanOrEqual(45.5 * 1_024)
      for (const part of ['ERR_STORE_CLOSED', 'ERR_GROUP_RESTART'])
        expect([code, alone].map((text) => text.includes(part))).toEqual([true, false])
    })

    test('errors and managers keep their names, though classes do not', async () => {
      const folder = mkdtempSync(join(root, '.tmp', 'minified-'))
      writeFileSync(join(folder, 'core.mjs'), code)
      const core = (await import(pathToFileURL(join(folder, 'core.mjs')).href)) as Record<string, new (...args: never[]) => object>
      rmSync(folder, { recursive: true })
      const errors = Object.entries(core).filter(([, type]) => type.prototype instanceof Error)
      expect(errors).toHaveLength(14)
      expect(errors.filter(([name, type]) => type.name === name)).toEqual([])
      for (const [name, type] of errors) expect([name, (new type('x' as never) as Error).name]).toEqual([name, name])
      const { createGlobalManager } = core as unknown as typeof import('curtaincall')
      const global = createGlobalManager({ name: 'g' })
      const local = global.createApp('a').createLocal('l')
      expect([global, global.getApp('a'), local].map((each) => inspect(each))).toEqual([
        'GlobalManager g (running)',
        'AppManager g/a (running)',
        'LocalManager g/a/l (running)',
      ])
      await global.shutdown()
    })
  })

  test('an import does no work: no timer, no listener, nothing left running', () => {
    const code =
      "const before = process.getActiveResourcesInfo().length; await import('curtaincall'); console.log(process.getActiveResourcesInfo().length - before)"
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' })).toBe('0\n')
  })

  test('an import makes no machine, and neither do a routine and a manager that nobody looks at', () => {
    const code = `const { StateNode } = await import('xstate')
      const { _initialize: initialize } = StateNode.prototype
      const made = []
      StateNode.prototype._initialize = function () { made.push(this.key); initialize.call(this) }
      const { createGlobalManager } = await import('curtaincall')
      console.log(made.filter((key) => /routine|Manager/.test(key)).join())
      const local = createGlobalManager().createApp('a').createLocal('l')
      const routine = local.spawn('job', () => 5)
      await routine.outcome
      console.log(made.filter((key) => /routine|Manager/.test(key)).join())
      routine.actor.getSnapshot()
      console.log(made.filter((key) => /routine|Manager/.test(key)).join())
      local.actor.getSnapshot()
      console.log(made.filter((key) => /routine|Manager/.test(key)).join())`
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' }).split('\n')).toEqual([
      '',
      '',
      'routine',
      'routine,globalManager,appManager,localManager',
      '',
    ])
  })

  test('the command loads neither the library nor XState to say how it is used', () => {
    const hooks = `import { registerHooks } from 'node:module'
      registerHooks({ load: (url, context, next) => (process.stderr.write(url + '\\n'), next(url, context)) })`
    const given = ['--import', `data:text/javascript,${encodeURIComponent(hooks)}`, 'dist/src/cli/curtaincall.js', '--help']
    const { stdout, stderr } = spawnSync(process.execPath, given, { cwd: root, encoding: 'utf8' })
    expect(stdout).toMatch(/^curtaincall: /)
    const files = stderr.split('\n').flatMap((url) => /^file:.*\/dist\/(.*)$/.exec(url)?.[1] ?? (url.includes('xstate') ? [url] : []))
    expect(files).toEqual(['src/cli/curtaincall.js', 'src/cli/program.js'])
  })

  test('a process with an idle tree ends by itself', () => {
    const code =
      "const { createGlobalManager } = await import('curtaincall'); createGlobalManager().createApp('a').createLocal('l'); console.log('over')"
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' })).toBe('over\n')
  })
})

interface Snippet {
  readonly file: string
  readonly line: number
  readonly code: string
  /** What it prints, if the document says so. */
  readonly output: string | undefined
}

export function snippetsOf(file: string, text: string): Snippet[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```\n(?:\n?(?:[^\n`]+\n\n)?```text\n([\s\S]*?)^```)?/gm)].map((match) => ({
    file,
    line: text.slice(0, match.index).split('\n').length,
    code: match[1] as string,
    output: match[2],
  }))
}

describe('the documents', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ]
  const snippets = documents.flatMap((file) => snippetsOf(file, readFileSync(join(root, file), 'utf8')))
  let folder = ''

  beforeAll(() => {
    mkdirSync(join(root, '.tmp'), { recursive: true })
    folder = mkdtempSync(join(root, '.tmp', 'snippets-'))
    snippets.forEach(({ code }, i) => writeFileSync(join(folder, `snippet-${i}.ts`), `${code}\nexport {}\n`))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('each link leads to a file that is there: of what is packed, in the package; and to a heading of that', () => {
    const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' })
    const [{ files }] = JSON.parse(out) as [{ files: { path: string }[] }]
    const packed = new Set(files.map(({ path }) => path))
    const headings = (file: string): string[] =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      )
    const dead: string[] = []
    let many = 0
    for (const file of documents) {
      for (const [, link = ''] of readFileSync(join(root, file), 'utf8')
        .replaceAll(/^```[\s\S]*?^```/gm, '')
        .matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(link)) continue
        many++
        const [path = '', anchor] = link.split('#')
        const to = path === '' ? file : posix.join(posix.dirname(file), path)
        const isThere = file.startsWith('docs/') ? packed.has(to) : existsSync(join(root, to))
        if (!isThere || (anchor !== undefined && !headings(to).includes(anchor))) dead.push(`${file}: ${link}`)
      }
    }
    expect(many).toBeGreaterThan(30)
    expect(dead).toEqual([])
  })

  test('there are programs in them', () => {
    expect(snippets.filter(({ file }) => file === 'README.md').length).toBeGreaterThan(0)
    expect(snippets.filter(({ output }) => output !== undefined).length).toBeGreaterThan(1)
  })

  test('all of them compile against the built package', () => {
    const options = [
      '--noEmit',
      '--ignoreConfig',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--lib',
      'es2024,esnext',
      '--types',
      'node',
    ]
    const files = snippets.map((_, i) => join(folder, `snippet-${i}.ts`))
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    let complaints = ''
    try {
      execFileSync(process.execPath, [tsc, ...options, ...files], { cwd: root, encoding: 'utf8' })
    } catch (error) {
      complaints = (error as { stdout: string }).stdout
    }
    expect(complaints).toBe('')
  })

  test.each(snippets.map((snippet, i) => ({ ...snippet, i })).filter(({ output }) => output !== undefined))(
    '$file:$line prints what it says',
    ({ i, output }) => {
      expect(execFileSync(process.execPath, [join(folder, `snippet-${i}.ts`)], { cwd: root, encoding: 'utf8' })).toBe(output)
    },
  )
})
