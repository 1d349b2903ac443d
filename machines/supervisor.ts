/**
 * The decisions of a supervisor, by OTP's supervision principles; best read beside OTP's own chapter on them.
 *
 * In Erlang a supervisor is a process: it takes one message after the other from its mailbox, and finishes with each before it takes
 * the next. Here that process is a generator: it yields commands, and is resumed with their results. It has no clock and starts
 * nothing itself; src/supervision/supervisor.ts runs it and carries out its commands.
 *
 * V1  One thing at a time: ends of children and calls wait in the mailbox while a child is being stopped or started.
 * V2  The restart limit comes first: each attempt is recorded before anything starts, and one too many ends the supervisor, unless
 *     the child may be started without its snapshot instead (`fresh`).
 * V3  A restart whose start fails is tried again through the mailbox, behind what waits there already.
 * V4  Groups stop in reverse order of start and start in order; a temporary sibling is stopped and forgotten, every other one is started.
 * V5  The exit of a child that is dead already when its group stops is consumed by that stop; its message is not handled again.
 * V6  Only a significant child that ends by itself, and is not restarted, can trigger an automatic shutdown.
 * V7  A temporary child's spec is removed when it ends; any other is kept until it is deleted.
 * V8  A delayed restart, and a retry, belong to one run of the child: if it was started in another way meanwhile, they are void.
 * V9  Between two messages, those known as significant run or are to: whether the last has ended is not to be counted at each end.
 */
import { ChildOrder } from './child-order.ts'
import { type ExitKind, type RestartType, type RestartWindow, shouldRestart } from './restart-policy.ts'

/** OTP's strategies. `simple_one_for_one` is what a `template` makes. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one'

/** When the end of significant children ends their supervisor. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

/** `restarting`: it is to be started again, later. `undefined`: it does not run, its specification is kept. */
export type ChildState = 'running' | 'restarting' | 'undefined'

/** A child and its state. The supervisor writes `state` and `run`; the code that sees it end writes `alive`. */
export interface Child {
  readonly id: string
  readonly restart: RestartType
  readonly significant: boolean
  readonly type: 'worker' | 'supervisor'
  state: ChildState
  /** False from its end on, handled or not. */
  alive: boolean
  /** Counts its starts; an exit of an earlier one is ignored. */
  run: number
}

/**
 * What is to follow the end of a child. `policy`: what its restart type says. `no`: no restart, since none would help. `told`: no
 * restart, since it was asked to stop. `again`: a restart that counts against the limit. `free`: one that does not count.
 */
export type Wish = 'policy' | 'no' | 'told' | 'again' | 'free'

/** A call to a supervisor, which answers with a {@link Verdict}. */
export type Call<C extends Child> =
  | { readonly op: 'startChild'; readonly child: C }
  | { readonly op: 'restartChild' | 'deleteChild'; readonly id: string }
  /** `means` is false for a child that has taken the id since, in place of the one that is meant. */
  | { readonly op: 'terminateChild'; readonly id: string; readonly means?: (child: C) => boolean }
  | { readonly op: 'whichChildren' }
  | { readonly op: 'countChildren' }

/** OTP's refusals. `down`: the supervisor does not run, or ended before it answered. */
export type CallError =
  | 'not_found'
  | 'running'
  | 'restarting'
  | 'already_present'
  | 'already_started'
  | 'start_failed'
  | 'bad_combination'
  | 'simple_one_for_one'
  | 'down'

/** A supervisor's answer to a call; src/supervision/child-calls.ts turns it into the value that the caller gets. */
export type Verdict<C extends Child> =
  | { readonly ok: true; readonly child?: C | undefined; readonly children?: readonly C[]; readonly counts?: ChildCounts }
  | { readonly ok: false; readonly error: CallError; readonly child?: C }

/** OTP's count_children. */
export interface ChildCounts {
  readonly specs: number
  readonly active: number
  readonly supervisors: number
  readonly workers: number
}

/** What waits in a supervisor's mailbox. */
export type Message<C extends Child> =
  | { readonly type: 'exit'; readonly child: C; readonly run: number; readonly kind: ExitKind; readonly wish: Wish }
  /** `run` is that of the start that failed, or is over: once there was another one, this is void. */
  | { readonly type: 'retry' | 'resume'; readonly child: C; readonly run: number }
  | { readonly type: 'call'; readonly call: Call<C>; readonly reply: (verdict: Verdict<C>) => void }
  | { readonly type: 'stop' }

