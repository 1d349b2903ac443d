/**
 * Plays a scenario with the managers and routines that any program has, and writes down what happened.
 * It imports the package's exports and knows nothing of strategies or limits.
 */
import {
  type ChildOptions,
  type ChildEntry,
  type ChildResult,
  type ChildSpec,
  ConfigError,
  createGlobalManager,
  type ExitReason,
  type GlobalManager,
  ignore,
  type LifecycleEvent,
  type LocalManager,
  type LocalManagerOptions,
  manager,
  routine,
  type RoutineContext,
  type RoutineOptions,
  type StartContext,
  type SupervisorOptions,
} from 'curtaincall'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import type { Behaviour, Call, Child, Event, Heard, Op, Result, Scenario, Step, Sup, Trace } from './scenario.ts'

const GATE = '~gate'

/** For how many turns of the event loop an answer may be late, when nothing else happens any more. */
const TURNS = 10

/** What the input of a worker says. */
type Input = Behaviour | { readonly gate: () => void }

/** OTP's words for what a ConfigError names. */
const ATOMS: Record<string, Result> = {
  strategy: ['supervisor_data', 'invalid_strategy'],
  maxRestarts: ['supervisor_data', 'invalid_intensity'],
  restartWindow: ['supervisor_data', 'invalid_period'],
  autoShutdown: ['supervisor_data', 'invalid_auto_shutdown'],
  template: ['bad_start_spec'],
  significant: ['start_spec', 'bad_combination'],
  id: ['start_spec', 'duplicate_child_name'],
  restart: ['start_spec', 'invalid_restart_type'],
  shutdown: ['start_spec', 'invalid_shutdown'],
}

const WHY: Record<string, string> = { limit: 'intensity', auto_shutdown: 'auto_shutdown', supervisor: 'stop', start_failed: 'start_failed' }

class Player {
  readonly clock = new VirtualClock()
  readonly #global: GlobalManager
  /** Everybody's behaviour, by id. */
  readonly #attempts = new Map<string, number>()
  /** Which attempt an incarnation was. */
  readonly #known = new Map<ChildSpec, Map<string, number>>()
  readonly #supervisors = new Set<string>()
  #events: Event[] = []
  #ended: string | undefined

