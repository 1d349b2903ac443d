/** What a store brings along: how durable routines come into their managers, and what an earlier process has left is brought back. */
export { durableStore } from './durable-store.ts'
export { attachDurability } from './stored-tree.ts'
