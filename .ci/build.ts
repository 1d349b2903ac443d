/** Makes everything that the exports map names, and the inspector's page. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const page = join(root, 'dist', 'inspector')
const run = (...args: string[]): void => void execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
rmSync(join(root, 'dist'), { recursive: true, force: true })
run(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json')
const bin = join(root, 'dist', 'src', 'cli', 'curtaincall.js')
if (existsSync(bin)) chmodSync(bin, 0o755)

run(join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'error', '--config', 'inspector/vite.config.ts')

/** The page as one file, with room for a recording: what a saved one looks like. */
function standalone(): string {
  const read = (name: string): string => readFileSync(join(page, name), 'utf8')
  const icon = `data:image/svg+xml;base64,${Buffer.from(read('icon.svg')).toString('base64')}`
  const script = read('page.js').replaceAll('</script', '<\\/script').replaceAll('./icon.svg', icon)
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>curtaincall</title><link rel="icon" href="${icon}"><style>${read('page.css')}</style></head><body><div id="page"></div><!--recording--><script type="module">${script}</script></body></html>`
}

const styles = readdirSync(page).find((name) => name.endsWith('.css'))
if (styles === undefined) throw new Error('the page has no styles')
writeFileSync(join(page, 'index.html'), readFileSync(join(page, 'index.html'), 'utf8').replaceAll(' crossorigin', ''))
if (styles !== 'page.css') throw new Error(`the styles of the page are in ${styles}`)
writeFileSync(join(page, 'standalone.html'), standalone())
writeFileSync(join(page, 'files.json'), JSON.stringify(readdirSync(page).filter((name) => name !== 'files.json')))
