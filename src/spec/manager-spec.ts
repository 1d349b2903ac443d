/** Options of the managers: checked once, every default filled in. */
import type { AnyActorLogic, InspectionEvent, Observer } from 'xstate'
import type { RestartType } from '../../machines/restart-policy.ts'
import type { AutoShutdown, Strategy } from '../../machines/supervisor.ts'
import {
  ASYNC_CONTEXT,
  type AsyncContext,
  type Clock,
  INTERCEPTOR,
  type Interceptor,
  DURABILITY,
  type DurableStore,
  isGrounded,
  PlatformClock,
  platformContext,
} from '../port/index.ts'
import { ConfigError, type Logger, silentLogger, type Work } from '../contract/index.ts'
import {
  callable,
  check,
  count,
  duration,
  finiteCount,
  flag,
  having,
  limit,
  nodeName,
  objectOf,
  oneOf,
  positiveDuration,
  type Rule,
  refuse,
} from './check.ts'
import { type ChildSpec, checkChildren, checkTemplate, childSpecRule, childrenRule } from './child-spec.ts'
import type { ignore } from './routine-spec.ts'
import { isActorLogic } from './work-spec.ts'

/** Options of every manager. All durations are milliseconds. */
export interface SupervisorOptions {
  /** What a restart of one of the `children` means for its siblings: nothing, all are restarted, or those after it. @default 'one_for_one' */
  readonly strategy?: 'one_for_one' | 'one_for_all' | 'rest_for_one' | undefined
  /** Ends the manager when one, or the last, of its significant children has ended by itself. @default 'never' */
  readonly autoShutdown?: AutoShutdown | undefined
  /** Child specs of what it supervises: started in order, stopped in reverse, restarted by `strategy`. @default none */
  readonly children?: readonly ChildSpec[] | undefined
  /** Restarts allowed within `restartWindow`; above it the manager gives up. @default 3 */
  readonly maxRestarts?: number | undefined
  /** Length of the window that `maxRestarts` counts in. @default 5_000 */
  readonly restartWindow?: number | undefined
  /** Routines below, on all levels, at any instant. @default Infinity */
  readonly maxRoutines?: number | undefined
}

/** Options of an app manager. */
export interface ManagerOptions extends SupervisorOptions {
  /** What its parent does when it gives up: for OTP that is a `shutdown` exit, so only `permanent` is restarted. @default 'permanent' */
  readonly restart?: RestartType | undefined
  /** How long its parent waits for it once asked to stop. @default 'infinity' (what is left of the whole) */
  readonly shutdown?: number | 'infinity' | undefined
  /** Of one of the `children`: its end by itself may end its parent; see `autoShutdown`. @default false */
  readonly significant?: boolean | undefined
  /** Runs before its children start: a throw is a failed start, `ignore` ends it without a run. @default none */
  readonly start?: ((context: ManagerStartContext) => undefined | void | typeof ignore) | undefined
}

/** What the `start` of a manager gets. */
export interface ManagerStartContext {
  readonly name: string
  readonly path: string
  /** Which life this is, from 1. */
  readonly incarnation: number
}

/** What a local manager has beside what every manager has. */
interface LocalOptions {
  /** What becomes of a spawn for which there is no permit. @default 'reject' */
  readonly overflow?: 'reject' | 'queue' | undefined
  /** How many may be queued. @default 1_000 */
  readonly maxQueue?: number | undefined
  /** How many ended routines are kept to be looked at, the latest ones. @default 0 */
  readonly retain?: number | undefined
}

/** Of a supervisor of any number of children that are alike. */
interface TemplateOptions {
  /** One child spec for any number of children, which `startChild({ id, input })` starts: OTP's simple_one_for_one. @default none */
  readonly template: ChildSpec
  readonly children?: undefined
  readonly strategy?: 'one_for_one' | undefined
  readonly autoShutdown?: 'never' | undefined
}

/** Options of a local manager: over `children`, or over one `template`. */
export type LocalManagerOptions = LocalOptions &
  ((ManagerOptions & { readonly template?: undefined }) | (Omit<ManagerOptions, keyof TemplateOptions> & TemplateOptions))

/** What becomes of a tree whose store fails. */
export type StoreFailurePolicy = 'fail' | 'continue'

/** Work that a store may bring back: a function of its context, or actor logic. */
// oxlint-disable-next-line typescript/no-explicit-any -- of whatever input, messages and replies
export type DurableWork = AnyActorLogic | ((context: any) => unknown)

