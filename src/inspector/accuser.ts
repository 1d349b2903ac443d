/** What went wrong in a living tree: the problems, the failures with their stacks and inputs, and their scenes. */
import type { AnyActorRef } from 'xstate'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import type { GlobalManager } from '../manager/index.ts'
import { runOf } from '../routine/index.ts'
import { instrument, type Unsubscribe } from '../turn/index.ts'
import { chartOf, isMachine, stateToWire } from './chart.ts'
import { failureOf } from './failure.ts'
import { FailureNotes, isLibrary } from './failure-notes.ts'
import type { Ledger } from './ledger.ts'
import type { FailureView, ProblemsView } from './problem-views.ts'
import { Problems } from './problems.ts'
import type { HealthView, KeptEvent, SceneView, ShutdownsView } from './protocol.ts'
import { type SceneMachine, type SceneSnapshot, sceneOf } from './scene.ts'
import { toWire } from './to-wire.ts'
import type { Kept, Traffic } from './traffic.ts'
import { warningsOf } from './warnings.ts'

/** Problems that are no rare events: heard beside those while no page is open. */
const COUNTED = ['routine.refused', 'message.dropped', 'store.failed'] as const

export class Accuser {
  readonly #global: GlobalManager
  readonly #traffic: Traffic
  readonly #notes: FailureNotes
  readonly #problems = new Problems()

  constructor(global: GlobalManager, traffic: Traffic) {
    this.#global = global
    this.#traffic = traffic
    this.#notes = new FailureNotes((global.tree.bus.inputs ??= new WeakMap()))
  }

  /** Takes an event in; returns it with what is known of its failure. */
  note(event: LifecycleEvent): KeptEvent {
    const noted = this.#notes.note(event)
    this.#problems.note(noted)
    return noted
  }

  /** Hears what is only counted, and not held, while no page is open. */
  listen(): Unsubscribe[] {
    return COUNTED.map((type) =>
      this.#global.on(
        type,
        instrument((event) => void this.note(event)),
      ),
    )
  }

  view(health: HealthView, shutdowns: ShutdownsView): ProblemsView {
    return { ...this.#problems.view(this.#global.tree.clock.now()), warnings: warningsOf(health, shutdowns) }
  }

  failure(ledger: Ledger, seq: number): FailureView | undefined {
    const event = ledger.at(ledger.indexOf(seq))
    if (event?.type !== 'routine.failed') return undefined
    return (event['failure'] as FailureView | undefined) ?? failureOf(event['error'], isLibrary)
  }

  scene(ledger: Ledger, seq: number): SceneView | undefined {
    const index = ledger.indexOf(seq)
    const event = ledger.at(index)
    if (event === undefined) return undefined
    const { path, at, incarnation } = event
    const messages = this.#traffic.messages([path]).filter((each) => each.at <= at)
    return sceneOf(ledger, index, this.machineOf(path, Number(incarnation)), messages)
  }

  /** The last two snapshots of the machine that this run was. */
  machineOf(path: string, incarnation: number): SceneMachine | undefined {
    const { snapshots } = this.#traffic.held
    const found: Kept[] = []
    for (let k = snapshots.size - 1; k >= 0 && found.length < 2; k--) {
      const kept = snapshots.at(k) as Kept
      if (found[0] === undefined ? isOf(kept.ref, path, incarnation) : kept.ref === found[0].ref) found.push(kept)
    }
    const [last, before] = found
    const { logic } = (last?.ref ?? {}) as { readonly logic?: unknown }
    if (last === undefined || !isMachine(logic)) return undefined
    return { chart: chartOf(logic), last: shown(last), before: before === undefined ? undefined : shown(before) }
  }
}

function isOf(ref: AnyActorRef, path: string, incarnation: number): boolean {
  const run = runOf(ref)
  return run !== undefined && run.number === incarnation && run.subject.path === path
}

function shown({ n, event, snapshot }: Kept): SceneSnapshot {
  const { value, context } = snapshot as { readonly value?: unknown; readonly context?: unknown }
  return { n, event, value: stateToWire(value), context: toWire(context) }
}
