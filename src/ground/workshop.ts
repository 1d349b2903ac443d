/** Makes work, and pools, of one kind of ground: checks what users say. */
import { availableParallelism } from 'node:os'
import { GROUND } from '../port/index.ts'
import { callable, check, durationOrInfinity, flag, isObject, oneOf, refuse, type Rule } from '../spec/index.ts'
import type { MakeLodge } from './lodge.ts'
import type { Movable } from './move.ts'
import { Pool, type PoolCounts } from './pool.ts'
import { PooledGround } from './pooled-ground.ts'

/** How threads, or processes, are kept. */
export interface PoolOptions {
  /** Milliseconds after which an idle one goes; Infinity keeps it. @default 10_000 */
  readonly idleTimeout?: number | undefined
  /**
   * What becomes of the permit, and of the place in the pool, of what could not be ended: they are free for others, or are kept until it is
   * gone. @default 'release'
   */
  readonly stuck?: 'release' | 'hold' | undefined
  /** False: each run has one of its own, which goes with it. @default true */
  readonly reuse?: boolean | undefined
}

/** What is said of one kind of work beside that. */
export interface WorkOptions<Input = never> {
  /** Threads, or processes, that are shared with other work: then how they are kept is said there. @default its own */
  readonly pool?: WorkerPool | undefined
  /** Milliseconds that a kill may take; past that the routine's end says `stuck`. @default 1_000 */
  readonly killDeadline?: number | undefined
  /** What of an input is handed over instead of copied; see `move`. */
  readonly transfer?: ((input: Input) => readonly Movable[]) | undefined
}

/** One kind of ground. `Options` are those of its pools that are its own. */
export interface Kind<Options extends object> {
  readonly kind: 'thread' | 'process'
  readonly rules: Readonly<Record<keyof Options, Rule>>
  /** The most workers of a pool. */
  most(given: Options): number
  lodges(given: Options): MakeLodge
}

const POOL_RULES = { idleTimeout: durationOrInfinity, stuck: oneOf('release', 'hold'), reuse: flag } satisfies Record<
  keyof PoolOptions,
  Rule
>

const aPool: Rule = { range: 'a pool of the same kind', accepts: (value) => value instanceof WorkerPool }
const WORK_RULES = { pool: aPool, killDeadline: durationOrInfinity, transfer: callable } satisfies Record<keyof WorkOptions, Rule>

const aModule: Rule = {
  range: 'the URL of a module, such as new URL(…, import.meta.url)',
  accepts: (value) => value instanceof URL || (typeof value === 'string' && URL.canParse(value)),
}
const anExport: Rule = { range: 'the name of an export', accepts: (value) => typeof value === 'string' && value !== '' }

export const anObject: Rule = { range: 'an object', accepts: isObject }
export const texts: Rule = {
  range: 'an array of texts',
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
}

/** The most workers of a pool that is not told how many: as many as there are cores, at least two. */
export const usualMost = (): number => Math.max(2, availableParallelism())

const KILL_DEADLINE = 1_000
const IDLE_TIMEOUT = 10_000

/** Threads, or processes, that are kept for routines. None is made before it is needed. */
export class WorkerPool {
  /** @internal */
  readonly pool: Pool
  /** @internal */
  readonly kind: string

  /** @internal */
  constructor(kind: string, pool: Pool) {
    this.kind = kind
    this.pool = pool
  }

  /** How many there are by what they do, and how many routines run and wait for one. */
  get counts(): PoolCounts {
    return this.pool.counts
  }

  /** Lets all go that are idle, or become that before the next use. Resolves once none is left but those that are stuck. */
  close(): Promise<void> {
    return this.pool.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Makes a pool.
 *
 * @throws ConfigError
 */
export function makePool<Options extends object>(kind: Kind<Options>, given: PoolOptions & Options): WorkerPool {
  check(`${kind.kind} pool`, given, { ...POOL_RULES, ...kind.rules })
  const { idleTimeout = IDLE_TIMEOUT, stuck = 'release', reuse = true } = given
  return new WorkerPool(kind.kind, new Pool({ max: kind.most(given), idleTimeout, reuse, holds: stuck === 'hold' }, kind.lodges(given)))
}

function poolFor<Options extends object>(kind: Kind<Options>, given: WorkOptions & PoolOptions): WorkerPool {
  const { pool } = given
  const kept = Object.fromEntries(Object.entries(given).filter(([key]) => !Object.hasOwn(WORK_RULES, key)))
  if (pool === undefined) return makePool(kind, kept as PoolOptions & Options)
  if (pool.kind !== kind.kind) throw refuse(`${kind.kind} option pool`, aPool.range, pool)
  const [twice] = Object.keys(kept)
  if (twice !== undefined) throw refuse(`${kind.kind} option ${twice}`, 'left out where pool is given: it is said there', kept[twice])
  return pool
}

function checkWork<Options extends object>({ kind, rules }: Kind<Options>, url: URL | string, given: object): void {
  if (!aModule.accepts(url)) throw refuse(`${kind} module`, aModule.range, url)
  check(kind, given, { ...WORK_RULES, ...POOL_RULES, ...rules })
}

function workIn(kind: Kind<never>['kind'], { pool }: WorkerPool, url: URL | string, name: string, given: WorkOptions): object {
  if (!anExport.accepts(name)) throw refuse(`${kind} export`, anExport.range, name)
  const { killDeadline = KILL_DEADLINE, transfer } = given
  const more = transfer === undefined ? {} : { transfer }
  return Object.freeze({ [GROUND]: new PooledGround(pool, { kind, url: String(url), name, killDeadline, ...more }) })
}

/**
 * Makes work of what a module exports under one name.
 *
 * @throws ConfigError
 */
export function makeWork<Options extends object>(
  kind: Kind<Options>,
  url: URL | string,
  name: string,
  given: WorkOptions & PoolOptions & Options,
): object {
  checkWork(kind, url, given)
  return workIn(kind.kind, poolFor(kind, given), url, name, given)
}

/**
 * Makes work of all that a module exports, as it is asked for: they share a pool.
 *
 * @throws ConfigError
 */
export function makeWorks<Options extends object>(
  kind: Kind<Options>,
  url: URL | string,
  given: WorkOptions & PoolOptions & Options,
): object {
  checkWork(kind, url, given)
  const pool = poolFor(kind, given)
  const made = new Map<string, object>()
  return new Proxy(Object.freeze({}), {
    get(_, name) {
      // Whoever awaits it, or prints it, asks for more than exports.
      if (typeof name !== 'string' || name === 'then' || name === 'toJSON') return undefined
      let work = made.get(name)
      if (work === undefined) made.set(name, (work = workIn(kind.kind, pool, url, name, given)))
      return work
    },
  })
}
