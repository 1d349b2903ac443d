/** The ground of actor logic: a genuine XState actor below that of the routine. It is stopped at once, and so always obeys. */
import { type ActorLogic, type AnyActorLogic, type AnyActorRef, type AnyActorScope, type EventObject, type Snapshot } from 'xstate'
import type { Mailbox } from '../message/index.ts'
import type { Ground, Run, Subject } from '../port/index.ts'
import { instead, type Tree } from '../turn/index.ts'
import { askedEvent } from './asked-event.ts'
import type { Resumption } from './resumption.ts'
import { WorkActor } from './work-actor.ts'

/** One run of actor logic. */
interface ActorRun extends Run {
  readonly subject: ActorSubject
  /** The routine's own actor. */
  readonly actor: AnyActorRef
  /** Stops an actor below that. */
  stopChild(child: AnyActorRef): void
}

/** A routine whose work is actor logic. */
interface ActorSubject extends Subject {
  readonly logic: AnyActorLogic
  readonly resumption: Resumption | undefined
  readonly tree: Tree
  readonly mailbox: Mailbox
  /** The asynchronous context that its body runs in; see port/async-context.ts. */
  readonly bodyContext: unknown
  /** Its actor has begun, and takes messages. */
  flushMailbox(): void
}

export const actorGround: Ground = {
  begin(run) {
    begin(run as ActorRun)
  },

  ask(run) {
    stop(run as ActorRun)
  },

  kill(run) {
    stop(run as ActorRun)
  },

  ends: true,

  takes: ({ footing }) => footing !== undefined,
  accepts: ({ footing }) => !ENDED.has((footing as AnyActorRef | undefined)?.getSnapshot().status ?? 'stopped'),

  deliver({ footing }, message, reply, question) {
    const event = reply === undefined || question === undefined ? message : askedEvent(message as object, reply, question)
    return (footing as WorkActor).hand(event as EventObject)
  },
}

const ENDED: ReadonlySet<string> = new Set(['done', 'error', 'stopped'])

function begin(run: ActorRun): void {
  const { subject } = run
  const { resumption, logic } = subject
  const { snapshot, delays } = resumption ?? {}
  const contained = stoppingChildren(logic, run)
  const options = {
    parent: run.actor,
    id: 'work',
    input: run.input,
    ...(snapshot === undefined ? {} : { snapshot }),
    // XState's own is the console's; what a machine logs belongs with everything else.
    logger: (...args: unknown[]) => subject.tree.bus.log('info', { path: subject.path, args }, 'log'),
  }
  const work = new WorkActor(contained, options as object, () => void (run.footing === work && subject.mailbox.came()))
  run.footing = work
  resumption?.observe(work)
  handleInContext(work, subject)
  // Its end is relayed to the routine's actor. What it throws once it was stopped from here is not: it comes from tidying up.
  work.subscribe({
    error: (error) => {
      if (run.footing !== work) run.strayed(error, 'its actor threw while it was being stopped')
    },
  })
  if (!run.asked) work.start()
  // Its own code may just have had it stopped, see O2 of port/ground.ts: there was nothing to stop yet.
  if (run.asked) {
    stop(run)
    return
  }
  if (resumption !== undefined) {
    if (delays !== undefined) resumption.runOn(work, delays)
    // What it makes of being stopped is nothing to go on with.
    const keep = (): void => void (run.footing === work && resumption.keep(work, subject.path))
    keep()
    work.subscribe({ next: keep, error: () => undefined })
  }
  subject.flushMailbox()
}

function stop(run: ActorRun): void {
  const work = run.footing as AnyActorRef | undefined
  if (work === undefined) return
  run.footing = undefined
  run.stopChild(work)
  run.returned(undefined)
}

/** What it is sent, by whomever, and by its own delays, it handles in the asynchronous context of its routine. */
function handleInContext(work: AnyActorRef, subject: ActorSubject): void {
  const { asyncContext } = subject.tree
  // XState's way in for whatever is sent.
  const actor = work as unknown as { _send: (event: EventObject) => void }
  const send = actor._send.bind(actor)
  actor._send = (event) => asyncContext.run(subject.bodyContext, send, event, undefined)
}

/**
 * The same logic, except that an actor whose own action throws takes its children with it, and that what they throw while they
 * are stopped is heard of: XState leaves the ones running, and drops the other.
 */
function stoppingChildren(logic: AnyActorLogic, run: Run): AnyActorLogic {
  const original = logic as ActorLogic<Snapshot<unknown>, EventObject>
  const error = (thrown: unknown): void => run.strayed(thrown, 'a child of its actor threw while it was being stopped')
  return instead(original, {
    transition: (snapshot, event, scope) => {
      // An event that it handles is a sign of life, unless that is its end.
      if (event.type !== 'xstate.stop') run.beat()
      if (run.footing === scope.self) (run.footing as WorkActor).came()
      if (event.type === 'xstate.stop') for (const child of descendants(snapshot)) child.subscribe({ error })
      try {
        return original.transition(snapshot, event, scope)
      } catch (thrown) {
        stopChildren(snapshot, scope)
        throw thrown
      }
    },
  })
}

function stopChildren(snapshot: Snapshot<unknown>, scope: AnyActorScope): void {
  for (const child of childrenOf(snapshot)) scope.stopChild(child)
}

/** The active children: XState keeps ended ones, whose errors were reported. A user's own logic may use `children` for anything. */
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
