/**
 * The journal as the thread of the tree has it: it encodes what is appended, hands groups over, and acknowledges.
 *
 * Q1  What is appended in one go is handed over when that is over, in a microtask. While {@link AT_ONCE} groups are on their way, what is
 *     appended waits for them and becomes one group; a group that is full goes at once.
 * Q2  An acknowledgement is never given within `append`.
 * Q3  Before a question goes what was appended before it.
 * Q4  If nothing is heard of the writer for the patience of the store while something is on its way, the disk is stuck, or the thread is:
 *     the store has failed, whatever becomes of it.
 */
import { numberOf } from '../../machines/journal.ts'
import { storeStep, type StoreDeed, type StoreHappening, type StoreStage } from '../../machines/store-life.ts'
import { CurtaincallError, isError } from '../contract/index.ts'
import type { Journal, StoredEntry, StoredOutcome, StoredRoutine, StoreHost } from '../port/index.ts'
import { bodyOf, outcomeFrom, routineFrom } from './encode.ts'
import { Group } from './frame.ts'
import type { Link, LinkListener, StartWriter } from './link.ts'
import type { Answer, Fault, Found, FromWriter, Question, ReadRoutine } from './messages.ts'
import type { StoreSettings } from './options.ts'
import { Patience } from './patience.ts'
import { type Acknowledge, Waiting } from './waiting.ts'

/** So many groups may be on their way that are not full. */
const AT_ONCE = 2

/** A group is full with so many bytes, or so many entries. */
const GROUP_BYTES = 256 * 1_024
const GROUP_ENTRIES = 1_024

/** The smallest that is made. */
const LEAST_BYTES = 4_096

/** So many routines are read back at once. */
const PAGE = 256

interface Asker {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

export class SqliteJournal implements Journal, LinkListener {
  readonly #settings: StoreSettings
  readonly #host: StoreHost
  readonly #link: Link
  readonly #patience: Patience
  readonly #opening = Promise.withResolvers<Found>()
  readonly #closing = Promise.withResolvers<void>()
  #stage: StoreStage = 'opening'
  /** What all that comes now is refused with. */
  #refusal: unknown
  /** The one error with which it has ended. */
  #error: unknown
  readonly #waiting = new Waiting()
  #group: Group | undefined
  #groupBytes = LEAST_BYTES
  #flushes = false
  #position = 0
  #appended = 0
  #whenRoom: (() => void)[] = []
  readonly #askers = new Map<number, Asker>()
  #asked = 0
  #holds = true

  constructor(settings: StoreSettings, host: StoreHost, start: StartWriter) {
    this.#settings = settings
    this.#host = host
    this.#patience = new Patience(settings.patience, () => this.#late())
    const { file, fsync, patience, retain, maxSize } = settings
    const { pid } = process
    this.#link = start({ file, root: host.name, now: host.now(), pid, fsync, patience, retain, maxSize }, this)
    this.#patience.begin()
  }

  /** Resolves once it can be used. @throws CurtaincallError, by rejection. */
  get opened(): Promise<Found> {
    return this.#opening.promise
  }

