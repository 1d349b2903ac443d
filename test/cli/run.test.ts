import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { LiveLine, progressText } from '../../src/cli/live-line.ts'
import { createGlobalManager } from 'curtaincall'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cli = join(root, 'dist/src/cli/curtaincall.js')
const indexer = join(root, 'examples/01-indexer/indexer.ts')
const fixture = (name: string): string => fileURLToPath(new URL(`./fixture/${name}.ts`, import.meta.url))

const returns = fileURLToPath(new URL('./fixture/returns.mjs', import.meta.url))

interface Result {
  code: number | null
  out: string
  err: string
}

function start(args: string[]): {
  child: ChildProcess
  seen: (text: string) => Promise<void>
  text: () => string
  errors: () => string
  end: Promise<Result>
} {
  const child = spawn(process.execPath, [cli, ...args], { cwd: root })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  let err = ''
  const watchers: (() => void)[] = []
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString()
    for (const look of watchers) look()
  })
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const seen = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => void (out.includes(text) && resolve())
      watchers.push(look)
      look()
    })
  const end = new Promise<Result>((resolve) => child.on('close', (code) => resolve({ code, out, err })))
  return { child, seen, text: () => out, errors: () => err, end }
}

const run = (...args: string[]): Promise<Result> => start(args).end

const folder = mkdtempSync(join(tmpdir(), 'curtaincall-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function account(out: string): { spawned: number; sum: number; done: number } {
  const [, spawned = '', done = '', failed = '', cancelled = '', killed = ''] =
    /(\d+) spawned = (\d+) done \+ (\d+) failed \+ (\d+) cancelled \+ (\d+) killed$/m.exec(out) ?? []
  return { spawned: Number(spawned), done: Number(done), sum: Number(done) + Number(failed) + Number(cancelled) + Number(killed) }
}

test('the indexer indexes real files, retries passing faults as restarts, and reports what fails for good', async () => {
  mkdirSync(join(folder, 'sub'))
  for (let i = 0; i < 300; i++) writeFileSync(join(folder, 'sub', `${i}.txt`), `line ${i}\n`.repeat(i))
  symlinkSync('nowhere', join(folder, 'broken'))
  symlinkSync('.', join(folder, 'loop'))
  const { code, out, err } = await run('run', indexer, folder, '--faults', '--once', '--no-inspect')
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('failed: broken: ENOENT')
  expect(out).toMatch(/^index: 300 files, \d+ bytes, 44850 lines, 0 of them copies/m)
  expect(Number(/(\d+) restarted, 0 still/.exec(out)?.[1])).toBeGreaterThan(0)
  expect(account(out)).toEqual({ spawned: 301, sum: 301, done: 300 })
  expect(out).not.toContain('\x1b')
})

test('the shop beside the indexer is there for those who look: the account of a run that ends with its job is of the job alone', async () => {
  const { code, out } = await run('run', indexer, join(folder, 'sub'), '--demo', '--once')
  expect([code, account(out)]).toEqual([0, { spawned: 300, sum: 300, done: 300 }])
  const { child, seen, end } = start(['run', indexer, join(folder, 'sub'), '--demo'])
  await seen('stays up for the inspector')
  child.kill('SIGINT')
  // One of its routines does not listen: it holds the shutdown up, and is killed when its time is over.
  const stopped = await end
  expect(stopped.code).toBe(0)
  expect(stopped.out).toMatch(/spawned = 300 done \+ \d failed \+ \d+ cancelled \+ 1 killed$/m)
})

test('the indexer leaves out links to what is no file: opening a pipe would wait for ever', { timeout: 20_000 }, async () => {
  const place = mkdtempSync(join(folder, 'links-'))
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(place, 'pipe')])
  writeFileSync(join(place, 'file'), 'a line\n')
  symlinkSync('pipe', join(place, 'to-pipe'))
  symlinkSync('file', join(place, 'to-file'))
  const { code, out } = await run('run', '--no-inspect', indexer, place)
  expect(code).toBe(0)
  expect(out).toMatch(/^index: 2 files, 14 bytes, 2 lines, 1 of them copies/m)
})

