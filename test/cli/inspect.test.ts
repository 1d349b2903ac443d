import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { simulate, writeTrace } from 'curtaincall/testing'

const cli = fileURLToPath(new URL('../../dist/src/cli/curtaincall.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'curtaincall-inspect-'))
const [first, second] = [join(folder, 'first.cct.jsonl'), join(folder, 'second.cct.jsonl')]
const children = new Set<ChildProcess>()

beforeAll(async () => {
  const tree = { kind: 'tree', name: 'g', children: [{ kind: 'routine', name: 'a', faults: ['throws(5, 1)'] }] } as const
  writeTrace(first, (await simulate(tree, { script: [{ do: 'wait', ms: 9 }] })).trace)
  writeTrace(second, (await simulate(tree, { script: [{ do: 'wait', ms: 90 }] })).trace)
})
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

interface Started {
  readonly child: ChildProcess
  /** Resolves with its address, or '' if it ends without one. */
  readonly url: Promise<string>
  readonly end: Promise<{ code: number | null; out: string; err: string }>
}

function start(...args: string[]): Started {
  const child = spawn(process.execPath, [cli, 'inspect', ...args])
  children.add(child)
  let out = ''
  let err = ''
  const url = new Promise<string>((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString()
      const found = /^inspector: (\S+)\n/m.exec(out)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.on('close', () => resolve(''))
  })
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const end = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on('close', (code) => {
      children.delete(child)
      resolve({ code, out, err })
    }),
  )
  return { child, url, end }
}

/** What a page is told, when it asks for a recording. */
async function recording(
  url: string,
  { cookie, key }: { readonly cookie: string; readonly key: string },
  which: number,
): Promise<{ events: unknown[]; about: { name: string; beside: number } }> {
  const { host, origin } = new URL(url)
  const socket = new WebSocket(`ws://${host}/live`, `curtaincall.${key}`, { headers: { cookie, origin } })
  const answer = await new Promise<string>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => socket.send(JSON.stringify({ id: 1, ask: 'recording', with: { which } })))
    socket.on('message', (data, isBinary) => {
      const text = isBinary ? '' : String(data as Buffer)
      if (text.includes('"id":1')) resolve(text)
    })
  })
  socket.terminate()
  return (JSON.parse(answer) as { answer: never }).answer
}

test('it serves the page to who has the token, holds both recordings, and ends with Ctrl-C', async () => {
  const { child, url, end } = start(first, second)
  const address = await url
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/)
  const entered = await fetch(address, { redirect: 'manual' })
  expect(entered.status).toBe(303)
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] as string
  const [, key = ''] = (entered.headers.get('location') ?? '').split('#key=')
  const page = await fetch(new URL('/', address), { headers: { cookie } })
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<div id="page">')])
  expect((await fetch(new URL('/', address))).status).toBe(401)

  const shown = await recording(address, { cookie, key }, 0)
  expect(shown.about).toMatchObject({ name: 'first.cct.jsonl', beside: 1 })
  expect(shown.events.length).toBeGreaterThan(5)
  expect((await recording(address, { cookie, key }, 1)).about.name).toBe('second.cct.jsonl')

  child.kill('SIGINT')
  expect(await end).toMatchObject({ code: 0, err: '' })
})

test('two that have the same name are told apart by their files', async () => {
  const [one, other] = [join(folder, 'one'), join(folder, 'other')]
  const [header, ...lines] = readFileSync(first, 'utf8').split('\n')
  const saved = JSON.stringify({ ...(JSON.parse(header as string) as object), recording: { name: 'shop', from: 0, base: [] } })
  for (const place of [one, other]) {
    mkdirSync(place)
    writeFileSync(join(place, 'x.cct.jsonl'), readFileSync(first, 'utf8'))
    writeFileSync(`${place}.cct.jsonl`, [saved, ...lines].join('\n'))
  }
  const namesOf = async (...files: string[]): Promise<string[]> => {
    const { child, url } = start(...files)
    const entered = await fetch(await url, { redirect: 'manual' })
    const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] as string
    const [, key = ''] = (entered.headers.get('location') ?? '').split('#key=')
    const names = await Promise.all([0, 1].map(async (which) => (await recording(await url, { cookie, key }, which)).about.name))
    child.kill('SIGKILL')
    return names
  }
  expect(await namesOf(`${one}.cct.jsonl`, `${other}.cct.jsonl`)).toEqual(['shop (one.cct.jsonl)', 'shop (other.cct.jsonl)'])
  const same = [join(one, 'x.cct.jsonl'), join(other, 'x.cct.jsonl')] as const
  expect(await namesOf(...same)).toEqual(same)
  expect(await namesOf(`${one}.cct.jsonl`, same[0])).toEqual(['shop', 'x.cct.jsonl'])
})

test('SIGHUP ends it, too', async () => {
  const { child, url, end } = start(first)
  await url
  child.kill('SIGHUP')
  expect((await end).code).toBe(0)
})

test('SIGTERM ends it, too, and the port can be chosen', async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => free.once('listening', resolve))
  const { port } = free.address() as AddressInfo
  const taken = start('--port', String(port), first)
  expect(await taken.end).toMatchObject({ code: 2, err: `Port ${port} is taken; give another one with --port.\n` })
  await new Promise((resolve) => free.close(resolve))
  const { child, url, end } = start(first, '--port', String(port))
  expect(new URL(await url).port).toBe(String(port))
  child.kill('SIGTERM')
  expect((await end).code).toBe(0)
})

test('what it cannot do it says in one line', async () => {
  const broken = join(folder, 'broken.cct.jsonl')
  writeFileSync(broken, 'nonsense\n')
  expect(await start(broken).end).toEqual({ code: 2, out: '', err: `${broken}:1: not a line of JSON\n` })
  expect(await start(first, broken).end).toEqual({ code: 2, out: '', err: `${broken}:1: not a line of JSON\n` })
  const lines = readFileSync(first, 'utf8').trimEnd().split('\n')
  writeFileSync(broken, `${lines.toSpliced(-1, 0, '{"recorded":"snapshot","of":1}').join('\n')}\n`)
  expect(await start(first, broken).end).toEqual({
    code: 2,
    out: '',
    err: `showRecording traces: of number 2 line ${lines.length}, recorded "snapshot": no actor before it has this number\n`,
  })
  expect(await start(join(folder, 'none')).end).toMatchObject({
    code: 2,
    err: expect.stringContaining("none can't be read: ENOENT") as string,
  })
  const usage = 'inspect needs a FILE, and at most one more; try curtaincall --help.\n'
  expect(await start().end).toMatchObject({ code: 2, err: usage })
  expect(await start(first, second, first).end).toMatchObject({ code: 2, err: usage })
  for (const port of ['x', '65536', '1.5', '', ' '])
    expect(await start(`--port=${port}`, first).end).toMatchObject({
      code: 2,
      err: `--port must be a whole number from 0 to 65535; received ${port}.\n`,
    })
  expect(await start('--nope', first).end).toMatchObject({ code: 2, err: expect.stringContaining("Unknown option '--nope'") as string })
})
