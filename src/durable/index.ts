/** What a tree tells its store, and what it has of it. */
export { Chronicle, type SpawnFacts } from './chronicle.ts'
export { Ledger, managerOf, type Settled } from './ledger.ts'
export { Lookup } from './lookup.ts'