test('Ctrl-C goes through the five phases, loses no finished result, and exits 130', async () => {
  const { child, seen, end } = start(['run', '--no-inspect', fixture('wait')])
  await seen('ready')
  child.kill('SIGINT')
  const { code, out } = await end
  expect(code).toBe(130)
  expect([...out.matchAll(/^phase (\w+)$/gm)].map(([, phase]) => phase)).toEqual([
    'closing',
    'cancelling',
    'waiting',
    'killing',
    'cleaning',
  ])
  expect(out).toContain('the program has returned')
  expect(account(out)).toEqual({ spawned: 13, sum: 13, done: 3 })
})

test('a second Ctrl-C makes it immediate; SIGTERM exits 143', async () => {
  const first = start(['run', '--no-inspect', fixture('wait'), 'deaf'])
  await first.seen('ready')
  first.child.kill('SIGINT')
  await first.seen('phase waiting')
  first.child.kill('SIGINT')
  const { code, out } = await first.end
  expect(code).toBe(130)
  expect(out).toMatch(/shutdown: immediate.*1 killed/)
  expect(account(out)).toMatchObject({ spawned: 14, sum: 14 })
  const other = start(['run', '--no-inspect', '--timeout', '50', fixture('wait'), 'deaf'])
  await other.seen('ready')
  other.child.kill('SIGTERM')
  const late = await other.end
  expect(late.code).toBe(143)
  expect(late.out).toMatch(/shutdown: graceful.*out of time/)
})

test.each([['--no-inspect'], ['--once']])(
  'with %s, too, a program that only waits is kept awake until it is told to stop',
  async (option) => {
    const { child, seen, end } = start(['run', option, fixture('serves')])
    await seen('ready')
    // Whatever would end by itself has by the time of the next line.
    await seen('1 running')
    child.kill('SIGTERM')
    const { code, out, err } = await end
    expect([code, err]).toEqual([143, 'the worker is cancelled\n'])
    expect(out).toContain('the program has returned')
    expect(account(out)).toEqual({ spawned: 1, sum: 1, done: 0 })
  },
)

test('a second Ctrl-C ends a run whose program does not return, though there is time left', { timeout: 20_000 }, async () => {
  const { child, seen, end } = start(['run', '--no-inspect', '--timeout', '600000', fixture('stays')])
  await seen('ready')
  child.kill('SIGINT')
  await seen('phase cleaning')
  child.kill('SIGINT')
  const { code, out } = await end
  expect(code).toBe(130)
  expect(out).toContain('SIGINT: immediately')
  expect(out).toContain('the program had not returned when everything else was over')
  expect(account(out)).toEqual({ spawned: 0, sum: 0, done: 0 })
})

test('a program that does not return gets no more than the time of the shutdown', async () => {
  const { child, seen, end } = start(['run', '--no-inspect', '--timeout', '3000', fixture('stays'), 'deaf'])
  await seen('ready')
  const told = performance.now()
  child.kill('SIGINT')
  const { code, out } = await end
  expect(code).toBe(130)
  expect(out).toMatch(/shutdown: graceful.*out of time.*1 killed/)
  expect(performance.now() - told).toBeLessThan(5_500)
})

test('where nobody reads any more, the run is shut down, in order and without a word', async () => {
  const { child, seen, end } = start(['run', '--no-inspect', fixture('serves')])
  await seen('ready')
  child.stdout?.destroy()
  const { code, err } = await end
  expect([code, err]).toEqual([141, 'the worker is cancelled\n'])
})

