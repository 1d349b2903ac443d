/** Plays one case: grows the tree, lets the intruder in, runs everything out, and judges. */
import { createGlobalManager, type GlobalManager, type Manager } from 'curtaincall'
import { simulate, type Simulation } from 'curtaincall/testing'
import { childrenAgree, inconsistencies } from './reading.ts'
import { judge, lawsOf } from './oracle.ts'
import { orders, type TargetKind } from './orders.ts'
import type { Act, Case } from './pairwise.ts'
import { pick } from './pairwise.ts'
import { asked, points } from './points.ts'
import { carryOn } from './scenario.ts'
import { END, furnish, grow } from './trees.ts'
import { type AnyRoutine, type Finding, isManager, type Target, textOf, World } from './world.ts'

export interface Played {
  readonly case: Case
  readonly findings: readonly Finding[]
  /** Acts that were given; the others met no target, or their point was not passed. */
  readonly given: readonly Act[]
  /** How often the point was passed. */
  readonly passes: number
  readonly story: readonly string[]
}

/** The most passes at which the tree is read. */
const READINGS = 12

/** Waits at a point, acts at it, and reads the tree each time. */
class Intruder {
  readonly given: Act[] = []
  passes = 0
  /** Passes that an act could have been given at. */
  #chances = 0
  readonly #world: World
  readonly #left: Act[]
  #busy = false

  constructor(world: World) {
    this.#world = world
    this.#left = [...world.case.acts]
  }