/** Options of the global manager. */
export interface GlobalManagerOptions extends SupervisorOptions {
  /** First part of every path. @default 'global' */
  readonly name?: string | undefined
  /** Where time comes from. @default the platform's */
  readonly clock?: Clock | undefined
  /** Numbers from 0 to 1 for the jitter of backoffs. @default Math.random */
  readonly random?: (() => number) | undefined
  /** Ids of routines that are given none. @default nanoid, 8 characters */
  readonly generateId?: (() => string) | undefined
  /**
   * Takes pino, console, or anything of that shape. `false` is silence. @default only what has failed for good and nobody looks at (no
   * outcome asked for, no listener of that end) is printed, on `console.error`, one macrotask after its end
   */
  readonly logger?: Logger | false | undefined
  /** An XState inspection observer for the whole tree; makes a genuine actor of every routine from birth. @default none */
  readonly inspect?: ((event: InspectionEvent) => void) | Observer<InspectionEvent> | undefined
  /** Makes a genuine XState actor of every routine from birth. @default false */
  readonly strict?: boolean | undefined
  /** Where what is `durable` outlasts the process: `sqliteStore(file)`, or `durableStore(store)` of your own; opened at once, closed by the shutdown. @default none */
  readonly store?: DurableStore | undefined
  /** Durable work by its name: a routine that is read back from the store runs what stands here under the name of its spawn. @default none */
  readonly work?: Readonly<Record<string, DurableWork>> | undefined
  /**
   * What happens if the store can't be opened, or fails later: the tree fails, as one that gives up, or goes on while nothing is durable any
   * more, which is logged, announced (`store.failed`) and seen in `health()`. @default 'fail'
   */
  readonly storeFailure?: StoreFailurePolicy | undefined
  /** @internal */ readonly [INTERCEPTOR]?: Interceptor | undefined
  /** @internal */ readonly [ASYNC_CONTEXT]?: AsyncContext | undefined
}

/** The options of a manager, with every default filled in. */
export interface ManagerSpec {
  readonly maxRestarts: number
  readonly restartWindow: number
  readonly maxRoutines: number
  readonly restart: RestartType
  readonly shutdown: number
  readonly overflow: 'reject' | 'queue'
  readonly maxQueue: number
  readonly retain: number
  readonly strategy: Strategy
  readonly autoShutdown: AutoShutdown
  readonly significant: boolean
  readonly start: ManagerOptions['start']
  readonly children: readonly ChildSpec[]
  readonly template: ChildSpec | undefined
}

/** What only a global manager has. */
export interface GlobalSpec {
  readonly name: string
  readonly clock: Clock
  readonly random: () => number
  readonly generateId: (() => string) | undefined
  readonly logger: Logger
  /** True if errors that nobody looks at are printed. */
  readonly printsUnseen: boolean
  readonly inspect: GlobalManagerOptions['inspect']
  readonly strict: boolean
  readonly interceptor: Interceptor | undefined
  readonly store: DurableStore | undefined
  /** Durable work by its name. */
  readonly work: ReadonlyMap<string, Work>
  readonly storeFailure: StoreFailurePolicy
  readonly asyncContext: AsyncContext
}

const loggerRule = having('debug', 'info', 'warn', 'error')

const SUPERVISOR_RULES = {
  strategy: oneOf('one_for_one', 'one_for_all', 'rest_for_one'),
  autoShutdown: oneOf('never', 'any_significant', 'all_significant'),
  children: childrenRule,
  maxRestarts: count,
  restartWindow: positiveDuration,
  maxRoutines: limit,
} satisfies Record<keyof SupervisorOptions, Rule>

const MANAGER_RULES = {
  ...SUPERVISOR_RULES,
  restart: oneOf('permanent', 'transient', 'temporary'),
  shutdown: { range: `${duration.range}, or 'infinity'`, accepts: (value: unknown) => value === 'infinity' || duration.accepts(value) },
  significant: flag,
  start: callable,
} satisfies Record<keyof ManagerOptions, Rule>

const LOCAL_RULES = {
  ...MANAGER_RULES,
  overflow: oneOf('reject', 'queue'),
  maxQueue: count,
  retain: finiteCount,
  template: childSpecRule,
} satisfies Record<keyof LocalManagerOptions, Rule>

const GLOBAL_RULES = {
  ...SUPERVISOR_RULES,
  name: nodeName,
  clock: having('now', 'setTimeout', 'clearTimeout'),
  random: callable,
  generateId: callable,
  logger: { range: `${loggerRule.range}, or false`, accepts: (value) => value === false || loggerRule.accepts(value) },
  inspect: {
    range: 'a function, or an observer with the method next',
    accepts: (value: unknown) => callable.accepts(value) || having('next').accepts(value),
  },
  strict: flag,
  store: {
    range: 'a store of curtaincall/sqlite or curtaincall/testing, or durableStore(store) of one of your own',
    accepts: (value) => having('open').accepts(value) && DURABILITY in (value as object),
  },
  work: objectOf(),
  storeFailure: oneOf('fail', 'continue'),
} satisfies Record<Exclude<keyof GlobalManagerOptions, symbol>, Rule>