test.each([
  [['run', '--no-inspect', indexer, '/no/such/folder'], 'There is no folder /no/such/folder.'],
  [['run', '--no-inspect', indexer, 'package.json'], 'package.json is not a folder.'],
  [['run', 'no-such-file.ts'], 'There is no file no-such-file.ts.'],
  [['run'], 'run needs a FILE; try curtaincall --help.'],
  [['run', fixture('no-default')], `${fixture('no-default')} has no default export that is a function of a global manager.`],
  [['run', '--timeout', 'soon', indexer], '--timeout must be a number of milliseconds from 0 to 2147483647; received soon.'],
  [['run', '--timeout', ' ', indexer], '--timeout must be a number of milliseconds from 0 to 2147483647; received  .'],
  [['run', '--port', ' ', indexer], '--port must be a whole number from 0 to 65535; received  .'],
  [['run', '--drain', '3000000000', indexer], '--drain must be a number of milliseconds from 0 to 2147483647; received 3000000000.'],
  [['run', '--no-inspect', 'package.json'], "package.json can't be loaded by Node"],
  [['run', '--no-inspect', 'README.md'], "README.md can't be loaded by Node"],
  [['explain', 'a.cct.jsonl', 'b.cct.jsonl'], 'explain takes no more than a FILE; try curtaincall --help.'],
  [['explain', 'package.json/a.cct.jsonl'], "package.json/a.cct.jsonl can't be read: ENOTDIR"],
  [['replay', 'package.json/a.cct.jsonl'], "package.json/a.cct.jsonl can't be read: ENOTDIR"],
  [['inspect', 'package.json/a.cct.jsonl'], "package.json/a.cct.jsonl can't be read: ENOTDIR"],
  [['run', 'package.json/program.ts'], 'There is no file package.json/program.ts.'],
  [['replay'], 'replay needs a FILE; try curtaincall --help.'],
  [['replay', 'a', 'b', 'c'], 'replay takes no more than a FILE and a MODULE; try curtaincall --help.'],
  [['run', '--fast', indexer], "Unknown option '--fast'"],
  [['run', indexer, '--port', '99999'], '--port must be a whole number from 0 to 65535; received 99999.'],
  [['run', indexer, '--port=high'], '--port must be a whole number from 0 to 65535; received high.'],
  [['run', '--no-inspect', indexer, '--', '--port'], 'There is no folder --port.'],
  [['dance'], 'There is no command dance; try curtaincall --help.'],
])('wrong usage gets one clear sentence and exit 2: %j', async (args, sentence) => {
  const { code, out, err } = await run(...args)
  expect([code, err.trim(), out]).toEqual([2, expect.stringContaining(sentence), ''])
  expect(err.trim().split('\n')).toHaveLength(1)
})

test('a program that throws exits 1 with its error, after an orderly shutdown', async () => {
  const { code, out, err } = await run('run', '--once', fixture('throws'))
  expect(code).toBe(1)
  expect(err).toContain('the program is broken')
  expect(out).toContain('phase cleaning')
})

test('a program that throws undefined has failed, too', async () => {
  const { code, out, err } = await run('run', '--no-inspect', returns)
  expect([code, err]).toEqual([1, 'the program threw undefined\n'])
  expect(account(out)).toEqual({ spawned: 1, sum: 1, done: 0 })
})

/** A program in a file of its own. */
function program(name: string, body: string): string {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, `export default async (global) => {\n${body}\n}`)
  return file
}

const THROWN = {
  bare: 'Object.create(null)',
  unreadable: "Object.defineProperty(new Error('x'), 'message', { get() { throw new Error('no message') } })",
  circular: "(() => { const e = new Error('x'); e.cause = e; return e })()",
  proxy: 'new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 1 } })',
}

test.each(Object.entries(THROWN))('odd errors cost neither account nor result: %s', async (name, value) => {
  const stops = program(
    `${name}-stops`,
    `const local = global.createApp('a').createLocal('l')
    local.spawn('w', ({ signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(${value}))))
    await new Promise((resolve) => setTimeout(resolve, 20))
    return ['the result of the job']`,
  )
  const { code, out, err } = await run('run', '--no-inspect', stops)
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('the result of the job')
  expect(out).toMatch(/^error: run\/a\/l\/w#\S+: ./m)
  expect(account(out)).toEqual({ spawned: 1, sum: 1, done: 0 })
  const thrown = await run('run', '--no-inspect', program(`${name}-throws`, `throw ${value}`))
  expect(thrown.code).toBe(1)
  expect(thrown.err.trim()).not.toBe('')
  expect(account(thrown.out)).toEqual({ spawned: 0, sum: 0, done: 0 })
})

test('a module that throws what is no error, or never ends to load, is told so', async () => {
  const [nothing, never] = [join(folder, 'nothing.mjs'), join(folder, 'never.mjs')]
  writeFileSync(nothing, 'throw null')
  writeFileSync(never, 'await new Promise(() => {})\nexport default () => {}')
  expect(await run('run', '--no-inspect', nothing)).toMatchObject({ code: 1, err: 'null\n' })
  expect(await run('run', '--no-inspect', never)).toMatchObject({
    code: 1,
    err: `${never} never ends to load: what it awaits outside of any function never comes.\n`,
  })
})

const CLEANS = `global.createApp('a').createLocal('l').spawn('r', async ({ signal }) => {
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  process.stderr.write('cleaned up\\n')
})
await new Promise((resolve) => setTimeout(resolve, 100))
return ['the result of the job']`

test.runIf(existsSync('/dev/full'))(
  'a full disk costs neither the job, nor the account, nor the shutdown: it is all on standard error',
  async () => {
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [cli, 'run', '--no-inspect', program('cleans', CLEANS)], { stdio: ['ignore', full, 'pipe'] })
    closeSync(full)
    let err = ''
    child.stderr?.on('data', (data: Buffer) => (err += data.toString()))
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(1)
    expect(err).toContain('Standard output takes nothing more, so this goes on here: ENOSPC')
    for (const said of ['cleaned up', 'the result of the job', 'phase cleaning']) expect(err).toContain(said)
    expect(account(err)).toEqual({ spawned: 1, sum: 1, done: 0 })
  },
)

