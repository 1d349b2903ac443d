/** Makes everything that the exports map names, and the inspector's page. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { layoutsAhead } from './layouts.ts'

const root = join(import.meta.dirname, '..')
/** What every entry may share. */
const CORE = /\/machines\/[^/]+$|\/src\/(index\.ts|(?!cli|inspector|testing|sqlite|watchdog|ground|thread|process|worker)[^/]+\/[^/]+)$/
const page = join(root, 'dist', 'inspector')
const run = (...args: string[]): void => void execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
rmSync(join(root, 'dist'), { recursive: true, force: true })
run(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json')
await bundle()
chmodSync(join(root, 'dist', 'src', 'cli', 'curtaincall.js'), 0o755)

run(join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'error', '--config', 'inspector/vite.config.ts')

/**
 * The entries, and beside them what they share, each module once: to find, read and link a hundred files takes four times as long as to
 * load one. Lines and the names of functions, classes and members stay, so that stacks can be read; those of variables are made shorter,
 * which is a twentieth of the time. The comments are in the declarations, and in the sources.
 */
async function bundle(): Promise<void> {
  const entries = [
    'src/index',
    'machines/index',
    'src/testing/index',
    'src/inspector/index',
    'src/sqlite/index',
    'src/watchdog/index',
    'src/thread/index',
    'src/process/index',
    'src/worker/index',
    'src/cli/curtaincall',
  ]
  // What threads and processes are started with: each a file of its own, which loads nothing of the core.
  entries.push('src/sqlite/writer', 'src/sqlite/backup-thread', 'src/watchdog/thread')
  entries.push('src/thread/main', 'src/process/main', 'src/testing/ground-bodies')
  const groups = [
    // In a file of its own: whoever wants the library makes no machines before they are needed.
    { name: 'machines/statecharts', test: /\/machines\/statecharts\.ts$/, priority: 1 },
    // What their threads need as well.
    { name: 'machines/watchdog', test: /\/machines\/watchdog\.ts$/, priority: 1 },
    { name: 'src/watchdog/shared', test: /\/src\/watchdog\/shared\.ts$/, priority: 1 },
    { name: 'machines/store', test: /\/machines\/(journal|store-fault)\.ts$/, priority: 1 },
    { name: 'src/sqlite/shared', test: /\/src\/sqlite\/(frame|mark|schema|store-fault)\.ts$/, priority: 1 },
    { name: 'src/guest', test: /\/src\/ground\/(guest[a-z-]*|encode|move|protocol)\.ts$/, priority: 1 },
    { name: 'src/ground', test: /\/src\/ground\/[^/]+$/ },
    // Loaded when a page is opened.
    { name: 'src/inspector/server', test: /\/src\/inspector\/(server|guard|ask)\.ts$/, priority: 1 },
    { name: 'src/core', test: CORE },
  ]
  const output = {
    entryFileNames: '[name].js',
    chunkFileNames: ({ name }: { name: string }) => (name.includes('/') ? '[name].js' : 'src/cli/[name].js'),
    comments: { legal: false, jsdoc: false },
    minifyInternalExports: false,
    minify: { compress: false, mangle: { keepNames: true }, codegen: { removeWhitespace: false } },
    codeSplitting: { groups, includeDependenciesRecursively: false },
  }
  const rolldownOptions = { input: Object.fromEntries(entries.map((entry) => [entry, join(root, `${entry}.ts`)])), output }
  const options = { ssr: true, target: 'es2024', minify: false, outDir: 'dist', emptyOutDir: false, rolldownOptions }
  await build({ configFile: false, logLevel: 'warn', root, build: options })
}

/** The layouter of charts, as it comes: the page starts it as a worker of its own, and only when a chart is shown. */
function layouter(): void {
  const file = fileURLToPath(import.meta.resolve('elkjs/lib/elk-worker.min.js'))
  const { version } = JSON.parse(readFileSync(join(file, '..', '..', 'package.json'), 'utf8')) as { version: string }
  const notice = `elk.js is elkjs ${version}, unchanged, by Kiel University and others.
It is made available under the Eclipse Public License 2.0 (below), or under the GNU General Public License 3.0 or later
where the conditions for that are met. SPDX-License-Identifier: EPL-2.0 OR GPL-3.0-or-later
Its source is at https://github.com/kieler/elkjs/tree/${version} and https://github.com/eclipse-elk/elk.
`
  copyFileSync(file, join(page, 'elk.js'))
  writeFileSync(join(page, 'elk.LICENSE.txt'), `${notice}\n${readFileSync(join(file, '..', '..', 'LICENSE.md'), 'utf8')}`)
}

/** The page as one file, with room for a recording: what a saved one looks like. */
function standalone(layouts: string): string {
  const read = (name: string): string => readFileSync(join(page, name), 'utf8')
  const icon = `data:image/svg+xml;base64,${Buffer.from(read('icon.svg')).toString('base64')}`
  // A copy that leaves this package takes the notices along. Two dashes would end the comment.
  const notices = read('page.LICENSES.txt').replaceAll('--', '- -')
  const script = read('page.js').replaceAll('</script', '<\\/script').replaceAll('./icon.svg', icon)
  return `<!doctype html><!--\n${notices}--><html lang="en"><head><meta charset="utf-8"><title>curtaincall</title><link rel="icon" href="${icon}"><style>${read('page.css')}</style></head><body><div id="page"></div><script type="application/json" id="layouts">${layouts}</script><!--recording--><script type="module">${script}</script></body></html>`
}

const styles = readdirSync(page).find((name) => name.endsWith('.css'))
if (styles === undefined) throw new Error('the page has no styles')
writeFileSync(join(page, 'index.html'), readFileSync(join(page, 'index.html'), 'utf8').replaceAll(' crossorigin', ''))
if (styles !== 'page.css') throw new Error(`the styles of the page are in ${styles}`)
layouter()
writeFileSync(join(page, 'standalone.html'), standalone(await layoutsAhead()))
writeFileSync(join(page, 'files.json'), JSON.stringify(readdirSync(page).filter((name) => name !== 'files.json')))