/** How a start went. */
export type Begun = 'ok' | 'ignore' | 'error'

/** Why a supervisor ends. */
export type EndReason = 'limit' | 'auto_shutdown' | 'stop' | 'start_failed'

/** The commands of a supervisor; in parentheses what it is resumed with. */
export type Command<C extends Child> =
  /** The next message ({message, now}). */
  | { readonly do: 'receive' }
  /** All children have started. */
  | { readonly do: 'ready' }
  /** Starts a child (Begun). `again`: it is a restart, which is tried again if it fails; `for`: the sibling whose group it belongs to, or itself. */
  | { readonly do: 'start'; readonly child: C; readonly again: boolean; readonly for: C }
  /** Stops a child, and waits for it. `again`: it is started again right after, with its group; `for`: the sibling that has ended, or itself. */
  | { readonly do: 'stop'; readonly child: C; readonly again: boolean; readonly for: C }
  /** The limit is reached: may the child be started once more nevertheless, without its snapshot this time (boolean)? */
  | { readonly do: 'fresh'; readonly child: C }
  /** Asks how many milliseconds the restart is to wait (number); above 0, a `resume` message follows when they are over. */
  | { readonly do: 'delay'; readonly child: C }
  /** The child does not run and is not to be started again. */
  | { readonly do: 'leave'; readonly child: C }
  | { readonly do: 'reply'; readonly reply: (verdict: Verdict<C>) => void; readonly verdict: Verdict<C> }
  /** Stops all children that are left, in reverse order of start, and ends. */
  | { readonly do: 'end'; readonly why: EndReason; readonly child?: C }

type Steps<C extends Child, Result = void> = Generator<Command<C>, Result, unknown>
type End<C extends Child> = (Command<C> & { do: 'end' }) | undefined

/** The state that a supervisor decides on. */
export interface Supervision<C extends Child> {
  readonly strategy: Strategy
  /** The id of the template, under `simple_one_for_one`: its instances have ids of their own. */
  readonly template: string | undefined
  readonly autoShutdown: AutoShutdown
  readonly limit: RestartWindow
  /** In order of start. */
  readonly children: Map<string, C>
  /** The same, made at the first restart of a rest. */
  order?: ChildOrder<C>
  /** The children whose end may end the supervisor; see V9. At first, all of them. */
  readonly significant: Set<C>
  /** Puts a message at the end of its own mailbox. */
  readonly post: (message: Message<C>) => void
}

/** A supervisor, from the start of its first child to its end. */
export function* supervise<C extends Child>(s: Supervision<C>): Steps<C> {
  for (const child of s.children.values()) {
    const begun = yield* start(child)
    if (begun !== 'ok') yield* leave(s, child)
    if (begun === 'error') {
      yield { do: 'end', why: 'start_failed', child }
      return
    }
  }
  yield { do: 'ready' }
  for (;;) {
    const { message, now } = (yield { do: 'receive' }) as { message: Message<C>; now: number }
    if (message.type === 'stop') {
      yield { do: 'end', why: 'stop' }
      return
    }
    const steps = handle(s, message, now)
    const end = steps === undefined ? undefined : yield* steps
    if (end !== undefined) {
      yield end
      return
    }
  }
}

/**
 * What a message leads to, if to anything. Here and below, a function that has nothing to yield itself returns the generator that goes
 * on: each `yield*` on the way to a command is passed at every resumption.
 */
function handle<C extends Child>(
  s: Supervision<C>,
  message: Exclude<Message<C>, { type: 'stop' }>,
  now: number,
): Steps<C, End<C>> | undefined {
  switch (message.type) {
    case 'exit':
      return handleExit(s, message, now)
    case 'retry':
      return isDue(message) ? restart(s, message.child, now) : undefined
    case 'resume':
      return isDue(message) ? startAgain(s, groupOf(s, message.child), message.child) : undefined
    default:
      return handleCall(s, message)
  }
}

/** V8. */
function isDue({ child, run }: { readonly child: Child; readonly run: number }): boolean {
  return child.state === 'restarting' && child.run === run
}