  pass(point: string, concerned: string): void {
    const world = this.#world
    world.throwing = false
    if (point !== world.case.point || world.global === undefined || this.#busy) return
    this.passes++
    this.#busy = true
    try {
      if (this.passes <= READINGS) this.#read(point)
      if (world.now() - world.began >= world.case.after && ++this.#chances > world.case.skip) this.#act(concerned)
    } finally {
      this.#busy = false
    }
  }

  #read(point: string): void {
    for (const each of inconsistencies(this.#world)) this.#world.find('T3 inconsistent', `at ${point}: ${each}`)
    if (this.passes === 1) for (const manager of this.#world.managers) childrenAgree(this.#world, manager)
  }

  #act(concerned: string): void {
    const world = this.#world
    const act = this.#left.find(({ order, target }) => {
      const wanted = orders.find(({ name }) => name === order)
      const aim = aimAt(world, target as TargetKind, concerned)
      if (wanted === undefined || aim === undefined) return false
      const at = world.events.at(-1)?.seq ?? 0
      const line = `after event ${at}, at ${world.case.point} of ${concerned}: ${order} ${aim.path} (${target}, ${aim.state})${world.case.times > 1 ? ' twice' : ''}`
      world.story.push(line)
      if (wanted.give(world, aim) !== false) {
        for (let i = 1; i < world.case.times; i++) wanted.give(world, aim)
        return true
      }
      world.story.pop()
      return false
    })
    if (act === undefined) return
    this.#left.splice(this.#left.indexOf(act), 1)
    this.given.push(act)
    // T11: it harms nobody. What subscribers of actors throw XState reports itself.
    world.throwing = world.case.seed % 8 === 3 && !/^(subscriber|completion|system)/.test(world.case.point)
    for (const each of inconsistencies(world)) world.find('T3 inconsistent', `after ${act.order} at ${world.case.point}: ${each}`)
  }
}

/** Who is meant by a kind of target, at this moment. */
function aimAt(world: World, kind: TargetKind, concerned: string): Target | undefined {
  const global = world.global as GlobalManager
  const living = global.routines() as unknown as AnyRoutine[]
  const above = concerned.includes('#') ? concerned.slice(0, concerned.lastIndexOf('/')) : concerned
  const own = world.routines.get(concerned)
  const among = (fits: (each: AnyRoutine) => boolean): AnyRoutine | undefined => {
    const list = living.filter(fits)
    return list.length === 0 ? undefined : pick(world.random, list)
  }
  const isChild = ({ path, id, name }: AnyRoutine): boolean =>
    id === name && (world.grouped.get(path.slice(0, path.lastIndexOf('/')))?.has(id) ?? false)
  if (kind === 'concerned') return own ?? among(({ path }) => path.startsWith(`${above}/`))
  const beside = (each: AnyRoutine): boolean => each !== own && each.path.startsWith(`${above}/`)
  if (kind === 'sibling') return among(beside)
  // What matters most is a group: anybody else's child only now and then, else a better moment is waited for.
  if (kind === 'child') return among((each) => isChild(each) && beside(each)) ?? (world.random() < 0.25 ? among(isChild) : undefined)
  if (kind === 'spawned') return among((each) => each.state === 'running' && !isChild(each))
  if (kind === 'queued') return among(({ path, state }) => state === 'pending' && world.queued.has(path))
  if (kind === 'between') {
    const waits = ({ path, state, incarnation }: AnyRoutine): boolean =>
      !world.queued.has(path) && (state === 'pending' ? incarnation > 1 : state !== 'running')
    return among((each) => isChild(each) && waits(each)) ?? among(waits)
  }
  if (kind === 'global') return global
  const paths = { 'its manager': above, local: 'g/a/l', app: 'g/a', 'child manager': pick(world.random, ['g/a/cm', 'g/svc']) }
  const found = [...world.managers].filter(({ path }) => path === paths[kind]).at(-1) ?? global.whereis(paths[kind])
  return found !== undefined && isManager(found as Target) ? (found as Manager) : undefined
}

/** Errors that nobody took, of the case that is played. */
let stray: (error: unknown) => void = () => undefined

/** Hears errors that nobody takes, in the place of whoever heard them before, until it is told to stop. */
export function hearStrayErrors(): () => void {
  const types = ['unhandledRejection', 'uncaughtException'] as const
  const before = types.map((type) => process.listeners(type as 'uncaughtException'))
  const hear = (error: unknown): void => stray(error)
  for (const type of types) process.removeAllListeners(type).on(type, hear)
  return () => {
    for (const [i, type] of types.entries()) {
      process.removeAllListeners(type)
      for (const listener of before[i] ?? []) process.on(type as 'uncaughtException', listener)
    }
  }
}

/** Plays it in virtual time. */
export async function play(of: Case): Promise<Played> {
  const world = new World(of)
  const intruder = new Intruder(world)
  world.passed = (point, concerned) => intruder.pass(point, concerned)
  stray = (error) => world.find('stray error', textOf(error))
  const point = points.find(({ name }) => name === of.point)
  world.met = (target) => point?.meet?.(world, target)
  const signals = process.listenerCount('SIGTERM')
  let simulation: Simulation | undefined
  try {
    const end = pick(world.random, [{ timeout: 200 }, { timeout: 200, drain: 30 }, { timeout: 60, mode: 'immediate' as const }])
    simulation = await simulate(
      (options) => {
        world.now = options.clock?.now.bind(options.clock) ?? world.now
        world.began = world.now()
        return grow(world, asked(world, options), (given) => {
          const global = createGlobalManager({ ...options, ...given })
          world.global = global
          global.on('*', (event) => world.hear(event))
          world.meetManager(global)
          world.meetAll()
          furnish(world, global)
          carryOn(world)
          return global
        })
      },
      { strict: of.strict, seed: of.seed & 0xffff, script: [{ do: 'wait', ms: END }], end, laws: lawsOf(of), steps: 3_000 },
    )
  } catch (error) {
    world.find('no end', textOf(error).split('\n').slice(0, 12).join('\n    '))
  }
  await new Promise((resolve) => setImmediate(resolve))
  if (process.listenerCount('SIGTERM') !== signals) world.find('listener left', 'a listener on SIGTERM')
  judge(world, simulation)
  const told = world.findings.length > 0 ? [simulation?.explain() ?? ''] : []
  const story = [...world.story, ...told]
  return { case: of, findings: world.findings, given: intruder.given, passes: intruder.passes, story }
}
