/** Opens an address in the browser of whoever sits there, by the program that each platform has for it. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** The program that opens an address, and its arguments; BROWSER has the last word. */
export function openerFor(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
  url: string,
): readonly [string, string[]] {
  const { BROWSER = '' } = env
  if (BROWSER !== '') return [BROWSER, [url]]
  if (platform === 'darwin') return ['open', [url]]
  // Not by `start`: a shell would read the address.
  if (platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', url]]
  return [env['WSL_DISTRO_NAME'] === undefined ? 'xdg-open' : 'wslview', [url]]
}

/** Opens it; `failed` is called with a sentence if that can't be. */
export function openBrowser(url: string, failed: (sentence: string) => void): void {
  const [program, args] = openerFor(process.platform, process.env, url)
  const fail = (why: string): void => failed(`No browser was opened (${program}: ${why}): open the address by hand.`)
  try {
    const child = spawn(program, args, { stdio: 'ignore', detached: true })
    child.on('error', ({ message }) => fail(message))
    child.on('exit', (code) => code !== null && code !== 0 && fail(`exit code ${code}`))
    child.unref()
  } catch (error) {
    fail((error as Error).message)
  }
}

/** True if what is typed comes here. A process in the background that reads from its terminal is stopped by that. */
function isInForeground(): boolean {
  if (!process.stdin.isTTY) return false
  try {
    // Behind the name, which may hold anything, in brackets: state, parent, group, session, terminal, the group in the foreground.
    const [, , group, , , foreground] = (readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1) ?? '').split(' ')
    return group === foreground
  } catch {
    return process.platform !== 'linux'
  }
}

/**
 * Listens for keys, a line each, as vite does: the terminal stays as it is, so that Ctrl-C and all else mean what they always do.
 *
 * @returns A function that ends it; undefined if nobody can type.
 */
export function listenForKeys(keys: Readonly<Record<string, () => void>>): (() => void) | undefined {
  if (!isInForeground()) return undefined
  const lines = createInterface({ input: process.stdin, terminal: false })
  lines.on('line', (line) => {
    const key = line.trim()
    if (Object.hasOwn(keys, key)) keys[key]?.()
  })
  // It keeps no process awake.
  process.stdin.unref()
  return () => {
    lines.close()
    process.stdin.pause()
  }
}
