/** Sources as text and as syntax trees, and which of them import which. The parser is the one that vite runs on, and offers. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Files of the project that match, whether they were added yet or not. */
export const tracked = (...patterns: string[]): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)))

export const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** A node of a syntax tree, as ESTree has it. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export const isNode = (value: unknown): value is Node => typeof (value as Node | null | undefined)?.type === 'string'

export function childrenOf(node: Node): Node[] {
  return Object.values(node).flatMap((value) => (Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []))
}

/** One import, or one re-export, of another of these files. */
export interface Arrow {
  readonly from: string
  readonly to: string
  readonly line: number
  readonly typeOnly: boolean
  /** What is imported, as the other file calls it; `*` for all of it. */
  readonly names: readonly string[]
}

interface Parsed {
  readonly program: Node
  readonly comments: readonly { readonly type: string; readonly value: string; readonly start: number }[]
}

export class Sources {
  readonly #texts: ReadonlyMap<string, string>
  readonly #parsed = new Map<string, Parsed>()
  readonly #arrows = new Map<string, readonly Arrow[]>()

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
  }

  get files(): string[] {
    return [...this.#texts.keys()]
  }

  has(file: string): boolean {
    return this.#texts.has(file)
  }

  text(file: string): string {
    return this.#texts.get(file) ?? ''
  }

  parsed(file: string): Parsed {
    let parsed = this.#parsed.get(file)
    if (parsed === undefined) {
      const { program, comments, errors } = parseSync(file, this.text(file))
      if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`)
      parsed = { program: program as unknown as Node, comments }
      this.#parsed.set(file, parsed)
    }
    return parsed
  }

  /** The statements of a file. */
  body(file: string): readonly Node[] {
    return this.parsed(file).program.body as readonly Node[]
  }

  /** Where a node stands, as an editor has it: `file:line`. */
  place(file: string, { start }: Node): string {
    return `${file}:${this.#line(file, start)}`
  }

  #line(file: string, offset: number): number {
    return this.text(file).slice(0, offset).split('\n').length
  }

  /** What a file imports of the others, types included. */
  arrows(file: string): readonly Arrow[] {
    let arrows = this.#arrows.get(file)
    if (arrows === undefined) {
      arrows = importsIn(this.parsed(file).program).flatMap(({ node, specifier, ...rest }) => {
        const to = normalize(join(dirname(file), specifier))
        return specifier.startsWith('.') && this.has(to) ? [{ from: file, to, line: this.#line(file, node.start), ...rest }] : []
      })
      this.#arrows.set(file, arrows)
    }
    return arrows
  }

  /** The file and the name under which something that a file imports, or exports again, was declared. */
  origin(file: string, name: string): { readonly file: string; readonly name: string } {
    for (const statement of this.body(file)) {
      const source = statement.source as Node | null | undefined
      if (source === null || source === undefined) continue
      const to = normalize(join(dirname(file), source.value as string))
      if (!this.has(to)) continue
      const specifiers = (statement.specifiers ?? []) as readonly Node[]
      const specifier = specifiers.find((each) => nameOf(each[statement.type === 'ImportDeclaration' ? 'local' : 'exported']) === name)
      if (specifier !== undefined) return this.origin(to, nameOf(specifier.imported ?? specifier.local) ?? name)
      if (statement.type === 'ExportAllDeclaration' && exportsOf(this.body(to)).includes(name)) return this.origin(to, name)
    }
    return { file, name }
  }
}

/** All sources of the project that have a place in a room, or below or above all rooms. */
export function sourcesOfProject(): Sources {
  return new Sources(new Map(tracked('src/*.ts', 'src/**/*.ts', 'machines/*.ts').map((file) => [file, read(file)])))
}

export const nameOf = (node: unknown): string | undefined => (isNode(node) ? ((node.name ?? node.value) as string | undefined) : undefined)

/** The names that the statements of a file export. */
export function exportsOf(body: readonly Node[]): string[] {
  return body.flatMap((statement) => {
    if (statement.type === 'ExportDefaultDeclaration') return ['default']
    if (statement.type !== 'ExportNamedDeclaration') return []
    const declaration = statement.declaration as Node | null
    if (declaration === null) return (statement.specifiers as readonly Node[]).map((each) => nameOf(each.exported) ?? '*')
    const declarators = (declaration.declarations ?? [declaration]) as readonly Node[]
    return declarators.map(({ id }) => nameOf(id) ?? '*')
  })
}

interface Import {
  readonly node: Node
  readonly specifier: string
  readonly typeOnly: boolean
  readonly names: readonly string[]
}

function importsIn(program: Node): Import[] {
  const found: Import[] = []
  const visit = (node: Node): void => {
    const source = (node.source ?? null) as Node | null
    if (source !== null && typeof source.value === 'string') found.push(importOf(node, source.value))
    for (const child of childrenOf(node)) visit(child)
  }
  visit(program)
  return found
}

function importOf(node: Node, specifier: string): Import {
  const specifiers = (node.specifiers ?? []) as readonly Node[]
  const isType = (each: Node): boolean => each.importKind === 'type' || each.exportKind === 'type'
  const typeOnly = node.type === 'TSImportType' || isType(node) || (specifiers.length > 0 && specifiers.every(isType))
  const names = specifiers.map((each) => nameOf(each.imported ?? (each.type === 'ExportSpecifier' ? each.local : undefined)) ?? '*')
  return { node, specifier, typeOnly, names: names.length === 0 ? ['*'] : names }
}