  append(entry: StoredEntry, acknowledge: Acknowledge): void {
    if (this.#refusal !== undefined) {
      queueMicrotask(() => acknowledge(this.#refusal))
      return
    }
    let body: string
    try {
      body = bodyOf(entry)
    } catch (error) {
      const refusal = new CurtaincallError('ERR_CONFIG', `${entry.type} of ${entry.id} can't be written down`, { cause: error })
      this.#waiting.pushRefused(acknowledge, refusal)
      this.#plan()
      return
    }
    const { id } = entry
    let group = this.#group ?? this.#begin(id, body)
    const before = group.length
    if (!group.add(entry.type, id, numberOf(entry), body)) {
      this.#hand()
      group = this.#begin(id, body)
      group.add(entry.type, id, numberOf(entry), body)
      this.#waiting.push(acknowledge, group.length)
    } else this.#waiting.push(acknowledge, group.length - before)
    this.#appended++
    if (group.count >= GROUP_ENTRIES || group.length >= GROUP_BYTES) this.#hand()
    else if (!this.#flushes) this.#plan()
  }

  get isFull(): boolean {
    return this.#waiting.bytes > this.#settings.maxWaiting
  }

  get position(): number {
    return this.#position
  }

  whenRoom(callback: () => void): void {
    if (this.isFull) this.#whenRoom.push(callback)
    else queueMicrotask(callback)
  }

  unfinished(): AsyncIterable<readonly StoredRoutine[]> {
    return this.#pages(this.#appended)
  }

  async *#pages(upTo: number): AsyncGenerator<readonly StoredRoutine[]> {
    const page = (after: number): Promise<readonly ReadRoutine[]> => {
      const rows = this.#ask({ about: 'page', after, upTo, size: PAGE }) as Promise<readonly ReadRoutine[]>
      // It may be asked for ahead, and never awaited.
      rows.catch(() => undefined)
      return rows
    }
    for (let next = page(0); ; ) {
      const rows = await next
      const last = rows.at(-1)
      if (last === undefined) return
      const isLast = rows.length < PAGE
      if (!isLast) next = page(last.number)
      yield rows.map(routineFrom)
      if (isLast) return
    }
  }

  async outcomeOf(id: string): Promise<StoredOutcome | undefined> {
    const found = (await this.#ask({ about: 'outcome', id })) as { at: number; outcome: string } | undefined
    return found === undefined ? undefined : { at: found.at, outcome: outcomeFrom(found.outcome) }
  }

  async has(id: string): Promise<boolean> {
    return (await this.#ask({ about: 'presence', id })) as boolean
  }

  close(): Promise<void> {
    this.#happens('close')
    if (this.#stage === 'failed') this.#closing.resolve()
    return this.#closing.promise
  }

  heard(message: FromWriter): void {
    this.#patience.heard()
    switch (message.type) {
      case 'opened':
        this.#position = this.#appended = message.found.records
        this.#happens('opened')
        this.#opening.resolve(message.found)
        break
      case 'wrote':
        this.#wrote(message.count)
        break
      case 'passing':
        if (this.#stage === 'open') this.#happens('passing', message.fault)
        break
      case 'fault':
        this.#happens('fault', message.fault)
        break
      case 'answer':
        this.#take(message.number)?.resolve(message.answer)
        break
      case 'unanswered':
        this.#take(message.number)?.reject(errorOf(this.#settings.file, this.#host.name, message.fault))
        break
      case 'closed':
        this.#happens('closed')
    }
    this.#rest()
  }

  gone(error: unknown): void {
    const because = isError(error) ? error.message : undefined
    this.#happens('fault', { code: 'ERR_STORE_FAILED', says: 'its writer has ended', because })
    this.#patience.end()
  }

  #late(): void {
    const says = `nothing was heard of its disk for ${this.#settings.patience} ms`
    this.#happens('late', { code: 'ERR_STORE_SLOW', says })
    this.#link.abandon()
  }

  #wrote(count: number): void {
    this.#position += count
    this.#waiting.wrote(count)
    this.#happens('wrote')
    // The disk first.
    if (this.#group !== undefined) this.#hand()
    this.#waiting.acknowledge(count, this.#contain)
    if (this.#whenRoom.length > 0 && this.#waiting.bytes <= this.#settings.maxWaiting / 2) this.#tellRoom()
  }

  #tellRoom(): void {
    const callbacks = this.#whenRoom
    this.#whenRoom = []
    for (const callback of callbacks) callback()
  }

  readonly #contain = (error: unknown): void => {
    this.#host.log('error', 'an acknowledgement of the store threw', { err: error })
  }

  #begin(id: string, body: string): Group {
    const group = new Group(Math.max(this.#groupBytes, Group.sizeFor(id, body)))
    this.#group = group
    return group
  }

  /** Q1. */
  #plan(): void {
    if (this.#flushes) return
    this.#flushes = true
    queueMicrotask(() => {
      this.#flushes = false
      if (this.#group !== undefined && this.#waiting.groups < AT_ONCE) this.#hand()
      // Those that were refused, if nothing is before them.
      this.#waiting.acknowledge(0, this.#contain)
    })
  }

  /** Hands the group over that is being written. */
  #hand(): void {
    const group = this.#group
    if (group === undefined) return
    this.#group = undefined
    const { buffer, length, count } = group
    this.#groupBytes = Math.min(GROUP_BYTES + LEAST_BYTES, Math.max(LEAST_BYTES, 2 * length))
    this.#waiting.sent(count, length)
    this.#hold(true)
    this.#patience.begin()
    this.#link.post({ type: 'group', buffer, length, count, now: this.#host.now() })
  }

  #ask(question: Question): Promise<Answer> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal as Error)
    this.#hand()
    const asker = Promise.withResolvers<Answer>()
    const number = this.#asked++
    this.#askers.set(number, asker)
    this.#hold(true)
    this.#patience.begin()
    this.#link.post({ type: 'ask', number, question })
    return asker.promise
  }

  #take(number: number): Asker | undefined {
    const asker = this.#askers.get(number)
    this.#askers.delete(number)
    return asker
  }

  /** J8. */
  #hold(holds: boolean): void {
    if (holds === this.#holds) return
    this.#holds = holds
    this.#link.hold(holds)
  }

  /** Nothing may be on its way any more. */
  #rest(): void {
    if (this.#waiting.groups > 0 || this.#askers.size > 0 || this.#stage === 'opening' || this.#stage === 'closing') return
    this.#patience.end()
    this.#hold(false)
  }

  #happens(happening: StoreHappening, fault?: Fault): void {
    const step = storeStep(this.#stage, happening)
    if (step === undefined) return
    this.#stage = step.stage
    for (const deed of step.deeds) this.#do(deed, fault)
  }

  #do(deed: StoreDeed, fault: Fault | undefined): void {
    const { file } = this.#settings
    switch (deed) {
      case 'warn':
        this.#host.log('warn', `the store ${file} can't be written to: ${fault?.says}`, { ...fault })
        break
      case 'calm':
        this.#host.log('info', `the store ${file} is written to again`)
        break
      case 'tell':
        this.#host.failed(this.#fail(fault))
        break
      case 'reject':
        this.#opening.reject(this.#fail(fault))
        break
      case 'flush':
        this.#refusal = errorOf(file, this.#host.name, undefined)
        this.#hand()
        this.#hold(true)
        this.#patience.begin()
        this.#link.post({ type: 'close' })
        break
      case 'refuse':
        this.#refuse(this.#fail(fault))
    }
  }

  /** The one error of this store. */
  #fail(fault: Fault | undefined): unknown {
    this.#error ??= errorOf(this.#settings.file, this.#host.name, fault)
    this.#refusal ??= this.#error
    return this.#error
  }

  #refuse(error: unknown): void {
    this.#group = undefined
    this.#waiting.refuse(error, this.#contain)
    for (const asker of this.#askers.values()) asker.reject(error)
    this.#askers.clear()
    this.#tellRoom()
    this.#patience.end()
    this.#closing.resolve()
  }
}

/** What a fault is to whoever uses the store. */
export function errorOf(file: string, path: string, fault: Fault | undefined): CurtaincallError {
  if (fault === undefined) return new CurtaincallError('ERR_STORE_CLOSED', `the store ${file} is closed`, { path })
  const { code, says, because, errcode } = fault
  const cause = because === undefined ? undefined : Object.assign(new Error(because), errcode === undefined ? {} : { errcode })
  return new CurtaincallError(code, `the store ${file} can't be used: ${says}`, cause === undefined ? { path } : { path, cause })
}
