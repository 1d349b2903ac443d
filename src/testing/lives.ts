/**
 * Simulations of a tree that outlives its process: several lives of it, one after the other, over one simulated disk.
 *
 * LV1 The same tree, lives and disk give the same lives, byte for byte.
 * LV2 A process that is killed does nothing more: its timers never fire, its disk takes nothing, no acknowledgement arrives.
 * LV3 Time goes on from one life to the next, as the clock on the wall does.
 */
import { CurtaincallError } from '../contract/index.ts'
import { anything, check, duration, finiteCount, flag, isObject, oneOf, refuse, type Rule } from '../spec/index.ts'
import { type DurableLaw, type DurableViolation, judgeLives, type Life } from './durable-law.ts'
import { durableLaws } from './durable-laws.ts'
import { explainTrace } from './explain.ts'
import { JournalWatch } from './journal-watch.ts'
import { judge, type Law, lawList } from './law.ts'
import { laws as allLaws, lawsOfTheLiving } from './laws.ts'
import { isPlan, perform, type SimulatedTree, type SimulationOptions } from './simulate.ts'
import { type DiskOptions, SimulatedDisk, simulatedStore, type SimulatedStoreOptions } from './simulated-store.ts'
import { holdPlatform, START } from './virtual-time.ts'

/** One life of a process: what is done to the tree, and how it ends. */
export interface LifePlan extends Pick<SimulationOptions, 'script' | 'faults' | 'seed' | 'tape' | 'mode' | 'strict'> {
  /**
   * What ends it: the process is killed, or the power goes with it; after so many writes and syncs of the disk, or at the end of the script.
   * One that is not killed by then is shut down.
   *
   * @default it is shut down at the end of the script
   */
  readonly kill?: { readonly how?: 'process' | 'power' | undefined; readonly after?: number | undefined } | undefined
  /** So many bytes there is room for on the disk. @default Infinity */
  readonly room?: number | undefined
}

/** Options of {@link simulateLives}. */
export interface LivesOptions extends Pick<SimulationOptions, 'steps' | 'horizon' | 'allowEscapes'> {
  readonly lives: readonly LifePlan[]
  /** What it does is decided by its seed. @default a disk without faults */
  readonly disk?: Omit<DiskOptions, 'capacity'> | undefined
  readonly store?: Omit<SimulatedStoreOptions, 'name'> | undefined
  /** Milliseconds from the end of a life to the next one. @default 1_000 */
  readonly pause?: number | undefined
  /** What has to hold of each life; of one that was killed, those of them that tell of what has not ended yet. @default all of `laws` */
  readonly laws?: readonly Law[] | undefined
  /** What has to hold of all lives together. @default all of `durableLaws` */
  readonly across?: readonly DurableLaw[] | undefined
}

/** Lives that were played. */
export interface Lives {
  readonly lives: readonly Life[]
  /** Those of each life, and those of all together; `life` is its number from 0. */
  readonly violations: readonly DurableViolation[]
  /** The story, as a person reads it. */
  explain(): string
  /** Throws CurtaincallError ERR_TEST with the story, if a law is broken. */
  assert(): void
}

const object: Rule = { range: 'an object', accepts: isObject }
const RULES = {
  lives: { range: 'an array of lives', accepts: (value) => Array.isArray(value) && value.every(isObject) },
  disk: object,
  store: object,
  pause: duration,
  laws: lawList,
  across: lawList,
  steps: finiteCount,
  horizon: duration,
  allowEscapes: flag,
} satisfies Record<keyof LivesOptions, Rule>

const bytes: Rule = { range: 'a number of at least 0', accepts: (value) => typeof value === 'number' && value >= 0 }
const LIFE_RULES = {
  script: anything,
  faults: anything,
  seed: anything,
  tape: anything,
  mode: anything,
  strict: anything,
  kill: object,
  room: bytes,
} satisfies Record<keyof LifePlan, Rule>
const KILL_RULES = { how: oneOf('process', 'power'), after: finiteCount } satisfies Record<keyof NonNullable<LifePlan['kill']>, Rule>

/**
 * Plays lives of a tree in virtual time, over one simulated disk.
 *
 * @param tree A function that hands the options it gets on to `createGlobalManager`: the store is among them.
 * @throws ConfigError for a wrong option; CurtaincallError ERR_TEST if a life does not end, naming what was still running; ERR_ESCAPED if
 * something started real input or output.
 * @example
 * const order = { do: 'order', run: (global) => local(global).spawn('charge', charge, { durable: true, id: 'order-7' }) }
 * const lives = [{ script: [order], kill: { after: 3, how: 'power' } }, { script: [{ do: 'wait', ms: 60_000 }] }]
 * const played = await simulateLives(shop, { lives, disk: { seed: 7, shortWrites: 0.1 } })
 * played.assert()
 */
