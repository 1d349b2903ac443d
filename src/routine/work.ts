/** The two kinds of work: a function, or the logic of any XState actor. */
import {
  type ActorLogic,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyActorScope,
  createActor,
  type EventObject,
  type InputFrom,
  type IsNotNever,
  type Snapshot,
} from 'xstate'
import { instead } from '../turn/actor.ts'
import { type Incarnation, returned } from './incarnation.ts'
import type { AnyBody } from '../port/interceptor.ts'
import { isThenable } from '../turn/lifecycle-bus.ts'
import { RoutineContext } from './routine-context.ts'
import { refuse } from '../spec/check.ts'
import type { RoutineOptions } from '../spec/routine-spec.ts'

/** Work as a function of its context. */
export type Body<Input = unknown, Output = unknown, Message = never, Reply = never> = (
  context: RoutineContext<Input, Message, Reply>,
) => Output | PromiseLike<Output>

/** Anything that can be supervised. */
export type Work = Body<never> | AnyActorLogic

/** True for XState actor logic. */
export function isActorLogic(work: unknown): work is AnyActorLogic {
  if (typeof work !== 'object' || work === null) return false
  const logic = work as Partial<AnyActorLogic>
  return typeof logic.transition === 'function' && typeof logic.getInitialSnapshot === 'function'
}

/** Options where the work takes input of this type: required unless it may be undefined. */
export type OptionsFor<Input> = undefined extends Input
  ? [options?: RoutineOptions<Input>]
  : [options: RoutineOptions<Input> & { readonly input: Input }]

type LogicInput<Logic extends AnyActorLogic> = unknown extends InputFrom<Logic> ? unknown : InputFrom<Logic>

/** Options where the work is actor logic. */
export type LogicArguments<Logic extends AnyActorLogic> =
  IsNotNever<LogicInput<Logic>> extends true ? OptionsFor<LogicInput<Logic>> : [options?: RoutineOptions]

/**
 * Checks that this can be supervised.
 *
 * @throws ConfigError
 */
export function checkWork(work: unknown, resume: RoutineOptions['resume'], path: string): Work {
  if (typeof work !== 'function' && !isActorLogic(work)) throw refuse('routine work', 'a function or XState actor logic', work, path)
  if (typeof work === 'function' && resume === 'snapshot')
    throw refuse('routine option resume', "'fresh' where the work is a function", resume, path)
  return work as Work
}

/** Begins the work of an incarnation. A deed: what comes of it are turns. */
export function runWork(incarnation: Incarnation): void {
  const { logic } = incarnation.row
  if (typeof logic === 'function') runBody(incarnation, logic as AnyBody)
  else runActor(incarnation, logic)
}

/** Runs a function; whatever way it ends is told to the incarnation. */
function runBody(incarnation: Incarnation, given: AnyBody): void {
  const { row } = incarnation
  const { interceptor } = row.local.stage
  const body = interceptor === undefined ? given : interceptor.body(row, given)
  const result = body(new RoutineContext(incarnation))
  if (isThenable(result)) {
    // A `then` of its own may throw, or answer twice: adopted by a promise it can do neither.
    const promise = result.then === Promise.prototype.then ? result : new Promise((resolve) => resolve(result))
    // Bound functions, because two closures and what they share are 56 B more.
    promise.then(returnedLater.bind(incarnation), threwLater.bind(incarnation))
  } else incarnation.turn.arise(returned, incarnation, result)
}

function returnedLater(this: Incarnation, output: unknown): void {
  this.turn.run(returned, this, output)
}

function threwLater(this: Incarnation, error: unknown): void {
  this.threw(error)
}

/** Runs an actor as a child of the incarnation's own. */
function runActor(incarnation: Incarnation, logic: AnyActorLogic): void {
  const { row } = incarnation
  const { resumption } = row
  const { snapshot, delays } = resumption ?? {}
  const contained = stoppingChildren(logic, incarnation)
  const work = createActor(resumption?.observe(contained) ?? contained, {
    parent: incarnation.actor,
    id: 'work',
    input: row.input,
    ...(snapshot === undefined ? {} : { snapshot }),
    // XState's own logger is the console's; what a machine logs belongs with everything else.
    logger: (...args: unknown[]) => row.local.stage.bus.log('info', { path: row.path, args }, 'log'),
  } as object) as AnyActorRef
  incarnation.work = work
  // Its end is relayed to the incarnation's actor. What it throws once it was stopped from here is not: it comes from tidying up.
  work.subscribe({
    error: (error) => {
      if (incarnation.work !== work) incarnation.strayed(error, 'its actor threw while it was being stopped')
    },
  })
  work.start()
  if (incarnation.over) return
  if (resumption !== undefined) {
    if (delays !== undefined) resumption.runOn(work, delays)
    const keep = (): void => resumption.keep(work, row.path)
    keep()
    work.subscribe({ next: keep, error: () => undefined })
  }
  row.flushMailbox(work)
}

/**
 * The same logic, except that an actor whose own action throws takes its children with it, and that what they throw while they
 * are stopped is heard of: XState leaves the ones running, and drops the other.
 */
function stoppingChildren(logic: AnyActorLogic, incarnation: Incarnation): AnyActorLogic {
  const original = logic as ActorLogic<Snapshot<unknown>, EventObject>
  const error = (thrown: unknown): void => incarnation.strayed(thrown, 'a child of its actor threw while it was being stopped')
  return instead(original, {
    transition: (snapshot, event, scope) => {
      if (event.type === 'xstate.stop') for (const child of descendants(snapshot)) child.subscribe({ error })
      try {
        return original.transition(snapshot, event, scope)
      } catch (error) {
        stopChildren(snapshot, scope)
        throw error
      }
    },
  })
}

function stopChildren(snapshot: Snapshot<unknown>, scope: AnyActorScope): void {
  for (const child of childrenOf(snapshot)) scope.stopChild(child)
}

/** Those at work: one that has ended stays among the children, and its error is old news. Logic of one's own may call anything so. */
function childrenOf(snapshot: Snapshot<unknown> | undefined): AnyActorRef[] {
  const { children } = (snapshot ?? {}) as { children?: object }
  return (Object.values(children ?? {}) as Partial<AnyActorRef>[]).filter(
    (child): child is AnyActorRef =>
      typeof child?.subscribe === 'function' && typeof child.getSnapshot === 'function' && child.getSnapshot()?.status === 'active',
  )
}

/** All below, outermost first. */
function* descendants(snapshot: Snapshot<unknown> | undefined): Generator<AnyActorRef> {
  for (const child of childrenOf(snapshot)) {
    yield child
    yield* descendants(child.getSnapshot() as Snapshot<unknown> | undefined)
  }
}
