/**
 * The hands of machines/supervisor.ts: one life of one manager.
 *
 * B1  The process is resumed with what came of its last command, and with nothing else. Each message is taken in a turn of its own.
 * B2  Once the manager closes, it decides nothing more: its shutdown stops what is left, and every open call is answered `down`.
 */
import { exitOf, RestartWindow, shouldRestart } from '../../machines/restart-policy.ts'
import { type Begun, type Call, type Command, type Message, type Supervision, supervise, type Verdict } from '../../machines/supervisor.ts'
import { SpawnRefusedError, StartFailedError } from '../contract/errors.ts'
import type { Incarnation } from '../routine/incarnation.ts'
import { grant } from '../admission/limiter.ts'
import type { Manager } from '../manager/manager.ts'
import type { EndKind } from '../count/metrics.ts'
import type { RoutineRow } from '../routine/routine.ts'
import { Service } from './service.ts'
import { CANCEL } from '../routine/routine-steps.ts'

type Reply = (verdict: Verdict<Service>) => void

const DOWN: Verdict<Service> = { ok: false, error: 'down' }

/** The command's answer is not there yet. */
const LATER = Symbol('later')

export class Supervisor {
  readonly window: RestartWindow
  readonly #manager: Manager
  readonly #mind: Supervision<Service>
  readonly #process: Generator<Command<Service>, void, unknown>
  readonly #mailbox: Message<Service>[] = []
  #taken = 0
  /** True while it waits for a message. */
  #idle = false
  #closed = false
  /** Calls that were not answered yet. */
  readonly #open = new Set<Reply>()

