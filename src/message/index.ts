/** Messages of a routine, from their acceptance to their receipt, answer or end. */
export type { Addressee } from './addressee.ts'
export { Mailbox } from './mailbox.ts'
export { Reception } from './reception.ts'