function complete(options: LocalManagerOptions, path?: string): ManagerSpec {
  const { children = [], autoShutdown = 'never', strategy = 'one_for_one', template } = options
  checkChildren(children, autoShutdown, path)
  if (template !== undefined) {
    if (children.length > 0) throw refuse('local manager option children', 'absent beside a template', children, path)
    if (strategy !== 'one_for_one') throw refuse('local manager option strategy', 'absent beside a template', strategy, path)
    checkTemplate(template, autoShutdown, path)
  }
  return {
    maxRestarts: options.maxRestarts ?? 3,
    restartWindow: options.restartWindow ?? 5_000,
    maxRoutines: options.maxRoutines ?? Infinity,
    restart: options.restart ?? 'permanent',
    shutdown: options.shutdown === undefined || options.shutdown === 'infinity' ? Infinity : options.shutdown,
    overflow: options.overflow ?? 'reject',
    maxQueue: options.maxQueue ?? 1_000,
    retain: options.retain ?? 0,
    strategy: template === undefined ? strategy : 'simple_one_for_one',
    autoShutdown,
    significant: options.significant ?? false,
    start: options.start,
    children: [...children],
    template,
  }
}

/** Of all that are given no options: 200 B less for each. */
const DEFAULT_MANAGER = /* @__PURE__ */ complete({})

function isEmpty(options: object): boolean {
  for (const _ in options) return false
  return true
}

/** Checks a name; it becomes part of a path. */
export function checkName(owner: string, name: unknown, path?: string): string {
  if (!nodeName.accepts(name)) throw refuse(`${owner} name`, nodeName.range, name, path)
  return name as string
}

/** Checks the options of an app manager. Throws ConfigError. */
export function compileAppSpec(options: ManagerOptions = {}, path?: string): ManagerSpec {
  check('app manager', options, MANAGER_RULES, path)
  return isEmpty(options) ? DEFAULT_MANAGER : complete(options, path)
}

/** What only a local manager has. */
const LOCAL_ONLY = Object.keys(LOCAL_RULES).filter((key) => !Object.hasOwn(MANAGER_RULES, key)) as (keyof LocalManagerOptions)[]

/** A manager among the children of the global one is an app manager. Throws ConfigError if it says what only a local one can. */
export function checkAppChild(child: ChildSpec, path?: string): void {
  if (child.type !== 'supervisor') return
  const option = LOCAL_ONLY.find((key) => child.options[key] !== undefined)
  if (option === undefined) return
  throw new ConfigError(
    `${child.name}: ${option} is an option of local managers, and a child of the global manager is an app manager: put it on a manager below`,
    { path, option },
  )
}

/** Checks the options of a local manager. Throws ConfigError. */
export function compileLocalSpec(options: LocalManagerOptions = {}, path?: string): ManagerSpec {
  check('local manager', options, LOCAL_RULES, path)
  return isEmpty(options) ? DEFAULT_MANAGER : complete(options, path)
}

/** Checks the options of a global manager. Throws ConfigError. */
export function compileGlobalSpec(options: GlobalManagerOptions = {}): ManagerSpec & GlobalSpec {
  check('global manager', options, GLOBAL_RULES)
  const name = options.name ?? 'global'
  const spec = complete(
    {
      maxRestarts: options.maxRestarts,
      restartWindow: options.restartWindow,
      maxRoutines: options.maxRoutines,
      strategy: options.strategy,
      autoShutdown: options.autoShutdown,
      children: options.children,
    },
    name,
  )
  for (const child of spec.children) checkAppChild(child, name)
  const asyncContext = options[ASYNC_CONTEXT] ?? platformContext()
  return {
    ...spec,
    name,
    clock: options.clock ?? new PlatformClock(asyncContext),
    random: options.random ?? Math.random,
    generateId: options.generateId,
    logger: options.logger === undefined || options.logger === false ? silentLogger : options.logger,
    // Whoever simulates a tree reads its trace.
    printsUnseen: options.logger === undefined && options[INTERCEPTOR] === undefined,
    inspect: options.inspect,
    strict: (options.strict ?? false) || options.inspect !== undefined,
    interceptor: options[INTERCEPTOR],
    store: options.store,
    work: compileWork(options.work ?? {}, name),
    storeFailure: options.storeFailure ?? 'fail',
    asyncContext,
  }
}

function compileWork(given: Readonly<Record<string, unknown>>, path: string): ReadonlyMap<string, Work> {
  const entries = Object.entries(given)
  for (const [name, work] of entries) {
    checkName('work', name, path)
    if (typeof work !== 'function' && !isGrounded(work) && !isActorLogic(work))
      throw refuse(`global manager option work.${name}`, 'a function or XState actor logic', work, path)
  }
  return new Map(entries as [string, Work][])
}
