/**
 * Runs the process of machines/supervisor.ts for one life of one manager.
 *
 * B1  The process is resumed with what came of its last command, and with nothing else. Each message is taken in a turn of its own.
 * B2  Once the manager closes, it decides nothing more: its shutdown stops what is left, and every open call is answered `down`.
 * B3  A change of many children goes in slices (turn/slices.ts, SL1 to SL3), which are counted from when it had nothing to do.
 */
import { type ExitKind, exitOf, RestartWindow, shouldRestart } from '../../machines/restart-policy.ts'
import {
  type Begun,
  type Call,
  type Command,
  type Message,
  type Supervision,
  supervise,
  type Verdict,
  type Wish,
} from '../../machines/supervisor.ts'
import type { EndKind } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { MANAGER, SLICE, sliceAfter, type Tree } from '../turn/index.ts'
import { Commands, LATER } from './commands.ts'
import { Down } from './down.ts'
import type { Lead } from './lead.ts'
import type { ChildSupervisor, RoutineRegistry } from './routine-registry.ts'
import { Service } from './service.ts'

/** How a child that is a manager has ended a life. */
interface ManagerEnd {
  readonly stopRequested: boolean
  /** Why it could not begin. */
  readonly startError: unknown
  /** Of the event that reports it. */
  readonly seq: number
  readonly failure: unknown
}

/** The process of machines/supervisor.ts, and what carries out its commands. */
interface Process {
  readonly children: ReadonlyMap<string, Service>
  readonly steps: Generator<Command<Service>, void, unknown>
  readonly commands: Commands
}

type Reply = (verdict: Verdict<Service>) => void

const DOWN: Verdict<Service> = { ok: false, error: 'down' }

export class Supervisor implements ChildSupervisor {
  readonly window: RestartWindow
  readonly down: Down
  readonly #lead: Lead
  readonly #host: Lead['host']
  readonly #tree: Tree
  readonly #registry: RoutineRegistry
  /** Made with its first message, where it has no child to start: most managers have none, and a process is a kilobyte. */
  #own: Process | undefined
  readonly #mailbox: Message<Service>[] = []
  #taken = 0
  /** True while it waits for a message. */
  #idle = false
  #closed = false
  #slice = SLICE
  /** Steps of the present slice. */
  #steps = 0
  /** Calls that were not answered yet. */
  #open: Set<Reply> | undefined
  /** The event for which its children are started, until all have been: of a life that follows on another one; else 0. */
  cause: number

  constructor(lead: Lead, registry: RoutineRegistry, cause: number) {
    this.cause = cause
    const { spec, host } = lead
    this.#lead = lead
    this.#host = host
    this.#tree = host.tree
    this.#registry = registry
    this.window = new RestartWindow(spec.maxRestarts, spec.restartWindow)
    this.down = new Down(host.path)
  }

