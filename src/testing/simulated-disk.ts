/**
 * A disk in memory that does what disks do: it takes less than it was given, runs full, and keeps of what was not forced through to it
 * whatever it likes, in whatever order, when the power goes. All by its seed.
 *
 * SD1  What was written is read back at once, as from the cache of a system. A process that is killed loses nothing of it.
 * SD2  When the power goes, of all that was written to a file since its last `sync` each sector is there or is not, by the seed.
 * SD3  A write that is short has written its beginning; one for which there is no room has written nothing.
 * SD4  Who was killed in the middle of something may go on in it until it would wait, and nothing of that is ever on the disk: nobody
 *     reaches it until somebody locks it anew.
 */
import { randomFrom } from './schedule.ts'

/** Options of {@link SimulatedDisk}. */
export interface DiskOptions {
  /** What it does is decided by this. @default 1 */
  readonly seed?: number | undefined
  /** Bytes. @default Infinity */
  readonly capacity?: number | undefined
  /** Of so many writes, from 0 to 1, only a part is done. @default 0 */
  readonly shortWrites?: number | undefined
  /** A write or a sync takes up to so many milliseconds, of whatever clock there is; 0 for none. @default 0 */
  readonly latency?: number | undefined
}

/** What a sector holds. */
const SECTOR = 512

interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Bytes that grow. */
class Contents {
  #bytes = new Uint8Array(SECTOR)
  length = 0

  put({ at, bytes }: Piece): void {
    const end = at + bytes.length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(bytes, at)
    this.length = Math.max(this.length, end)
  }

  get all(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  copy(): Contents {
    const copy = new Contents()
    copy.put({ at: 0, bytes: this.all })
    return copy
  }
}

class File {
  readonly durable = new Contents()
  seen = new Contents()
  /** What was written since the last sync. */
  pieces: Piece[] = []
}

/** A disk in memory. What is on it outlasts whoever uses it. */
export class SimulatedDisk {
  readonly #files = new Map<string, File>()
  readonly #locks = new Set<string>()
  readonly #random: () => number
  readonly #shortWrites: number
  readonly #latency: number
  #capacity: number
  #life = 0
  /** So many writes and syncs are done before it crashes by itself. */
  #left = Infinity
  #how: 'process' | 'power' = 'process'
  /** SD4. */
  #isDown = false

  constructor(options: DiskOptions = {}) {
    const { seed = 1, capacity = Infinity, shortWrites = 0, latency = 0 } = options
    this.#random = randomFrom(seed)
    this.#capacity = capacity
    this.#shortWrites = shortWrites
    this.#latency = latency
  }

  /** Counts the times that everybody who used it was killed. */
  get life(): number {
    return this.#life
  }

  /** How much fits on it, from now on. */
  set capacity(bytes: number) {
    this.#capacity = bytes
  }

  get used(): number {
    return [...this.#files.values()].reduce((sum, { seen }) => sum + seen.length, 0)
  }

  /**
   * Kills whoever uses it in the middle of things: after so many more writes and syncs, at the next one. It is forgotten if it crashes
   * before that, or with Infinity.
   */
  crashAfter(operations: number, how: 'process' | 'power' = 'process'): void {
    this.#left = operations
    this.#how = how
  }

  /** True if it is gone by now. */
  #isGone(): boolean {
    if (!this.#isDown && this.#left-- <= 0) {
      this.crash(this.#how)
      this.#isDown = true
    }
    return this.#isDown
  }

  /** Kills whoever uses it; nothing of theirs that is under way is ever heard of again. With `power`, SD2. */
  crash(how: 'process' | 'power' = 'process'): void {
    this.#life++
    this.#locks.clear()
    this.#left = Infinity
    if (how === 'process') return
    for (const file of this.#files.values()) {
      // Of two to the same sector the later one may be the one that is lost: what is there then is the earlier.
      for (const piece of file.pieces) if (this.#random() < 0.5) file.durable.put(piece)
      file.seen = file.durable.copy()
      file.pieces = []
    }
  }

  /** False if somebody has it. */
  lock(name: string): boolean {
    if (this.#locks.has(name)) return false
    this.#isDown = false
    this.#locks.add(name)
    return true
  }

  unlock(name: string): void {
    this.#locks.delete(name)
  }

  read(name: string): Uint8Array {
    return this.#files.get(name)?.seen.all ?? new Uint8Array(0)
  }

  /** SD3. How many bytes were written; undefined if there is no room. */
  write(name: string, at: number, bytes: Uint8Array): number | undefined {
    if (this.#isGone()) return bytes.length
    const file = this.#fileOf(name)
    const grows = Math.max(0, at + bytes.length - file.seen.length)
    if (this.used + grows > this.#capacity) return undefined
    const length = this.#random() < this.#shortWrites ? Math.ceil(bytes.length * this.#random()) : bytes.length
    for (let from = 0; from < length; ) {
      // Where sectors end.
      const to = Math.min(length, from + SECTOR - ((at + from) % SECTOR))
      const piece = { at: at + from, bytes: bytes.slice(from, to) }
      file.pieces.push(piece)
      file.seen.put(piece)
      from = to
    }
    return length
  }

  sync(name: string): void {
    if (this.#isGone()) return
    const file = this.#fileOf(name)
    for (const piece of file.pieces) file.durable.put(piece)
    file.pieces = []
  }

  /** Calls back when the disk has done something, unless everybody was killed meanwhile. */
  later(act: () => void): void {
    if (this.#isDown) return
    const { life } = this
    const done = (): void => {
      if (life === this.#life) act()
    }
    if (this.#latency === 0) queueMicrotask(done)
    else setTimeout(done, this.#random() * this.#latency)
  }

  #fileOf(name: string): File {
    let file = this.#files.get(name)
    if (file === undefined) this.#files.set(name, (file = new File()))
    return file
  }
}
