/**
 * What classes and interfaces of the rooms are held to.
 *
 * - `inheritance`: a class extends none that extends another; errors are excepted. It weighs each step after the first.
 * - `interfaceSize`: what a room asks of those above it has ten members at most, inherited ones included. It weighs each one more.
 * - `interfaceAbsent`: a room declares the interfaces that {@link ASKED} says it has.
 */
import { type Fault, roomOf } from './rooms.ts'
import { childrenOf, nameOf, type Node, type Sources } from './sources.ts'

/** By room: the interfaces in which it says what it needs of those above it. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  port: ['Subject'],
  turn: ['Launch'],
  count: ['Named'],
  admission: ['Queued', 'Capacity'],
  message: ['Addressee', 'Receiver'],
  routine: ['Host', 'Registrar', 'Post'],
  supervision: ['Lead', 'Ward'],
  shutdown: ['Closing', 'Flock'],
}

const MOST_MEMBERS = 10

function declarationsIn(sources: Sources, file: string, type: RegExp): Node[] {
  const found: Node[] = []
  const visit = (node: Node): void => {
    if (type.test(node.type)) found.push(node)
    for (const child of childrenOf(node)) visit(child)
  }
  visit(sources.parsed(file).program)
  return found
}

const CLASS = /^Class(Declaration|Expression)$/

/** How many classes a class stands on. */
function stepsOf(sources: Sources, file: string, node: Node): string[] {
  const name = nameOf(node.superClass)
  if (name === undefined) return node.superClass === null ? [] : ['a class without a name']
  const { file: home, name: own } = sources.origin(file, name)
  const parent = declarationsIn(sources, home, CLASS).find(({ id }) => nameOf(id) === own)
  return [name, ...(parent === undefined || parent === node ? [] : stepsOf(sources, home, parent))]
}

export function inheritanceFaults(sources: Sources, file: string): Fault[] {
  if (file.endsWith('/errors.ts')) return []
  return declarationsIn(sources, file, CLASS).flatMap((node) => {
    const steps = stepsOf(sources, file, node)
    if (steps.length < 2) return []
    const says = `${sources.place(file, node)} ${nameOf(node.id) ?? 'a class'} extends ${steps.join(', which extends ')}`
    return [{ rule: 'inheritance', at: file, weight: steps.length - 1, says }]
  })
}

function membersOf(sources: Sources, file: string, node: Node): number {
  const own = (node.body as Node).body as readonly Node[]
  const inherited = (node.extends as readonly Node[]).map(({ expression }) => {
    const { file: home, name } = sources.origin(file, nameOf(expression) ?? '')
    const parent = interfaceNamed(sources, home, name)
    return parent === undefined || parent === node ? 0 : membersOf(sources, home, parent)
  })
  return inherited.reduce((sum, each) => sum + each, own.length)
}

function interfaceNamed(sources: Sources, file: string, name: string): Node | undefined {
  return declarationsIn(sources, file, /^TSInterfaceDeclaration$/).find(({ id }) => nameOf(id) === name)
}

export function interfaceFaults(sources: Sources): Fault[] {
  return Object.entries(ASKED).flatMap(([room, names]) =>
    names.flatMap((name): Fault[] => {
      const file = sources.files.find((each) => roomOf(each) === room && interfaceNamed(sources, each, name) !== undefined)
      if (file === undefined)
        return [{ rule: 'interfaceAbsent', at: `${room} ${name}`, weight: 1, says: `${room} declares no interface ${name}` }]
      const node = interfaceNamed(sources, file, name) as Node
      const members = membersOf(sources, file, node)
      if (members <= MOST_MEMBERS) return []
      const says = `${sources.place(file, node)} ${name} has ${members} members, more than ${MOST_MEMBERS}`
      return [{ rule: 'interfaceSize', at: file, weight: members - MOST_MEMBERS, says }]
    }),
  )
}
