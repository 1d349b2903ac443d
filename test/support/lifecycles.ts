/** Lifecycle events for tests of the inspector: such as a tree would tell, and such as no tree would. */
import fc from 'fast-check'
import type { KeptEvent } from '../../src/inspector/protocol.ts'

/** Something that happens, before it has a number and a time. */
export type Happening = Omit<KeptEvent, 'seq' | 'at' | 'cause'> & { readonly type: string; readonly path: string }

const NAMES = ['a', 'ä', '🎭', '__proto__', 'x y', '\ud800', 'constructor', 'İ']
const ENDS = ['routine.completed', 'routine.failed', 'routine.cancelled', 'routine.killed'] as const

/** Numbers and dates what happens. */
export function numbered(happenings: readonly Happening[], step: (k: number) => number = () => 1, from = 1): KeptEvent[] {
  let at = 1_000
  return happenings.map(({ type, path, ...rest }, k) => {
    at += step(k)
    return { seq: from + k, at, type, path, cause: null, ...rest }
  })
}

/** Anything at any path of a small tree, in any order. */
export const adversarial: fc.Arbitrary<Happening[]> = fc.array(
  fc.record({
    type: fc.constantFrom(
      'routine.spawned',
      'routine.queued',
      'routine.started',
      'routine.restarted',
      'routine.hung',
      'routine.revived',
      'routine.settled',
      'routine.orphaned',
      'message.deadLetter',
      ...ENDS,
      'manager.started',
      'manager.restarted',
      'manager.phase',
      'manager.stopped',
      'control.ordered',
    ),
    path: fc
      .tuple(fc.array(fc.constantFrom(...NAMES), { maxLength: 4 }), fc.constantFrom('', '#1', '#2'))
      .map(([names, id]) => ['g', ...names].join('/') + (names.length > 0 ? id : '')),
    incarnation: fc.nat({ max: 5 }),
    willRestart: fc.boolean(),
    state: fc.constantFrom('completed', 'cancelled', 'failed'),
  }),
  { maxLength: 60, size: 'max' },
)

interface Alive {
  readonly path: string
  state: 'pending' | 'running' | 'waits'
  incarnation: number
}

/** A tree that lives: managers and routines, each told of in an order that a real one keeps. */
class World {
  readonly told: Happening[] = []
  readonly managers = ['g']
  readonly #routines: Alive[] = []
  #last = 0

  constructor() {
    this.#tell('manager.started', 'g', { incarnation: 1 })
  }

  #tell(type: string, path: string, fields: object = {}): void {
    this.told.push({ type, path, ...fields })
  }

  act(what: number, whom: number): void {
    const manager = this.managers[whom % this.managers.length] as string
    const routine = this.#routines[whom % Math.max(1, this.#routines.length)]
    if (what < 4) this.#spawn(manager)
    else if (what < 5) this.#manage(manager)
    else if (what < 6) this.#stop(manager)
    else if (routine !== undefined) this.#goOn(routine, what)
  }

  #spawn(manager: string): void {
    const path = `${manager}/${NAMES[this.#last % NAMES.length]}#${++this.#last}`
    this.#routines.push({ path, state: 'pending', incarnation: 1 })
    this.#tell('routine.spawned', path, { incarnation: 1 })
  }

  #manage(above: string): void {
    const path = `${above}/${NAMES[this.#last % NAMES.length]}${++this.#last}`
    if (path.split('/').length > 5) return
    this.managers.push(path)
    this.#tell('manager.started', path, { incarnation: 1 })
  }

  #stop(path: string): void {
    if (path === 'g') return
    this.#tell('manager.phase', path, { phase: 'closing' })
    for (const routine of this.#routines.filter((each) => each.path.startsWith(`${path}/`))) {
      // A restart that was promised may never come, and nothing more is said.
      if (routine.state === 'waits') this.#forget(routine)
      else this.#end(routine, 'routine.cancelled', false)
    }
    for (const manager of this.managers.filter((each) => each.startsWith(`${path}/`)).toReversed()) this.#gone(manager)
    this.#gone(path)
  }

  #gone(manager: string): void {
    this.managers.splice(this.managers.indexOf(manager), 1)
    this.#tell('manager.stopped', manager, { state: 'completed' })
  }

  #goOn(routine: Alive, what: number): void {
    if (routine.state === 'waits') {
      routine.incarnation++
      routine.state = 'pending'
      this.#tell('routine.restarted', routine.path, { incarnation: routine.incarnation, delay: 0 })
    } else if (routine.state === 'pending') {
      routine.state = 'running'
      this.#tell('routine.started', routine.path, { incarnation: routine.incarnation })
    } else if (what === 6) this.#end(routine, 'routine.failed', true)
    else this.#end(routine, ENDS[what % ENDS.length] as string, false)
  }

  #end(routine: Alive, type: string, willRestart: boolean): void {
    this.#tell(type, routine.path, { incarnation: routine.incarnation, willRestart, duration: 1 })
    if (willRestart) routine.state = 'waits'
    else this.#forget(routine)
  }

  #forget(routine: Alive): void {
    this.#routines.splice(this.#routines.indexOf(routine), 1)
  }
}

/** What a tree that keeps all rules would tell. */
export const plausible: fc.Arbitrary<Happening[]> = fc
  .array(fc.tuple(fc.nat(10), fc.nat(1_000)), { maxLength: 120, size: 'max' })
  .map((acts) => {
    const world = new World()
    for (const [what, whom] of acts) world.act(what, whom)
    return world.told
  })
