/**
 * Whose code is running, as far as that is known: on which behalf a call comes that follows from a body, over whatever it awaits.
 *
 * It is kept by the platform's AsyncLocalStorage, where that costs only those who use it: on Node.js from 24 on, and on what says that it is
 * like it. Elsewhere, and until somebody says who he is, nothing is known and nothing is done.
 *
 * W1  What the library calls for another is nobody's that is known: a body, a step of an actor, a listener. Nor is what is called later
 *     in a context that was captured.
 */
import { hooksOfPlatform } from './platform-context.ts'

interface Storage {
  getStore(): object | undefined
  enterWith(who: object | undefined): void
}

interface Platform {
  readonly versions?: { readonly node?: string }
}

/** Before, the platform watches every promise of the process as soon as one storage is used. */
const CHEAP_FROM = 24

function storageOf({ versions }: Platform): Storage | undefined {
  if (!(Number.parseInt(versions?.node ?? '', 10) >= CHEAP_FROM)) return undefined
  const hooks = hooksOfPlatform()
  return hooks === undefined ? undefined : new hooks.AsyncLocalStorage<object | undefined>()
}

/** There is one for all trees: a listener of one may be called by a body of another. */
class Running {
  /** True once somebody has said who he is, where that can be known. Until then there is nothing to pause. */
  isUsed = false
  #storage: Storage | undefined
  #sought = false

  /** From here on it is this one's code that runs, in this call and in all that follows from it. */
  is(who: object): void {
    if (!this.#sought) {
      this.#sought = true
      this.#storage = storageOf((globalThis as { readonly process?: Platform }).process ?? {})
      this.isUsed = this.#storage !== undefined
    }
    if (this.#storage !== undefined && this.#storage.getStore() !== who) this.#storage.enterWith(who)
  }

  /** Undefined if it is not known. */
  get who(): object | undefined {
    return this.#storage?.getStore()
  }

  /** W1. Returns who it was, for {@link resume}. */
  pause(): object | undefined {
    if (this.#storage === undefined) return undefined
    const who = this.#storage.getStore()
    if (who !== undefined) this.#storage.enterWith(undefined)
    return who
  }

  /** After a call that {@link pause} came before. */
  resume(who: object | undefined): void {
    if (this.#storage !== undefined && this.#storage.getStore() !== who) this.#storage.enterWith(who)
  }
}

export const running: Running = new Running()
