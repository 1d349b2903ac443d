/** The ground of actor logic: a genuine XState actor below that of the routine. It is stopped at once, and so always obeys. */
import type { ActorLogic, AnyActorLogic, AnyActorRef, AnyActorScope, EventObject, Snapshot } from 'xstate'
import type { Ground } from '../port/index.ts'
import { instead } from '../turn/index.ts'
import type { ActorRun } from './actor-run.ts'
import { askedEvent } from './asked-event.ts'
import { WorkActor } from './work-actor.ts'

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
  accepts({ footing }) {
    const status = (footing as AnyActorRef | undefined)?.getSnapshot().status ?? 'stopped'
    return status === 'active' || !ENDED.has(status)
  },

  deliver({ footing }, message, reply, question) {
    const event = reply === undefined || question === undefined ? message : askedEvent(message as object, reply, question)
    return (footing as WorkActor).hand(event as EventObject)
  },
}

const ENDED: ReadonlySet<string> = new Set(['done', 'error', 'stopped'])

function begin(run: ActorRun): void {
  const { subject } = run
  const { resumption, chronicle, logic } = subject
  const follow = resumption?.follow
  // Whoever inspects sees the routine's actor before the user's.
  if (subject.tree.isInspected) void run.actor
  const work = new WorkActor(supervised(logic), run)
  run.footing = work
  resumption?.observe(work)
  if (!run.asked) work.start()
  // Its own code may just have had it stopped, see O2 of port/ground.ts: there was nothing to stop yet.
  if (run.asked) {
    stop(run)
    return
  }
  if (resumption !== undefined) {
    follow?.(work)
    // What it makes of being stopped is nothing to go on with.
    const keep = (): void => void (run.footing === work && resumption.keep(work, subject.path))
    keep()
    work.subscribe({ next: keep, error: () => undefined })
  } else if (chronicle !== undefined) work.subscribe({ next: () => chronicle.stepped(), error: () => undefined })
  subject.flushMailbox()
}

function stop(run: ActorRun): void {
  const work = run.footing as WorkActor | undefined
  if (work === undefined) return
  run.footing = undefined
  work.halt()
  run.returned(undefined)
}

/** Of each logic, the same as it is supervised: made once, since many actors run the same logic. */
const SUPERVISED = new WeakMap<AnyActorLogic, AnyActorLogic>()

/**
 * The same logic, except that an actor whose own action throws takes its children with it, and that what they throw while they
 * are stopped is heard of: XState leaves the ones running, and drops the other.
 */
function supervised(logic: AnyActorLogic): AnyActorLogic {
  const known = SUPERVISED.get(logic)
  if (known !== undefined) return known
  const original = logic as ActorLogic<Snapshot<unknown>, EventObject>
  const made = instead(original, {
    transition: (snapshot, event, scope) => {
      if (scope.self instanceof WorkActor) comesTo(scope.self, snapshot, event)
      try {
        return original.transition(snapshot, event, scope)
      } catch (thrown) {
        stopChildren(snapshot, scope)
        throw thrown
      }
    },
    ...(original.start === undefined ? {} : { start: begins }),
  })
  function begins(snapshot: Snapshot<unknown>, scope: AnyActorScope): void {
    // Its own code may look up.
    if (scope.self instanceof WorkActor) scope.self.standIn.isXState = false
    original.start?.(snapshot, scope)
  }
  SUPERVISED.set(logic, made)
  return made
}

function comesTo(work: WorkActor, snapshot: Snapshot<unknown>, event: EventObject): void {
  const isEnd = event.type === 'xstate.stop'
  // An event that it handles is a sign of life, unless that is its end.
  if (!isEnd) work.run.beat()
  work.came()
  if (isEnd) for (const child of descendants(snapshot)) listenTo(child, work)
}

function listenTo(child: AnyActorRef, { run }: WorkActor): void {
  child.subscribe({ error: (thrown) => run.strayed(thrown, 'a child of its actor threw while it was being stopped') })
}

function stopChildren(snapshot: Snapshot<unknown>, scope: AnyActorScope): void {
  for (const child of childrenOf(snapshot)) scope.stopChild(child)
}

/** The active children: XState keeps ended ones, whose errors were reported. A user's own logic may use `children` for anything. */
function childrenOf(snapshot: Snapshot<unknown> | undefined): AnyActorRef[] {
  const { children } = (snapshot ?? {}) as { children?: object }
  return children === undefined || children === null ? NONE : (Object.values(children) as Partial<AnyActorRef>[]).filter(isActive)
}

const NONE: AnyActorRef[] = []

function isActive(child: Partial<AnyActorRef> | undefined): child is AnyActorRef {
  return typeof child?.subscribe === 'function' && typeof child.getSnapshot === 'function' && child.getSnapshot()?.status === 'active'
}

/** All below, outermost first. */
function descendants(snapshot: Snapshot<unknown> | undefined): AnyActorRef[] {
  const children = childrenOf(snapshot)
  return children.length === 0 ? NONE : children.flatMap((child) => [child, ...descendants(child.getSnapshot() as Snapshot<unknown>)])
}
