/**
 * The server of the page: files over HTTP, live data over one WebSocket.
 *
 * I1  It binds to the loopback interface alone, and lets nobody in past src/inspector/guard.ts.
 * I2  At most two frames are under way to a page: a page that does not answer gets nothing more, and costs nothing more.
 * I3  A page that is slow gets one frame for all that it missed.
 * I4  Nothing that comes over the wire ends the process: what is not understood is answered, or its connection is closed.
 * I5  Also a page for which there is nothing hears from the process once a second: silence means that the process does not run.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type WebSocket, WebSocketServer } from 'ws'
import { checkQuestion } from './ask.ts'
import type { Controls } from './controls.ts'
import { checkCookie, checkKey, checkOrigin, cookieFor, type Gate, gateFor, HEADERS, sameToken, type Verdict, wayIn } from './guard.ts'
import { encodeFrame, type Frame, type Hello, type Last, PROTOCOL } from './protocol.ts'
import type { Watched } from './watched.ts'

/** Milliseconds between two frames. */
const BEAT = 100
/** Milliseconds that pages have to take leave. */
const LEAVE = 300
/** Beats without a word to a page after which it is told that the process runs. */
const QUIET = 10
/** Frames that may be under way. */
const CREDIT = 2
/** The port that clients leave out of Host and Origin. */
const HTTP = 80
/** Bytes that a message from a page may have. */
const MESSAGE = 64 * 1024
/** Bytes of answers that may wait for a page that asks and does not read. */
const UNREAD = 64 * 1024 * 1024

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
}

interface Page {
  readonly socket: WebSocket
  credit: number
  /** True until it has the whole tree, and again when it has missed too much. */
  late: boolean
  /** Beats since anything was sent to it. */
  quiet: number
}