test('SIGHUP ends a run as SIGTERM does, and exits 129', async () => {
  const { child, seen, end } = start(['run', '--no-inspect', fixture('wait')])
  await seen('ready')
  child.kill('SIGHUP')
  const { code, out } = await end
  expect(code).toBe(129)
  expect(out).toContain('the program has returned')
  expect(account(out)).toEqual({ spawned: 13, sum: 13, done: 3 })
})

test('nothing of a name, an error, a returned line or a file reaches the terminal as an escape sequence', async () => {
  const escape = String.raw`\u001b]0;owned\u0007`
  const names = program(
    'escapes',
    `const local = global.createApp('a').createLocal('l')
    local.spawn('w${escape}', ({ signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(new Error('${escape}')))))
    await new Promise((resolve) => setTimeout(resolve, 20))
    return ['a line ${escape}']`,
  )
  const named = await run('run', '--no-inspect', names)
  expect(named.out).toContain(String.raw`a line \u001b]0;owned\u0007`)
  const threw = await run('run', '--no-inspect', program('escapes-throws', `throw new Error('${escape}')`))
  expect(threw.err).toContain(escape)
  const { simulate, printTrace } = await import('curtaincall/testing')
  const tree = { kind: 'tree', name: 'g', children: [{ kind: 'routine', name: 'a', faults: ['throws(5, 1)'] }] } as const
  const text = printTrace((await simulate(tree, { script: [{ do: 'wait', ms: 9 }] })).trace)
  const file = join(folder, 'escapes.cct.jsonl')
  writeFileSync(file, text.replaceAll('g/a#a', `g/${escape}`))
  const story = await run('explain', file)
  expect(story.out).toContain(escape)
  writeFileSync(file, text.replace('"seed"', `"${escape}"`))
  const refused = await run('explain', file)
  writeFileSync(file, text.replace('"throws(5, 1)"', `"${escape}"`))
  const unplayed = await run('replay', file)
  expect([refused.code, unplayed.code, unplayed.err.split(':').slice(0, 2)]).toEqual([2, 2, [file, '1']])
  for (const { out, err } of [named, threw, story, refused, unplayed]) expect(out + err).not.toMatch(/(?!\n)\p{Cc}/u)
})

test('--help behind a program says what that exports as help, and the options', async () => {
  const example = await run('run', indexer, '--help')
  expect([example.code, example.err]).toEqual([0, ''])
  expect(example.out).toMatch(/^Indexes the files of a folder[^]*npm start -- FOLDER --faults[^]*--timeout MS/)
  const file = program('helpless', '')
  expect((await run('run', '-h', file)).out).toMatch(`${file} exports no help.`)
  expect((await run('run', '--no-inspect', indexer, '--', '--help')).err).toBe('There is no folder --help.\n')
})

