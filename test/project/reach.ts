/**
 * No reach-through: from `this` it is two dots at most to what is not one's own; from what a function was handed it is three, as it
 * has nothing of its own to begin from.
 *
 * - A dot is a name behind `this` or behind a parameter. `this.host.line` has two and is fine, `this.host.line.head` has three.
 * - The last call is the verb of whoever is reached, and no dot: `this.host.line.leave()` has two. It is one when something is
 *   reached behind it: `this.host.line.next().row` has four. An index and what stands between (`!`, `?.`, `as`) are none.
 * - A hop over `tree` is no dot: it stands for what all nodes of one tree share, such as the clock, the turn, the bus and the signals.
 *   `this.host.tree.clock` has two.
 * - What is read of options that were compiled once, `spec` and `limits`, is no dot: `this.lead.spec.mailbox.capacity` has two.
 * - A private name is a dot only where it is the first: behind another it is still the class's own, as the language sees to.
 * - What a class declares as an array, a map, a set or a string is its own altogether: the names in {@link BUILT_IN} are no dots
 *   behind such a field of `this`, or behind each other there. Behind anything else they are.
 * - A `const` that is made of dots alone stands for them, by name and by pattern: after `const { local } = this`,
 *   `local.registry.queue.head` has four. What a call returned and was given a name is in hand, and so is an element of a loop.
 *
 * `reach` counts chains that begin at `this`; `reachOfHanded` those that begin at a parameter.
 */
import type { Fault } from './rooms.ts'
import { childrenOf, nameOf, isNode, type Node, type Sources } from './sources.ts'

const MOST_DOTS = { this: 2, handed: 3 } as const

/** What all nodes of one tree share. */
const SHARED = /^#?tree$/

/** Options that were compiled once. */
const OPTIONS = /^#?(spec|limits)$/

const BUILT_IN = new Set(
  (
    'length size get set has add delete clear keys values entries forEach next done at push pop shift unshift slice splice concat map ' +
    'flatMap filter find findLast findIndex indexOf includes some every reduce reverse sort fill join toReversed toSorted toArray ' +
    'startsWith endsWith split replace replaceAll trim'
  ).split(' '),
)

const COLLECTION = /^(Readonly)?(Array|Map|Set)$|^Weak(Map|Set)$|^(Ui|I)nt\d+Array$|^Float\d+Array$/

/** What an expression has gone through so far. */
interface Path {
  readonly root: 'this' | 'handed'
  readonly dots: number
  /** True while it is in what the class keeps in a collection of its own. */
  readonly own: boolean
  /** True while it is in options that were compiled once. */
  readonly options: boolean
  readonly called: boolean
}

const BEGINNING: Path = { root: 'this', dots: 0, own: false, options: false, called: false }
const HANDED: Path = { ...BEGINNING, root: 'handed' }

type Scope = Map<string, Path | undefined>

const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/
const TRANSPARENT = /^(TSNonNullExpression|TSAsExpression|TSSatisfiesExpression|TSTypeAssertion|ParenthesizedExpression|ChainExpression)$/

export function reachFaults(sources: Sources, file: string): Fault[] {
  return new Walk(sources, file).faults
}

class Walk {
  readonly faults: Fault[] = []
  readonly #sources: Sources
  readonly #file: string
  readonly #scopes: Scope[] = [new Map()]
  /** Fields of the class at hand that are collections. */
  #collections: ReadonlySet<string> = new Set()
  /** False where `this` is nobody's that is known. */
  #inClass = false

  constructor(sources: Sources, file: string) {
    this.#sources = sources
    this.#file = file
    for (const statement of sources.body(file)) this.#visit(statement)
  }