export class InspectorServer {
  readonly #watch: Watched
  readonly #controls: Controls | undefined
  readonly #files: ReadonlyMap<string, Buffer>
  readonly #http: Server
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MESSAGE })
  readonly #pages = new Set<Page>()
  #gate: Gate = gateFor(0, [], '')
  #beat: NodeJS.Timeout | undefined
  #closed = false

  constructor(watch: Watched, controls: Controls | undefined, files: ReadonlyMap<string, Buffer>) {
    this.#watch = watch
    this.#controls = controls
    this.#files = files
    watch.onEnd(() => this.#last())
    this.#http = createServer((request, response) => this.#serve(request, response))
    // Not only the server itself, but also an open page must not keep the process awake.
    this.#http.on('connection', (socket: Socket) => socket.unref())
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head))
  }

  /** Listens; resolves to the address, the token in it. Rejects with what the platform says. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      // It stays: what goes wrong with one connection is no reason to end the process.
      this.#http.on('error', reject)
      this.#http.listen(port, host, () => resolve())
    })
    this.#http.unref()
    const { port: bound } = this.#http.address() as AddressInfo
    const name = host === '::1' ? '[::1]' : host
    this.#gate = gateFor(bound, hostsOf(name, bound), randomBytes(24).toString('base64url'))
    return `http://${name}:${bound}/?token=${this.#gate.token}`
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#beat)
    this.#last()
    this.#watch.close()
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()))
    await this.#leave()
    this.#http.closeAllConnections()
    await closed
  }

  /** The tree has ended, or nobody is to look any more: what is asked for then has no answer from here. */
  #last(): void {
    if (this.#pages.size === 0 || this.#watch.source !== 'live') return
    this.#send()
    const last = { shutdown: this.#watch.answer('shutdown', {}) }
    for (const page of this.#pages) this.#say(page, { last } satisfies Last)
  }

  /** Lets the pages have what is under way: a connection that is cut loses it. */
  async #leave(): Promise<void> {
    const gone = [...this.#pages].map(({ socket }) => new Promise((resolve) => void socket.once('close', resolve)))
    for (const { socket } of this.#pages) socket.close(1001)
    if (gone.length > 0) await Promise.race([Promise.all(gone), new Promise((resolve) => void setTimeout(resolve, LEAVE).unref())])
    for (const { socket } of this.#pages) socket.terminate()
  }

  // --- files ---------------------------------------------------------------------------------

  #serve(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    const answer = (status: number, text: string): void =>
      void response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
    const origin = checkOrigin(this.#gate, request.headers, false)
    if (!origin.pass) return answer(origin.status, refusalOf(origin.why))
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET')
    // Taken literally: an address in any other spelling than ours is that of nothing.
    const [pathname = '', query = ''] = (request.url ?? '').split('?', 2)
    const token = new URLSearchParams(query).get('token')
    if (pathname === '/' && token !== null) {
      if (!sameToken(token, this.#gate.token))
        return answer(401, 'refused: this address is of another run; take the one that was printed last')
      response.writeHead(303, { location: wayIn(this.#gate), 'set-cookie': cookieFor(this.#gate) }).end()
      return undefined
    }
    const known = checkCookie(this.#gate, request.headers)
    if (!known.pass) return answer(known.status, 'refused: open the address that was printed, with its token')
    return this.#file(pathname === '/' ? '/index.html' : pathname, response, answer)
  }

  #file(name: string, response: ServerResponse, answer: (status: number, text: string) => void): void {
    // Known files by their whole name: nothing is looked up on the disk, so no path leads anywhere else.
    const file = this.#files.get(name)
    if (file === undefined) return answer(404, 'there is no such file')
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
    response.writeHead(200, { 'content-type': type }).end(file)
    return undefined
  }

  // --- pages ---------------------------------------------------------------------------------

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Without a listener, a connection that is reset while it is turned away would end the process.
    socket.on('error', () => socket.destroy())
    const { headers } = request
    const checks: Verdict[] = [checkOrigin(this.#gate, headers, true), checkCookie(this.#gate, headers), checkKey(this.#gate, headers)]
    const refusal = checks.find(({ pass }) => !pass)
    if (refusal?.pass === false || request.url !== '/live') {
      socket.once('finish', () => socket.destroy())
      socket.end(`HTTP/1.1 ${refusal?.pass === false ? refusal.status : 404} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#open(opened))
  }

  #open(socket: WebSocket): void {
    if (this.#closed) return socket.terminate()
    const page: Page = { socket, credit: CREDIT, late: true, quiet: 0 }
    if (this.#pages.size === 0) this.#begin()
    this.#pages.add(page)
    const { name, now, source } = this.#watch
    this.#say(page, { hello: PROTOCOL, name, controls: this.#controls !== undefined, source, now } satisfies Hello)
    socket.on('message', (data, isBinary) => this.#hear(page, data as Buffer, isBinary))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      this.#pages.delete(page)
      if (this.#pages.size === 0 && !this.#closed) this.#end()
    })
    this.#send()
  }

  #begin(): void {
    this.#watch.begin()
    this.#beat = setInterval(() => this.#send(), BEAT)
    this.#beat.unref()
  }

  #end(): void {
    clearInterval(this.#beat)
    this.#watch.end()
  }

  /** What has changed, to all who can take it. */
  #send(): void {
    const { forest, now } = this.#watch
    const canBeTaken = [...this.#pages].some(({ credit, late }) => credit > 0 && !late)
    const frame = forest.isDirty && canBeTaken ? forest.take(now) : undefined
    // What changes while no page can take it is in the whole tree that they get later.
    const missed = forest.isDirty
    if (missed) forest.skip()
    let packed: Uint8Array | undefined
    for (const page of this.#pages) {
      if (page.credit === 0) {
        // A page that misses a frame gets the whole tree once it answers again.
        if (frame !== undefined || missed) page.late = true
      } else if (page.late) {
        page.late = false
        this.#frame(page, encodeFrame(forest.whole(now)))
      } else if (frame !== undefined) this.#frame(page, (packed ??= encodeFrame(frame satisfies Frame)))
      else if (++page.quiet >= QUIET) this.#say(page, {})
    }
  }

  #frame(page: Page, bytes: Uint8Array): void {
    page.credit--
    page.quiet = 0
    page.socket.send(bytes)
  }

  #say(page: Page, message: object): void {
    const { socket } = page
    page.quiet = 0
    const text = JSON.stringify(message)
    if (socket.bufferedAmount > UNREAD) socket.terminate()
    else socket.send(text)
  }

  /** `{ack: 1}` gives credit back; `{id, ask, with}` asks; `{id, do, with}` is a control. */
  #hear(page: Page, data: Buffer, isBinary: boolean): void {
    const message = isBinary ? undefined : understood(data)
    if (message === undefined) {
      page.socket.close(1003, 'not understood')
      return
    }
    if (message.ack !== undefined) {
      page.credit = Math.min(CREDIT, page.credit + 1)
      return
    }
    const { id } = message
    try {
      const answer = message.do === undefined ? this.#answer(message.ask, message.with) : this.#control(message.do, message.with)
      this.#say(page, { id, answer })
    } catch (error) {
      this.#say(page, { id, error: error instanceof Error ? error.message : 'something that is no error was thrown' })
    }
  }

  #answer(name: unknown, given: unknown): unknown {
    const { question, ask } = checkQuestion(name, given)
    return this.#watch.answer(question, ask)
  }

  #control(what: unknown, given: unknown): unknown {
    if (this.#controls === undefined) throw new Error('controls are off: start the inspector with { controls: true }')
    return this.#controls.carryOut(what, given)
  }
}

/** Its names in Host, and in Origin behind the scheme: clients leave out the port where it is that of the scheme. */
export function hostsOf(name: string, port: number): string[] {
  const names = [name, 'localhost']
  return [...names.map((each) => `${each}:${port}`), ...(port === HTTP ? names : [])]
}

/** What a refusal says. A link on any other site is refused, and the person who followed it needs to know what to do. */
function refusalOf(why: string): string {
  return why === 'Sec-Fetch-Site' ? `refused: ${why}; copy the address into the address bar instead of following a link` : `refused: ${why}`
}

interface Message {
  readonly id: number
  readonly ack?: unknown
  readonly ask?: unknown
  readonly do?: unknown
  readonly with?: unknown
}

/** A message from a page; undefined if it is none. Its number comes back with the answer, so it has to be one. */
function understood(data: Buffer): Message | undefined {
  try {
    const message = JSON.parse(data.toString()) as Message
    return message.ack === 1 || Number.isSafeInteger(message.id) ? message : undefined
  } catch {
    return undefined
  }
}

/** The page's files, read once. */
export function pageFiles(): Map<string, Buffer> {
  for (const folder of ['../../inspector/', '../../dist/inspector/']) {
    try {
      const names = JSON.parse(readFileSync(new URL(`${folder}files.json`, import.meta.url), 'utf8')) as string[]
      return new Map(names.map((name) => [`/${name}`, readFileSync(fileURLToPath(new URL(`${folder}${name}`, import.meta.url)))]))
    } catch {
      // Built, it lies beside src; from the sources, in dist.
    }
  }
  throw new Error('the page of the inspector is not built: npm run build')
}
