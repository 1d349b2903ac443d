/** Who may come in, and what whoever is out, or in, can do: raw clients, and pages of strangers in a real browser. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http'
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import type { Browser, BrowserContext } from 'playwright-core'
import { WebSocket as RawSocket } from 'ws'
import { ConfigError } from 'curtaincall'
import { type Inspector, type InspectorOptions, showRecording, startInspector } from 'curtaincall/inspector'
import { checkOrigin, gateFor } from '../../src/inspector/guard.ts'
import { decodeFrame, type Frame } from '../../src/inspector/protocol.ts'
import { hostsOf } from '../../src/inspector/server.ts'
import { TreeTable } from '../../inspector/state/table.ts'
import { launchBrowser } from '../support/browser.ts'
import { makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

interface Opened extends Tree {
  readonly inspector: Inspector
  readonly port: number
  readonly host: string
  readonly token: string
  readonly cookie: string
  /** The protocol that a WebSocket names. */
  readonly key: string
  [Symbol.asyncDispose](): Promise<void>
}

/** What a browser holds that knew the token. */
function passes(port: string, token: string): { cookie: string; key: string } {
  const { cookie, key } = gateFor(Number(port), [], token)
  return { cookie: `curtaincall-${port}=${cookie}`, key: `curtaincall.${key}` }
}

async function open(options: InspectorOptions = {}): Promise<Opened> {
  const tree = makeTree()
  // What the test's own tree listens to is no part of what is watched here.
  ;(tree.global as unknown as { listeners: { clear(): void } }).listeners.clear()
  const inspector = await startInspector(tree.global, options)
  const { port, host, searchParams } = new URL(inspector.url)
  const token = searchParams.get('token') as string
  return {
    ...tree,
    inspector,
    port: Number(port),
    host,
    token,
    ...passes(port, token),
    [Symbol.asyncDispose]: () => inspector.close(),
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** A request as it is written, with no headers but these. */
function ask(
  { port, host }: Opened,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  address = '127.0.0.1',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: address, port, path: '/', method, headers: { host, ...headers }, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString() }),
      )
    })
    // Past the checks of the client: the server has to bear anything.
    ;(sent as unknown as { path: string }).path = path
    sent.on('error', reject)
    sent.end()
  })
}

/** What comes back for bytes as they are, up to the end of the connection. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let got = ''
    socket.on('data', (data) => (got += data.toString('latin1')))
    socket.on('error', () => resolve(got))
    socket.on('close', () => resolve(got))
  })
}

/** 'open', or the status with which a WebSocket is turned away. */
function knock(opened: Opened, headers: Record<string, string>, path = '/live', address = '127.0.0.1'): Promise<string | number> {
  return new Promise((resolve) => {
    const name = address.includes(':') ? `[${address}]` : address
    const { key = opened.key, ...rest } = headers
    const socket = new RawSocket(`ws://${name}:${opened.port}${path}`, key === '' ? [] : key.split(','), {
      headers: { host: opened.host, ...rest },
    })
    socket.on('open', () => {
      socket.terminate()
      resolve('open')
    })
    socket.on('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    socket.on('error', () => resolve('failed'))
  })
}

/** A page's end of the wire, as a program. */
class Client {
  readonly frames: Frame[] = []
  readonly socket: RawSocket
  readonly #waiting = new Map<number, (answer: { answer?: unknown; error?: string }) => void>()
  onFrame: (frame: Frame) => void = () => undefined
  closed: number | undefined
  /** How often it was told nothing but that the process runs. */
  signs = 0
  #last = 0

  constructor({ host, cookie, key, port }: Opened) {
    this.socket = new RawSocket(`ws://127.0.0.1:${port}/live`, key, { headers: { host, cookie, origin: `http://${host}` } })
    this.socket.on('message', (data: Buffer, isBinary) => this.#hear(data, isBinary))
    this.socket.on('close', (code) => {
      this.closed = code
      for (const settle of this.#waiting.values()) settle({ error: 'closed' })
    })
    this.socket.on('error', () => undefined)
  }

  #hear(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      const frame = decodeFrame(data)
      this.frames.push(frame)
      this.onFrame(frame)
      return
    }
    const message = JSON.parse(data.toString()) as { id?: number }
    if (Object.keys(message).length === 0) this.signs++
    const { id = 0 } = message
    this.#waiting.get(id)?.(message as object)
    this.#waiting.delete(id)
  }

  async opened(): Promise<this> {
    if (this.socket.readyState !== RawSocket.OPEN) await once(this.socket, 'open')
    return this
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message))
  }

  /** What comes back for a message; `{ error: 'closed' }` if the connection is closed over it. */
  request(message: object): Promise<{ answer?: unknown; error?: string }> {
    const id = ++this.#last
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.send({ id, ...message })
    })
  }
}

const isWatched = ({ global }: Opened): boolean => global.tree.bus.hears('routine.spawned')