  constructor(manager: Manager) {
    const { spec } = manager
    this.#manager = manager
    this.window = new RestartWindow(spec.maxRestarts, spec.restartWindow)
    this.#mind = {
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
      this.#mind.children.set(child.id, service)
      if (child.significant) this.#mind.significant.add(service)
    }
    this.#process = supervise(this.#mind)
  }

  /** Starts the children, in order. */
  begin(): void {
    this.#resume(undefined)
  }

  /** True while something is being started or stopped. */
  get busy(): boolean {
    return !this.#idle && !this.#closed
  }

  /** Asks it something; `read` makes of the answer what it means, at the moment when it is given. */
  call<Value>(call: Call<Service>, read: (verdict: Verdict<Service>) => Value): Promise<Value> {
    const { promise, resolve } = Promise.withResolvers<Value>()
    const reply = (verdict: Verdict<Service>): void => resolve(read(verdict))
    if (this.#closed) reply(DOWN)
    else {
      this.#open.add(reply)
      this.#manager.stage.turn.run(postTo, this, { type: 'call', call, reply } as Message<Service>)
    }
    return promise
  }

  /** In a turn. */
  post(message: Message<Service>): void {
    if (this.#closed) return
    this.#mailbox.push(message)
    if (!this.#idle) return
    this.#idle = false
    this.#manager.stage.turn.next(takeNext, this)
  }

  /** The manager accepts nothing more; see B2. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const reply of this.#open) reply(DOWN)
    this.#open.clear()
    const { clock } = this.#manager.stage
    for (const service of this.#manager.order) {
      if (!(service instanceof Service)) continue
      clock.clearTimeout(service.timer)
      service.timer = undefined
      this.#giveBack(service)
      if (service.manager?.over === true) service.manager.conclude()
    }
  }

  // --- what becomes of children --------------------------------------------------------------

  /** An incarnation of a child has ended. */
  routineEnded(service: Service, row: RoutineRow, kind: EndKind, orphan: boolean): void {
    const { registry } = this.#manager
    const closed = this.#closed
    const wish = row.wish
    const exit = exitOf(kind)
    const awaited = service.stopped
    const asked = wish === 'again' || wish === 'free' || (wish === 'policy' && shouldRestart(service.restart, exit))
    // A first start that fails is an end; that of a restart is tried again.
    const again = row.unstarted ? service.retried && row.startFailed : asked
    // One that is busy decides later, by a window that has moved on: until then there is room.
    const allowed = wish === 'free' || this.busy || this.#hasRestartFor(row)
    const willRestart = again && !closed && awaited === undefined && allowed
    service.alive = false
    service.prepared = false
    service.orphan = orphan
    registry.announceEnd(row, kind, orphan, willRestart)
    service.toRestart = willRestart
    // The answer of its `start` follows.
    if (row.unstarted && !closed) return
    if (awaited !== undefined) {
      registry.finish(row, service.again && !closed)
      this.#stopped(service)
    } else if (closed) registry.finish(row)
    else this.post({ type: 'exit', child: service, run: service.run, kind: exit, wish })
  }

  /** True if the limit leaves one more, or it may start fresh in place of that. */
  #hasRestartFor({ resumption }: RoutineRow): boolean {
    const { stage, spec } = this.#manager
    const now = stage.clock.now()
    return this.window.left(now) > 0 || resumption?.mayStartFresh(now, spec.restartWindow) === true
  }

  /** A child that is a manager has ended a life. */
  managerEnded(service: Service, told: boolean, failedToStart: unknown): void {
    service.alive = false
    if (this.#closed) service.manager?.conclude()
    if (service.begun !== undefined) {
      service.startError = failedToStart
      this.#began(service, failedToStart === undefined ? 'ignore' : 'error')
    } else if (service.stopped !== undefined) this.#stopped(service)
    // OTP counts giving up as an end in good order.
    else this.post({ type: 'exit', child: service, run: service.run, kind: 'shutdown', wish: told ? 'told' : 'policy' })
  }

  #stopped(service: Service): void {
    const { stopped } = service
    service.stopped = undefined
    stopped?.()
  }

  #began(service: Service, begun: Begun): void {
    const { begun: tell } = service
    service.begun = undefined
    tell?.(begun)
  }

  /** A child manager runs. */
  managerStarted(service: Service): void {
    this.#began(service, 'ok')
  }

  /** Starts a child now that waits for its delayed restart. */
  hasten(service: Service): void {
    this.#disarm(service)
    this.post({ type: 'resume', child: service, run: service.run })
  }

  // --- the process ---------------------------------------------------------------------------

  #resume(answer: unknown): void {
    for (let input = answer; input !== LATER && !this.#closed; ) {
      const { value: command, done } = this.#process.next(input)
      if (done === true) return
      input = this.#perform(command)
    }
  }

  /** Resumes it in a turn of its own. */
  #resumeNext(answer: unknown): void {
    this.#manager.stage.turn.next(resume, this, answer)
  }

  /** @internal */
  resume(answer: unknown): void {
    this.#resume(answer)
  }

  /** @internal Takes the next message. */
  take(): void {
    this.#resume({ message: this.#mailbox[this.#taken++], now: this.#manager.stage.clock.now() })
  }

  #receive(): unknown {
    if (this.#taken === this.#mailbox.length) {
      this.#mailbox.length = 0
      this.#taken = 0
      this.#idle = true
    } else this.#manager.stage.turn.next(takeNext, this)
    return LATER
  }

  /** Does what it wants done; returns what came of it, or LATER. */
  #perform(command: Command<Service>): unknown {
    switch (command.do) {
      case 'receive':
        return this.#receive()
      case 'start':
        return this.#start(command.child, command.again)
      case 'stop':
        return this.#stop(command.child, command.again)
      case 'fresh':
        return command.child.row?.startsFresh() === true
      case 'delay':
        return this.#delay(command.child)
      case 'ready':
        this.#manager.started()
        break
      case 'leave':
        this.#leave(command.child)
        break
      case 'reply':
        this.#open.delete(command.reply)
        command.reply(command.verdict)
        break
      case 'end':
        this.#manager.endBy(command.why, command.child)
    }
    return undefined
  }

  #start(service: Service, again: boolean): unknown {
    const { row } = service
    // Its last end has yet to be told: only then is known what comes of it.
    if (service.unanswered) {
      this.#manager.stage.turn.next(startLater, { supervisor: this, service, again })
      return LATER
    }
    // That end was told to be the last.
    if (row?.ended === false && row.current.over && service.toRestart === false) return 'ignore'
    service.retried = again
    service.toRestart = undefined
    this.#manager.order.add(service)
    return service.type === 'supervisor' ? this.#startManager(service) : this.#startRoutine(service)
  }

  /** @internal */
  startLater(service: Service, again: boolean): void {
    if (!this.#closed) this.#resume(this.#start(service, again))
  }

  #startRoutine(service: Service): unknown {
    const row = this.#rowFor(service)
    if (row === undefined) return 'error'
    // Told to stop while it was dead: its end is on its way here.
    if (row.told) {
      row.stop(CANCEL, row.lateReason ?? this.#manager.cancelReason)
      return 'ok'
    }
    if (row.spec.signal === undefined && !row.hasStart) {
      this.#letBegin(service, row)
      return 'ok'
    }
    // Behind the deed that looks at its signal.
    this.#manager.stage.turn.next(prepare, row)
    return LATER
  }

  #letBegin(service: Service, row: RoutineRow): void {
    service.prepared = true
    this.#manager.stage.begin(row)
  }

  /** @internal Its `start` has returned. */
  prepared(service: Service, row: RoutineRow, begun: Begun, whose: Incarnation): void {
    if (begun === 'error') service.startError = whose.error
    else if (begun === 'ok' && row.current === whose && !whose.over && !this.#closed) this.#letBegin(service, row)
    this.#resume(begun)
  }

  /** The routine that goes on, or a new one; undefined if there is no room for it. */
  #rowFor(service: Service): RoutineRow | undefined {
    const { registry, gate, path } = this.#manager
    const { row } = service
    if (row !== undefined && !row.ended) {
      if (row.current.over) registry.renew(row, 0)
      return row
    }
    try {
      if (!service.reserved && gate.full() !== undefined)
        throw new SpawnRefusedError('ERR_AT_CAPACITY', `${path} has no permit left for ${service.name}: ${this.#manager.describeLimit()}`, {
          path,
        })
      const next = this.#register(service)
      service.row = next
      next.announce('routine.spawned')
      registry.bindSignal(next)
      return next
    } catch (cause) {
      service.startError = new StartFailedError(`${path}/${service.name}: not started`, {
        path: `${path}/${service.name}#${service.id}`,
        cause,
      })
      return undefined
    }
  }

  /** Takes it up with its permit. */
  #register(service: Service): RoutineRow {
    const { registry, gate } = this.#manager
    const { work } = service.spec as { work: RoutineRow['logic'] }
    const { routineSpec } = service as { routineSpec: RoutineRow['spec'] }
    const row = registry.add(service.name, work, routineSpec, routineSpec.input, service.id, service)
    if (!service.reserved) gate.take()
    service.reserved = false
    return row
  }

  #startManager(service: Service): unknown {
    const { path } = this.#manager
    let { manager } = service
    // Told to stop between two lives: it stays down.
    if (manager?.concluded === false && manager.over && manager.told) return 'ignore'
    try {
      if (manager === undefined || manager.concluded) manager = this.#manager.grow(service)
    } catch (cause) {
      service.startError = new StartFailedError(`${path}/${service.name}: not started`, { path: `${path}/${service.name}`, cause })
      return 'error'
    }
    service.begun = (begun) => this.#resumeNext(begun)
    if (service.manager === manager) manager.renew()
    else {
      service.manager = manager
      manager.live()
    }
    return LATER
  }

  #stop(service: Service, again: boolean): unknown {
    const { row, manager } = service
    this.#disarm(service)
    if (manager !== undefined) {
      if (manager.over && !manager.unanswered) return undefined
      service.stopped = () => this.#resumeNext(undefined)
      if (!manager.over) manager.stopBySupervisor()
      return LATER
    }
    if (row === undefined || row.ended) return undefined
    if (row.current.over && !row.current.unanswered) {
      this.#manager.registry.finish(row, again)
      return undefined
    }
    service.again = again
    service.stopped = () => this.#resumeNext(undefined)
    row.stop(CANCEL, this.#manager.cancelReason)
    return LATER
  }

  #delay(service: Service): unknown {
    const { row } = service
    const { stage, registry } = this.#manager
    if (row === undefined || row.ended || row.told) return 0
    if (row.asksChance) {
      stage.turn.deed(askChance, { supervisor: this, service })
      return LATER
    }
    const delay = row.delay(stage.clock.now())
    if (delay === 0) return 0
    registry.renew(row, delay)
    service.timer = stage.later(() => this.hasten(service), delay)
    return delay
  }

  /** @internal Chance has had its say. */
  delayed(service: Service): void {
    if (!this.#closed) this.#resume(this.#delay(service))
  }

  /** It stays down. */
  #leave(service: Service): void {
    const { row, manager } = service
    this.#disarm(service)
    if (row?.current.over === true) this.#manager.registry.finish(row)
    else if (row !== undefined && !row.ended) {
      // Its delayed restart was to begin now, and another one of its group has failed to start.
      service.again = false
      service.stopped = () => undefined
      row.stop(CANCEL, this.#manager.cancelReason)
    }
    this.#giveBack(service)
    if (manager?.over === true) manager.conclude()
    if (!this.#mind.children.has(service.id)) this.#manager.order.delete(service)
  }

  #giveBack(service: Service): void {
    if (!service.reserved) return
    service.reserved = false
    this.#manager.gate.give()
    grant(this.#manager.registry.line)
  }

  #disarm(service: Service): void {
    this.#manager.stage.clock.clearTimeout(service.timer)
    service.timer = undefined
  }
}

interface Starting {
  readonly supervisor: Supervisor
  readonly service: Service
  readonly again: boolean
}

function postTo(supervisor: Supervisor, message: Message<Service>): void {
  supervisor.post(message)
}

function takeNext(supervisor: Supervisor): void {
  supervisor.take()
}

function resume(supervisor: Supervisor, answer: unknown): void {
  supervisor.resume(answer)
}

function startLater({ supervisor, service, again }: Starting): void {
  supervisor.startLater(service, again)
}

function prepare(row: RoutineRow): void {
  row.prepare(started)
}

function started(row: RoutineRow, begun: Begun, whose: Incarnation): void {
  const { local, service } = row
  local.supervisor.prepared(service as Service, row, begun, whose)
}

/** A deed. */
function askChance({ supervisor, service }: Omit<Starting, 'again'>): void {
  const { row } = service
  row?.askChance()
  row?.local.stage.turn.arise(delayed, supervisor, service)
}

function delayed(supervisor: Supervisor, service: Service): void {
  supervisor.delayed(service)
}
