/**
 * Puts each fault back, one at a time, into a copy of the project, and expects the tests that are
 * named by its id (up to a dash) to fail there, having passed without it. `npm run test:faults [-- ID…]`
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const copy = join(root, '.tmp', 'faults')
const parts = [
  '.ci',
  '.gitignore',
  '.oxlintrc.json',
  'machines',
  'src',
  'inspector',
  'examples',
  'bench',
  'test',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'LICENSE',
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

/** True if the tests of these ids pass in the copy. What fails without any of them failing says nothing of a fault. */
function passes(...ids: string[]): boolean {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const project = projectOf(ids[0] as string)
  const args = [vitest, 'run', '--project', project, '-t', `(^| )(${ids.join('|')}): `]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...args, '--typecheck.enabled=false', '--reporter=dot', '--passWithNoTests=false'],
    {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, CI: '1', NO_COLOR: '1' },
    },
  )
  const summary = stdout.slice(stdout.lastIndexOf('Test Files'))
  if (/Tests .*\d+ failed/.test(summary)) return false
  if (status !== 0 || !/Tests .*\d+ passed/.test(summary))
    throw new Error(`the tests of ${ids.join(', ')} did not run:\n${stdout}${stderr}`)
  return true
}

/** One that can't be tried is no reason not to try the others. */
function judge(patch: string): string {
  try {
    prepare(patch)
    return passes(idOf(patch)) ? 'NOT CAUGHT' : 'caught'
  } catch (error) {
    return `NOT TRIED: ${(error as Error).message}`
  }
}

/** The id by which tests are named. */
function idOf(patch: string): string {
  return patch.replace('.patch', '').split('-')[0] as string
}

/** Some ids are those of the project's own rules, some of the durable store. */
function projectOf(id: string): 'unit' | 'project' | 'sqlite' {
  if (id === 'X2' || id === 'X6' || id.startsWith('SG')) return 'project'
  return id.startsWith('DS') ? 'sqlite' : 'unit'
}

const chosen = patches.filter((file) => wanted.length === 0 || wanted.includes(file.replace('.patch', '')))
let missed = 0
for (const group of Map.groupBy(chosen, (patch) => projectOf(idOf(patch))).values()) {
  prepare(undefined)
  const ids = [...new Set(group.map(idOf))]
  if (!passes(...ids)) {
    missed += group.length
    process.stdout.write(`${ids.join(', ')}: some of the tests fail without any fault\n`)
    continue
  }
  for (const patch of group) {
    const verdict = judge(patch)
    if (verdict !== 'caught') missed++
    process.stdout.write(`${patch.replace('.patch', '')}: ${verdict}\n`)
  }
}
rmSync(copy, { recursive: true, force: true })
process.stdout.write(`${missed === 0 ? 'every fault was caught' : `${missed} not caught`}\n`)
process.exitCode = missed === 0 ? 0 : 1
