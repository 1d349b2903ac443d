/** The wire to the watched process: frames come, questions and orders go. */
import {
  type Control,
  decodeFrame,
  type Done,
  type Frame,
  type Hello,
  type Last,
  PROTOCOL,
  type Question,
  type Questions,
} from '../../src/inspector/protocol.ts'

import { protocol } from './key.ts'

export interface LinkEvents {
  /** The other side has said who it is. */
  hello(hello: Hello): void
  frame(frame: Frame): void
  /** The tree has ended. */
  last(answers: Last['last']): void
  /** Anything has come, be it only a sign that it runs. */
  heard(): void
  /** It was there and is gone, or was never there. */
  lost(): void
  /** Another run of the process is there, which does not know this page's key. */
  replaced(why: string): void
  /** It is there and refuses this page. */
  refused(why: string): void
}

/** Characters of paths that one order holds: messages may not be longer than 64 KiB, and a character may take six bytes. */
const ORDER = 8_000

/** Milliseconds that an answer may take. */
const PATIENCE = 10_000

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: ReturnType<typeof setTimeout>
}

export class Link {
  readonly #socket: WebSocket
  readonly #events: LinkEvents
  readonly #pending = new Map<number, Pending>()
  #last = 0
  #greeted = false
  #ended = false

  constructor(events: LinkEvents) {
    this.#events = events
    this.#socket = new WebSocket(`ws://${location.host}/live`, protocol())
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.addEventListener('message', ({ data }) => this.#hear(data as string | ArrayBuffer))
    this.#socket.addEventListener('close', () => this.#closed())
  }

  /** Ends it; no event is told any more. */
  close(): void {
    this.#ended = true
    this.#socket.close()
  }

  #hear(data: string | ArrayBuffer): void {
    this.#events.heard()
    if (typeof data !== 'string') {
      if (!this.#frame(data)) return
      // The credit goes back once the frame is painted: only then is there time for another one.
      requestAnimationFrame(() => this.#send({ ack: 1 }))
      return
    }
    const message = JSON.parse(data) as Partial<Hello & Last> & { id?: number; answer?: unknown; error?: string }
    if (message.hello !== undefined) this.#greet(message as Hello)
    else if (message.last !== undefined) this.#events.last(message.last)
    else this.#settle(message)
  }

  /** One that can't be read ends it: the tree that is shown could not be trusted any more. */
  #frame(data: ArrayBuffer): boolean {
    let frame: Frame
    try {
      frame = decodeFrame(new Uint8Array(data))
    } catch (error) {
      this.#events.refused(`The process sent something that this page can't read (${(error as Error).message}): load it anew.`)
      this.close()
      return false
    }
    this.#events.frame(frame)
    return true
  }

  #greet(hello: Hello): void {
    if (hello.hello !== PROTOCOL) {
      this.#events.refused('The process speaks another version of the protocol than this page: load it anew.')
      this.close()
      return
    }
    this.#greeted = true
    this.#events.hello(hello)
  }

  #settle({ id = 0, answer, error }: { id?: number; answer?: unknown; error?: string }): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    clearTimeout(pending.timer)
    if (error === undefined) pending.resolve(answer)
    else pending.reject(new Error(error))
  }

  #closed(): void {
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(new Error('the connection is lost'))
    }
    this.#pending.clear()
    if (this.#ended) return
    if (this.#greeted) this.#events.lost()
    else void this.#whyNot()
  }

  /** A WebSocket does not say why it was turned away; a request does. */
  async #whyNot(): Promise<void> {
    try {
      const { status } = await fetch('./icon.svg', { cache: 'no-store' })
      // Another link may have taken its place meanwhile.
      if (this.#ended) return
      if (status === 401 || status === 403)
        this.#events.replaced('This page is of another run of the process: open the address that it has printed last.')
      else this.#events.lost()
    } catch {
      if (!this.#ended) this.#events.lost()
    }
  }

  #send(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  ask<Name extends Question>(name: Name, what: Questions[Name]['ask']): Promise<Questions[Name]['answer']> {
    return this.#request({ ask: name, with: what })
  }

  /** Sends an order in as many messages as it takes. What has happened stays, also if the connection is lost before the last one. */
  async order(control: Control, paths: readonly string[], event: unknown): Promise<Done> {
    const done = { hit: 0, missed: [] as string[], ignored: 0 }
    for (const some of inPieces(paths, ORDER)) {
      const { hit, missed, ignored = 0 } = await this.#request<Done>({ do: control, with: { paths: some, event } })
      done.hit += hit
      done.missed.push(...missed)
      done.ignored += ignored
    }
    return done
  }

  #request<Answer>(message: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Error('there is no connection'))
        return
      }
      const id = ++this.#last
      const timer = setTimeout(() => this.#settle({ id, error: `no answer within ${PATIENCE / 1_000} s: the process is busy` }), PATIENCE)
      this.#pending.set(id, { resolve: resolve as (answer: unknown) => void, reject, timer })
      this.#send({ id, ...message })
    })
  }
}

/** The same texts in order, in pieces of at most so many characters, or of one. */
export function inPieces(texts: readonly string[], most: number): string[][] {
  const pieces: string[][] = []
  let length = Infinity
  for (const text of texts) {
    // With the quotes and the comma around it.
    length += text.length + 3
    if (length > most) {
      pieces.push([])
      length = text.length + 3
    }
    pieces.at(-1)?.push(text)
  }
  return pieces
}
