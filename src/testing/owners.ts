/** Attributes what is done to the routine that does it, through every `await`. */
import { AsyncLocalStorage } from 'node:async_hooks'

const storage = new AsyncLocalStorage<string>()

/** The path of the routine that runs at present; undefined if none does. */
export function presentOwner(): string | undefined {
  return storage.getStore()
}

let ofFault = false

/** True while a fault does something of its own: that is neither the routine's nor the tree's. */
export function isOfFault(): boolean {
  return ofFault
}

/** Does something that is a fault's own. It is over when this returns. */
export function asFault<Result>(act: () => Result): Result {
  ofFault = true
  try {
    return act()
  } finally {
    ofFault = false
  }
}

/** Runs something that a routine does. */
export function owned<Result>(owner: string, act: () => Result): Result {
  return storage.run(owner, act)
}
