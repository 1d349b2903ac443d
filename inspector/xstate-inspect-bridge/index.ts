/**
 * Shows trees of XState 5 in viewers that were made for XState 4 and @xstate/inspect.
 *
 * B1  Only viewers on this machine that know the token are let in, and of pages only those from the named origins.
 * B2  A viewer that is too slow misses steps but no end: it is told again which actors live, and which have ended since.
 * B3  Nothing that a viewer sends reaches an actor unless `controls` is on, and events of XState itself never do.
 *
 * @module
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { Census, type InspectionEventLike, type Inspected, type Seen, seenOf } from '../../src/inspector/census.ts'
import { toWire } from '../../src/inspector/to-wire.ts'
import { boxText, machineTextOf, nameInFour } from './definition.ts'

/** Where it listens, and nowhere else. */
const HOST = '127.0.0.1'
/** The port that clients leave out of Host. */
const HTTP = 80
/** Bytes that a viewer may send at once, and that may wait to be sent to it. */
const INCOMING = 64 * 1024
const BUFFERED = 4 * 1024 * 1024
/** Characters of a state: what is larger loses its context. */
const LENGTH = 256 * 1024
const VIEWERS = 16
/** Milliseconds until a viewer that was too slow is looked at again. */
const RETRY = 100

/** Options of {@link openInspectBridge}. */
export interface InspectBridgeOptions {
  /** 0 takes a free one. @default 0 */
  readonly port?: number | undefined
  /** Origins of the pages that may connect, such as 'https://stately.ai'. Programs that send no Origin may anyway. @default none */
  readonly origins?: readonly string[] | undefined
  /** Lets viewers send events to actors. @default false */
  readonly controls?: boolean | undefined
}

