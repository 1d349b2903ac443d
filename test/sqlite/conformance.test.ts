/** The store on SQLite is a store. */
import { sqliteStore } from '../../src/sqlite/index.ts'
import { describeStore } from '../support/store-conformance.ts'
import { newFile } from './place.ts'

describeStore('on SQLite', () => {
  const file = newFile()
  return { store: (options) => sqliteStore(file, { fsync: 'system', ...options }) }
})
