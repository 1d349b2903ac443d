/** Style as a test: the layer rule, sizes, names, dead files and links. */
import { existsSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { read, root, tracked } from './sources.ts'

const sources = tracked('src/*.ts', 'src/**/*.ts', 'machines/*.ts')
const BRIDGE = 'inspector/xstate-inspect-bridge/'
const bridge = tracked(`${BRIDGE}*.ts`)
const page = tracked('inspector/*.ts', 'inspector/*.tsx', 'inspector/**/*.ts', 'inspector/**/*.tsx').filter(
  (file) => !file.startsWith(BRIDGE),
)

interface Import {
  readonly from: string
  readonly typeOnly: boolean
}

/** Of what is imported only when it is needed, the files of this project. */
export function importsOf(text: string): Import[] {
  const statements = /^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('(\.[^']+)'\)/gm
  return [...text.matchAll(statements)].map(([, type, from, bare, late]) => ({
    from: (from ?? bare ?? late) as string,
    typeOnly: type !== undefined,
  }))
}

const fileOf = (file: string, from: string): string => (from.startsWith('.') ? normalize(join(dirname(file), from)) : from)

/** Where code may need Node.js. */
const ON_NODE = /^src\/(testing|inspector|sqlite|watchdog|cli)\//

/** What is wrong with the packages that a file imports, and with what the rooms above the public entry know of each other. */
export function layerFaults(file: string, text: string): string[] {
  const allowed = Object.keys((JSON.parse(read('package.json')) as { dependencies: object }).dependencies)
  return importsOf(text).flatMap(({ from, typeOnly }) => {
    const fault = [`${file} imports ${from}`]
    if (from.startsWith('.')) {
      const target = fileOf(file, from)
      if (!/^(src|machines)\//.test(target)) return fault
      const door = /^src\/((testing|inspector|sqlite|watchdog)\/)?index\.ts$/.test(target)
      if (file.startsWith('src/cli/')) return target.startsWith('src/cli/') || door ? [] : fault
      // The kit, the inspector and the store know nothing of each other.
      const [room] = /^src\/(testing|inspector|sqlite|watchdog)\//.exec(target) ?? []
      return room === undefined || file.startsWith(room) ? [] : fault
    }
    if (from.startsWith('node:')) return ON_NODE.test(file) ? [] : fault
    if (file.startsWith('machines/')) return from === 'xstate' ? [] : fault
    // It is handed to the kit.
    if (file.startsWith('src/testing/') && from === 'fast-check' && typeOnly) return []
    const name = from.startsWith('@') ? from.split('/', 2).join('/') : (from.split('/')[0] as string)
    return name === 'xstate' || allowed.includes(name) ? [] : fault
  })
}

/** What is wrong with the imports of a file of the page. */
export function pageFaults(file: string, text: string): string[] {
  return importsOf(text).flatMap(({ from }) => {
    const target = fileOf(file, from)
    const inward = /^(inspector|machines|src\/inspector)\//.test(target)
    return inward || /^(xstate|react|react-dom|@xstate\/react|uplot|vite|node:fs)\b/.test(from) ? [] : [`${file} imports ${from}`]
  })
}

/** What the page shares with the server: all that its files lead to. */
export function sharedWith(files: readonly string[], text: (file: string) => string): string[] {
  const shared = new Set<string>()
  const visit = (file: string): void => {
    for (const { from, typeOnly } of importsOf(text(file))) {
      const target = fileOf(file, from)
      if (typeOnly || !/^(src|machines)\//.test(target) || shared.has(target)) continue
      shared.add(target)
      visit(target)
    }
  }
  for (const file of files) visit(file)
  return [...shared]
}

/** What is wrong with the imports of what runs in the page, too: it knows neither Node.js nor the tree. */
export function sharedFaults(file: string, text: string): string[] {
  return importsOf(text).flatMap(({ from, typeOnly }) =>
    typeOnly || /^(machines|src\/inspector)\//.test(fileOf(file, from)) ? [] : [`${file} imports ${from}`],
  )
}

/** What is wrong with the imports of a file of the bridge: `xstate` is another version there, so it shares what imports none. */
export function bridgeFaults(file: string, text: string): string[] {
  return importsOf(text).flatMap(({ from }) => {
    const target = fileOf(file, from)
    const shared = /^src\/inspector\/(census|to-wire)\.ts$/.test(target)
    return shared || target.startsWith(BRIDGE) || /^(@xstate\/inspect|xstate|ws|node:.*)$/.test(from) ? [] : [`${file} imports ${from}`]
  })
}

const IMPURE = /\b(Date|performance|setTimeout|setInterval|queueMicrotask|process)\b(?!['`])|Math\.random/

/** Effects in code, comments left out. */
export function impurities(file: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '')
  return IMPURE.test(code) ? [`${file} uses ${IMPURE.exec(code)?.[0]}`] : []
}

/** Files that no entry leads to. */
export function deadFiles(files: readonly string[], entries: readonly string[], text: (file: string) => string): string[] {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const { from } of importsOf(text(file))) if (from.startsWith('.')) visit(normalize(join(dirname(file), from)))
  }
  for (const entry of entries) visit(entry)
  return files.filter((file) => !seen.has(file))
}

const ENTRIES = [
  'src/index.ts',
  'machines/index.ts',
  'src/testing/index.ts',
  'src/inspector/index.ts',
  'src/watchdog/index.ts',
  'src/watchdog/thread.ts',
  'src/sqlite/index.ts',
  'src/sqlite/writer.ts',
  'src/sqlite/backup-thread.ts',
  'src/cli/curtaincall.ts',
  'inspector/main.tsx',
  `${BRIDGE}index.ts`,
  `${BRIDGE}receiver.ts`,
]

describe('X2: one job a module, imports in one direction', () => {
  test('X2: machines import xstate alone, the core no platform, the command the public entry', () => {
    expect(sources.length).toBeGreaterThan(30)
    expect(sources.flatMap((file) => layerFaults(file, read(file)))).toEqual([])
  })

  test('X2: the page imports what it shares with the server, and that knows neither Node.js nor the tree', () => {
    expect(page.length).toBeGreaterThan(10)
    expect(page.flatMap((file) => pageFaults(file, read(file)))).toEqual([])
    const shared = sharedWith(page, read)
    expect(shared.length).toBeGreaterThan(10)
    expect(shared.flatMap((file) => (file.startsWith('machines/') ? [] : sharedFaults(file, read(file))))).toEqual([])
  })

  test('X2: the bridge to XState 4 shares nothing with the rest that knows XState 5', () => {
    expect(bridge.length).toBeGreaterThan(1)
    expect(bridge.flatMap((file) => bridgeFaults(file, read(file)))).toEqual([])
    expect(['census', 'to-wire'].flatMap((name) => importsOf(read(`src/inspector/${name}.ts`)))).toEqual([])
    expect(bridgeFaults(`${BRIDGE}x.ts`, "import { chartOf } from '../../src/inspector/chart.ts'\n")).toHaveLength(1)
  })

  test('X2: machines know no clock, chance or process', () => {
    expect(sources.filter((file) => file.startsWith('machines/')).flatMap((file) => impurities(file, read(file)))).toEqual([])
  })

  test('X2: files can be read in one sitting and are named for what they hold', () => {
    for (const file of [...sources, ...page, ...bridge]) {
      expect([file, read(file).split('\n').length <= 401]).toEqual([file, true])
      expect(file).toMatch(/^[a-z0-9/-]+(\.config|\.d)?\.tsx?$/)
      expect(file).not.toMatch(/(utils?|helpers?|types|misc|common)\.ts$/)
    }
    const { rules } = JSON.parse(read('.oxlintrc.json')) as { rules: Record<string, unknown> }
    expect(rules['max-lines-per-function']).toEqual(['error', { max: 70 }])
  })
})

/** Classes that a style sheet gives a look of its own, and not only inside another. */
export function ownClasses(text: string): string[] {
  return [...new Set([...text.matchAll(/^\.([a-z-]+)/gm)].map(([, name]) => name as string))]
}

test('X2: no two views give the same class a look', () => {
  const owners = new Map<string, string[]>()
  for (const file of tracked('inspector/*.css', 'inspector/view/*.css')) {
    for (const name of ownClasses(read(file))) owners.set(name, [...(owners.get(name) ?? []), file])
  }
  expect(owners.size).toBeGreaterThan(50)
  expect([...owners].filter(([, files]) => files.length > 1)).toEqual([])
  expect(ownClasses('.a { }\n.a .b { }\n')).toEqual(['a'])
})

describe('X6: nothing dead, nothing dangling', () => {
  test('X6: every source is reached from an entry', () => {
    expect(deadFiles([...sources, ...bridge, ...page.filter((file) => !/\.(config|d)\.ts$/.test(file))], ENTRIES, read)).toEqual([])
  })

  test('X6: every relative link in the documents leads somewhere', () => {
    for (const file of tracked('*.md', 'docs/*.md')) {
      for (const [, link = ''] of read(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(link)) continue
        expect([file, link, existsSync(join(root, dirname(file), link))]).toEqual([file, link, true])
      }
    }
  })

  test('X6: the project names no machine, registry host or absolute path of a checkout', () => {
    const foreign = /\/wor[k]\/|\/roo[t]\/|https?:\/\/[^/]*registry|localhos[t]:\d{4}/
    for (const file of tracked().filter((each) => /\.(ts|json|md|yml|yaml|patch)$|\.npmrc$|^\.ci/.test(each))) {
      const hit = read(file)
        .split('\n')
        .find((line) => foreign.test(line))
      expect([file, hit]).toEqual([file, undefined])
    }
  })

  test('X6: every id of the audit is the name of a test, and has a fault to catch', () => {
    const ids = 'C1 C2 C3 C4 C5 C6 M1 M2 M3 M4 H1 H2 H3 H4 R1 R2 S1 S2 S3 S4 W1 X1 X2 X3 X4 X5 X6 T1 O1 G1'.split(' ')
    const tests = tracked('test/**/*.test.ts', 'test/*.test.ts').map(read).join('\n')
    for (const id of ids) {
      expect([id, tests.includes(`'${id}: `)]).toEqual([id, true])
      expect([id, existsSync(join(root, `test/faults/${id}.patch`))]).toEqual([id, true])
    }
  })
})

/** Words that only a supervisor needs. */
const SUPERVISING = /one_for_all|rest_for_one|'one_for_one'|permanent|transient|_significant|RestartWindow|shouldRestart|supervise\b/

describe('traces of OTP are played by nothing but the package', () => {
  const players = tracked('test/otp/*.ts').filter((file) => !/(deviations|test)\.ts$/.test(file))

  test('it imports the public entry, and knows no strategy, restart type or limit', () => {
    expect(players.length).toBeGreaterThan(3)
    for (const file of players) {
      const code = read(file).replace(/\/\*[\s\S]*?\*\//g, '')
      const foreign = importsOf(read(file)).filter(
        ({ from }) => !/^(curtaincall|node:.*|\.\/.*|\.\.\/support\/virtual-clock\.ts)$/.test(from),
      )
      expect([file, foreign, SUPERVISING.exec(code)?.[0]]).toEqual([file, [], undefined])
    }
  })
})

describe('the rules bite', () => {
  test('on a machine that reaches out', () => {
    expect(layerFaults('machines/x.ts', "import 'node:fs'\n")).toHaveLength(1)
    expect(layerFaults('machines/x.ts', "import { nanoid } from 'nanoid'\n")).toHaveLength(1)
    expect(impurities('machines/x.ts', 'const now = Date.now()\n')).toHaveLength(1)
    expect(impurities('machines/x.ts', '// Date.now() is not used\n')).toEqual([])
  })

  test('on a source that reaches out, and on rooms that reach for each other', () => {
    expect(layerFaults('src/x.ts', "import PQueue from 'p-queue'\n")).toHaveLength(1)
    expect(layerFaults('src/port/x.ts', "import 'node:fs'\n")).toHaveLength(1)
    expect(layerFaults('src/inspector/x.ts', "import { turn } from '../testing/virtual-clock.ts'\n")).toHaveLength(1)
    expect(layerFaults('src/cli/x.ts', "import { Tree } from '../turn/index.ts'\n")).toHaveLength(1)
  })

  test('on what the page shares with the server', () => {
    const files: Record<string, string> = {
      'inspector/a.ts': "import { b } from '../src/inspector/b.ts'\nimport type { c } from '../src/inspector/c.ts'\n",
      'src/inspector/b.ts': "import 'node:fs'\nimport { d } from './d.ts'\n",
      'src/inspector/d.ts': "import type { Manager } from '../manager/index.ts'\n",
    }
    const text = (file: string): string => files[file] ?? ''
    expect(sharedWith(['inspector/a.ts'], text)).toEqual(['src/inspector/b.ts', 'src/inspector/d.ts'])
    expect(sharedFaults('src/inspector/b.ts', text('src/inspector/b.ts'))).toEqual(['src/inspector/b.ts imports node:fs'])
    expect(sharedFaults('src/inspector/d.ts', text('src/inspector/d.ts'))).toEqual([])
  })

  test('on a file that nobody imports', () => {
    const text = (file: string): string => (file === 'src/index.ts' ? "export { a } from './a.ts'\n" : '')
    expect(deadFiles(['src/index.ts', 'src/a.ts', 'src/b.ts'], ['src/index.ts'], text)).toEqual(['src/b.ts'])
    expect(relative('a', 'a/b')).toBe('b')
  })
})
