/** Trees with a store, and durable routines of them. */
import type { GlobalManagerOptions, LocalManager, LocalManagerOptions } from 'curtaincall'
import type { MemoryStore } from './memory-store.ts'
import { makeTree, type Tree } from './tree.ts'

export function start(
  store: MemoryStore,
  work: NonNullable<GlobalManagerOptions['work']>,
  options: LocalManagerOptions = {},
  more: GlobalManagerOptions = {},
): Tree {
  return makeTree(options, { store, work, generateId: undefined, ...more })
}

export const spawn = (local: LocalManager, name: string, work: unknown, id?: string, options: object = {}): any =>
  local.spawn(name, work as never, { durable: true, id, ...options } as never)