/** A bridge that listens. */
export interface InspectBridge {
  /** An inspection observer: `createGlobalManager({ inspect: bridge.inspect })`, or of any actor. Never throws. */
  readonly inspect: (event: InspectionEventLike) => void
  /** What `createWebSocketReceiver` takes: host, port and token. */
  readonly server: string
  /** Ends it. The tree goes on. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens a WebSocket server on 127.0.0.1 that speaks the wire of @xstate/inspect 0.8. It keeps no process awake.
 *
 * @throws TypeError for a wrong option; rejects with what the platform says if the port is taken.
 * @example
 * const bridge = await openInspectBridge({ port: 8888 })
 * const global = createGlobalManager({ inspect: bridge.inspect })
 * console.log(bridge.server)
 */
export async function openInspectBridge(options: InspectBridgeOptions = {}): Promise<InspectBridge> {
  const { port = 0, origins = [], controls = false } = options
  if (!Number.isSafeInteger(port) || port < 0 || port > 65_535) throw new TypeError(`port must be a whole number from 0 to 65535`)
  if (!Array.isArray(origins)) throw new TypeError('origins must be an array of strings')
  if (typeof controls !== 'boolean') throw new TypeError('controls must be true or false')
  const server = createServer((_, response) => response.writeHead(426).end())
  server.on('connection', (socket) => socket.unref())
  server.listen(port, HOST).unref()
  await once(server, 'listening')
  return new Bridge(server, origins, controls)
}

/** A viewer that is connected. */
interface Viewer {
  readonly socket: WebSocket
  /** False until it has asked to be told. */
  inspecting: boolean
  late: boolean
  /** Session ids of the actors that it takes for living. */
  readonly shown: Set<string>
}

interface Message {
  readonly type: string
  readonly [field: string]: unknown
}

class Bridge implements InspectBridge {
  readonly server: string
  readonly inspect = (event: InspectionEventLike): void => {
    if (this.#closing === undefined) this.#census.next(event)
  }
  readonly #http: Server
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: INCOMING, perMessageDeflate: false })
  readonly #path = `/${randomBytes(24).toString('base64url')}`
  readonly #hosts: readonly string[]
  readonly #origins: ReadonlySet<string>
  readonly #controls: boolean
  readonly #viewers = new Set<Viewer>()
  readonly #census = new Census({
    appeared: (actor) => this.#tell(actor, () => registration(actor)),
    received: (actor, event, sourceId) => this.#tell(actor, () => ({ type: 'service.event', event: scxml(event, sourceId) })),
    changed: (actor, seen, event) => this.#tell(actor, () => ({ type: 'service.state', state: stateOf(actor, seen, event) })),
    ended: (actor, seen, event) => {
      this.#tell(actor, () => ({ type: 'service.state', state: stateOf(actor, seen, event) }))
      this.#tell(actor, () => ({ type: 'service.stop' }))
    },
  })
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(http: Server, origins: readonly string[], controls: boolean) {
    const { port } = http.address() as AddressInfo
    this.#http = http
    // Clients leave out the port where it is that of the scheme.
    this.#hosts = [`${HOST}:${port}`, `localhost:${port}`, ...(port === HTTP ? [HOST, 'localhost'] : [])]
    this.#origins = new Set(origins)
    this.#controls = controls
    this.server = `${HOST}:${port}${this.#path}`
    http.on('upgrade', (request, socket, head) => {
      // Without a listener, a connection that is reset while it is turned away would end the process.
      socket.on('error', () => socket.destroy())
      const status = this.#refusal(request)
      if (status === undefined) {
        this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#open(opened))
        return
      }
      socket.once('finish', () => socket.destroy())
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    })
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      clearTimeout(this.#timer)
      for (const { socket } of this.#viewers) socket.terminate()
      this.#http.close(() => resolve())
      this.#http.closeAllConnections()
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // --- who comes in: B1 ------------------------------------------------------------------------

  #refusal({ headers: { host, origin }, url = '' }: IncomingMessage): 403 | 503 | undefined {
    const [given, token] = [Buffer.from(url), Buffer.from(this.#path)]
    const isKnown = given.length === token.length && timingSafeEqual(given, token)
    if (!isKnown || host === undefined || !this.#hosts.includes(host)) return 403
    if (origin !== undefined && !this.#origins.has(origin)) return 403
    return this.#viewers.size < VIEWERS ? undefined : 503
  }

  #open(socket: WebSocket): void {
    const viewer: Viewer = { socket, inspecting: false, late: false, shown: new Set() }
    this.#viewers.add(viewer)
    socket.on('message', (data, isBinary) => this.#hear(viewer, isBinary ? '' : (data as Buffer).toString()))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => this.#viewers.delete(viewer))
  }

  #hear(viewer: Viewer, text: string): void {
    try {
      const message = JSON.parse(text) as { type?: unknown; event?: unknown }
      if (message.type === 'xstate.inspecting') {
        viewer.inspecting = true
        this.#catchUp(viewer)
      } else if (message.type === 'xstate.event' && this.#controls) this.#order(String(message.event))
    } catch {
      viewer.socket.close(1003, 'not understood')
    }
  }

  /** An event from a viewer, to the actor that its `origin` names: B3. */
  #order(text: string): void {
    const { origin, data } = JSON.parse(text) as { origin?: unknown; data?: { type?: unknown } }
    const actor = this.#census.find(String(origin))
    if (typeof data?.type !== 'string' || data.type.startsWith('xstate.')) throw new TypeError('no event of a user')
    actor?.ref.send(data as never)
  }

  // --- what viewers are told: B2 ---------------------------------------------------------------

  /** Tells all viewers that can take it; a message that none can take is not made. */
  #tell({ sessionId }: Inspected, make: () => Message): void {
    let message: Message | undefined
    for (const viewer of this.#viewers) {
      if (!viewer.inspecting) continue
      if (viewer.late) this.#catchUp(viewer)
      if (viewer.late || viewer.socket.bufferedAmount > BUFFERED) this.#wait(viewer)
      else send(viewer, (message ??= { ...make(), sessionId }), sessionId)
    }
  }

  #wait(viewer: Viewer): void {
    viewer.late = true
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      for (const each of this.#viewers) if (each.late) this.#catchUp(each)
    }, RETRY).unref()
  }

  #catchUp(viewer: Viewer): void {
    if (viewer.socket.bufferedAmount > BUFFERED) this.#wait(viewer)
    else this.#replay(viewer)
  }

  #replay(viewer: Viewer): void {
    viewer.late = false
    for (const sessionId of viewer.shown)
      if (this.#census.find(sessionId) === undefined) send(viewer, { type: 'service.stop', sessionId }, sessionId)
    for (const actor of this.#census.living()) send(viewer, registration(actor), actor.sessionId)
  }
}

function send({ socket, shown }: Viewer, message: Message, sessionId: string): void {
  if (message.type === 'service.register') shown.add(sessionId)
  // A viewer is told nothing of an actor before it was told that there is one.
  if (!shown.has(sessionId)) return
  if (message.type === 'service.stop') shown.delete(sessionId)
  socket.send(JSON.stringify(message))
}

function registration(actor: Inspected): Message {
  const { ref, id, sessionId, parentId } = actor
  const seen = seenOf(ref)
  const machine = (seen.value === undefined ? undefined : machineTextOf(ref.logic)) ?? boxText(id)
  return {
    type: 'service.register',
    machine,
    state: stateOf(actor, seen, { type: 'xstate.init' }),
    id,
    sessionId,
    ...(parentId === undefined ? {} : { parent: parentId }),
    ...(typeof ref.src === 'string' ? { source: ref.src } : {}),
  }
}

/** A state as XState 4 writes it. That has no field for an error, which is in the event that led there. */
function stateOf({ ref, sessionId }: Inspected, seen: Seen, cause: { readonly type: string }): string {
  const isChart = seen.value !== undefined && machineTextOf(ref.logic) !== undefined
  const event = eventOf(cause)
  const state = (context: unknown): string =>
    JSON.stringify({
      value: isChart ? seen.value : seen.status,
      context,
      event,
      _event: scxmlOf(event, undefined),
      _sessionid: sessionId,
      actions: [],
      activities: {},
      meta: {},
      events: [],
      configuration: [],
      transitions: [],
      children: {},
      done: seen.status === 'done',
      tags: seen.tags,
      changed: true,
    })
  const context = seen.context === undefined ? { input: seen.input, output: seen.output, error: seen.error } : seen.context
  const text = state(toWire(context))
  return text.length > LENGTH ? state('… larger than is shown') : text
}

function eventOf(event: { readonly type: string }): { readonly type: string } {
  const wire = toWire(event)
  return { ...(typeof wire === 'object' && wire !== null ? wire : {}), type: nameInFour(event.type) }
}

function scxmlOf(data: { readonly type: string }, origin: string | undefined): object {
  return { name: data.type, data, $$type: 'scxml', type: 'external', ...(origin === undefined ? {} : { origin }) }
}

function scxml(event: { readonly type: string }, origin: string | undefined): string {
  return JSON.stringify(scxmlOf(eventOf(event), origin))
}
