/** What a tree tells its store, and what it has of it. */
export { Chronicle, type SpawnFacts } from './chronicle.ts'
export { keepThrown } from './kept-outcome.ts'
export { Ledger, managerOf, type Settled, type StoreState } from './ledger.ts'
export { Lookup } from './lookup.ts'
