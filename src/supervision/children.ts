/**
 * The children of one life of one manager: runs the process of machines/supervisor.ts for its supervisor, and tells it what becomes of them.
 * It comes along with the first child spec (brought.ts): a program that has none has nothing of it.
 *
 * B1  The process is resumed with what came of its last command, and with nothing else. Each message is taken in a turn of its own.
 * B3  A change of many children goes in slices (turn/slices.ts, SL1 to SL3), which are counted from when it had nothing to do.
 */
import { type ExitKind, exitOf, shouldRestart } from '../../machines/restart-policy.ts'
import { type Begun, type Command, type Message, type Supervision, supervise, type Wish } from '../../machines/supervisor.ts'
import type { EndKind } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { MANAGER, SLICE, sliceAfter, type Tree } from '../turn/index.ts'
import type { ManagerEnd, Offspring } from './brought.ts'
import { Commands, LATER } from './commands.ts'
import type { Lead } from './lead.ts'
import type { RoutineRegistry } from './routine-registry.ts'
import { Service } from './service.ts'
import type { Supervisor } from './supervisor.ts'

export class Children implements Offspring {
  readonly #lead: Lead
  readonly #tree: Tree
  readonly #registry: RoutineRegistry
  readonly #supervisor: Supervisor
  readonly #children: ReadonlyMap<string, Service>
  readonly #steps: Generator<Command<Service>, void, unknown>
  readonly #commands: Commands
  #slice = SLICE
  /** How many steps of the present slice were taken. */
  #taken = 0

  constructor(lead: Lead, registry: RoutineRegistry, supervisor: Supervisor) {
    const { spec } = lead
    const supervision: Supervision<Service> = {
      strategy: spec.strategy,
      template: spec.template?.id,
      autoShutdown: spec.autoShutdown,
      limit: supervisor.window,
      children: new Map(),
      significant: new Set(),
      post: (message) => supervisor.enqueue(message),
    }
    for (const child of spec.children) {
      const service = new Service(child)
      supervision.children.set(child.id, service)
      if (child.significant) supervision.significant.add(service)
    }
    this.#lead = lead
    this.#tree = lead.host.tree
    this.#registry = registry
    this.#supervisor = supervisor
    this.#children = supervision.children
    this.#steps = supervise(supervision)
    this.#commands = new Commands(lead, registry, this)
    // With nothing to start it is ready: it goes on where it waits for a message.
    if (spec.children.length === 0) while (command(this.#steps) !== 'receive') continue
  }

  get closed(): boolean {
    return this.#supervisor.closed
  }

  /** The event for which all of them are started, while that goes on; 0 where there is none. */
  get cause(): number {
    return this.#supervisor.cause
  }

  get down(): Supervisor['down'] {
    return this.#supervisor.down
  }

  /** True unless this child was forgotten. */
  has(child: Service): boolean {
    return this.#children.has(child.id)
  }

  /** No child is started again; see B2 of supervisor.ts. */
  close(): void {
    for (const service of this.#lead.startOrder) {
      if (!(service instanceof Service)) continue
      this.#commands.disarm(service)
      this.#commands.giveBack(service)
      if (service.manager?.over === true) service.manager.conclude()
    }
  }

  // --- what becomes of children --------------------------------------------------------------

  /** An incarnation of a child has ended. */
  routineEnded(service: Service, routine: SupervisedRoutine, kind: EndKind, orphan: boolean): void {
    this.#answer(service, routine, kind, orphan)
    this.#answered(service)
  }

  #answer(service: Service, routine: SupervisedRoutine, kind: EndKind, orphan: boolean): void {
    const registry = this.#registry
    const closed = this.closed
    const wish = this.#wishOf(routine)
    const exit = exitOf(kind)
    const awaited = service.onStopped
    const wanted = wish === 'again' || wish === 'free' || (wish === 'policy' && shouldRestart(service.restart, exit))
    // A first start that fails ends the child; a restart that fails is tried again.
    const again = routine.memory.notStarted ? service.retried && routine.memory.startThrew : wanted
    // A busy supervisor decides later, when the window has moved on: until then the limit counts as not reached.
    const allowed = wish === 'free' || this.#supervisor.busy || this.#hasRestartFor(routine)
    const willRestart = again && !closed && awaited === undefined && allowed
    service.alive = false
    service.hasStarted = false
    service.orphan = orphan
    // It may have ended while it waited for a delayed restart, which is void then.
    this.#commands.disarm(service)
    registry.announceEnd(routine, kind, orphan, willRestart)
    service.lastEnd = { seq: routine.seq, error: routine.current.error }
    service.toRestart = willRestart
    if (kind === 'failed' && !again && wish !== 'told') this.#miss(service)
    // That its `start` has failed, or returned `ignore`, is the answer to the supervisor's command, and follows.
    if (routine.memory.notStarted && !closed) return
    if (awaited !== undefined) {
      registry.finish(routine, service.again && !closed)
      this.#stopped(service)
    } else if (closed) registry.finish(routine)
    else this.#postExit(service, exit, wish)
  }

  /** What the end of a routine asks of its supervisor. */
  #wishOf(routine: SupervisedRoutine): Wish {
    if (routine.stopRequested) return 'told'
    if (routine.memory.restartOrdered !== undefined) return routine.restartIsFree ? 'free' : 'again'
    return this.#registry.mayHelp(routine) ? 'policy' : 'no'
  }

