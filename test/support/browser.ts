/** A real browser for tests: one that is installed, or the one that came with the packages; nothing is fetched. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

interface Found {
  readonly path: string
  readonly env: Record<string, string>
}

/** Unpacked once, into a folder named by its version; whole or not at all. */
function packaged(): Found {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..')
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  const home = join(tmpdir(), `curtaincall-chromium-${version}`)
  if (!existsSync(home)) {
    const making = `${home}.${process.pid}`
    mkdirSync(making, { recursive: true })
    const unpacked = (name: string): Buffer => brotliDecompressSync(readFileSync(join(folder, 'bin', `${name}.br`)))
    writeFileSync(join(making, 'chromium'), unpacked('chromium'), { mode: 0o755 })
    for (const name of ['al2023.tar', 'swiftshader.tar', 'fonts.tar'])
      spawnSync('tar', ['-xf', '-', '-C', making], { input: unpacked(name) })
    try {
      renameSync(making, home)
    } catch {
      // Another process was faster.
      rmSync(making, { recursive: true, force: true })
    }
  }
  return { path: join(home, 'chromium'), env: { LD_LIBRARY_PATH: join(home, 'lib'), FONTCONFIG_PATH: join(home, 'fonts') } }
}

function find(): Found {
  const installed = [process.env['CHROMIUM_PATH'] ?? '', ...INSTALLED].find((path) => path !== '' && existsSync(path))
  return installed === undefined ? packaged() : { path: installed, env: {} }
}

/** Starts one; close it. */
export function launchBrowser(): Promise<Browser> {
  const { path, env } = find()
  return chromium.launch({ executablePath: path, args: ARGS, env: { ...(process.env as Record<string, string>), ...env } })
}