  constructor(strict: boolean) {
    let ids = 0
    this.#global = createGlobalManager({
      name: 'world',
      clock: this.clock,
      generateId: () => `generated${++ids}`,
      random: () => 0.5,
      strict,
    })
    this.#global.createApp('otp')
    this.#global.on('*', (event) => this.#hear(event))
  }

  async play(scenario: Scenario): Promise<Trace> {
    const start = await this.#heard(() => this.#startRoot(scenario.sup))
    const steps: Heard[] = []
    if ((start.r as Result)[0] !== 'ok') return { start, steps, end: { alive: false, why: 'start_failed' } }
    for (const step of scenario.steps) {
      if (this.#ended !== undefined) break
      steps.push(await this.#heard(() => this.#step(step)))
    }
    if (this.#ended !== undefined) return { start, steps, end: { alive: false, reason: 'shutdown', why: this.#ended } }
    return { start, steps, end: { alive: true, sups: await this.#survey() } }
  }

  /** Does something, waits until all is quiet, and says what came of it. */
  async #heard(act: () => Promise<Result> | Promise<Result>[]): Promise<Heard> {
    this.#events = []
    const answers = act()
    const results = (Array.isArray(answers) ? answers : [answers]).map(latest)
    await this.#quiet()
    for (let turn = 0; turn < TURNS && results.some(({ value }) => value === undefined); turn++) await this.#quiet()
    const r = results.map(({ value }) => value ?? ['no answer'])
    return { r: Array.isArray(answers) ? r : (r[0] as Result), ev: this.#events }
  }

  /** Until no message is unhandled and nobody is being stopped. */
  async #quiet(): Promise<void> {
    await settle()
    while (this.clock.pending > 0) await this.clock.runOut()
  }

  // --- steps ---------------------------------------------------------------------------------

  #startRoot(sup: Sup): Promise<Result> {
    return this.#saying(() => {
      const root = this.#manager({ id: 'root', sup, restart: 'temporary' })
      return this.#top.startChild(root).then((answer) => this.#started(answer, 'world/otp/root'))
    }, 1)
  }

  #step(step: Step): Promise<Result> | Promise<Result>[] {
    if (step.op === 'advance') return this.clock.advance(step.s * 1_000).then(() => ['ok'])
    if (step.op === 'batch') return this.#batch(step.ops, step.sup ?? 'root')
    return this.#op(step, ('sup' in step ? step.sup : undefined) ?? 'root')
  }

  /** All of them in the supervisor's mailbox before it handles the first: they are made while it starts a child. */
  #batch(ops: readonly Op[], sup: string): Promise<Result>[] {
    const results = ops.map(() => Promise.withResolvers<Result>())
    let made = false
    const gate = (): void => {
      made = true
      ops.forEach((op, index) => results[index]?.resolve(this.#op(op, sup)))
    }
    const supervisor = this.#supervisor(sup)
    if (supervisor !== undefined) {
      const input: Input = { gate }
      const simple = this.#simple.has(supervisor.name)
      const child = simple ? { id: GATE, input } : this.#worker({ id: GATE, restart: 'temporary' }, input)
      void supervisor.startChild(child)
    }
    if (!made) for (const result of results) result.resolve(['error', 'down'])
    return results.map(({ promise }) => promise)
  }

  #op(op: Op, sup: string): Promise<Result> {
    if (op.op === 'crash') return Promise.resolve(this.#crash(op.id, op.reason))
    if (op.op === 'stop') {
      void this.#top.terminateChild('root')
      return Promise.resolve(['ok'])
    }
    const supervisor = this.#supervisor(sup)
    if (supervisor === undefined) return Promise.resolve(['error', 'down'])
    return this.#saying(() => this.#call(supervisor, op), 0)
  }

  #crash(id: string, reason: string): Result {
    if (this.#supervisors.has(id)) return ['error', 'not_a_worker']
    const alive = this.#global.routine(id)?.exit(exitReason(reason)) ?? false
    return alive ? ['ok'] : ['error', 'not_alive']
  }

  async #call(supervisor: LocalManager, call: Call): Promise<Result> {
    switch (call.op) {
      case 'start_child': {
        if ('instance' in call) {
          const { instance: id, op: _op, sup: _sup, ...input } = call
          const answer = await supervisor.startChild({ id, input })
          if (answer.ok && answer.value !== undefined) this.#instances.set(id, answer.value)
          return this.#started(answer, `${supervisor.path}/${id}`)
        }
        return this.#started(await supervisor.startChild(this.#child(call.spec)), `${supervisor.path}/${call.spec.id}`)
      }
      case 'restart_child':
        return this.#started(await supervisor.restartChild(call.id), `${supervisor.path}/${call.id}`)
      case 'terminate_child':
        return plain(await supervisor.terminateChild(this.#instances.get(call.id) ?? call.id))
      case 'delete_child':
        return plain(await supervisor.deleteChild(call.id))
      case 'which_children':
        return supervisor.whichChildren().then((answer) => (answer.ok ? ['ok', this.#which(answer.value)] : plain(answer)))
      case 'count_children':
        return supervisor.countChildren().then((answer) => (answer.ok ? ['ok', counts(answer.value)] : plain(answer)))
    }
  }

  readonly #instances = new Map<string, NonNullable<ChildEntry['child']> & object>()

  /** A mistake in a specification is an answer too; OTP says more of it when a supervisor starts. */
  async #saying(act: () => Promise<Result>, detail: 0 | 1): Promise<Result> {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const atoms = ATOMS[error.option ?? ''] ?? [error.message]
      return ['error', ...(detail === 1 ? atoms : atoms.slice(-1))]
    }
  }

  #started(answer: ChildResult<unknown>, path: string): Result {
    if (answer.ok) return answer.value === undefined ? ['ok', 'ignored'] : ['ok']
    const failed = answer.cause?.path
    // Below the child itself: it is a supervisor, and one of its own children did not start.
    if (failed?.startsWith(`${path}/`) === true) {
      const [segment = ''] = failed.slice(path.length + 1).split('/')
      return ['error', 'failed_to_start_child', segment.replace(/#.*/, '')]
    }
    return ['error', answer.error]
  }

  // --- the tree ------------------------------------------------------------------------------

  get #top() {
    return this.#global.getApp('otp') as NonNullable<ReturnType<GlobalManager['getApp']>>
  }

  #supervisor(id: string): LocalManager | undefined {
    const find = (from: readonly LocalManager[]): LocalManager | undefined => {
      for (const each of from) {
        const found = each.name === id ? each : find(each.locals())
        if (found !== undefined) return found
      }
      return undefined
    }
    const found = find(this.#top.locals())
    return found?.state === 'running' || found?.state === 'pending' ? found : undefined
  }

  readonly #simple = new Set<string>()

  #child(child: Child): ChildSpec {
    return child.type === 'supervisor' ? this.#manager({ ...child, sup: child.sup as Sup }) : this.#worker(child, child)
  }

  #worker(child: Child, input: Input): ChildSpec {
    const { id, restart, shutdown, significant } = child
    const options: RoutineOptions<Input> & ChildOptions = {
      id,
      input,
      ...given({ restart, shutdown, significant }),
      start: (context) => this.#begin(context, () => spec),
    }
    const spec: ChildSpec = routine(id, body, options as RoutineOptions<Input> & ChildOptions & { input: Input })
    return spec
  }

  #manager(child: Child & { sup: Sup }): ChildSpec {
    const { id, restart, significant, sup } = child
    this.#supervisors.add(id)
    const simple = sup.strategy === 'simple_one_for_one'
    if (simple) this.#simple.add(id)
    else this.#simple.delete(id)
    const children = (sup.children ?? []).map((each) => this.#child(each))
    const below = simple ? { template: children.length === 1 ? children[0] : children } : { strategy: sup.strategy, children }
    const options = {
      maxRestarts: sup.intensity ?? 1,
      restartWindow: (sup.period ?? 5) * 1_000,
      ...given({ autoShutdown: sup.auto_shutdown, restart, significant, ...below }),
      start: ({ incarnation }: { incarnation: number }) => {
        const attempt = this.#attempt(spec, id, incarnation)
        if (child.fail?.includes(attempt) === true) throw new Error('start')
        return child.ignore?.includes(attempt) === true ? this.#say(['ignore', id, attempt]) : undefined
      },
    } as LocalManagerOptions & SupervisorOptions
    const spec: ChildSpec = manager(id, options)
    return spec
  }

  /** OTP's start function: it runs inside the supervisor. */
  #begin({ id, incarnation, input, exit }: StartContext<Input>, spec: () => ChildSpec): typeof ignore | undefined {
    if ('gate' in input) {
      input.gate()
      return ignore
    }
    const attempt = this.#attempt(spec(), id, incarnation)
    if (input.fail?.includes(attempt) === true) {
      this.#say(['fail', id, attempt])
      throw new Error('start')
    }
    if (input.ignore?.includes(attempt) === true) return this.#say(['ignore', id, attempt])
    this.#say(['start', id, attempt])
    const death = input.die?.find(([number]) => number === attempt)
    return death === undefined ? undefined : exit(exitReason(death[1]))
  }

  #attempt(spec: ChildSpec, id: string, incarnation: number): number {
    const attempt = (this.#attempts.get(id) ?? 0) + 1
    this.#attempts.set(id, attempt)
    const known = this.#known.get(spec) ?? new Map<string, number>()
    this.#known.set(spec, known.set(`${id}/${incarnation}`, attempt))
    return attempt
  }

  // --- what is heard -------------------------------------------------------------------------

  #say(event: Event): typeof ignore {
    this.#events.push(event)
    return ignore
  }

  #hear(event: LifecycleEvent): void {
    const id = 'id' in event ? event.id : event.path.slice(event.path.lastIndexOf('/') + 1)
    const reason = reasonOf(event)
    if (id === GATE || id === 'world' || id === 'otp') return
    if (event.type === 'manager.gaveUp') this.#say(['limit', id])
    else if (id === 'root') {
      if (event.type === 'manager.stopped') this.#ended = WHY[event.trigger]
    } else if (event.type === 'manager.started' || event.type === 'manager.restarted')
      this.#say(['start', id, this.#attempts.get(id) as number])
    else if (event.type === 'manager.stopped' && event.trigger === 'start_failed') this.#say(['fail', id, this.#attempts.get(id) as number])
    else if (reason !== undefined) this.#say([reason[0], id, this.#attempts.get(id) as number, reason[1]])
  }

  #which(entries: readonly ChildEntry[]): unknown {
    const list = entries
      .filter(({ id }) => id !== GATE)
      .map(({ id, child, incarnation, spec }) => [
        child === 'restarting' && spec.id !== id ? '*' : id,
        child === 'restarting' ? child : child === undefined ? 'undefined' : this.#known.get(spec)?.get(`${id}/${incarnation}`),
      ])
    return entries.some(({ id, spec }) => spec.id !== id) ? list.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)) : list
  }

  async #survey(): Promise<Record<string, { which: unknown; count: unknown }>> {
    const sups: Record<string, { which: unknown; count: unknown }> = {}
    for (const id of ['root', ...this.#supervisors]) {
      const supervisor = this.#supervisor(id)
      if (supervisor === undefined) continue
      const [which, count] = await Promise.all([supervisor.whichChildren(), supervisor.countChildren()])
      sups[id] = { which: which.ok && this.#which(which.value), count: count.ok && counts(count.value) }
    }
    return sups
  }
}