export async function simulateLives(tree: Exclude<SimulatedTree, { kind: 'tree' }>, options: LivesOptions): Promise<Lives> {
  check('simulateLives', options, RULES)
  const { lives: plans, across = durableLaws } = options
  if (!Array.isArray(plans)) throw refuse('simulateLives option lives', RULES.lives.range, plans)
  if (isPlan(tree)) throw refuse('simulateLives tree', 'a function that makes a global manager, or options of one', tree)
  const history = new History(tree, options)
  // What is left of a killed process is held in virtual time as long as the others live.
  const release = holdPlatform()
  const lives: Life[] = []
  try {
    for (const plan of plans) lives.push(await history.play(plan, lives.length))
  } finally {
    release()
  }
  const violations = [
    ...lives.flatMap(({ trace }, life) => trace.verdict.violations.map((each) => ({ ...each, life }))),
    ...judgeLives(lives, across),
  ]
  const explain = (): string => explainLives(lives, violations)
  const assert = (): void => {
    if (violations.length > 0) throw new CurtaincallError('ERR_TEST', explain())
  }
  return { lives, violations, explain, assert }
}

/** What outlasts the lives. */
class History {
  readonly #tree: SimulatedTree
  readonly #options: LivesOptions
  readonly #disk: SimulatedDisk
  readonly #ids = new Set<string>()
  #now = START

  constructor(tree: SimulatedTree, options: LivesOptions) {
    this.#tree = tree
    this.#options = options
    this.#disk = new SimulatedDisk(options.disk)
  }

  async play(plan: LifePlan, number: number): Promise<Life> {
    const owner = `simulateLives life ${number}`
    check(owner, plan, LIFE_RULES)
    const { kill, room = Infinity, script = [], ...rest } = plan
    if (kill !== undefined) check(`${owner} kill`, kill, KILL_RULES)
    const { store = {}, pause = 1_000, laws = allLaws, steps, horizon, allowEscapes } = this.#options
    const disk = this.#disk
    const { life } = disk
    const begins = this.#now
    const isCut = (): boolean => disk.life !== life
    const how = kill?.how ?? 'process'
    disk.capacity = disk.used + room
    disk.crashAfter(kill?.after ?? Infinity, how)
    const killsLast = kill !== undefined && kill.after === undefined
    const last = { do: `the ${how === 'power' ? 'power goes' : 'process is killed'}`, run: () => disk.crash(how) }
    const watch = new JournalWatch(simulatedStore(disk, store), begins, this.#ids, isCut)
    const performed = await perform(
      this.#tree,
      {
        ...rest,
        script: killsLast ? [...script, last] : script,
        ...(killsLast ? { end: false } : {}),
        laws: [],
        steps,
        horizon,
        allowEscapes,
      },
      { ids: `life${number}-r`, begins, store: watch, isCut },
    )
    this.#now = performed.ends + pause
    const end = isCut() ? how : 'shutdown'
    disk.crashAfter(Infinity)
    // A process that has ended holds nothing, also where its tree did not close the store.
    if (!isCut()) disk.crash()
    const { run, trace } = performed.simulation
    const violations = judge(run, end === 'shutdown' ? laws : laws.filter((each) => lawsOfTheLiving(each)))
    return {
      end,
      begins: begins - START,
      run,
      trace: { ...trace, verdict: { ...trace.verdict, violations } },
      journal: watch,
      fsync: store.fsync ?? 'group',
    }
  }
}

function explainLives(lives: readonly Life[], violations: Lives['violations']): string {
  const stories = lives.map(({ end, begins, trace, journal }, i) => {
    const { found, refusal, appended } = journal
    const opened =
      found === undefined
        ? refusal === undefined
          ? 'was not open by then'
          : `was refused: ${said(refusal)}`
        : `had ${found.position} entries`
    const entries = appended.map(({ entry, said: what }) => {
      const { type, id, ...others } = entry
      const number = 'number' in others ? ` ${others.number}` : ''
      return `  ${type} ${id}${number}: ${what ?? 'not acknowledged'}`
    })
    const how = end === 'shutdown' ? 'ended by itself' : end === 'power' ? 'ended as the power went' : 'was killed'
    return [`life ${i}, from ${begins} ms, ${how}; the store ${opened}`, explainTrace(trace), ...entries].join('\n')
  })
  const wrong = violations.map(({ law, message, life }) => `✗ ${law}${life === undefined ? '' : `, life ${life}`}: ${message}`)
  return [...stories, ...wrong].join('\n\n')
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
