/** The files that the command reads. */
import { CurtaincallError } from '../index.ts'
import { UsageError } from './program.ts'
import { isOf, messageOf } from './words.ts'

/** What is wrong with the file is the caller's to know, without a stack. */
export function readOr<Result>(file: string, read: (file: string) => Result): Result {
  try {
    return read(file)
  } catch (error) {
    const isUnreadable = (error as { syscall?: string }).syscall !== undefined
    if (isUnreadable) throw new UsageError(`${file} can't be read: ${messageOf(error)}`)
    if (isOf(error, CurtaincallError)) throw new UsageError(error.message)
    throw error
  }
}
