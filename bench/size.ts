/** What a program takes along in a bundle, minified and compressed: `npm run bench:size`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')
mkdirSync(join(root, '.tmp'), { recursive: true })
const folder = mkdtempSync(join(root, '.tmp', 'size-'))

/** Bytes of all that these lines lead to. */
async function size(lines: string, ...external: string[]): Promise<number> {
  const input = join(folder, 'bundle.ts')
  writeFileSync(input, lines)
  const rolldownOptions = { input, preserveEntrySignatures: 'strict' as const, external, output: { format: 'es' as const } }
  const built = await build({ configFile: false, logLevel: 'silent', root, build: { write: false, minify: true, rolldownOptions } })
  const [{ output }] = [built].flat() as unknown as [{ output: { code: string }[] }]
  return output.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0)
}

const source = join(root, 'src', 'index.ts')
const built = join(root, 'dist', 'src', 'index.js')
const ours = `export * from '${source}'\n`
const alone = (file: string): string => `export { createGlobalManager } from '${file}'\n`
const theirs = "export { createActor, createMachine, fromCallback, fromPromise, setup } from 'xstate'\n"
const kilobytes = (bytes: number): string => `${(bytes / 1_024).toFixed(1)} kB`.padStart(8)
console.log(`${kilobytes(await size(ours, 'xstate'))}  curtaincall, all of it`)
console.log(`${kilobytes(await size(alone(source), 'xstate'))}  createGlobalManager alone`)
console.log(`${kilobytes(await size(alone(built), 'xstate'))}  the same, from what is built`)
console.log(`${kilobytes(await size(`export { ConfigError } from '${built}'\n`, 'xstate'))}  an error alone, from what is built`)
console.log(`${kilobytes(await size(theirs))}  xstate, as a program with machines of its own has it`)
console.log(`${kilobytes(await size(`${ours}${theirs}`))}  both`)
rmSync(folder, { recursive: true })
