/**
 * What the platform shows of itself to those who look on. Node.js shows all that is asked for here; others hide some of it, and what can't be
 * seen must not pass for what is not there.
 *
 * B1  What is hidden is found by trying, not by the name of the platform.
 * B2  What the kit itself starts, to look or to move time, is nobody's.
 * B3  A check that could not begin leaves nothing behind by which a later one would pass; see `shared` in layers.ts.
 */
import { type AsyncLocalStorage, createHook } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import timers, { setTimeout as namedTimeout } from 'node:timers'
import timersPromises, { setTimeout as namedSleep } from 'node:timers/promises'

/** The platform's own functions: an import by name would give those that have replaced them, and a document model may lack the globals. */
const {
  setImmediate: realSetImmediate,
  setTimeout: realSetTimeout,
  clearTimeout: realClearTimeout,
  setInterval: realSetInterval,
  clearInterval: realClearInterval,
} = timers

/** True while the kit itself starts something (B2). */
let ofTheKit = false

function asTheKit<Result>(act: () => Result): Result {
  const before = ofTheKit
  ofTheKit = true
  try {
    return act()
  } finally {
    ofTheKit = before
  }
}

/** Does something in the next turn of the event loop, when everything has happened that is due in microtasks. */
export function nextTurn<Result>(act: () => Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    const turn = (): void => {
      try {
        resolve(act())
      } catch (error) {
        reject(error as Error)
      }
    }
    asTheKit(() => realSetImmediate(turn))
  })
}

/** Does something each second of real time, until what it returns is called. Keeps no process awake. */
export function everySecond(act: () => void): () => void {
  const timer = asTheKit(() => realSetInterval(act, 1_000).unref())
  return () => realClearInterval(timer)
}

/** Hears what the platform begins and ends, as far as it tells. Promises are left out: to track them makes each cost three times as much. */
export function hearResources(hear: { init(id: number, type: string): void; destroy?(id: number): void }): () => void {
  const init = (id: number, type: string): void => {
    if (!ofTheKit) hear.init(id, type)
  }
  const hooks = { ...hear, init, trackPromises: false } as Parameters<typeof createHook>[0]
  const hook = createHook(hooks).enable()
  return () => void hook.disable()
}

/** Whether async hooks tell of something when it is done. */
function tells(type: RegExp, act: () => void): boolean {
  let told = false
  try {
    const hook = createHook({
      init(_id, made) {
        if (type.test(made)) told = true
      },
    }).enable()
    try {
      asTheKit(act)
    } finally {
      hook.disable()
    }
  } catch {
    // A platform may refuse hooks altogether: then they tell nothing.
  }
  return told
}

/** What async hooks tell of. */
export interface Told {
  readonly timers: boolean
  readonly inputAndOutput: boolean
}

let told: Told | undefined

/** What async hooks tell of on this platform. */
export function whatHooksTell(): Told {
  told ??= {
    timers: tells(/^Timeout$/, () => realClearTimeout(realSetTimeout(() => undefined, 1))),
    inputAndOutput: tells(/^RANDOMBYTES/, () => randomBytes(1, () => undefined)),
  }
  return told
}

/** Whether who imports a timer by its name gets what has replaced it; to be asked while it is replaced. */
export function namedImportsFollow(): boolean {
  return namedTimeout === timers.setTimeout && namedSleep === timersPromises.setTimeout
}

/** As an error names it. */
export function platformName(): string {
  return ['Bun', 'Deno'].find((name) => name in globalThis) ?? 'this platform'
}

/** What a test fails with where {@link contextIsKept} says no. */
export const LOSES_CONTEXT = `asynchronous context gets lost behind a promise, so that it can't be seen what belongs to this test: is Promise replaced here?`

/** Whether what goes on behind a promise is still in the context that it was begun in. */
export async function contextIsKept(storage: AsyncLocalStorage<unknown>): Promise<boolean> {
  const own = {}
  return storage.run(own, async () => {
    const behind = await Promise.resolve().then(() => storage.getStore() === own)
    return behind && storage.getStore() === own
  })
}
