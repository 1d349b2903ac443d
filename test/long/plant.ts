/** Plants one bug in a copy of the code, and lets a program look for it there. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Bug {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
}

const root = join(import.meta.dirname, '..', '..')
const copy = join(root, '.tmp', 'planted')

/** What is copied: the code, and who looks for bugs in it. */
const PARTS = ['machines', 'src', join('test', 'adversary'), 'package.json']

/** Copies the code, and plants a bug in it; undefined plants none. */
function plant(bug: Bug | undefined): void {
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(join(copy, 'test'), { recursive: true })
  for (const part of PARTS) cpSync(join(root, part), join(copy, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  // Who imports the package by its name gets the copy's sources: nothing is built here.
  const sources = (path: string): string => path.replace('./dist/', './').replace('.js', '.ts')
  const described = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>
  }
  const exports = Object.entries(described.exports).map(([name, to]) => [name, typeof to === 'string' ? to : sources(to.default)])
  writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...described, exports: Object.fromEntries(exports) }))
  if (bug === undefined) return
  const { file, from, to } = bug
  const text = readFileSync(join(copy, file), 'utf8')
  if (text.split(from).length !== 2) throw new Error(`${file} has ${text.split(from).length - 1} places like: ${from}`)
  writeFileSync(join(copy, file), text.replace(from, to))
}

/** Runs a program in a copy that has the bug. Its last line is what it has found, as JSON. */
export function searchWith(bug: Bug | undefined, program: string): unknown {
  plant(bug)
  writeFileSync(join(copy, 'search.ts'), program)
  const out = execFileSync(process.execPath, [join(copy, 'search.ts')], { cwd: copy, encoding: 'utf8' })
  return JSON.parse(out.trimEnd().slice(out.trimEnd().lastIndexOf('\n') + 1))
}

/** Takes the copy away. */
export function tidyUp(): void {
  rmSync(copy, { recursive: true, force: true })
}