  #make(): Process {
    const { spec } = this.#lead
    const supervision: Supervision<Service> = {
      strategy: spec.strategy,
      template: spec.template?.id,
      autoShutdown: spec.autoShutdown,
      limit: this.window,
      children: new Map(),
      significant: new Set(),
      post: (message) => this.#mailbox.push(message),
    }
    for (const child of spec.children) {
      const service = new Service(child)
      supervision.children.set(child.id, service)
      if (child.significant) supervision.significant.add(service)
    }
    return { children: supervision.children, steps: supervise(supervision), commands: new Commands(this.#lead, this.#registry, this) }
  }

  get #process(): Process {
    if (this.#own === undefined) {
      this.#own = this.#make()
      // It was ready with nothing to start: it goes on where it waits for a message.
      if (this.#lead.spec.children.length === 0) while (command(this.#own.steps) !== 'receive') continue
    }
    return this.#own
  }

  /** Starts the children, in order. */
  begin(): void {
    if (this.#lead.spec.children.length > 0) this.resume(undefined)
    else if (!this.closed) {
      this.#lead.started()
      this.#receive()
    }
  }

  /** True unless this child was forgotten. */
  has(child: Service): boolean {
    return this.#process.children.has(child.id)
  }

  /** True once the manager accepts nothing more; see B2. */
  get closed(): boolean {
    return this.#closed || this.#host.closed
  }

  /** True while something is being started or stopped. */
  get busy(): boolean {
    return !this.#idle && !this.closed
  }

  /** Makes a call; `read` turns the answer into a value at the moment when it is given. */
  call<Value>(call: Call<Service>, read: (verdict: Verdict<Service>) => Value): Promise<Value> {
    const { promise, resolve } = Promise.withResolvers<Value>()
    const reply = (verdict: Verdict<Service>): void => resolve(read(verdict))
    if (this.closed) reply(DOWN)
    else {
      ;(this.#open ??= new Set()).add(reply)
      this.#tree.turn.run(() => this.post({ type: 'call', call, reply }))
    }
    return promise
  }

  /** Puts a message into the mailbox. In a turn. */
  post(message: Message<Service>): void {
    if (this.closed) return
    this.#mailbox.push(message)
    if (!this.#idle) return
    this.#idle = false
    this.#tree.turn.next(takeNext, this)
  }

  /** The manager accepts nothing more; see B2. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#registry.closing.abort(this.#tree.turn)
    for (const reply of this.#open ?? []) reply(DOWN)
    this.#open = undefined
    for (const service of this.#lead.startOrder) {
      if (!(service instanceof Service)) continue
      this.#process.commands.disarm(service)
      this.#process.commands.giveBack(service)
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
    const allowed = wish === 'free' || this.busy || this.#hasRestartFor(routine)
    const willRestart = again && !closed && awaited === undefined && allowed
    service.alive = false
    service.hasStarted = false
    service.orphan = orphan
    // It may have ended while it waited for a delayed restart, which is void then.
    this.#process.commands.disarm(service)
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
    return this.window.left(now) > 0 || resumption?.mayStartFresh(now, this.#lead.spec.restartWindow) === true
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
    if (!this.closed && service.restart !== 'temporary' && !service.isInstance) this.down.add(service)
  }

  #postExit(child: Service, kind: ExitKind, wish: Wish): void {
    child.exitWaits = true
    this.post({ type: 'exit', child, run: child.begunRun, kind, wish })
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
    this.#process.commands.disarm(service)
    this.post({ type: 'resume', child: service, run: service.run })
  }

  // --- the process ---------------------------------------------------------------------------

  /** Resumes the process with the answer of its last command, until a command has no answer yet: after a slice, in a turn of the clock. */
  resume(answer: unknown): void {
    for (let input = answer; input !== LATER && !this.closed; ) {
      if (this.#steps >= this.#slice) {
        this.#slice = sliceAfter(this.#slice)
        this.#steps = 0
        this.#tree.later(() => this.resume(input), 0)
        return
      }
      const { value: command, done } = this.#process.steps.next(input)
      if (done === true) return
      input = this.#perform(command)
    }
  }

  /** @internal Takes the next message. */
  take(): void {
    const message = this.#mailbox[this.#taken++] as Message<Service>
    if (message.type === 'exit') message.child.exitTaken()
    this.resume({ message, now: this.#tree.clock.now() })
  }

  #receive(): unknown {
    if (this.#taken === this.#mailbox.length) {
      this.#mailbox.length = 0
      this.#taken = 0
      this.#slice = SLICE
      this.#steps = 0
      this.#idle = true
    } else this.#tree.turn.next(takeNext, this)
    return LATER
  }

  /** Carries out a command. Returns its answer, or LATER. */
  #perform(command: Command<Service>): unknown {
    this.#steps += 'child' in command && command.child?.type === 'supervisor' ? MANAGER : 1
    switch (command.do) {
      case 'receive':
        return this.#receive()
      case 'start':
        return this.#process.commands.start(command.child, command.again, command.for)
      case 'stop':
        return this.#process.commands.stop(command.child, command.again, command.for)
      case 'fresh':
        return command.child.routine !== undefined && this.#registry.startsFresh(command.child.routine)
      case 'delay':
        return this.#process.commands.delay(command.child)
      case 'ready':
        this.cause = 0
        this.#lead.started()
        break
      case 'leave':
        this.#process.commands.leave(command.child)
        break
      case 'reply':
        this.#open?.delete(command.reply)
        command.reply(command.verdict)
        break
      case 'end':
        this.#lead.endBy(command.why, command.child)
    }
    return undefined
  }
}

/** What it does next. */
function command(steps: Process['steps']): string | undefined {
  const { value, done } = steps.next(undefined)
  return done === true ? undefined : value.do
}

function takeNext(supervisor: Supervisor): void {
  supervisor.take()
}
