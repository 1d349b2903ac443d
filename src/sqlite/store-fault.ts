/** A fault of a store while it is on its way up, in the writer. */
import { storeFault, type StoreFaultCode } from '../../machines/store-fault.ts'
import type { Fault } from './messages.ts'

/** Thrown in the writer where it knows what is wrong. */
export class StoreFault extends Error {
  readonly code: StoreFaultCode

  constructor(code: StoreFaultCode, says: string) {
    super(says)
    this.code = code
  }
}

/** What the bytes say is not what was written. */
export function damaged(says: string): StoreFault {
  return new StoreFault('ERR_STORE_DAMAGED', `it is damaged: ${says}`)
}

function errcodeOf(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode : undefined
}

/** What was thrown, told. */
export function faultFrom(error: unknown): Fault {
  if (error instanceof StoreFault) return { code: error.code, says: error.message }
  const errcode = errcodeOf(error)
  const { code, says } = storeFault(errcode)
  return { code, says, because: error instanceof Error ? error.message : String(error), errcode }
}

/** True for a fault that may be over without anybody touching the store. */
export function passes(error: unknown): boolean {
  return !(error instanceof StoreFault) && storeFault(errcodeOf(error)).passes
}