test.each([
  ['5', '5'],
  ['"done"', "'done'"],
  ['[1, 2]', '[ 1, 2 ]'],
  ['{"lines": []}', '{ lines: [] }'],
])('a program that returns %s instead of lines is told so in a sentence, after an orderly shutdown', async (text, received) => {
  const { code, out, err } = await run('run', '--no-inspect', returns, text)
  expect([code, err]).toEqual([
    1,
    `${returns}: what the program returns must be an array of strings, a line each, or nothing; received ${received}.\n`,
  ])
  expect(out).toContain('phase cleaning')
  expect(account(out)).toEqual({ spawned: 1, sum: 1, done: 0 })
})

test.each(['null', '[]', '["a line"]'])('a program may return %s', async (text) => {
  expect(await run('run', '--no-inspect', returns, text)).toMatchObject({ code: 0, err: '' })
})

test('with an inspector the tree stays up when the job is done, until Ctrl-C; then the run ends as done', async () => {
  const { child, seen, end } = start(['run', fixture('quick')])
  await seen('stays up for the inspector until Ctrl-C')
  child.kill('SIGINT')
  const { code, out, err } = await end
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^inspector: http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/m)
  expect(out.match(/^three are done$/gm)).toHaveLength(1)
  expect(account(out)).toEqual({ spawned: 3, sum: 3, done: 3 })
})

test('what stays, and why, is said as it is: at once, and once', async () => {
  const broken = start(['run', fixture('throws')])
  await broken.seen('the job has failed; the tree stays up for the inspector until Ctrl-C')
  await vi.waitFor(() => expect(broken.errors()).toContain('the program is broken'))
  broken.child.kill('SIGINT')
  const { code, err } = await broken.end
  expect([code, err.match(/the program is broken/g)?.length]).toEqual([1, 1])
  const ended = start(['run', '--timeout', '50', fixture('ends')])
  await ended.seen('the tree has ended before the job; the inspector stays until Ctrl-C')
  ended.child.kill('SIGINT')
  expect((await ended.end).out).not.toContain('the job is done')
})

test('a signal that comes once more when all is over, as npm hands it on, does not hide that it failed', async () => {
  const { child, seen, end } = start(['run', fixture('late-signal')])
  await seen('the job has failed; the tree stays up for the inspector until Ctrl-C')
  child.kill('SIGINT')
  expect((await end).code).toBe(1)
  expect((await run('run', '--no-inspect', fixture('late-signal'))).code).toBe(1)
})

test('the address that is printed opens the page', async () => {
  const { child, seen, text, end } = start(['run', fixture('quick')])
  await seen('stays up')
  const [, url = ''] = /^inspector: (.+)$/m.exec(text()) ?? []
  const first = await fetch(url, { redirect: 'manual' })
  const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? ''
  const page = await fetch(new URL('/', url), { headers: { cookie } })
  expect([first.status, page.status, (await page.text()).includes('<div id="page">')]).toEqual([303, 200, true])
  child.kill('SIGTERM')
  expect((await end).code).toBe(0)
})

test('a port that is taken, or is none, gets one clear sentence and exit 2', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  expect(await run('run', '--port', String(port), fixture('quick'))).toMatchObject({
    code: 2,
    err: `Port ${port} is taken; give another one with --port.\n`,
  })
  server.close()
  expect(await run('run', '--port', '99999', fixture('quick'))).toMatchObject({
    code: 2,
    err: '--port must be a whole number from 0 to 65535; received 99999.\n',
  })
})

test('--help names every option, --version the version', async () => {
  const help = await run('--help')
  for (const option of ['--timeout', '--drain', '--once', '--no-inspect', '--port', '--controls', '--help', '--version'])
    expect(help.out).toContain(option)
  expect(help.code).toBe(0)
  expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect((await run()).code).toBe(2)
})

test('the live line is redrawn in place on a terminal, as much of it as there is room for, words whole', () => {
  const written: string[] = []
  const ci = process.env['CI']
  delete process.env['CI']
  const metrics = {
    ...createGlobalManager().metrics(),
    completed: 1_234_567,
    running: 8,
    pending: 3,
    failed: 2,
    restarts: 1,
    cancelled: 1,
    killed: 1,
  }
  const live = new LiveLine({ isTTY: true, columns: 20, write: (text) => written.push(text) }, () => metrics)
  if (ci !== undefined) process.env['CI'] = ci
  live.draw()
  live.print('phase closing')
  expect(written).toEqual(['\r\x1b[2K✓ 1234567 done', '\r\x1b[2K', 'phase closing\n'])
  expect(progressText(metrics, 5)).toBe('1234567 done, 8 running, 3 queued, 2 failed, 1 restarted, 2 stopped, 5/s')
})

