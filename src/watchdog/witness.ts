/** Tells, in the thread that is blocked, whose code is running, from what is found on its stack. */
import type { Manager } from '../manager/index.ts'
import { runBehind } from '../routine/index.ts'
import type { Listeners } from '../turn/index.ts'
import { WITNESSES } from './shared.ts'

/** Whose code it is, and who hears of that. */
export interface Culprit {
  readonly path: string
  readonly listeners: Listeners
}

/** What is asked while this thread stands still: nothing here may call code of the user's. */
export class Witness {
  readonly #top: Manager
  /** What was found out in this tick. */
  found: Culprit | undefined
  works: readonly unknown[] = []

  constructor(top: Manager) {
    this.#top = top
  }

  /**
   * @param seen What the frames hold, innermost first: `this`, and scopes.
   * @param areScopes Which of these are scopes: their variables count.
   * @returns Its path.
   */
  whose(seen: readonly object[], areScopes: readonly boolean[]): string | undefined {
    for (const [k, each] of seen.entries())
      for (const value of areScopes[k] === true ? variablesOf(each) : [each]) {
        const run = runBehind(value)
        if (run === undefined || run.tree !== this.#top.tree) continue
        const { path, local } = run.subject
        return this.#find({ path, listeners: local.listeners })
      }
    return undefined
  }

  /** The sources of the functions that are at work, each once: so many at most. They are {@link works} from then on. */
  texts(most: number): readonly string[] {
    const works = new Set(this.#top.life.flock.routines().map(({ logic }) => logic))
    this.works = [...works].filter((work) => typeof work === 'function').slice(0, most)
    return this.works.map((work) => Function.prototype.toString.call(work))
  }

  /** One of {@link works} stands on the stack: whose it is, or, if several run it, in which manager. */
  runs(work: number): string | undefined {
    const [first, ...others] = this.#top.life.flock
      .routines()
      .filter(({ logic, state }) => logic === this.works[work] && state === 'running')
    if (first === undefined) return undefined
    const { path, local } = first
    if (others.length === 0) return this.#find({ path, listeners: local.listeners })
    return others.every((other) => other.local === local) ? this.#find(local) : undefined
  }

  #find({ path, listeners }: Culprit): string {
    this.found = { path, listeners }
    return path
  }
}

/** The values of a scope's variables, as far as they have any yet: to read one before throws. */
function variablesOf(scope: object): unknown[] {
  return Object.keys(scope).flatMap((name) => {
    try {
      return [Reflect.get(scope, name)]
    } catch {
      return []
    }
  })
}

type Witnesses = Map<number, Witness> & { readonly floor: SharedArrayBuffer }

const KEY: unique symbol = Symbol.for(WITNESSES) as never

/** Makes it found by the protocol, which knows nothing but what is global. Returns its token, and the floor of all. */
export function testify(witness: Witness): { readonly token: number; readonly floor: SharedArrayBuffer } {
  const place = globalThis as { [KEY]?: Witnesses }
  if (place[KEY] === undefined)
    Object.defineProperty(place, KEY, { value: Object.assign(new Map(), { floor: new SharedArrayBuffer(4) }), configurable: true })
  const witnesses = place[KEY] as unknown as Witnesses
  let token = 1
  // Those of another copy of this library are there, too.
  while (witnesses.has(token)) token++
  witnesses.set(token, witness)
  return { token, floor: witnesses.floor }
}

/** Nobody asks any more. */
export function dismiss(token: number): void {
  const place = globalThis as { [KEY]?: Witnesses }
  place[KEY]?.delete(token)
  if (place[KEY]?.size === 0) delete place[KEY]
}
