/**
 * The supervisor of one life of one manager: its mailbox, and its limit. What it does about children is in children.ts, which comes along with
 * the first of them; without any it answers calls itself.
 *
 * B2  Once the manager closes, it decides nothing more: its shutdown stops what is left, and every open call is answered `down`.
 */
import { answerChildless } from '../../machines/childless.ts'
import { RestartWindow } from '../../machines/restart-policy.ts'
import type { Call, Message, Verdict } from '../../machines/supervisor.ts'
import type { ChildSpec } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'
import { broughtBy, type Offspring } from './brought.ts'
import { Down } from './down.ts'
import type { Lead } from './lead.ts'
import type { RoutineRegistry } from './routine-registry.ts'
import type { Service } from './service.ts'

type Reply = (verdict: Verdict<Service>) => void

const DOWN: Verdict<Service> = { ok: false, error: 'down' }

export class Supervisor {
  readonly window: RestartWindow
  readonly down: Down
  readonly #lead: Lead
  readonly #host: Lead['host']
  readonly #tree: Tree
  readonly #registry: RoutineRegistry
  /** Made with its first message, where it has no child to start: most managers have none, and a process is a kilobyte. */
  #children: Offspring | undefined
  readonly #mailbox: Message<Service>[] = []
  #taken = 0
  /** True while it waits for a message. */
  #idle = false
  #closed = false
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

  /** Its children, as soon as it has any. */
  get children(): Offspring {
    return this.#children as Offspring
  }

  #have(spec: ChildSpec): Offspring {
    return (this.#children ??= broughtBy(spec).children(this.#lead, this.#registry, this))
  }

  /** Starts the children, in order. */
  begin(): void {
    const [first] = this.#lead.spec.children
    if (first !== undefined) this.#have(first).begin()
    else if (!this.closed) {
      this.cause = 0
      this.#lead.started()
      this.receive()
    }
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

  reply(reply: Reply, verdict: Verdict<Service>): void {
    this.#open?.delete(reply)
    reply(verdict)
  }

  /** Puts a message into the mailbox. In a turn. */
  post(message: Message<Service>): void {
    if (this.closed) return
    this.#mailbox.push(message)
    if (!this.#idle) return
    this.#idle = false
    this.#tree.turn.next(takeNext, this)
  }

  /** The same while it is at work: it comes to it later. */
  enqueue(message: Message<Service>): void {
    this.#mailbox.push(message)
  }

  /** The manager accepts nothing more; see B2. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#registry.closing.abort(this.#tree.turn)
    for (const reply of this.#open ?? []) reply(DOWN)
    this.#open = undefined
    this.#children?.close()
  }

  /** @internal Takes the next message. */
  take(): void {
    if (this.closed) return
    const message = this.#mailbox[this.#taken++] as Message<Service>
    const children = this.#children ?? this.#haveBy(message)
    if (children === undefined) this.#takeAlone(message)
    else children.take(message)
  }

  /** Those that it has, or is to have, once it comes to this message. */
  #haveBy(message: Message<Service>): Offspring | undefined {
    const { template } = this.#lead.spec
    if (template !== undefined) return this.#have(template)
    const call = message.type === 'call' ? message.call : undefined
    return call?.op === 'startChild' ? this.#have(call.child.spec) : undefined
  }

  /** It has no children, and has had none. */
  #takeAlone(message: Message<Service>): void {
    if (message.type === 'call') {
      this.reply(message.reply, answerChildless(message.call))
      this.receive()
    } else this.#lead.endBy('stop', undefined)
  }

  /** It waits for a message. False if there is one already. */
  receive(): boolean {
    const isEmpty = this.#taken === this.#mailbox.length
    if (isEmpty) {
      this.#mailbox.length = 0
      this.#taken = 0
      this.#idle = true
    } else this.#tree.turn.next(takeNext, this)
    return isEmpty
  }
}

function takeNext(supervisor: Supervisor): void {
  supervisor.take()
}
