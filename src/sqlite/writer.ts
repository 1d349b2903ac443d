/**
 * The writer: the thread that has the database.
 *
 * W1  All groups that wait are written in one transaction, in the order in which they came. Then the files are looked at, the mark is
 *     written, and the entries are acknowledged, in that order.
 * W2  A fault that can pass is waited out; meanwhile what waits stays, in order. After any other nothing is written any more.
 * W3  Between two transactions of the journal there is at most one step of digesting, so that a group waits for no more than a step. Only
 *     if the journal has grown to {@link MOST_UNDIGESTED}, a group waits until it is shorter.
 * W4  A question is answered when all that came before it was written, and digested.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { FromWriter, Question, ToWriter, WriterSettings } from './messages.ts'
import { openStore } from './opening.ts'
import { faultFrom, passes } from './store-fault.ts'
import { type Gift, Volume } from './volume.ts'

/** So many entries that were not digested set a step off, when nothing else is to do. */
const UNDIGESTED = 4_096

/** So many are digested before more is written. Opening a journal of so many takes half a second. */
const MOST_UNDIGESTED = 131_072

/** After so many milliseconds it is tried again. */
const RETRY = 50

class Writer {
  readonly #port: MessagePort
  readonly #settings: WriterSettings
  readonly #volume: Volume
  #groups: Gift[] = []
  #questions: { readonly number: number; readonly question: Question }[] = []
  #closing = false
  #over = false
  /** Set while a fault is waited out: since when. */
  #stuckSince: number | undefined
  #timer: NodeJS.Timeout | undefined
  #chore: NodeJS.Immediate | undefined
  #now: number

  constructor(port: MessagePort, settings: WriterSettings) {
    this.#port = port
    this.#settings = settings
    this.#now = settings.now
    const opened = openStore(settings)
    this.#volume = new Volume(opened, settings)
    this.#tell({ type: 'opened', found: opened.found })
    port.on('message', (message: ToWriter) => this.#receive(message))
    this.#plan()
  }

  #tell(message: FromWriter): void {
    this.#port.postMessage(message)
  }

  #receive(first: ToWriter): void {
    this.#take(first)
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port))
      this.#take(next.message as ToWriter)
    if (this.#stuckSince === undefined) this.#work()
  }

  #take(message: ToWriter): void {
    if (message.type === 'group') {
      this.#groups.push({ body: new Uint8Array(message.buffer, 0, message.length), count: message.count })
      this.#now = message.now
    } else if (message.type === 'ask') this.#questions.push(message)
    else this.#closing = true
  }

  /** Does what there is to do, as far as the disk lets it. */
  #work(): void {
    if (this.#over) return
    try {
      if (this.#groups.length > 0) this.#write()
      if (this.#questions.length > 0) this.#answerAll()
      if (this.#closing) {
        this.#end()
        this.#tell({ type: 'closed' })
        return
      }
    } catch (error) {
      this.#fail(error)
      return
    }
    if (this.#stuckSince !== undefined) {
      clearTimeout(this.#timer)
      this.#stuckSince = undefined
    }
    this.#plan()
  }

  /** W1. */
  #write(): void {
    while (this.#volume.undigested > MOST_UNDIGESTED) this.#volume.digest()
    const groups = this.#groups
    const count = this.#volume.write(groups)
    this.#groups = []
    this.#tell({ type: 'wrote', count })
  }

  /** W4. */
  #answerAll(): void {
    while (this.#volume.undigested > 0) this.#volume.digest()
    for (;;) {
      const [asked] = this.#questions
      if (asked === undefined) return
      this.#tell({ type: 'answer', number: asked.number, answer: this.#volume.answer(asked.question) })
      this.#questions.shift()
    }
  }

  /** W2. */
  #fail(error: unknown): void {
    const fault = faultFrom(error)
    const now = performance.now()
    this.#stuckSince ??= now
    if (!passes(error) || now - this.#stuckSince >= this.#settings.patience) {
      this.#tell({ type: 'fault', fault })
      try {
        this.#end()
      } catch {
        // It was told what is wrong.
      }
      return
    }
    this.#tell({ type: 'passing', fault })
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#work(), RETRY)
  }

  /** Plans what can be done when nothing else is to do. */
  #plan(): void {
    const idle = this.#volume.dueSync()
    if (idle !== undefined) {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#attempt(() => this.#volume.sync()), idle)
    }
    if (this.#chore === undefined && this.#volume.hasChores(UNDIGESTED, this.#now))
      this.#chore = setImmediate(() => {
        this.#chore = undefined
        if (this.#stuckSince === undefined && this.#attempt(() => this.#volume.doChore(UNDIGESTED, this.#now))) this.#plan()
      })
  }

  /** Does what nobody waits for: if it can't be done now, then later. */
  #attempt(act: () => void): boolean {
    if (this.#over) return false
    try {
      act()
      return true
    } catch (error) {
      if (!passes(error)) this.#fail(error)
      return false
    }
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    clearImmediate(this.#chore)
    try {
      this.#volume.close()
    } finally {
      this.#port.close()
    }
  }
}

if (parentPort !== null) {
  try {
    void new Writer(parentPort, workerData as WriterSettings)
  } catch (error) {
    parentPort.postMessage({ type: 'fault', fault: faultFrom(error) } satisfies FromWriter)
    parentPort.close()
  }
}
