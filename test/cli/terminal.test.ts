/** What a run prints on a terminal: a real one, by a pseudo-terminal where there is `script`; and what decides how it looks. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { createGlobalManager, type LifecycleEvent } from 'curtaincall'
import { openerFor } from '../../src/cli/browser.ts'
import { fitParts, isDrawable, paintFor, wrapped } from '../../src/cli/paint.ts'
import { Reporter } from '../../src/cli/reporter.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cli = join(root, 'dist/src/cli/curtaincall.js')
const fixture = (name: string): string => fileURLToPath(new URL(`./fixture/${name}.ts`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'curtaincall-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('how it looks', () => {
  test('colours: on a terminal, unless NO_COLOR says otherwise; nothing in a text is obeyed', () => {
    const painted = (isTTY: boolean, env: Record<string, string>): string => paintFor({ isTTY, env })('red', 'a\u001b[2Jb')
    const [coloured, bare] = ['\u001b[31ma\\u001b[2Jb\u001b[0m', 'a\\u001b[2Jb']
    expect(painted(true, {})).toBe(coloured)
    expect(painted(false, { FORCE_COLOR: '1' })).toBe(coloured)
    for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: '1', FORCE_COLOR: '1' }, { CI: 'true' }, { TERM: 'dumb' }, { FORCE_COLOR: '0' }])
      expect(painted(true, env as Record<string, string>)).toBe(bare)
    expect(painted(false, {})).toBe(bare)
    expect([isDrawable({ isTTY: true, env: { NO_COLOR: '1' } }), isDrawable({ isTTY: true, env: { CI: '1' } })]).toEqual([true, false])
  })

  test('lines are broken between words, and parts are whole or left out', () => {
    expect(wrapped('  one two three four', 11, '    ')).toBe('  one two\n    three\n    four')
    expect(wrapped('a-word-longer-than-that', 5, '')).toBe('a-word-longer-than-that')
    expect(wrapped('\u001b[31mone\u001b[0m two', 7, '')).toBe('\u001b[31mone\u001b[0m two')
    expect(fitParts(['12 done', '3 running', '1 queued'], '  ', 20)).toBe('12 done  3 running')
  })

  test('a page is opened by the program that each platform has for it', () => {
    const opener = (platform: NodeJS.Platform, env = {}): string => openerFor(platform, env, 'http://x/?a&b').flat().join(' ')
    expect(opener('linux')).toBe('xdg-open http://x/?a&b')
    expect(opener('linux', { WSL_DISTRO_NAME: 'Debian' })).toBe('wslview http://x/?a&b')
    expect(opener('darwin')).toBe('open http://x/?a&b')
    expect(opener('win32')).toBe('rundll32 url.dll,FileProtocolHandler http://x/?a&b')
    expect(opener('linux', { BROWSER: 'lynx' })).toBe('lynx http://x/?a&b')
  })

  test('no more faults than ten are said in a second: what is beyond is counted', () => {
    const written: string[] = []
    const reporter = new Reporter({ isTTY: false, write: (text) => written.push(text) }, createGlobalManager({ name: 'run' }))
    for (let k = 0; k < 200; k++)
      reporter.fault(
        { type: 'routine.failed', path: `run/a/w#${k}`, willRestart: false } as unknown as LifecycleEvent,
        'w failed in run 1: boom',
      )
    // Where a second ends in between, there are twenty.
    expect(written.length).toBeLessThanOrEqual(21)
    expect(written[0]).toBe('failed: run/a/w#0: w failed in run 1: boom\n')
    for (let k = 0; k < 3; k++)
      reporter.fault({ type: 'routine.refused', path: 'run/a', name: 'upload' } as unknown as LifecycleEvent, 'a refused to spawn upload')
    expect(written.filter((line) => line.startsWith('refused')).length).toBeLessThanOrEqual(1)
  })
})

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

/** What a terminal of so many columns shows in the end, and each line that was ever drawn. */
function onTerminal(
  columns: number,
  env: Record<string, string>,
  ...args: string[]
): { raw: string; lines: string[]; code: number | null } {
  const command = `stty cols ${columns} rows 40; exec ${[process.execPath, cli, ...args].map((each) => `'${each}'`).join(' ')}`
  const { CI: _, NO_COLOR: __, FORCE_COLOR: ___, ...rest } = process.env
  const { stdout, status } = spawnSync('script', ['-qec', command, '/dev/null'], {
    env: { ...rest, TERM: 'xterm', ...env },
    encoding: 'utf8',
  })
  const lines = stdout
    .replaceAll('\r\u001b[2K', '\n')
    .split('\n')
    .map((line) => stripVTControlCharacters(line).replace('\r', ''))
  return { raw: stdout, lines, code: status }
}

