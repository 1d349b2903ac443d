/**
 * Puts each fault back, one at a time, into a copy of the project, and expects the tests that are
 * named by its id (up to a dash) to fail there. `npm run test:faults [-- ID…]`
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const copy = join(root, '.tmp', 'faults')
const parts = [
  '.ci',
  '.oxlintrc.json',
  'machines',
  'src',
  'inspector',
  'test',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
  'README.md',
  'docs',
]

const patches = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.patch'))
  .toSorted()
const wanted = process.argv.slice(2)
const unknown = wanted.find((id) => !patches.includes(`${id}.patch`))
if (unknown !== undefined) {
  process.stderr.write(`There is no fault ${unknown}; there are ${patches.map((file) => file.replace('.patch', '')).join(', ')}.\n`)
  process.exit(2)
}

function prepare(patch: string | undefined): void {
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy, { recursive: true })
  for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  // A repository of its own, so that the copy is not taken for a part of this one.
  execFileSync('git', ['init', '-q'], { cwd: copy })
  if (patch !== undefined) execFileSync('git', ['apply', join(import.meta.dirname, patch)], { cwd: copy })
}

/** True if the tests of this id pass in the copy. */
function passes(id: string): boolean {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const args = [vitest, 'run', '--project', id.startsWith('X2') || id.startsWith('X6') ? 'project' : 'unit', '-t', `${id.split('-')[0]}: `]
  const { status, stdout } = spawnSync(
    process.execPath,
    [...args, '--typecheck.enabled=false', '--reporter=dot', '--passWithNoTests=false'],
    {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, CI: '1', NO_COLOR: '1' },
    },
  )
  const { passed = 0 } = /(?<passed>\d+) passed/.exec(stdout.slice(stdout.lastIndexOf('Tests')))?.groups ?? {}
  const failed = /Tests\s+(\d+) failed/.test(stdout)
  if (!failed && Number(passed) === 0) throw new Error(`no test ran for ${id}:\n${stdout}`)
  return status === 0
}

let missed = 0
for (const patch of patches.filter((file) => wanted.length === 0 || wanted.includes(file.replace('.patch', '')))) {
  const id = patch.replace('.patch', '')
  prepare(patch)
  const caught = !passes(id)
  if (!caught) missed++
  process.stdout.write(`${id}: ${caught ? 'caught' : 'NOT CAUGHT'}\n`)
}
rmSync(copy, { recursive: true, force: true })
process.stdout.write(`${missed === 0 ? 'every fault was caught' : `${missed} not caught`}\n`)
process.exitCode = missed === 0 ? 0 : 1