function handleExit<C extends Child>(
  s: Supervision<C>,
  { child, run, kind, wish }: Message<C> & { type: 'exit' },
  now: number,
): Steps<C, End<C>> | undefined {
  // V5, and one that was deleted meanwhile.
  if (child.run !== run || child.state === 'undefined') return undefined
  if (wish === 'free') return startAgain(s, [child], child)
  if (wish === 'again' || (wish === 'policy' && shouldRestart(child.restart, kind))) return restart(s, child, now)
  return leaveForGood(s, child, wish !== 'told')
}

function* leaveForGood<C extends Child>(s: Supervision<C>, child: C, byItself: boolean): Steps<C, End<C>> {
  yield* leave(s, child)
  return byItself && isOver(s, child) ? { do: 'end', why: 'auto_shutdown', child } : undefined
}

/** V6, V9: true if this child, which has ended by itself and for good, ends the supervisor. */
function isOver<C extends Child>(s: Supervision<C>, child: C): boolean {
  if (!child.significant || s.autoShutdown === 'never') return false
  if (s.autoShutdown === 'any_significant') return true
  return s.significant.size === 0
}

/** V2, then the strategy. */
function* restart<C extends Child>(s: Supervision<C>, child: C, now: number): Steps<C, End<C>> {
  child.state = 'restarting'
  const fresh = s.limit.left(now) === 0 && ((yield { do: 'fresh', child }) as boolean)
  if (!fresh && !s.limit.record(now)) return { do: 'end', why: 'limit', child }
  const delay = (yield { do: 'delay', child }) as number
  // A delayed restart comes back as `resume`: the supervisor does not wait for it, and it is not counted again.
  return delay > 0 ? undefined : yield* startAgain(s, groupOf(s, child), child)
}

/** Who is started again with a child: by the strategy, in order of start. */
function groupOf<C extends Child>(s: Supervision<C>, child: C): readonly C[] {
  switch (s.strategy) {
    case 'rest_for_one':
      return (s.order ??= new ChildOrder(s.children.values())).from(child)
    case 'one_for_all':
      return [...s.children.values()]
    default:
      return [child]
  }
}

/** V4. All in one generator: to make one for each step is a twentieth of a restart. */
function* startAgain<C extends Child>(s: Supervision<C>, group: readonly C[], crashed: C): Steps<C, undefined> {
  for (const child of group) if (child.significant) s.significant.add(child)
  for (let i = group.length - 1; i >= 0; i--) {
    const child = group[i] as C
    if (child === crashed) continue
    if (child.state !== 'undefined') yield { do: 'stop', child, again: child.restart !== 'temporary', for: crashed }
    rest(child)
    if (child.restart === 'temporary') yield* leave(s, child)
  }
  let failed: C | undefined
  for (const child of group) {
    if (child !== crashed && child.restart === 'temporary') continue
    if (failed !== undefined) {
      child.state = 'undefined'
      s.significant.delete(child)
      yield { do: 'leave', child }
    } else {
      enter(child)
      const begun = (yield { do: 'start', child, again: true, for: crashed }) as Begun
      if (begun !== 'ok') rest(child)
      if (begun === 'error') failed = child
      else if (begun === 'ignore') yield* leave(s, child)
    }
  }
  if (failed !== undefined) tryAgain(s, failed)
}

/** V3. */
function tryAgain<C extends Child>(s: Supervision<C>, child: C): void {
  child.state = 'restarting'
  s.post({ type: 'retry', child, run: child.run })
}

function enter(child: Child): void {
  child.run++
  child.state = 'running'
  child.alive = true
}

/** It does not run. */
function rest(child: Child): void {
  child.state = 'undefined'
  child.alive = false
}

function* start<C extends Child>(child: C): Steps<C, Begun> {
  enter(child)
  const begun = (yield { do: 'start', child, again: false, for: child }) as Begun
  if (begun !== 'ok') rest(child)
  return begun
}

/** V7. */
function* leave<C extends Child>(s: Supervision<C>, child: C): Steps<C> {
  rest(child)
  s.significant.delete(child)
  if (child.restart === 'temporary' || s.strategy === 'simple_one_for_one') forget(s, child)
  yield { do: 'leave', child }
}