test('explain tells the story of a trace; replay plays it again, and says how that went', async () => {
  const { simulate, writeTrace } = await import('curtaincall/testing')
  const tree = { kind: 'tree', name: 'g', children: [{ kind: 'routine', name: 'a', faults: ['throws(5, 1)'] }] } as const
  const { trace } = await simulate(tree, { script: [{ do: 'wait', ms: 9 }] })
  const file = join(folder, 'a.cct.jsonl')
  writeTrace(file, trace)
  const explained = await run('explain', file)
  expect([explained.code, explained.err]).toEqual([0, ''])
  expect(explained.out).toMatch(/a#a failed \(incarnation 1, error Error: fault: throws in run 1, willRestart\)[^]*✓ every law holds\n$/)
  const unread = start(['explain', file])
  unread.child.stdout?.destroy()
  expect(await unread.end).toEqual({ code: 0, out: '', err: '' })
  const replayed = await run('replay', file)
  expect([replayed.code, replayed.err]).toEqual([0, ''])
  expect(replayed.out).toMatch(/replayed: \d+ events, the same as recorded\n✓ every law holds\n$/)

  const edited = join(folder, 'b.cct.jsonl')
  writeTrace(edited, {
    ...trace,
    events: trace.events.map((event) => (event.type === 'routine.failed' ? { ...event, error: 'other' } : event)),
  })
  expect(await run('replay', edited)).toMatchObject({ code: 3, out: expect.stringContaining('DIVERGED at event') as string })

  writeFileSync(edited, 'nonsense\n')
  expect(await run('replay', edited)).toMatchObject({ code: 2, out: '', err: `${edited}:1: not a line of JSON\n` })
  expect(await run('explain', join(folder, 'none'))).toMatchObject({
    code: 2,
    err: expect.stringContaining("none can't be read: ENOENT") as string,
  })
  expect(await run('replay')).toMatchObject({ code: 2, err: 'replay needs a FILE; try curtaincall --help.\n' })
})

test("a trace of somebody's own tree is replayed with that tree", async () => {
  const { simulate, writeTrace } = await import('curtaincall/testing')
  const { default: tree } = (await import('./fixture/tree.ts')) as { default: Parameters<typeof simulate>[0] }
  const file = join(folder, 'own.cct.jsonl')
  writeTrace(file, (await simulate(tree, { faults: { till: 'throws(5, 1)' }, script: [{ do: 'wait', ms: 9 }] })).trace)
  expect(await run('replay', file)).toMatchObject({ code: 2, err: expect.stringContaining('is not one of plain data') as string })
  expect(await run('replay', file, fixture('tree'))).toMatchObject({
    code: 0,
    out: expect.stringContaining('the same as recorded') as string,
  })
})

test("a law of somebody's own is held if the module brings it, and never said to hold if it does not", async () => {
  const { simulate, writeTrace } = await import('curtaincall/testing')
  const { nobodyFails } = await import('./fixture/laws.ts')
  const tree = { kind: 'tree', name: 'g', children: [{ kind: 'routine', name: 'a', faults: ['throws(5, 1)'] }] } as const
  const file = join(folder, 'law.cct.jsonl')
  writeTrace(file, (await simulate(tree, { script: [{ do: 'wait', ms: 9 }], laws: [nobodyFails] })).trace)
  const alone = await run('replay', file)
  expect(alone.code).toBe(1)
  expect(alone.out).toMatch(
    /the same as recorded\n\? nobodyFails was broken when this was recorded, and is not known here: it was not checked\n$/,
  )
  const brought = await run('replay', file, fixture('laws'))
  expect(brought.code).toBe(1)
  expect(brought.out).toMatch(/the same as recorded\n✗ nobodyFails: g\/a#a failed\n$/)
  const wrong = join(folder, 'wrong.mjs')
  writeFileSync(wrong, 'export const laws = 5\n')
  expect(await run('replay', file, wrong)).toMatchObject({ code: 2, err: `${wrong}: what it exports as laws is to be an array of laws.\n` })
})