  #visit(node: Node): void {
    if (/^TS(?!NonNull|As|Satisfies|TypeAssertion)/.test(node.type)) return
    if (/^Class(Declaration|Expression)$/.test(node.type)) this.#visitClass(node)
    else if (FUNCTION.test(node.type)) this.#visitFunction(node)
    else if (/^(BlockStatement|For\w*Statement|CatchClause|SwitchStatement|StaticBlock)$/.test(node.type)) this.#within(node)
    else if (node.type === 'VariableDeclaration') this.#visitDeclaration(node)
    else if (isStep(node)) this.#visitChain(node)
    else for (const child of childrenOf(node)) this.#visit(child)
  }

  #within(node: Node): void {
    this.#scopes.push(new Map())
    for (const child of childrenOf(node)) this.#visit(child)
    this.#scopes.pop()
  }

  #visitClass(node: Node): void {
    const { body } = node.body as { readonly body: readonly Node[] }
    const [collections, inClass] = [this.#collections, this.#inClass]
    this.#collections = new Set(body.flatMap((member) => (isCollection(member) ? [fieldName(member.key as Node)] : [])))
    for (const member of body) {
      this.#inClass = true
      // A method is a function that keeps the `this` of its class.
      const value = member.value as Node | null | undefined
      if (isNode(member.key) && member.computed === true) this.#visit(member.key)
      if (member.type === 'MethodDefinition' && isNode(value)) this.#visitFunction(value, true)
      else if (isNode(value)) this.#visit(value)
      else if (member.type === 'StaticBlock') this.#within(member)
    }
    this.#collections = collections
    this.#inClass = inClass
  }

  #visitFunction(node: Node, isMethod = false): void {
    const inClass = this.#inClass
    if (!isMethod && node.type !== 'ArrowFunctionExpression') this.#inClass = false
    this.#scopes.push(new Map())
    for (const each of node.params as readonly Node[]) this.#bind(each, HANDED)
    for (const each of node.params as readonly Node[]) if (each.type === 'AssignmentPattern') this.#visit(each.right as Node)
    if (isNode(node.body)) this.#visit(node.body)
    this.#scopes.pop()
    this.#inClass = inClass
  }

  #visitDeclaration(node: Node): void {
    for (const { id, init } of node.declarations as readonly Node[]) {
      const path = isNode(init) && node.kind === 'const' ? this.#pathOf(init) : undefined
      if (isNode(init)) this.#visit(init)
      // A pattern makes dots of its own, so it is held to the same, unless what it takes apart is too far away already.
      this.#bind(id as Node, path?.called === true ? undefined : path, path !== undefined && !isFar(path))
    }
  }

  /** Names stand for what they are bound to, until their scope ends. */
  #bind(pattern: Node, path: Path | undefined, isJudged = false): void {
    if (pattern.type === 'Identifier') {
      this.#scopes.at(-1)?.set(pattern.name as string, path)
      if (isJudged && path !== undefined) this.#judge(pattern, path)
    } else if (pattern.type === 'AssignmentPattern') this.#bind(pattern.left as Node, path, isJudged)
    else if (pattern.type === 'TSParameterProperty') this.#bind(pattern.parameter as Node, path, isJudged)
    else if (pattern.type === 'RestElement') this.#bind(pattern.argument as Node, undefined)
    else if (pattern.type === 'ArrayPattern') {
      for (const each of pattern.elements as readonly (Node | null)[]) if (each !== null) this.#bind(each, path, isJudged)
    } else if (pattern.type === 'ObjectPattern') {
      for (const each of pattern.properties as readonly Node[]) {
        if (each.type === 'RestElement') this.#bind(each, undefined)
        else this.#bind(each.value as Node, path && this.#step(path, each.key as Node, each.computed === true), isJudged)
      }
    }
  }

  /** Judges the whole of a chain, and goes into what stands inside of it. */
  #visitChain(node: Node): void {
    const whole = strip(node)
    const callee = whole.type === 'CallExpression' ? strip(whole.callee as Node) : undefined
    // The verb at the end is no dot.
    const reached = strip(callee?.type === 'MemberExpression' ? (callee.object as Node) : (callee ?? whole))
    const path = this.#pathOf(reached)
    // A name was judged where it was given.
    if (path !== undefined && reached.type !== 'Identifier') this.#judge(whole, path)
    for (let each: Node = node; ; ) {
      if (TRANSPARENT.test(each.type)) each = each.expression as Node
      else if (each.type === 'CallExpression') {
        for (const argument of each.arguments as readonly Node[]) this.#visit(argument)
        each = each.callee as Node
      } else if (each.type === 'MemberExpression') {
        if (each.computed === true) this.#visit(each.property as Node)
        each = each.object as Node
      } else {
        this.#visit(each)
        return
      }
    }
  }

  #judge(node: Node, path: Path): void {
    if (!isFar(path)) return
    const { root, dots } = path
    const text = this.#sources.text(this.#file).slice(node.start, node.end).replaceAll(/\s+/g, ' ').slice(0, 80)
    const says = `${this.#sources.place(this.#file, node)} ${text}: ${dots} dots from ${root === 'this' ? 'this' : 'what it was handed'}`
    this.faults.push({ rule: root === 'this' ? 'reach' : 'reachOfHanded', at: this.#file, weight: 1, says })
  }

  #pathOf(node: Node): Path | undefined {
    if (node.type === 'ThisExpression') return this.#inClass ? BEGINNING : undefined
    if (node.type === 'Identifier') return this.#scopes.findLast((scope) => scope.has(node.name as string))?.get(node.name as string)
    if (TRANSPARENT.test(node.type)) return this.#pathOf(node.expression as Node)
    if (node.type === 'CallExpression') {
      const path = this.#pathOf(node.callee as Node)
      return path && { ...path, called: true }
    }
    if (node.type !== 'MemberExpression') return undefined
    const path = this.#pathOf(node.object as Node)
    return path && this.#step(path, node.property as Node, node.computed === true)
  }

  #step(path: Path, property: Node, isComputed: boolean): Path {
    if (isComputed) return path
    const name = fieldName(property)
    if (path.options || (path.own && BUILT_IN.has(name))) return path
    const isFirst = path.root === 'this' && path.dots === 0
    const isFree = SHARED.test(name) || (property.type === 'PrivateIdentifier' && path.dots > 0)
    const own = isFirst && this.#collections.has(name)
    return { ...path, dots: path.dots + (isFree ? 0 : 1), own, options: OPTIONS.test(name) }
  }
}

