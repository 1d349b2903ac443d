/**
 * The scene of a failure: what its machine was doing just before, and what it took down with it.
 *
 * Knows neither Node.js nor the DOM: a living tree and a recording bring their own snapshots.
 */
import type { Ledger } from './ledger.ts'
import type { ChartState, KeptEvent, LogLine, MessageLine, SceneView } from './protocol.ts'
import { differences } from './diff.ts'
import { lineOf } from './story.ts'

/** Events after a failure that are looked through, and how many of those that it struck are told. */
const AHEAD = 2_000
const STRUCK = 30
/** Messages that are told. */
const MESSAGES = 6

/** A snapshot as small as it is shown. */
export interface SceneSnapshot {
  readonly n: number
  readonly event: string
  readonly value: unknown
  readonly context: unknown
}

/** What a machine was at; the snapshots are the last two before the failure. */
export interface SceneMachine {
  readonly chart: ChartState
  readonly before: SceneSnapshot | undefined
  readonly last: SceneSnapshot
}

/** How others end, or begin anew, by what somebody else did. */
const STRIKING = new Set([
  'routine.failed',
  'routine.cancelled',
  'routine.killed',
  'link.broken',
  'manager.gaveUp',
  'manager.stopped',
  'manager.restarted',
])

/**
 * @param at The index of the failure in the ledger.
 * @param messages To and from the routine, by the time of the failure.
 */
export function sceneOf(ledger: Ledger, at: number, machine: SceneMachine | undefined, messages: readonly MessageLine[]): SceneView {
  const event = ledger.at(at) as KeptEvent
  return {
    machine: machine === undefined ? undefined : machineView(machine, event.path, messages),
    messages: messages.slice(-MESSAGES),
    struck: struckBy(ledger, at),
  }
}

function machineView({ chart, before, last }: SceneMachine, path: string, messages: readonly MessageLine[]): SceneView['machine'] {
  // What came in after the last snapshot was never answered by another one.
  const fatal = messages.findLast(({ to, kind, n }) => to === path && kind !== 'reply' && n > last.n)
  return {
    chart,
    value: last.value,
    event: fatal?.type ?? '',
    before: last.event,
    changes: before === undefined ? [] : differences({ context: before.context }, { context: last.context }),
    context: last.context,
  }
}

/** All that ended, or began anew, with this event as their first or a later cause. */
function struckBy(ledger: Ledger, index: number): LogLine[] {
  const { seq: first, path: own } = ledger.at(index) as KeptEvent
  const led = new Set([first])
  const struck: LogLine[] = []
  for (let k = index + 1; k < Math.min(ledger.size, index + AHEAD) && struck.length < STRUCK; k++) {
    const event = ledger.at(k) as KeptEvent
    if (event.cause === null || !led.has(event.cause)) continue
    // What follows from its next run is that run's own.
    if (event.type === 'routine.started' || event.type === 'routine.spawned') continue
    led.add(event.seq)
    if (event.path !== own && STRIKING.has(event.type)) struck.push(lineOf(event))
  }
  return struck
}
