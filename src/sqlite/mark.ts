/**
 * The mark: a small file beside the database that knows how far the journal has come, and who has it.
 *
 * SQLite takes a journal whose end is gone for a whole one: one flipped bit in `-wal`, or a `-wal` that was left behind, is enough. So each
 * acknowledgement is written here before it is given, and a journal that ends before its mark is known to have lost something.
 *
 * M1  The mark is written after its group, and before the group is acknowledged. It is not forced through to the disk: what it says may be
 *     older than the journal, and is never newer, as long as the journal lost nothing.
 * M2  There are two, written in turn, so that one of them is whole at any time.
 * M3  It tells what was written from what was forced through to the disk: only the first may be lost, and only with the power.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { damaged, StoreFault } from './store-fault.ts'

const OWNER_LENGTH = 128
const SLOT_LENGTH = 128
const MAGIC = Buffer.from('CCmark01')
const ID_LENGTH = 16
const CHAIN_LENGTH = 32
const AT = { journal: 8, turn: 24, written: 32, durable: 40, chain: 48, check: 80 }

/** Where the mark of a store lies. */
export const markOf = (file: string): string => `${file}-mark`

/** How far a journal has come. */
export interface Mark {
  /** The id of the journal. */
  readonly journal: string
  /** How many entries it had, all of them acknowledged or about to be. */
  readonly written: number
  /** How many of them no loss of power takes. */
  readonly durable: number
  /** Its chain there. */
  readonly chain: Uint8Array
}

interface Slot extends Mark {
  readonly turn: number
}

function readSlot(bytes: Buffer): Slot | undefined {
  if (bytes.length < AT.check + 4 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  if (crc32(bytes.subarray(0, AT.check)) !== bytes.readUInt32LE(AT.check)) return undefined
  return {
    journal: bytes.toString('hex', AT.journal, AT.journal + ID_LENGTH),
    turn: bytes.readDoubleLE(AT.turn),
    written: bytes.readDoubleLE(AT.written),
    durable: bytes.readDoubleLE(AT.durable),
    chain: bytes.subarray(AT.chain, AT.chain + CHAIN_LENGTH),
  }
}

function readAll(file: string): Buffer | undefined {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const bytes = Buffer.alloc(OWNER_LENGTH + 2 * SLOT_LENGTH)
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

/** The process that has a store, or had it last; undefined if that can't be told. */
export function ownerOf(file: string): number | undefined {
  const text = readAll(file)?.toString('utf8', 0, OWNER_LENGTH) ?? ''
  const pid = Number(/^owner (\d+)/.exec(text)?.[1])
  return Number.isSafeInteger(pid) ? pid : undefined
}

/** What a mark says; undefined if there is none yet. @throws StoreFault if there was one, and it can't be read. */
export function readMark(file: string): Mark | undefined {
  const bytes = readAll(file)
  if (bytes === undefined || bytes.length <= OWNER_LENGTH) return undefined
  const slots = [0, 1].flatMap((i) => readSlot(bytes.subarray(OWNER_LENGTH + i * SLOT_LENGTH, OWNER_LENGTH + (i + 1) * SLOT_LENGTH)) ?? [])
  const [one, other] = slots
  if (one === undefined) {
    if (bytes.subarray(OWNER_LENGTH).every((byte) => byte === 0)) return undefined
    throw damaged(`its mark, ${file}, can't be read`)
  }
  if (other === undefined) return one
  if (one.journal !== other.journal) throw new StoreFault('ERR_STORE_FOREIGN', `its mark, ${file}, is of two journals`)
  return one.turn > other.turn ? one : other
}

/** A mark that is being kept. */
export class MarkFile {
  readonly #fd: number
  readonly #slot = Buffer.alloc(SLOT_LENGTH)
  #turn = 0

  constructor(file: string, pid: number) {
    this.#fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o644)
    // All its room is there from the beginning: a mark needs none of a full disk.
    const { size } = fstatSync(this.#fd)
    const whole = OWNER_LENGTH + 2 * SLOT_LENGTH
    if (size < whole) this.#put(Buffer.alloc(whole - size), size)
    this.#put(Buffer.from(`owner ${pid}\n`.padEnd(OWNER_LENGTH)), 0)
    MAGIC.copy(this.#slot)
  }

  /** M1. Begins to mark this journal, in both places. */
  begin(mark: Mark): void {
    Buffer.from(mark.journal, 'hex').copy(this.#slot, AT.journal)
    this.write(mark.written, mark.durable, mark.chain)
    this.write(mark.written, mark.durable, mark.chain)
  }

  write(written: number, durable: number, chain: Uint8Array): void {
    const slot = this.#slot
    this.#turn++
    slot.writeDoubleLE(this.#turn, AT.turn)
    slot.writeDoubleLE(written, AT.written)
    slot.writeDoubleLE(durable, AT.durable)
    slot.set(chain, AT.chain)
    slot.writeUInt32LE(crc32(slot.subarray(0, AT.check)), AT.check)
    this.#put(slot, OWNER_LENGTH + (this.#turn % 2) * SLOT_LENGTH)
  }

  close(): void {
    closeSync(this.#fd)
  }

  #put(bytes: Buffer, at: number): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done)
  }
}