/** The work of every worker: it ends when it is told to, as it is told to. */
function body({ input, signal }: RoutineContext<Input>): Promise<void> {
  const { on_shutdown: answer = 'obey' } = input as Behaviour
  return new Promise((resolve, reject) => {
    if (answer !== 'ignore') signal.addEventListener('abort', () => (answer === 'obey' ? resolve() : reject(new Error('on the way down'))))
  })
}

function exitReason(reason: string): ExitReason {
  if (reason === '{shutdown,x}') return { shutdown: 'x' }
  return reason === 'error' ? new Error('crash') : (reason as ExitReason)
}

/** How an end is told: by itself, or by its supervisor. */
function reasonOf(event: LifecycleEvent): readonly ['exit' | 'stop', string] | undefined {
  switch (event.type) {
    case 'manager.stopped':
      return event.trigger === 'ignored' ? undefined : [event.trigger === 'supervisor' ? 'stop' : 'exit', 'shutdown']
    case 'routine.completed':
      return ['exit', 'normal']
    case 'routine.failed': {
      const { code } = event.error as { code?: string }
      return code === 'ERR_START' ? undefined : ['exit', code === 'ERR_FAILED' ? 'killed' : 'error']
    }
    case 'routine.killed':
      return ['stop', 'killed']
    case 'routine.cancelled': {
      const { reason } = event
      if (reason === ignore) return undefined
      if (reason === 'shutdown') return ['exit', 'shutdown']
      if (!(reason instanceof Error)) return ['exit', '{shutdown,x}']
      return ['stop', event.error === undefined ? 'shutdown' : 'error']
    }
    default:
      return undefined
  }
}

function plain(answer: ChildResult<unknown>): Result {
  return answer.ok ? ['ok'] : ['error', answer.error]
}

function counts({ specs, active, supervisors, workers }: Record<'specs' | 'active' | 'supervisors' | 'workers', number>): number[] {
  return [specs, active, supervisors, workers]
}

function given(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function latest(promise: Promise<Result>): { value: Result | undefined } {
  const slot: { value: Result | undefined } = { value: undefined }
  promise.then(
    (value) => (slot.value = value),
    (error: unknown) => (slot.value = ['threw', String(error)]),
  )
  return slot
}

/** What happened when this scenario was played; `strict` makes a genuine actor of every routine from birth. */
export function play(scenario: Scenario, strict: boolean): Promise<Trace> {
  return new Player(strict).play(scenario)
}
