/** A tree on which a ground is checked, and all that it says. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { extname } from 'node:path'
import type { AnyRoutine, Logger, Outcome } from '../contract/index.ts'
import { createGlobalManager, type GlobalManager, type LocalManager } from '../manager/index.ts'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'

/** The names of the bodies of the kit. */
export type GroundBody = keyof typeof import('./ground-bodies.ts')

/** A ground that is checked. */
export interface GroundUnderTest {
  /** Work that runs the function which the module at `url` exports as `body`. */
  work(url: URL, body: GroundBody): unknown
  /** True if it ends what does not listen: loops, sleeps, and its own death under a body. @default false */
  readonly ends?: boolean | undefined
  /** True if a body that lets nothing else happen sees that it was told to stop. @default false */
  readonly sharesMemory?: boolean | undefined
  /** How many threads, or the like, there are that are not about to go; none once a tree has ended. @default not looked at */
  readonly left?: (() => number | PromiseLike<number>) | undefined
}

interface Line {
  readonly level: string
  readonly details: Record<string, unknown>
  readonly text: string | undefined
  /** What the storage of the check held when it was written. */
  readonly store: unknown
}

const BODIES = new URL(`./ground-bodies${extname(import.meta.url)}`, import.meta.url)

/** A tree with all that it says. */
export class Stage {
  readonly global: GlobalManager
  readonly local: LocalManager
  readonly lines: Line[] = []
  readonly events: LifecycleEvent[] = []
  readonly storage = new AsyncLocalStorage<string>()
  readonly #ground: GroundUnderTest
  #waiting: { readonly is: () => boolean; readonly tell: () => void }[] = []

  constructor(ground: GroundUnderTest) {
    this.#ground = ground
    this.global = createGlobalManager({ name: 'checked', logger: this.#logger({}) })
    this.global.on('*', (event) => {
      this.events.push(event)
      this.#look()
    })
    this.local = this.global.createApp('app').createLocal('local')
  }

  spawn(body: GroundBody, options: object = {}): AnyRoutine {
    return this.local.spawn(body, this.#ground.work(BODIES, body) as never, options as never) as unknown as AnyRoutine
  }

  /** Spawns one, and waits until its body has begun. */
  async up(body: GroundBody, options: object = {}): Promise<AnyRoutine> {
    const routine = this.spawn(body, options)
    await this.said(({ text, details }) => text === 'up' && details['path'] === routine.path)
    return routine
  }

  said(is: (line: Line) => boolean): Promise<void> {
    return this.until(() => this.lines.some(is))
  }

  heard(is: (event: LifecycleEvent) => boolean): Promise<void> {
    return this.until(() => this.events.some(is))
  }

  /** Waits for what comes of a line, or an event. */
  until(is: () => boolean): Promise<void> {
    return is() ? Promise.resolve() : new Promise((tell) => this.#waiting.push({ is, tell }))
  }

  #look(): void {
    const met = this.#waiting.filter(({ is }) => is())
    this.#waiting = this.#waiting.filter((each) => !met.includes(each))
    for (const { tell } of met) tell()
  }

  #logger(bindings: object): Logger {
    const method =
      (level: string) =>
      (details: object, text?: string): void => {
        this.lines.push({ level, details: { ...bindings, ...details }, text, store: this.storage.getStore() })
        this.#look()
      }
    const [debug, info, warn, error] = ['debug', 'info', 'warn', 'error'].map(method) as [never, never, never, never]
    return { debug, info, warn, error, child: (more) => this.#logger({ ...bindings, ...more }) }
  }
}

/** One check, on a tree of its own. */
export type Act = (stage: Stage) => Promise<void>

/** What a routine has failed of. */
export function errorOf(outcome: Outcome | undefined): Error & Record<string, unknown> {
  return (outcome as { error: never } | undefined)?.error as unknown as Error & Record<string, unknown>
}
