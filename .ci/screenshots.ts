/**
 * Takes the pictures of docs/inspector from the running main job: `npm run screenshots`.
 * The indexer runs with its passing faults over this checkout's own packages; each view is opened while it works.
 */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { launchBrowser } from '../test/support/browser.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs', 'inspector')
mkdirSync(folder, { recursive: true })

const run = ['dist/src/cli/curtaincall.js', 'run', '--controls', 'examples/03-shop/shop.ts']
const child = spawn(process.execPath, run, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
let url = ''
for await (const line of createInterface({ input: child.stdout })) {
  url = /^inspector: (.+)$/.exec(line)?.[1] ?? url
  if (url !== '') break
}
