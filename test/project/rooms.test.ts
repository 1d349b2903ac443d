/** The walls between the rooms of src/: nothing breaks their rules, and the rules bite. */
import { expect, test } from 'vitest'
import { interfaceFaults } from './declarations.ts'
import { circles, type Fault, faultsOf, floors, roomOf, upwardArrows } from './rooms.ts'
import { Sources, sourcesOfProject } from './sources.ts'

test('X2: the rooms of src/ keep their walls: imports one way, doors, no circles, no reaching through, one step of inheritance', () => {
  const sources = sourcesOfProject()
  expect(sources.files.length).toBeGreaterThan(30)
  expect(faultsOf(sources).map(({ rule, says }) => `${rule}: ${says}`)).toEqual([])
})

const house = (files: Readonly<Record<string, string>>): Sources => new Sources(new Map(Object.entries(files)))
const all = (files: Readonly<Record<string, string>>): Fault[] => faultsOf(house(files)).filter(({ rule }) => rule !== 'interfaceAbsent')
const rulesOf = (files: Readonly<Record<string, string>>): string[] => all(files).map(({ rule }) => rule)

test('a room imports only rooms before it, types included, and the offending line is named', () => {
  const upward = {
    'src/turn/waiting.ts': "/** Waiting. */\nimport type { Row } from '../routine/index.ts'\nexport type A = Row\n",
    'src/routine/index.ts': "/** Routines. */\nexport type { Row } from './row.ts'\n",
    'src/routine/row.ts': "import { a } from '../../machines/a.ts'\nexport interface Row { a: typeof a }\n",
    'machines/a.ts': 'export const a = 1\n',
  }
  expect(all(upward)).toEqual([
    {
      rule: 'upward',
      at: 'src/turn/waiting.ts',
      weight: 1,
      says: 'src/turn/waiting.ts:2 imports the type of Row of src/routine/index.ts, from turn up to routine',
    },
  ])
  expect(rulesOf({ 'src/cli/a.ts': "import '../index.ts'\n", 'src/index.ts': "import './cli/a.ts'\n" })).toEqual(['upward', 'roomCircle'])
  expect(rulesOf({ 'machines/a.ts': "export type A = import('../src/index.ts').A\n", 'src/index.ts': 'export type A = 1\n' })).toEqual([
    'upward',
  ])
  expect(rulesOf({ 'src/somewhere/a.ts': 'export {}\n', 'src/b.ts': 'export {}\n' })).toEqual(['homeless', 'homeless'])
})

test('a file is in the room of its folder', () => {
  const files = ['machines/a.ts', 'src/index.ts', 'src/port/clock.ts', 'src/cli/run.ts', 'src/a.ts', 'src/somewhere/a.ts']
  expect(files.map(roomOf)).toEqual(['machines', 'index', 'port', 'cli', undefined, undefined])
  expect(upwardArrows(house({}))).toEqual([])
})

test('a circle of four files is too large, whatever the edges', () => {
  const chain = (n: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: n }, (_, i) => [`src/turn/f${i}.ts`, `import type { F } from './f${(i + 1) % n}.ts'\nexport type G = F\n`]),
    )
  expect(rulesOf(chain(3))).toEqual([])
  expect(all(chain(4))).toMatchObject([{ rule: 'fileCircle', at: 'src/turn/f0.ts', weight: 4 }])
  const next = (node: string): string[] => ({ a: ['b'], b: ['a', 'c'], c: ['d'], d: [] as string[] })[node] ?? []
  expect(circles(['a', 'b', 'c', 'd'], next)).toEqual([['a', 'b']])
  expect(floors(['a', 'b', 'c', 'd'], next)).toBe(3)
})

test('a room is entered through its door, which is one sentence and then exports', () => {
  const room = (door: string, from: string): Record<string, string> => ({
    'src/port/index.ts': door,
    'src/port/clock.ts': 'export const clock = 1\n',
    'src/turn/stage.ts': `import { clock } from '../port/${from}.ts'\nexport const stage = clock\n`,
  })
  const good = "/** What the library asks of\n * the platform. */\nexport { clock } from './clock.ts'\n"
  expect(rulesOf(room(good, 'index'))).toEqual([])
  expect(rulesOf(room(good, 'clock'))).toEqual(['door'])
  expect(rulesOf(room("export * from './clock.ts'\n", 'index'))).toEqual(['doorShape'])
  expect(rulesOf(room("/** One. Two. */\nexport * from './clock.ts'\n", 'index'))).toEqual(['doorShape'])
  expect(rulesOf(room(`${good}export const other = 2\n`, 'index'))).toEqual(['doorShape'])
  // Inside of a room there is no door to go through.
  expect(rulesOf({ ...room(good, 'index'), 'src/port/tap.ts': "import { clock } from './clock.ts'\nexport const tap = clock\n" })).toEqual(
    [],
  )
})

