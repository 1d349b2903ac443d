/**
 * The writer: the thread that has the database.
 *
 * W1  All groups that wait are written in one transaction, in the order in which they came. Then the files are looked at, the mark is
 *     written, and the entries are acknowledged, in that order.
 * W2  A fault that can pass is waited out; meanwhile what waits stays, in order. After any other nothing is written any more.
 * W3  Chores are done in steps, so that a group waits for no more than one: when nothing has come for {@link IDLE} milliseconds, and after
 *     {@link OVERDUE} all the same. Only if the journal has grown to {@link MOST_UNDIGESTED}, or so many outcomes are to be forgotten, a
 *     group waits until it is less.
 * W4  A question is answered when all that came before it was written, and digested.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { FromWriter, Question, ToWriter, WriterSettings } from './messages.ts'
import { openStore } from './opening.ts'
import { faultFrom, passes } from './store-fault.ts'
import { type Gift, Volume } from './volume.ts'

/** So many entries that were not digested set a step off, when nothing else is to do. */
const UNDIGESTED = 4_096

/** So many are digested before more is written: to read the first of them back after a kill takes half a second. */
const MOST_UNDIGESTED = 98_304

/** After so many milliseconds of work a sign of life is given. */
const SIGN_OF_LIFE = 50

/** After so many milliseconds in which nothing has come there is time for chores. */
const IDLE = 2

/** After so many milliseconds a chore is overdue. */
const OVERDUE = 100

/** So many entries are digested in a step that somebody waits for. */
const STEP_ENTRIES = 4_096

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
  #chore: NodeJS.Timeout | undefined
  #choreSince = 0
  #now: number
  #toldAt = performance.now()

  constructor(port: MessagePort, settings: WriterSettings) {
    this.#port = port
    this.#settings = settings
    this.#now = settings.now
    const opened = openStore(settings, () => this.#alive())
    this.#volume = new Volume(opened, settings)
    this.#tell({ type: 'opened', found: opened.found })
    port.on('message', (message: ToWriter) => this.#receive(message))
    this.#plan()
  }

  #tell(message: FromWriter): void {
    this.#port.postMessage(message)
  }

  /** Work that takes long is no silence. */
  #alive(): void {
    const now = performance.now()
    if (now - this.#toldAt < SIGN_OF_LIFE) return
    this.#toldAt = now
    this.#tell({ type: 'alive' })
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
        this.#leave({ type: 'closed' })
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
    while (this.#volume.undigested > MOST_UNDIGESTED) this.#digest()
    while (this.#volume.surplus > MOST_UNDIGESTED && this.#volume.forget(this.#now) > 0) this.#alive()
    const groups = this.#groups
    const count = this.#volume.write(groups)
    this.#groups = []
    this.#tell({ type: 'wrote', count })
  }

  #digest(): void {
    this.#volume.digest(STEP_ENTRIES)
    this.#alive()
  }

  /** W4. */
  #answerAll(): void {
    while (this.#volume.undigested > 0) this.#digest()
    for (;;) {
      const [asked] = this.#questions
      if (asked === undefined) return
      this.#tell(this.#answer(asked.number, asked.question))
      this.#questions.shift()
    }
  }

  /** A row that is damaged is of no one but who asks for it. */
  #answer(number: number, question: Question): FromWriter {
    try {
      return { type: 'answer', number, answer: this.#volume.answer(question) }
    } catch (error) {
      if (passes(error)) throw error
      return { type: 'unanswered', number, fault: faultFrom(error) }
    }
  }

  /** W2. */
  #fail(error: unknown): void {
    const fault = faultFrom(error)
    const now = performance.now()
    this.#stuckSince ??= now
    if (!passes(error) || now - this.#stuckSince >= this.#settings.patience) {
      try {
        this.#end()
      } catch {
        // What is told is what was wrong first.
      }
      this.#leave({ type: 'fault', fault })
      return
    }
    this.#tell({ type: 'passing', fault })
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      // It may be that there is room to be made.
      if (this.#volume.undigested > 0) this.#attempt(() => this.#digest())
      this.#work()
    }, RETRY)
  }

  /** Plans what can be done when nothing else is to do. */
  #plan(): void {
    const idle = this.#volume.dueSync()
    if (idle !== undefined) this.#planSync(idle)
    if (this.#chore !== undefined) {
      if (performance.now() - this.#choreSince < OVERDUE) this.#chore.refresh()
    } else if (this.#volume.hasChores(UNDIGESTED, this.#now)) this.#planChore(IDLE)
  }

  /** W3. One after the other, as long as nothing comes. */
  #doChore(): void {
    this.#chore = undefined
    if (this.#stuckSince !== undefined || !this.#attempt(() => this.#volume.doChore(UNDIGESTED, this.#now))) return
    if (this.#volume.hasChores(UNDIGESTED, this.#now)) this.#planChore(1)
  }

  #planSync(delay: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (!this.#attempt(() => this.#volume.sync()) && !this.#over) this.#planSync(RETRY)
    }, delay)
  }

  #planChore(delay: number): void {
    this.#choreSince = performance.now()
    this.#chore = setTimeout(() => this.#doChore(), delay)
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

  /** The last that is heard of it. */
  #leave(message: FromWriter): void {
    this.#tell(message)
    this.#port.close()
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    clearTimeout(this.#chore)
    this.#volume.close()
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
