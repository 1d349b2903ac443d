/**
 * A durable store on a simulated disk: a log of frames, each chained to all before it.
 *
 * SS1  A frame is its length, the checksum of it and of all frames before, and an entry as JSON. What is read back ends before the first
 *      that is not whole.
 * SS2  Each opening writes a frame of its own, so that nothing that was lost is found again behind what is written later.
 */
import { crc32 } from 'node:zlib'
import { CurtaincallError } from '../contract/index.ts'
import {
  DURABILITY,
  type DurableStore,
  type Journal,
  type StoredEntry,
  type StoredOutcome,
  type StoredRoutine,
  type StoreHost,
} from '../port/index.ts'
import { attachDurability } from '../recovery/index.ts'
import { JournalState } from './journal-state.ts'
import { SimulatedDisk } from './simulated-disk.ts'

export { type DiskOptions, SimulatedDisk } from './simulated-disk.ts'

/** Options of {@link simulatedStore}. */
export interface SimulatedStoreOptions {
  /** The file on the disk. @default 'journal' */
  readonly name?: string | undefined
  /** Whether what is acknowledged outlasts the power (`group`), or the process alone (`system`). @default 'group' */
  readonly fsync?: 'group' | 'system' | undefined
  /** Above so many bytes that wait for the disk it is full (J5). @default Infinity */
  readonly maxWaiting?: number | undefined
}

/** The length, and the checksum. */
const HEADER = 8
const PAGE = 100
/** What is answered to whoever was killed. */
const NEVER = new Promise<never>(() => undefined)

type Frame = { readonly opened: string } | StoredEntry

function frameOf(frame: Frame, chain: number): { readonly bytes: Uint8Array; readonly chain: number } {
  const payload = new TextEncoder().encode(JSON.stringify(frame))
  const bytes = new Uint8Array(HEADER + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, payload.length)
  bytes.set(payload, HEADER)
  const next = crc32(payload, crc32(bytes.subarray(0, 4), chain))
  view.setUint32(4, next)
  return { bytes, chain: next }
}

interface Waiter {
  readonly entry: StoredEntry | undefined
  /** Undefined where it can't be written down. */
  readonly text: string | undefined
  readonly error: unknown
  acknowledge(error?: unknown): void
}

class SimulatedJournal implements Journal {
  readonly #disk: SimulatedDisk
  readonly #host: StoreHost
  readonly #name: string
  readonly #syncs: boolean
  readonly #maxWaiting: number
  readonly #memory = new JournalState()
  #waiting: Waiter[] = []
  #bytes = 0
  #isWriting = false
  #whenRoom: (() => void)[] = []
  #idle: (() => void)[] = []
  #refusal: unknown
  #end = 0
  #chain = 0
  #position = 0
  readonly #life: number

  constructor(disk: SimulatedDisk, host: StoreHost, { name = 'journal', fsync = 'group', maxWaiting = Infinity }: SimulatedStoreOptions) {
    this.#disk = disk
    this.#host = host
    this.#name = name
    this.#syncs = fsync === 'group'
    this.#maxWaiting = maxWaiting
    this.#life = disk.life
  }

  /** True once its process was killed: it says nothing more (SD4). */
  get isDead(): boolean {
    return this.#disk.life !== this.#life
  }

