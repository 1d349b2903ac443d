/** Whose doing something is: known through every `await`. */
import { AsyncLocalStorage } from 'node:async_hooks'

const storage = new AsyncLocalStorage<string>()

/** The path of the routine that is at work; undefined if it is none's. */
export function presentOwner(): string | undefined {
  return storage.getStore()
}

/** Runs something as the doing of a routine. */
export function owned<Result>(owner: string, act: () => Result): Result {
  return storage.run(owner, act)
}
