/** Checksums of rows, and of tables as sets of rows. */
import { crc32 } from 'node:zlib'

/** Sums are kept below this, so that they are exact as numbers. */
const MODULUS = 2 ** 48

/** A checksum of a row, bound to its journal, its table and its place. */
export function rowCheck(journal: string, table: string, place: string, body?: Uint8Array): number {
  const check = crc32(`${journal}\n${table}\n${place}`)
  return body === undefined ? check : crc32(body, check)
}

/** A set of rows by the number of its members and the sum of their checksums: a row that is missing, or was there before, shows. */
export class RowSum {
  rows: number
  sum: number

  constructor(rows = 0, sum = 0) {
    this.rows = rows
    this.sum = sum
  }

  add(check: number): void {
    this.rows++
    this.sum = (this.sum + check) % MODULUS
  }

  remove(check: number): void {
    this.rows--
    this.sum = (this.sum - check + MODULUS) % MODULUS
  }

  equals(other: RowSum): boolean {
    return this.rows === other.rows && this.sum === other.sum
  }
}