  /** True if the limit leaves one more, or it may start fresh in place of that. */
  #hasRestartFor({ resumption }: SupervisedRoutine): boolean {
    const now = this.#tree.clock.now()
    return this.#supervisor.window.left(now) > 0 || resumption?.mayStartFresh(now, this.#lead.spec.restartWindow) === true
  }

  /** A child that is a manager has ended a life. */
  managerEnded(service: Service, end: ManagerEnd): void {
    service.lastEnd = { seq: end.seq, error: end.failure }
    this.#answerManager(service, end)
    this.#answered(service)
  }

  #answerManager(service: Service, { stopRequested, startError, failure }: ManagerEnd): void {
    service.alive = false
    if (this.closed) service.manager?.conclude()
    if (service.onBegun !== undefined) {
      service.startError = startError
      this.#began(service, startError === undefined ? 'ignore' : 'error')
    } else if (service.onStopped !== undefined) this.#stopped(service)
    // For OTP, giving up is a `shutdown` exit.
    else {
      if (failure !== undefined && !stopRequested && !shouldRestart(service.restart, 'shutdown')) this.#miss(service)
      this.#postExit(service, 'shutdown', stopRequested ? 'told' : 'policy')
    }
  }

  /** It has failed, and is not restarted. */
  #miss(service: Service): void {
    if (!this.closed && service.restart !== 'temporary' && !service.isInstance) this.#supervisor.down.add(service)
  }

  #postExit(child: Service, kind: ExitKind, wish: Wish): void {
    child.exitWaits = true
    this.#supervisor.post({ type: 'exit', child, run: child.begunRun, kind, wish })
  }

  /** Its last end is answered: a start that waits for that goes on. */
  #answered(service: Service): void {
    const { onAnswered } = service
    service.onAnswered = undefined
    onAnswered?.()
  }

  #stopped(service: Service): void {
    const { onStopped } = service
    service.onStopped = undefined
    onStopped?.()
  }

  #began(service: Service, begun: Begun): void {
    const { onBegun } = service
    service.onBegun = undefined
    onBegun?.(begun)
  }

  /** A child manager runs. */
  managerStarted(service: Service): void {
    this.#began(service, 'ok')
  }

  /** Starts a child now that waits for its delayed restart. */
  hasten(service: Service): void {
    this.#commands.disarm(service)
    this.#supervisor.post({ type: 'resume', child: service, run: service.run })
  }

  // --- the process ---------------------------------------------------------------------------

  /** Starts the children, in order. */
  begin(): void {
    this.resume(undefined)
  }

  take(message: Message<Service>): void {
    if (message.type === 'exit') message.child.exitTaken()
    this.resume({ message, now: this.#tree.clock.now() })
  }

  /** Resumes the process with the answer of its last command, until a command has no answer yet: after a slice, in a turn of the clock. */
  resume(answer: unknown): void {
    for (let input = answer; input !== LATER && !this.closed; ) {
      if (this.#taken >= this.#slice) {
        this.#slice = sliceAfter(this.#slice)
        this.#taken = 0
        this.#tree.later(() => this.resume(input), 0)
        return
      }
      const { value: command, done } = this.#steps.next(input)
      if (done === true) return
      input = this.#perform(command)
    }
  }

  #receive(): unknown {
    if (this.#supervisor.receive()) {
      this.#slice = SLICE
      this.#taken = 0
    }
    return LATER
  }

  /** Carries out a command. Returns its answer, or LATER. */
  #perform(command: Command<Service>): unknown {
    this.#taken += 'child' in command && command.child?.type === 'supervisor' ? MANAGER : 1
    switch (command.do) {
      case 'receive':
        return this.#receive()
      case 'start':
        return this.#commands.start(command.child, command.again, command.for)
      case 'stop':
        return this.#commands.stop(command.child, command.again, command.for)
      case 'fresh':
        return command.child.routine !== undefined && this.#registry.startsFresh(command.child.routine)
      case 'delay':
        return this.#commands.delay(command.child)
      case 'ready':
        this.#supervisor.cause = 0
        this.#lead.started()
        break
      case 'leave':
        this.#commands.leave(command.child)
        break
      case 'reply':
        this.#supervisor.reply(command.reply, command.verdict)
        break
      case 'end':
        this.#lead.endBy(command.why, command.child)
    }
    return undefined
  }
}

/** What it does next. */
function command(steps: Generator<Command<Service>, void, unknown>): string | undefined {
  const { value, done } = steps.next(undefined)
  return done === true ? undefined : value.do
}