describe.runIf(hasScript)('on a terminal', () => {
  const faulty = join(folder, 'faulty.mjs')
  writeFileSync(
    faulty,
    `export default async (global) => {
    const shop = global.createApp('shop')
    shop.createLocal('prices').spawn('pricing', () => new Promise(() => undefined))
    const old = shop.createLocal('old', { maxRoutines: 2 })
    old.spawn('legacy-export', () => new Promise(() => undefined), { shutdown: 'infinity' })
    old.spawn('poller', () => new Promise(() => undefined), { hungAfter: 50 })
    try { old.spawn('upload', () => 1) } catch {}
    let again
    const flaky = shop.createLocal('flaky').spawn('flaky', ({ incarnation }) => {
      if (incarnation < 2) throw new Error('the connection to the store was reset by the peer before the answer had come')
      return 1
    }, { restart: 'transient' })
    await flaky.outcome
    await new Promise((resolve) => setTimeout(resolve, 300))
    process.stdout.write('half a line, ')
    await new Promise((resolve) => setTimeout(resolve, 250))
    process.stdout.write('and the other half\\n')
    return ['the result']
  }`,
  )

  test.each([80, 120])('faults, the one who blocks, and who held it up are said by name, within %i columns', (columns) => {
    const { raw, lines, code } = onTerminal(columns, {}, 'run', '--no-inspect', '--timeout', '700', faulty)
    expect(code).toBe(0)
    expect(Math.max(...lines.map((line) => Array.from(line).length))).toBeLessThanOrEqual(columns)
    expect(raw).toContain('\u001b[')
    const shown = lines.join('\n')
    expect(shown).toMatch(/↻ flaky failed in run 1: Error: the connection to the store/)
    expect(shown).toContain('⧗ poller has been silent for')
    expect(shown).toContain('⊘ old refused to spawn upload')
    expect(shown).toContain('half a line, and the other half')
    expect(shown).toMatch(/■ waiting for (legacy-export|poller) and one other {2}0\.\d s left {2}told to stop/)
    expect(shown).toMatch(/ {2}held up {7}(legacy-export and poller|poller and legacy-export) held all for \d+ ms; pricing got 0 ms/)
    for (const row of ['got 0 ms      pricing', 'killed        ', 'abandoned     ', 'refused       upload'])
      expect(shown).toContain(`  ${row}`)
    // Words whole: no row ends within one.
    expect(shown.replace(/\s+/g, ' ')).toContain(
      'the connection to the store was reset by the peer before the answer had come; its supervisor',
    )
  })

  test('without colours where NO_COLOR says so; plain lines in CI', () => {
    const bare = onTerminal(80, { NO_COLOR: '1' }, 'run', '--no-inspect', fixture('quick'))
    expect(bare.raw).not.toContain('\u001b[3')
    expect(bare.lines.join('\n')).toContain('✓ 3 done')
    const plain = onTerminal(80, { CI: '1' }, 'run', '--no-inspect', fixture('quick'))
    expect(plain.raw).not.toContain('\u001b')
    expect(plain.lines.join('\n')).toContain('3 done, 0 running, 0 queued')
  })
})
