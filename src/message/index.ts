/** Messages of a routine, from their acceptance to their receipt, answer or end. */
export type { Addressee } from './addressee.ts'
export { Fifo } from './fifo.ts'
export { Mailbox } from './mailbox.ts'
export { isAsked } from './question.ts'
export { Messages } from './reception.ts'
