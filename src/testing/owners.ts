/** Attributes what is done to the routine that does it, through every `await`. */
import { AsyncLocalStorage } from 'node:async_hooks'

const storage = new AsyncLocalStorage<string>()

/** The path of the routine that runs at present; undefined if none does. */
export function presentOwner(): string | undefined {
  return storage.getStore()
}

/** Runs something that a routine does. */
export function owned<Result>(owner: string, act: () => Result): Result {
  return storage.run(owner, act)
}