const isFar = ({ root, dots }: Path): boolean => dots > MOST_DOTS[root]

const isStep = ({ type }: Node): boolean => type === 'MemberExpression' || type === 'CallExpression' || TRANSPARENT.test(type)

function strip(node: Node): Node {
  return TRANSPARENT.test(node.type) ? strip(node.expression as Node) : node
}

function fieldName(key: Node): string {
  return `${key.type === 'PrivateIdentifier' ? '#' : ''}${nameOf(key) ?? ''}`
}

/** True of a field that is declared as, or starts as, a collection or a string. */
function isCollection(member: Node): boolean {
  if (!member.type.endsWith('PropertyDefinition')) return false
  const value = member.value as Node | null
  const annotation = member.typeAnnotation as Node | null
  if (isNode(annotation)) return isCollectionType(annotation.typeAnnotation as Node)
  return value?.type === 'ArrayExpression' || (value?.type === 'NewExpression' && COLLECTION.test(nameOf(value.callee) ?? ''))
}

function isCollectionType(type: Node): boolean {
  if (/^TS(ArrayType|TupleType|StringKeyword)$/.test(type.type)) return true
  if (type.type === 'TSTypeOperator') return isCollectionType(type.typeAnnotation as Node)
  if (type.type === 'TSUnionType') return (type.types as readonly Node[]).some(isCollectionType)
  return type.type === 'TSTypeReference' && COLLECTION.test(nameOf(type.typeName) ?? '')
}