describe('who comes in', () => {
  test('I1: nobody from outside this machine', async () => {
    await using opened = await open()
    const outside = Object.values(networkInterfaces())
      .flat()
      .filter((each) => each?.internal === false && each.family === 'IPv4')
    for (const each of outside) await expect(ask(opened, '/', {}, 'GET', each?.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect((await ask(opened, '/')).status).toBe(401)
  })

  test('G1: nobody who calls it by another name, port included: a name that was bound to this machine from outside is a stranger’s', async () => {
    await using opened = await open()
    const { port, cookie, token } = opened
    for (const host of [
      'evil.test',
      `evil.test:${port}`,
      '127.0.0.1',
      'localhost',
      `127.0.0.1:${port + 1}`,
      `127.0.0.1.evil.test:${port}`,
      `127.0.0.1:${port}.evil.test`,
      `0.0.0.0:${port}`,
      `127.1:${port}`,
      `2130706433:${port}`,
      `[::1]:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      `LOCALHOST:${port}`,
      ` 127.0.0.1:${port}@evil.test`,
    ]) {
      expect([host, (await ask(opened, '/', { host, cookie })).status]).toEqual([host, 403])
      expect([host, (await ask(opened, `/?token=${token}`, { host })).status]).toEqual([host, 403])
      expect([host, await knock(opened, { host, cookie, origin: `http://${opened.host}` })]).toEqual([host, 403])
      expect([host, await knock(opened, { host, cookie, origin: `http://${host}` })]).toEqual([host, 403])
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect((await ask(opened, '/', { host, cookie })).status).toBe(200)
      expect(await knock(opened, { host, cookie, origin: `http://${host}` })).toBe('open')
    }
    expect(await raw(port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/)
    expect(await raw(port, 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 403/)
    expect(await raw(port, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 403/)
  })

  test('G1: port 80, which clients leave out, may be left out of Host and Origin; any other may not', () => {
    const statusOf = (name: string, port: number, host: string, origin: string): number => {
      const verdict = checkOrigin(gateFor(port, hostsOf(name, port), ''), { host, origin }, true)
      return verdict.pass ? 200 : verdict.status
    }
    for (const [name, address] of [
      ['127.0.0.1', 'http://127.0.0.1:80/'],
      ['[::1]', 'http://[::1]:80/'],
      ['127.0.0.1', 'http://localhost:80/'],
    ] as const) {
      // As a client says it.
      const { host, origin } = new URL(address)
      expect([host, statusOf(name, 80, host, origin)]).toEqual([host, 200])
      expect(statusOf(name, 80, `${host}:80`, `${origin}:80`)).toBe(200)
      expect(statusOf(name, 8080, host, `${origin}:8080`)).toBe(403)
      expect(statusOf(name, 8080, `${host}:8080`, origin)).toBe(403)
      expect(statusOf(name, 443, host, origin)).toBe(403)
    }
    expect(statusOf('127.0.0.1', 80, 'evil.test', 'http://evil.test')).toBe(403)
    expect(statusOf('127.0.0.1', 80, '127.0.0.1', 'https://127.0.0.1')).toBe(403)
  })

  test('G1: by IPv6 it is called by its own name alone', async () => {
    const opened = await open({ host: '::1' }).catch((error: NodeJS.ErrnoException) => error)
    // A machine without IPv6 has nothing to be shut.
    if (opened instanceof Error) return expect(['EADDRNOTAVAIL', 'EAFNOSUPPORT']).toContain((opened as NodeJS.ErrnoException).code)
    await using each = opened
    const { port, cookie } = each
    expect(each.host).toBe(`[::1]:${port}`)
    for (const [host, status] of [
      [`[::1]:${port}`, 200],
      [`localhost:${port}`, 200],
      [`[0:0:0:0:0:0:0:1]:${port}`, 403],
      [`::1:${port}`, 403],
      [`127.0.0.1:${port}`, 403],
      [`evil.test:${port}`, 403],
    ] as const)
      expect([host, (await ask(each, '/', { host, cookie }, 'GET', '::1')).status]).toEqual([host, status])
    expect(await knock(each, { cookie, origin: `http://[::1]:${port}` }, '/live', '::1')).toBe('open')
    expect(await knock(each, { cookie, origin: `http://[::1]:${port + 1}` }, '/live', '::1')).toBe(403)
    return undefined
  })

  test('G2: no other origin, another port of this machine included; a WebSocket that names none is no page', async () => {
    await using opened = await open()
    const { port, cookie, host } = opened
    for (const origin of [
      'http://evil.test',
      `http://127.0.0.1:${port + 1}`,
      'http://localhost',
      `http://localhost:${port + 2}`,
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}.evil.test`,
      'null',
      'file://',
      '',
    ]) {
      expect([origin, await knock(opened, { cookie, origin })]).toEqual([origin, 403])
      expect([origin, (await ask(opened, '/', { cookie, origin })).status]).toEqual([origin, 403])
    }
    expect(await knock(opened, { cookie })).toBe(403)
    expect(await knock(opened, { cookie, origin: `http://${host}` })).toBe('open')
    expect(await knock(opened, { cookie, origin: `http://${host}` }, '/live?x')).toBe(404)
    expect(await knock(opened, { cookie, origin: `http://${host}` }, '/')).toBe(404)
  })

  test('G3: what another site asks for is refused, even with the token', async () => {
    await using opened = await open()
    const { cookie, token, host } = opened
    for (const site of ['cross-site', 'same-site', 'nonsense']) {
      const headers = { cookie, 'sec-fetch-site': site }
      expect([site, (await ask(opened, '/', headers)).status]).toEqual([site, 403])
      expect([site, (await ask(opened, `/?token=${token}`, headers)).status]).toEqual([site, 403])
      expect([site, await knock(opened, { ...headers, origin: `http://${host}` })]).toEqual([site, 403])
    }
    expect((await ask(opened, '/', { cookie, 'sec-fetch-site': 'none' })).status).toBe(200)
    expect(await knock(opened, { cookie, origin: `http://${host}`, 'sec-fetch-site': 'none' })).toBe(403)
  })

  test('G4: the token is long, another one each time, and exchanged for a cookie that is HttpOnly, SameSite=Strict and named by port', async () => {
    await using opened = await open()
    await using other = await open()
    const { token, port, cookie, key, host } = opened
    expect(Buffer.from(token, 'base64url').length).toBe(24)
    expect(other.token).not.toBe(token)
    const { status, headers } = await ask(opened, `/?token=${token}`)
    expect([status, headers.location]).toEqual([303, `/#key=${key.replace('curtaincall.', '')}`])
    expect(headers['set-cookie']).toEqual([`${cookie}; Max-Age=604800; HttpOnly; SameSite=Strict; Path=/`])
    for (const wrong of ['', 'x', token.slice(0, -1), `${token}x`, other.token, token.toUpperCase(), '%00', `${token}%00`]) {
      expect([wrong, (await ask(opened, `/?token=${wrong}`)).status]).toEqual([wrong, 401])
      const cookies = { cookie: `curtaincall-${port}=${wrong}` }
      expect([wrong, (await ask(opened, '/', cookies)).status]).toEqual([wrong, 401])
      expect([wrong, await knock(opened, { ...cookies, origin: `http://${host}` })]).toEqual([wrong, 401])
    }
    expect(await knock(opened, { origin: `http://${host}` })).toBe(401)
    expect((await ask(opened, '/', { cookie: other.cookie })).status).toBe(401)
    expect((await ask(opened, '/', { cookie: `a=b; ${other.cookie}; ${cookie}; c` })).status).toBe(200)
    // Not the token itself: whoever got hold of the cookie gets no further.
    expect((await ask(opened, '/', { cookie: `curtaincall-${port}=${token}` })).status).toBe(401)
    // In the address of anything but the page itself it is not looked at.
    expect((await ask(opened, `/page.js?token=${token}`)).status).toBe(401)
  })
})

test('G5: whoever has got hold of the cookie, which browsers send to every port, gets files and nothing that lives', async () => {
  await using opened = await open()
  await using other = await open()
  const { cookie, key, port, host } = opened
  const origin = `http://${host}`
  const [, value = ''] = cookie.split('=')
  expect((await ask(opened, '/page.js', { cookie })).status).toBe(200)
  for (const wrong of ['', 'x', value, `curtaincall.${value}`, key.slice(0, -1), key.toUpperCase(), other.key, `${key},x`])
    expect([wrong, await knock(opened, { cookie, origin, key: wrong })]).toEqual([wrong, 401])
  expect((await ask(opened, `/?token=${value}`)).status).toBe(401)
  expect(await knock(opened, { cookie: '', origin })).toBe(401)
  expect(await knock({ ...opened, port }, { cookie, origin })).toBe('open')
})

describe('what is asked for', () => {
  test('only the page’s own files, by their own names', async () => {
    await using opened = await open()
    const { cookie, port } = opened
    for (const path of ['/', '/index.html', '/page.js', '/page.css', '/icon.svg']) {
      expect([path, (await ask(opened, path, { cookie })).status]).toEqual([path, 200])
      expect([path, (await ask(opened, path)).status]).toEqual([path, 401])
    }
    for (const path of [
      '/../package.json',
      '/../../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/package.json',
      '/..\\package.json',
      '/..%5cpackage.json',
      '/..;/package.json',
      '/x/../page.js',
      '/./page.js',
      '//page.js',
      '//evil.test/page.js',
      '/page.js/',
      '/page.js%00',
      '/page.js%00.css',
      '/%70age.js',
      '/page.js#x',
      '/files.json',
      '/__proto__',
      '/constructor',
      '/toString',
      '/package.json',
      '/etc/passwd',
      'http://127.0.0.1/page.js',
      `http://127.0.0.1:${port}/page.js`,
      'http://evil.test/page.js',
      'file:///etc/passwd',
      '*',
      '//',
      '//:9',
      '/\\',
      'http://[',
      '/live',
      `/${'a'.repeat(10_000)}`,
      '/?x',
    ]) {
      const { status } = await ask(opened, path, { cookie })
      expect([path, status]).toEqual([path, path === '/?x' ? 200 : 404])
      // Nor does it end anything when a stranger asks.
      expect([path, (await ask(opened, path)).status]).toEqual([path, 401])
    }
    expect(await raw(port, 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/)
  })

  test('only with GET and HEAD', async () => {
    await using opened = await open()
    const { cookie } = opened
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const { status, headers } = await ask(opened, '/', { cookie }, method)
      expect([method, status]).toEqual([method, 405])
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
    const head = await ask(opened, '/page.js', { cookie }, 'HEAD')
    expect([head.status, head.text]).toEqual([200, ''])
  })

  test('every answer says that it is for nobody else, refusals too', async () => {
    await using opened = await open()
    const { cookie, token } = opened
    for (const each of [
      await ask(opened, '/', { cookie }),
      await ask(opened, '/page.js', { cookie }),
      await ask(opened, '/'),
      await ask(opened, '/nothing', { cookie }),
      await ask(opened, '/', { host: 'evil.test' }),
      await ask(opened, `/?token=${token}`),
      await ask(opened, '/', { cookie }, 'POST'),
    ]) {
      expect(each.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      })
      const policy = String(each.headers['content-security-policy'])
      for (const rule of [
        "default-src 'none'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ])
        expect(policy.split('; ')).toContain(rule)
      expect(policy).not.toContain('unsafe')
      expect(Object.keys(each.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('in a real browser', () => {
  let browser: Browser
  let stranger: Server
  let strangerPort: number

  beforeAll(async () => {
    browser = await launchBrowser()
    stranger = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>stranger</title>'))
    stranger.listen(0, '127.0.0.1')
    await once(stranger, 'listening')
    strangerPort = (stranger.address() as AddressInfo).port
  })
  afterAll(async () => {
    await browser.close()
    stranger.closeAllConnections()
    stranger.close()
  })

  /** A browser in which somebody has opened the inspector before. */
  async function known({ port, cookie }: Opened): Promise<BrowserContext> {
    const context = await browser.newContext()
    const shared = {
      name: `curtaincall-${port}`,
      value: cookie.slice(cookie.indexOf('=') + 1),
      path: '/',
      httpOnly: true,
      sameSite: 'Strict',
    } as const
    await context.addCookies([
      { ...shared, domain: '127.0.0.1' },
      { ...shared, domain: 'localhost' },
    ])
    return context
  }

  test('the token is gone from the address, no script reads the cookie, and no inline script, eval or markup of a text runs', async () => {
    await using opened = await open()
    const { inspector, host } = opened
    const context = await browser.newContext()
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    await page.goto(inspector.url)
    await page.waitForSelector('.row')
    expect([new URL(page.url()).host, new URL(page.url()).search]).toEqual([host, ''])
    expect(await page.evaluate(() => document.cookie)).toBe('')
    // The page itself may remember its key; of the token it never hears.
    expect(await page.evaluate(() => performance.getEntriesByType('navigation').map(({ name }) => name.split('#')[0]))).toEqual([
      `http://${host}/`,
    ])
    expect(await page.evaluate(() => location.hash)).not.toContain('key')
    expect(complaints).toEqual([])
    // Later, and so by the page itself: what the test evaluates at once would be let through.
    const ran = await page.evaluate(
      () =>
        new Promise<Record<string, string>>((resolve) => {
          setTimeout(() => {
            const tried = (what: () => unknown): string => {
              try {
                return `ran: ${String(what())}`
              } catch (error) {
                return (error as Error).name
              }
            }
            const script = document.createElement('script')
            script.append('window.inlined = true')
            const results = {
              // oxlint-disable-next-line no-eval
              eval: tried(() => eval('1 + 1')),
              // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
              function: tried(() => new Function('return 1')()),
              markup: tried(() => (document.body.innerHTML = '<img src=x onerror="window.inlined = true">')),
              written: tried(() => document.write('<b>x</b>')),
              address: tried(() => (document.createElement('script').src = 'data:text/javascript,1')),
              policy: tried(() =>
                (window as unknown as { trustedTypes: { createPolicy(name: string, rules: object): object } }).trustedTypes.createPolicy(
                  'any',
                  {},
                ),
              ),
              inline: tried(() => document.head.append(script)),
            }
            setTimeout(() => resolve({ ...results, inlined: String((window as unknown as { inlined?: boolean }).inlined) }), 50)
          }, 0)
        }),
    )
    expect(ran).toMatchObject({
      eval: 'EvalError',
      function: 'EvalError',
      markup: 'TypeError',
      written: 'TypeError',
      address: 'TypeError',
      policy: 'TypeError',
      inlined: 'undefined',
    })
    await context.close()
  })

  test.each([
    ['another port of this machine', '127.0.0.1'],
    ['another site', 'evil.localhost'],
  ])(
    '%s gets nothing: by fetch, image, script, style, frame, form, window or WebSocket, even though the cookie is there',
    async (_, name) => {
      await using opened = await open({ controls: true })
      const { host, token, key } = opened
      const context = await known(opened)
      const page = await context.newPage()
      await page.goto(`http://${name}:${strangerPort}/`)
      const got = await page.evaluate(
        async ({ to, secret, named }) => {
          const element = (tag: string, attributes: Record<string, string>): Promise<string> =>
            new Promise((resolve) => {
              const made = Object.assign(document.createElement(tag), attributes)
              made.addEventListener('load', () => resolve('loaded'))
              made.addEventListener('error', () => resolve('nothing'))
              document.body.append(made)
            })
          const fetched = (path: string, options: RequestInit): Promise<string> =>
            fetch(`http://${to}${path}`, options).then(
              ({ type, status }) => `${type} ${status}`,
              () => 'nothing',
            )
          const socket = (path: string): Promise<string> =>
            new Promise((resolve) => {
              const opening = new WebSocket(`ws://${to}${path}`, named)
              opening.addEventListener('open', () => resolve('open'))
              opening.addEventListener('close', () => resolve('nothing'))
            })
          return {
            cors: await fetched('/', { credentials: 'include' }),
            opaque: await fetched('/page.js', { mode: 'no-cors', credentials: 'include' }),
            posted: await fetched('/', { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"do":"shutdown"}' }),
            token: await fetched(`/?token=${secret}`, { mode: 'no-cors', credentials: 'include' }),
            image: await element('img', { src: `http://${to}/icon.svg` }),
            script: await element('script', { src: `http://${to}/page.js` }),
            module: await element('script', { src: `http://${to}/page.js`, type: 'module' }),
            style: await element('link', { href: `http://${to}/page.css`, rel: 'stylesheet' }),
            socket: await socket('/live'),
            local: await socket('/live').then(() => socket('/live?token=x')),
          }
        },
        // Not even with all that it should not know.
        { to: host, secret: token, named: key },
      )
      expect(new Set(Object.values(got))).toEqual(new Set(['nothing']))
      // Frames: what stands in them is the browser's own page that says that nothing is shown.
      await page.evaluate(
        (to) =>
          new Promise<void>((resolve) => {
            const frame = document.createElement('iframe')
            frame.src = `http://${to}/`
            frame.addEventListener('load', () => resolve())
            document.body.append(frame)
          }),
        host,
      )
      for (const frame of page.frames().slice(1)) expect(await frame.evaluate(() => document.querySelector('#page'))).toBeNull()
      // Windows and forms: refused, and cut off from who opened them.
      for (const method of ['get', 'post']) {
        const [popup] = await Promise.all([
          context.waitForEvent('page'),
          page.evaluate(
            ({ to, how }) => {
              const form = Object.assign(document.createElement('form'), { action: `http://${to}/`, method: how, target: '_blank' })
              document.body.append(form)
              form.submit()
            },
            { to: host, how: method },
          ),
        ])
        await popup.waitForLoadState()
        expect(await popup.evaluate(() => document.body.textContent)).toMatch(/refused: (Origin|Sec-Fetch-Site)/)
        await popup.close()
      }
      expect(isWatched(opened)).toBe(false)
      expect(opened.global.state).toBe('running')
      await context.close()
    },
  )

  test('a name that leads to this machine gets nothing, though the browser takes it for one origin', async () => {
    await using opened = await open()
    const { port, token } = opened
    const context = await browser.newContext()
    const page = await context.newPage()
    const answer = await page.goto(`http://rebound.localhost:${port}/?token=${token}`)
    expect([answer?.status(), await answer?.text()]).toEqual([403, 'refused: Host\n'])
    const socket = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const opening = new WebSocket(`ws://${location.host}/live`)
          opening.addEventListener('open', () => resolve('open'))
          opening.addEventListener('close', () => resolve('nothing'))
        }),
    )
    expect(socket).toBe('nothing')
    await context.close()
  })
})

describe('what comes over the wire', () => {
  test('what is no message closes the connection, and nothing else', async () => {
    await using opened = await open()
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
    for (const [message, code] of [
      ['no JSON', 1003],
      ['', 1003],
      ['null', 1003],
      ['1', 1003],
      ['"text"', 1003],
      ['[]', 1003],
      ['{}', 1003],
      ['{"ask":"health"}', 1003],
      ['{"id":null,"ask":"health"}', 1003],
      ['{"id":"1","ask":"health"}', 1003],
      ['{"id":1.5,"ask":"health"}', 1003],
      [`{"id":${deep},"ask":"health"}`, 1003],
      [deep, 1003],
      ['{"ack":null}', 1003],
      [new Uint8Array([0xcc, 1, 2]), 1003],
      [new TextEncoder().encode('{"id":1,"ask":"health"}'), 1003],
      [`{"id":1,"ask":"${'x'.repeat(70_000)}"}`, 1009],
      [new Uint8Array(70_000), 1009],
    ] as const) {
      const client = await new Client(opened).opened()
      client.send(message)
      await once(client.socket, 'close')
      expect([String(message).slice(0, 40), client.closed]).toEqual([String(message).slice(0, 40), code])
    }
    const client = await new Client(opened).opened()
    expect((await client.request({ ask: 'health' })).answer).toBeDefined()
  })

  test('what asks for nothing that there is, or asks wrongly, is told what is wrong', async () => {
    await using opened = await open()
    const client = await new Client(opened).opened()
    const path = 'g/a/l'
    for (const [name, given, error] of [
      ['nothing', {}, 'there is no question "nothing"'],
      ['__proto__', {}, 'there is no question'],
      ['constructor', {}, 'there is no question'],
      ['toString', {}, 'there is no question'],
      ['hasOwnProperty', {}, 'there is no question'],
      [null, {}, 'there is no question'],
      [undefined, {}, 'there is no question'],
      [['log'], {}, 'there is no question'],
      [{ toString: 1 }, {}, 'there is no question'],
      ['log', [], 'log options must be an object'],
      ['log', 'text', 'log options must be an object; received "text"'],
      ['log', null, 'log options must be an object; received null'],
      ['log', { unknown: 1 }, 'unknown option "unknown"'],
      ['log', { limit: -1 }, 'limit must be a whole number from 1 to 10000; received -1'],
      ['log', { limit: 1e9 }, 'limit must be'],
      ['log', { limit: Number.NaN }, 'limit must be'],
      ['log', { limit: '5' }, 'limit must be'],
      ['log', { before: -1 }, 'before must be a whole number'],
      ['log', { text: 5 }, 'text must be a string'],
      ['log', { only: 'routine.failed' }, 'only must be an array'],
      ['log', { only: [1] }, 'only must be an array'],
      ['log', { path: {} }, 'path must be a string'],
      ['actor', {}, 'path must be a string'],
      ['actor', { path: 5 }, 'path must be a string of at most 10000 characters; received 5'],
      ['actor', { path: 'x'.repeat(20_000) }, 'path must be a string'],
      ['chart', { path }, "which must be 'work' or 'life'"],
      ['chart', { path, which: '__proto__' }, 'which must be'],
      ['look', { path, at: 'context' }, 'at must be an array'],
      ['look', { path, at: [{}] }, 'at must be an array'],
      ['look', { path, n: 'x' }, 'n must be a whole number'],
      ['look', { path: 'g/nobody' }, 'g/nobody has ended'],
      ['diff', { path, from: 1 }, 'to must be a whole number'],
      ['diff', { path, from: 1, to: 2 }, 'not held any more'],
      ['messages', {}, 'paths must be an array'],
      ['messages', { paths: path }, 'paths must be an array'],
      ['messages', { paths: Array(5_000).fill('g') }, 'paths must be an array of at most 100 strings'],
      ['messages', { paths: [path], limit: 1e9 }, 'limit must be'],
      ['why', { seq: -1 }, 'seq must be a whole number'],
      ['health', { x: 1 }, 'unknown option'],
      ['timeline', { from: '0' }, 'from must be a finite number'],
      ['timeline', { limit: -1 }, 'limit must be a whole number from 0 to 10000; received -1'],
      ['messages', { paths: [path], limit: 0 }, 'limit must be'],
      ['recording', { after: {} }, 'after must be a whole number'],
    ] as const) {
      const answer = await client.request({ ask: name, with: given })
      expect([name, answer.answer, answer.error]).toEqual([name, undefined, expect.stringContaining(error)])
    }
    // Names of the language lead nowhere, also inside a value.
    const looked = await client.request({ ask: 'look', with: { path, at: ['__proto__', 'constructor', 'constructor'] } })
    expect(JSON.stringify(looked).length).toBeLessThan(1_000)
    expect(client.closed).toBeUndefined()
  })

  test('controls are off unless somebody has turned them on', async () => {
    await using off = await open()
    await using on = await open({ controls: true })
    const order = { do: 'shutdown', with: { paths: ['g/a/l'] } }
    const client = await new Client(off).opened()
    expect((await client.request(order)).error).toContain('controls are off')
    expect((await client.request({ do: null })).error).toContain('controls are off')
    expect(off.local.state).toBe('running')
    const other = await new Client(on).opened()
    for (const wrong of [
      { do: 'destroy' },
      { do: null },
      { do: { toString: 1 } },
      { do: 'cancel', with: 5 },
      { do: 'send', with: { paths: ['g/a/l'] } },
    ])
      expect((await other.request(wrong)).error).toBeTypeOf('string')
    expect(on.local.state).toBe('running')
    expect((await other.request(order)).answer).toEqual({ hit: 1, missed: [] })
    await settle()
    expect(on.local.state).not.toBe('running')
  })

  test('I4: whatever is sent, the next question is answered', async () => {
    await using opened = await open({ controls: true })
    opened.local.spawn('worker', untilTold)
    let client = await new Client(opened).opened()
    const names = [
      'log',
      'actor',
      'chart',
      'look',
      'diff',
      'messages',
      'why',
      'shutdown',
      'health',
      'timeline',
      'recording',
      '__proto__',
      'x',
    ]
    const given = fc.dictionary(
      fc.constantFrom('path', 'limit', 'before', 'text', 'only', 'which', 'n', 'at', 'from', 'to', 'paths', 'seq', 'after', '__proto__'),
      fc.oneof(fc.jsonValue(), fc.constantFrom('g', 'g/a/l', ['g/a/l'], 1, 5)),
    )
    const message = fc.oneof(
      fc.record({ ask: fc.constantFrom(...names), with: given }),
      fc.record({ ask: fc.jsonValue(), with: fc.jsonValue() }),
      fc.record({ do: fc.oneof(fc.constantFrom('send', 'restart'), fc.jsonValue()), with: fc.oneof(given, fc.jsonValue()) }),
    )
    await fc.assert(
      fc.asyncProperty(message, async (each) => {
        const answer = await client.request(each)
        expect(answer.error === undefined ? 'answer' in answer || Object.keys(answer).join() === 'id' : answer.error).not.toBe('closed')
        if (client.closed !== undefined) client = await new Client(opened).opened()
        expect((await client.request({ ask: 'health' })).answer).toBeDefined()
      }),
      { numRuns: 300 },
    )
  })

  test('what is no recording is refused', async () => {
    const header = { story: 's' }
    for (const traces of [[], [{}], [null], [{ header, events: [] }], [{ header, events: {}, verdict: { violations: [] } }]])
      await expect(showRecording(traces as never)).rejects.toThrow(ConfigError)
  })

  test('an open page keeps no process awake', async () => {
    const text = `
      import { createGlobalManager } from 'curtaincall'
      import { startInspector } from 'curtaincall/inspector'
      const { url } = await startInspector(createGlobalManager())
      process.stdout.write(url)
      // Long enough for a page to open.
      await new Promise((resolve) => process.stdin.once('data', resolve))
      process.stdin.destroy()`
    const child = spawn(process.execPath, ['--input-type=module', '-e', text])
    try {
      const [url] = (await once(child.stdout, 'data')) as [Buffer]
      const { port, host, searchParams } = new URL(url.toString())
      const opened = { port: Number(port), host, ...passes(port, searchParams.get('token') as string) } as unknown as Opened
      const client = await new Client(opened).opened()
      expect((await client.request({ ask: 'health' })).answer).toBeDefined()
      child.stdin.write('go')
      expect(await once(child, 'exit')).toEqual([0, null])
    } finally {
      child.kill()
    }
  })

  test('recordings that are shown have the same door', async () => {
    const header = { story: 's' }
    await using shown = await showRecording([{ header, events: [], verdict: { violations: [] } }])
    const { port, host, searchParams } = new URL(shown.url)
    const opened = { port: Number(port), host, ...passes(port, searchParams.get('token') as string) } as unknown as Opened
    expect(await knock(opened, { cookie: opened.cookie, origin: 'http://evil.test' })).toBe(403)
    const client = await new Client(opened).opened()
    for (const which of [1, -1, 'length', '__proto__', 1e9])
      expect((await client.request({ ask: 'recording', with: { which } })).error).toBeTypeOf('string')
    for (const name of ['log', 'actor', 'health'])
      expect((await client.request({ ask: name, with: { path: 'g' } })).error).toBeTypeOf('string')
    expect((await client.request({ ask: 'recording' })).answer).toMatchObject({ more: false })
  })
})

describe('frames', () => {
  test('I2, I3: a page that never answers gets two frames and no more; once it does, it gets one for all that it missed', async () => {
    await using opened = await open()
    const { local } = opened
    const [silent, steady] = [new Client(opened), new Client(opened)]
    const seen = new TreeTable()
    const enough = Promise.withResolvers<void>()
    let left = 12
    steady.onFrame = (frame) => {
      seen.apply(frame)
      // The tree goes on as long as somebody keeps up with it.
      if (left-- > 0) local.spawn('worker', untilTold)
      else enough.resolve()
      steady.send({ ack: 1 })
    }
    await Promise.all([silent.opened(), steady.opened()])
    await enough.promise
    expect(silent.frames.length).toBeLessThanOrEqual(2)
    expect(steady.frames.length).toBeGreaterThanOrEqual(12)
    const caught = new Promise<Frame>((resolve) => (silent.onFrame = resolve))
    silent.send({ ack: 1 })
    const frame = await caught
    expect(frame.whole).toBe(true)
    const late = new TreeTable()
    late.apply(frame)
    expect(late.size).toBe(3 + 12)
    expect(late.matchingPaths(() => true).toSorted()).toEqual(seen.matchingPaths(() => true).toSorted())
  })

  test('I2: more answers than frames earn no more frames', async () => {
    await using opened = await open()
    const { local } = opened
    const [greedy, steady] = [new Client(opened), new Client(opened)]
    await Promise.all([greedy.opened(), steady.opened()])
    for (let k = 0; k < 100; k++) greedy.send({ ack: 1 })
    expect((await greedy.request({ ask: 'health' })).answer).toBeDefined()
    const had = greedy.frames.length
    const enough = Promise.withResolvers<void>()
    let left = 8
    steady.onFrame = () => {
      if (left-- > 0) local.spawn('worker', untilTold)
      else enough.resolve()
      steady.send({ ack: 1 })
    }
    local.spawn('worker', untilTold)
    for (const _ of steady.frames) steady.send({ ack: 1 })
    await enough.promise
    expect(greedy.frames.length - had).toBeLessThanOrEqual(2)
  })
})

test('I5: where nothing happens a page hears once a second that the process runs, but not while it has frames to take up', async () => {
  await using opened = await open()
  const { local } = opened
  const [silent, steady] = [await new Client(opened).opened(), await new Client(opened).opened()]
  steady.onFrame = () => steady.send({ ack: 1 })
  for (const _ of steady.frames) steady.send({ ack: 1 })
  local.spawn('worker', untilTold)
  // By then it has two frames that it has not answered.
  for (let k = 0; k < 100 && silent.frames.length < 2; k++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(silent.frames.length).toBe(2)
  const before = [steady.signs, silent.signs] as const
  await new Promise((resolve) => setTimeout(resolve, 2_600))
  const [told, others] = [steady.signs - before[0], silent.signs - before[1]]
  expect([told >= 1, told <= 3, others]).toEqual([true, true, 0])
})

describe('what is done to the process', () => {
  const upgrade = (host: string, more = ''): string =>
    `GET /live HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${more}\r\n`

  test('I4: floods of upgrades and requests, cut, reset and nonsensical, end nothing', async () => {
    await using opened = await open()
    const { port, host, cookie, key } = opened
    const texts = [
      upgrade(host),
      upgrade('evil.test'),
      upgrade(host, `Origin: http://${host}\r\nCookie: ${cookie}\r\nSec-WebSocket-Protocol: ${key}\r\n`),
      upgrade(host, `Origin: http://${host}\r\nCookie: ${cookie}\r\nSec-WebSocket-Protocol: ${key}\r\n`).replace('websocket', 'h2c'),
      upgrade(host, `Origin: http://${host}\r\nCookie: ${cookie}\r\nSec-WebSocket-Protocol: ${key}\r\n`).replace(
        'AAAAAAAAAAAAAAAAAAAAAA==',
        'x',
      ),
      'GET / HTTP/1.1\r\n',
      'GET // HTTP/1.1\r\nHost: '.concat(host, '\r\n\r\n'),
      '\r\n\r\n\0\0\0',
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n\r\nx`,
      `CONNECT evil.test:443 HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    ]
    const reset = (text: string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(text)
          // In the middle of being turned away.
          setImmediate(() => socket.resetAndDestroy())
        })
        socket.on('error', () => undefined)
        socket.on('close', () => resolve())
      })
    for (let round = 0; round < 12; round++) await Promise.all(texts.flatMap((text) => [reset(text), reset(text), reset(text)]))
    expect((await ask(opened, '/', { cookie })).status).toBe(200)
    const client = await new Client(opened).opened()
    expect((await client.request({ ask: 'health' })).answer).toBeDefined()
  })

  test('it closes though strangers hold on to their connections', async () => {
    const opened = await open()
    const held: Socket[] = []
    for (const text of [upgrade(opened.host), upgrade('evil.test'), 'GET / HTTP/1.1\r\n', '']) {
      const socket = connect({ port: opened.port, host: '127.0.0.1', allowHalfOpen: true })
      await once(socket, 'connect')
      socket.on('error', () => undefined)
      socket.write(text)
      if (text.startsWith('GET /live')) await once(socket, 'data')
      held.push(socket)
    }
    const client = await new Client(opened).opened()
    await opened.inspector.close()
    await opened.inspector.close()
    if (client.closed === undefined) await once(client.socket, 'close')
    expect(isWatched(opened)).toBe(false)
    expect(opened.global.tree.bus.hears('routine.failed')).toBe(false)
    for (const socket of held) socket.destroy()
    await expect(ask(opened, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('a port that is taken rejects, and leaves nothing behind', async () => {
    const taken = createNetServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { global } = makeTree()
    ;(global as unknown as { listeners: { clear(): void } }).listeners.clear()
    await expect(startInspector(global, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(global.tree.bus.hears('routine.failed')).toBe(false)
    taken.close()
    await once(taken, 'close')
    await using inspector = await startInspector(global, { port })
    expect(new URL(inspector.url).port).toBe(String(port))
  })

  test.each([
    [{ port: -1 }, 'port', 'a whole number from 0 to 65535', '-1'],
    [{ port: 65_536 }, 'port', 'a whole number from 0 to 65535', '65536'],
    [{ port: '80' }, 'port', 'a whole number from 0 to 65535', '"80"'],
    [{ port: 1.5 }, 'port', 'a whole number', '1.5'],
    [{ host: '0.0.0.0' }, 'host', "'127.0.0.1' or '::1' or 'localhost'", '"0.0.0.0"'],
    [{ host: '192.168.0.1' }, 'host', "'127.0.0.1'", '"192.168.0.1"'],
    [{ host: ['127.0.0.1'] }, 'host', "'127.0.0.1'", 'an array'],
    [{ host: '' }, 'host', "'127.0.0.1'", '""'],
    [{ controls: 1 }, 'controls', 'true or false', '1'],
    [{ open: true }, 'open', 'known are', 'open'],
  ])('%j is refused with the option, its range and what came', async (options, option, range, received) => {
    const { global } = makeTree()
    ;(global as unknown as { listeners: { clear(): void } }).listeners.clear()
    const refusal = await startInspector(global, options as InspectorOptions).catch((error: unknown) => error as Error)
    expect(refusal).toMatchObject({ code: 'ERR_CONFIG', option })
    for (const part of [option, range, received]) expect((refusal as Error).message).toContain(part)
    expect(global.tree.bus.hears('routine.failed')).toBe(false)
  })

  test.each([[{}], [null], [undefined], ['g']])('%j is no tree to look at', async (global) => {
    await expect(startInspector(global as never)).rejects.toMatchObject({ code: 'ERR_CONFIG' })
  })
})