/** What is said of the dots in a method of a class. */
function dots(body: string, fields = ''): string[] {
  const text = `export class A {\n  ${fields}\n  go(row: Row) {\n    ${body}\n  }\n}\n`
  return all({ 'src/turn/a.ts': text }).map(({ rule, says }) => `${rule} ${/(\d+) dots/.exec(says)?.[1]}`)
}

test.each([
  ['this.host.line'],
  ['this.host.line.leave()'],
  ['this.host.settle(this.host.line)'],
  ['this.#first.#next.#next.row'],
  ['const { local } = this; local.registry.settle()'],
  ['const line = this.host.next(); line.head.row'],
  ['for (const row of this.host.rows) row.local.path'],
  ['function free() { return this.a.b.c.d }'],
  ['row.local.registry.queue'],
  ['this.host.tree.clock.now(); this.tree.bus.contained; this.host.local.tree'],
  ['const { clock } = this.host.tree; clock.now()'],
  ['this.host.spec.mailbox.capacity; const { mailbox: { overflow } } = this.host.spec'],
  ['const local = 1; { const { local } = this; local.a } local.a.b.c.d'],
])('%s is near enough', (body) => {
  expect(dots(body, '#first: A\n  #next: A')).toEqual([])
})

test.each([
  ['this.host.line.head', ['reach 3']],
  ['this.host.line!.head', ['reach 3']],
  ['(this.host as Host)?.line.head', ['reach 3']],
  ['this.host.line.head = 1', ['reach 3']],
  ['this.host.line[0].head', ['reach 3']],
  ['this.host.line.next().head', ['reach 4']],
  ['this.host.line.head.leave()', ['reach 3']],
  ['const { local } = this; local.registry.queue.head', ['reach 4']],
  ['const { local: { registry: { line } } } = this; line.head', ['reach 3', 'reach 4']],
  ['const { clock } = this.local.stage', ['reach 3']],
  ['const local = this.local; local.registry.queue', ['reach 3']],
  ['later(() => this.host.line.head)', ['reach 3']],
  ['this.host.local.tree.clock', ['reach 3']],
  ['this.host.local.spec', ['reach 3']],
  ['row.local.registry.queue.head', ['reachOfHanded 4']],
  ['row.local.registry.queue.head.leave(this.host.line.head)', ['reachOfHanded 4', 'reach 3']],
])('%s reaches through', (body, expected) => {
  expect(dots(body)).toEqual(expected)
})

test('what is in a collection of the class is its own', () => {
  const fields = 'readonly rows = new Map<string, Row>()\n  #line: readonly Row[] | undefined\n  other = new Other()'
  expect(dots('this.rows.get(1)?.path.name', fields)).toEqual(['reach 3'])
  expect(dots('this.rows.values().next().done; this.rows.get(1)?.local.leave(); this.#line.at(-1).local.leave()', fields)).toEqual([])
  expect(dots('this.other.get(1).size', fields)).toEqual(['reach 3'])
})

test('a class extends none that extends another, wherever they were declared, errors excepted', () => {
  const files = {
    'src/turn/a.ts': 'export class A {}\n',
    'src/turn/b.ts': "import { A as Base } from './index.ts'\nexport class B extends Base {}\n",
    'src/turn/c.ts': "import { B } from './b.ts'\nexport class C extends B {}\n",
    'src/turn/index.ts': "/** Turns. */\nexport * from './a.ts'\n",
    'src/contract/errors.ts': 'export class D extends Error {}\nexport class E extends D {}\n',
  }
  expect(all(files)).toMatchObject([
    { rule: 'inheritance', at: 'src/turn/c.ts', weight: 1, says: 'src/turn/c.ts:2 C extends B, which extends Base' },
  ])
})

test('what a room asks of those above it has ten members at most', () => {
  const members = (n: number, name = 'm'): string => Array.from({ length: n }, (_, i) => `${name}${i}: 1`).join('\n')
  const faults = (n: number): Fault[] => {
    const text = `interface Base {${members(4, 'b')}}\nexport interface Launch extends Base {${members(n)}}\n`
    return interfaceFaults(house({ 'src/turn/a.ts': text })).filter(({ at }) => /turn/.test(at))
  }
  expect(faults(6)).toEqual([])
  expect(faults(8)).toMatchObject([{ rule: 'interfaceSize', at: 'src/turn/a.ts', weight: 2 }])
  expect(interfaceFaults(house({}))).toContainEqual(expect.objectContaining({ rule: 'interfaceAbsent', at: 'turn Launch' }))
})