  /** SS1, SS2. @throws CurtaincallError */
  begin(): void {
    const bytes = this.#disk.read(this.#name)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    while (this.#end + HEADER <= bytes.length) {
      const from = this.#end + HEADER
      const to = from + view.getUint32(this.#end)
      if (to > bytes.length || to === from) break
      const chain = crc32(bytes.subarray(from, to), crc32(bytes.subarray(this.#end, this.#end + 4), this.#chain))
      if (chain !== view.getUint32(this.#end + 4)) break
      this.#read(JSON.parse(new TextDecoder().decode(bytes.subarray(from, to))) as Frame)
      this.#end = to
      this.#chain = chain
    }
    if (!this.#put({ opened: this.#host.name })) throw this.#error('ERR_STORE_FULL', 'there is no room for more')
    this.#disk.sync(this.#name)
  }

  #read(frame: Frame): void {
    if ('opened' in frame) {
      if (frame.opened !== this.#host.name) throw this.#error('ERR_STORE_FOREIGN', `it belongs to the tree ${frame.opened}`)
      return
    }
    this.#memory.learn(frame)
    this.#position++
  }

  #error(code: 'ERR_STORE_FULL' | 'ERR_STORE_FOREIGN' | 'ERR_STORE_CLOSED', says: string): CurtaincallError {
    return new CurtaincallError(code, `the simulated store ${this.#name} can't be used: ${says}`, { path: this.#host.name })
  }

  /** False if there is no room. What is written of it then lies behind the end, and is written over. */
  #put(frame: Frame): boolean {
    const { bytes, chain } = frameOf(frame, this.#chain)
    for (let done = 0; done < bytes.length; ) {
      const written = this.#disk.write(this.#name, this.#end + done, bytes.subarray(done))
      if (written === undefined) return false
      done += written
    }
    this.#end += bytes.length
    this.#chain = chain
    return true
  }

  append(entry: StoredEntry, acknowledge: (error?: unknown) => void): void {
    if (this.#refusal !== undefined) {
      queueMicrotask(() => acknowledge(this.#refusal))
      return
    }
    let text: string | undefined
    let error: unknown
    try {
      text = JSON.stringify(entry)
    } catch (cause) {
      error = new CurtaincallError('ERR_CONFIG', `${entry.type} of ${entry.id} can't be written down`, { cause })
    }
    this.#waiting.push({ entry, text, error, acknowledge })
    this.#bytes += text?.length ?? 0
    if (!this.#isWriting) this.#writeSoon()
  }

  get isFull(): boolean {
    return this.#bytes > this.#maxWaiting
  }

  get position(): number {
    return this.#position
  }

  whenRoom(callback: () => void): void {
    if (this.isFull) this.#whenRoom.push(callback)
    else queueMicrotask(callback)
  }

  #writeSoon(): void {
    this.#isWriting = true
    this.#disk.later(() => {
      const group = this.#waiting
      this.#waiting = []
      const isWritten = group.every(({ text }) => text === undefined || this.#put(JSON.parse(text) as StoredEntry))
      if (this.isDead) return
      if (!isWritten) {
        this.#fail(group)
        return
      }
      if (!this.#syncs) this.#wrote(group)
      else
        this.#disk.later(() => {
          this.#disk.sync(this.#name)
          if (!this.isDead) this.#wrote(group)
        })
    })
  }

  #wrote(group: readonly Waiter[]): void {
    for (const { text } of group) {
      if (text === undefined) continue
      this.#bytes -= text.length
      this.#position++
      this.#memory.learn(JSON.parse(text) as StoredEntry)
    }
    for (const waiter of group) waiter.acknowledge(waiter.error)
    if (this.#bytes <= this.#maxWaiting) this.#tell()
    if (this.#waiting.length > 0) this.#writeSoon()
    else {
      this.#isWriting = false
      const idle = this.#idle
      this.#idle = []
      for (const each of idle) each()
    }
  }

  #tell(): void {
    const callbacks = this.#whenRoom
    this.#whenRoom = []
    for (const callback of callbacks) callback()
  }

  /** J6. */
  #fail(group: readonly Waiter[]): void {
    const refused = [...group, ...this.#waiting]
    const wasClosing = this.#refusal !== undefined
    const refusal = this.#error('ERR_STORE_FULL', 'there is no room for more')
    this.#refusal ??= refusal
    this.#waiting = []
    this.#bytes = 0
    this.#isWriting = false
    if (!wasClosing) this.#host.failed(refusal)
    for (const waiter of refused) waiter.acknowledge(waiter.error ?? refusal)
    this.#tell()
    const idle = this.#idle
    this.#idle = []
    for (const each of idle) each()
  }

  /** J7: resolves when all that was appended so far is written. */
  #settled(): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal as Error)
    return this.#isWriting ? new Promise((resolve) => this.#waiting.push(marker(resolve))) : Promise.resolve()
  }

  async *#pages(all: Promise<StoredRoutine[]>): AsyncGenerator<readonly StoredRoutine[]> {
    const routines = await all
    for (let at = 0; at < routines.length; at += PAGE) yield routines.slice(at, at + PAGE)
  }

  unfinished(): AsyncIterable<readonly StoredRoutine[]> {
    const all = this.#settled().then(() => this.#memory.unfinished)
    all.catch(() => undefined)
    return this.#pages(all)
  }

  async outcomeOf(id: string): Promise<StoredOutcome | undefined> {
    await this.#settled()
    return this.#memory.outcomeOf(id)
  }

  async has(id: string): Promise<boolean> {
    await this.#settled()
    return this.#memory.has(id)
  }

  async close(): Promise<void> {
    this.#refusal ??= this.#error('ERR_STORE_CLOSED', 'it is closed')
    if (this.#isWriting) await new Promise<void>((resolve) => this.#idle.push(resolve))
    this.#disk.sync(this.#name)
    if (this.isDead) return NEVER
    this.#disk.unlock(this.#name)
    this.#tell()
  }
}

/** Waits in line, and writes nothing. */
function marker(resolve: () => void): Waiter {
  return { entry: undefined, text: undefined, error: undefined, acknowledge: resolve }
}

/**
 * A durable store on a simulated disk, for simulations: what it does when depends on the disk's seed alone.
 *
 * @example
 * const disk = new SimulatedDisk({ seed: 7, shortWrites: 0.1 })
 * const journal = await simulatedStore(disk).open(host)
 * disk.crash('power')
 */
export function simulatedStore(disk: SimulatedDisk, options: SimulatedStoreOptions = {}): DurableStore {
  const name = options.name ?? 'journal'
  return {
    [DURABILITY]: attachDurability,
    open: async (host) => {
      if (!disk.lock(name)) throw new CurtaincallError('ERR_STORE_IN_USE', `the simulated store ${name} is in use`, { path: host.name })
      const journal = new SimulatedJournal(disk, host, options)
      try {
        journal.begin()
      } catch (error) {
        disk.unlock(name)
        throw error
      }
      return journal.isDead ? NEVER : journal
    },
  }
}