function adopt<C extends Child>(s: Supervision<C>, child: C): void {
  s.children.set(child.id, child)
  s.order?.add(child)
  if (child.significant) s.significant.add(child)
}

function forget<C extends Child>(s: Supervision<C>, child: C): void {
  s.children.delete(child.id)
  s.order?.delete(child)
}

const OK = { ok: true } as const

function refuse(error: CallError): { ok: false; error: CallError } {
  return { ok: false, error }
}

function* handleCall<C extends Child>(s: Supervision<C>, { call, reply }: Message<C> & { type: 'call' }): Steps<C, undefined> {
  yield { do: 'reply', reply, verdict: yield* answer(s, call) }
}

function* answer<C extends Child>(s: Supervision<C>, call: Call<C>): Steps<C, Verdict<C>> {
  switch (call.op) {
    case 'startChild':
      return yield* startChild(s, call.child)
    case 'restartChild':
      return yield* restartChild(s, call.id)
    case 'terminateChild':
      return yield* terminateChild(s, call.id, call.means)
    case 'deleteChild':
      return yield* deleteChild(s, call.id)
    case 'whichChildren':
      return { ok: true, children: [...s.children.values()].reverse() }
    default:
      return { ok: true, counts: countChildren(s) }
  }
}

/**
 * True if the child must not be significant under this supervisor: a permanent one is always restarted, and under `never` no end of a
 * child shuts the supervisor down.
 */
export function isBadCombination(child: Pick<Child, 'significant' | 'restart'>, autoShutdown: AutoShutdown): boolean {
  return child.significant && (child.restart === 'permanent' || autoShutdown === 'never')
}

function* startChild<C extends Child>(s: Supervision<C>, child: C): Steps<C, Verdict<C>> {
  if (isBadCombination(child, s.autoShutdown)) return refuse('bad_combination')
  const present = s.children.get(child.id)
  if (present !== undefined) return refuse(present.state === 'running' ? 'already_started' : 'already_present')
  // A supervisor has its place among its siblings before its own children start.
  adopt(s, child)
  const begun = yield* start(child)
  if (begun === 'ok') return { ok: true, child }
  if (begun === 'error') forget(s, child)
  yield* leave(s, child)
  return begun === 'ignore' ? OK : { ok: false, error: 'start_failed', child }
}

function* restartChild<C extends Child>(s: Supervision<C>, id: string): Steps<C, Verdict<C>> {
  if (s.strategy === 'simple_one_for_one') return refuse('simple_one_for_one')
  const child = s.children.get(id)
  if (child === undefined) return refuse('not_found')
  if (child.state !== 'undefined') return refuse(child.state)
  const begun = yield* start(child)
  if (begun === 'ok' && child.significant) s.significant.add(child)
  if (begun === 'ok') return { ok: true, child }
  yield* leave(s, child)
  return begun === 'ignore' ? OK : { ok: false, error: 'start_failed', child }
}

function* terminateChild<C extends Child>(s: Supervision<C>, id: string, means?: (child: C) => boolean): Steps<C, Verdict<C>> {
  if (id === s.template) return refuse('simple_one_for_one')
  const child = s.children.get(id)
  if (child === undefined || means?.(child) === false) return refuse('not_found')
  if (child.state !== 'undefined') yield { do: 'stop', child, again: false, for: child }
  yield* leave(s, child)
  return OK
}

function* deleteChild<C extends Child>(s: Supervision<C>, id: string): Steps<C, Verdict<C>> {
  if (s.strategy === 'simple_one_for_one') return refuse('simple_one_for_one')
  const child = s.children.get(id)
  if (child === undefined) return refuse('not_found')
  if (child.state !== 'undefined') return refuse(child.state)
  forget(s, child)
  yield { do: 'leave', child }
  return OK
}

function countChildren<C extends Child>(s: Supervision<C>): ChildCounts {
  const simple = s.strategy === 'simple_one_for_one'
  let active = 0
  let supervisors = 0
  for (const child of s.children.values()) {
    // OTP counts the instances of a template without looking whether they are dead already.
    if (child.alive || (simple && child.state === 'running')) active++
    if (child.type === 'supervisor') supervisors++
  }
  const { size } = s.children
  return { specs: simple ? 1 : size, active, supervisors, workers: size - supervisors }
}
