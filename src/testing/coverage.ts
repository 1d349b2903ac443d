/** Coverage: which transitions of which machines were ever taken. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, InspectionEvent } from 'xstate'
import { CurtaincallError } from '../contract/index.ts'
import { check, refuse, type Rule } from '../spec/index.ts'

/** The transitions of one machine that were taken. */
export interface MachineCoverage {
  readonly machine: string
  readonly taken: number
  readonly total: number
  /** Transitions never taken, as `source --event--> target`. */
  readonly missing: readonly string[]
  /** How many transitions another machine of the same id took, if there is one: a factory makes a new machine each time. */
  readonly byOthers?: number
}

/** Collects transitions as they are taken. */
export interface TransitionCoverage {
  /** An XState inspection observer: for the `inspect` option of an actor, of `createGlobalManager`, or of `simulate`. */
  readonly inspect: (event: InspectionEvent) => void
  /** How often each transition was taken, as `source --event--> target`. */
  counts(machine: AnyStateMachine): Readonly<Record<string, number>>
  /**
   * What was taken and what was not.
   *
   * @param options `min` is the least share of transitions, in per cent, that have to be taken.
   * @throws CurtaincallError ERR_TEST that names each transition never taken, if they are fewer; ConfigError for a wrong option.
   */
  report(options?: { readonly min?: number }): readonly MachineCoverage[]
}

const percentage: Rule = { range: 'a number from 0 to 100', accepts: (value) => typeof value === 'number' && value >= 0 && value <= 100 }

/**
 * Watches which transitions of these machines are taken, also by what `machine.provide(…)` makes of them.
 *
 * @example
 * const coverage = transitionCoverage(doorMachine)
 * createActor(doorMachine, { inspect: coverage.inspect }).start()
 * coverage.report({ min: 100 })
 */
export function transitionCoverage(...machines: readonly AnyStateMachine[]): TransitionCoverage {
  for (const machine of machines)
    if (typeof machine?.transition !== 'function') throw refuse('transitionCoverage machines', 'XState machines', machine)
  const all = machines.map((machine) => ({ machine, transitions: transitionsOf(machine) }))
  // By the config: `provide` makes a machine with the same config, but with nodes and transitions of its own.
  const taken = new Map(machines.map(({ config }) => [config, new Map<string, number>()]))
  const times = (each: AnyTransitionDefinition): number => taken.get(each.source.machine.config)?.get(placeOf(each)) ?? 0
  // By id: how often those were seen that are not covered, and look as if they were.
  const others = new Map(machines.map(({ id }) => [id, 0]))
  return {
    inspect: (event) => {
      if (event.type !== '@xstate.microstep') return
      for (const each of event._transitions) {
        const { config, id } = each.source.machine
        const known = taken.get(config)
        if (known !== undefined) known.set(placeOf(each), times(each) + 1)
        else if (others.has(id)) others.set(id, (others.get(id) ?? 0) + 1)
      }
    },
    counts: (machine) => Object.fromEntries(transitionsOf(machine).map((each) => [describeTransition(each), times(each)])),
    report: (options = {}) => {
      check('report', options, { min: percentage })
      const { min = 0 } = options
      const report = all.map(({ machine, transitions }) => {
        const missing = transitions.filter((each) => times(each) === 0).map(describeTransition)
        const byOthers = others.get(machine.id) ?? 0
        const taken = transitions.length - missing.length
        return { machine: machine.id, taken, total: transitions.length, missing, ...(byOthers === 0 ? {} : { byOthers }) }
      })
      const short = report.filter((each) => each.taken * 100 < each.total * min)
      if (short.length > 0)
        throw new CurtaincallError(
          'ERR_TEST',
          `fewer than ${min} % of the transitions were taken\n${short.map(describeCoverage).join('\n')}`,
        )
      return report
    },
  }
}

/** Every transition that a machine declares. */
function transitionsOf(machine: AnyStateMachine): AnyTransitionDefinition[] {
  const visit = (node: AnyStateNode): AnyTransitionDefinition[] => [
    ...[...node.transitions.values()].flat(),
    ...(node.always ?? []),
    ...Object.values(node.states).flatMap(visit),
  ]
  return visit(machine.root)
}

/** Tells the transitions of a machine apart; the same for all that `provide` makes of it. */
function placeOf(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition
  const siblings: readonly AnyTransitionDefinition[] = eventType === '' ? (source.always ?? []) : (source.transitions.get(eventType) ?? [])
  return `${source.id} ${eventType} ${siblings.indexOf(transition)}`
}

/** A transition as a person reads it; its guard tells apart those of one event. */
function describeTransition({ source, eventType, target, guard }: AnyTransitionDefinition): string {
  const to = target?.map(({ id }) => id).join(', ') ?? source.id
  const when =
    guard === undefined
      ? ''
      : ` [${typeof guard === 'string' ? guard : typeof guard === 'function' ? guard.name : (guard as { type: string }).type}]`
  return `${source.id} --${eventType}${when}--> ${to}`
}

function describeCoverage({ machine, taken, total, missing, byOthers }: MachineCoverage): string {
  const hint =
    byOthers === undefined
      ? []
      : [
          `  ${byOthers} transitions were taken by another machine of that id, as a factory makes one each time: hand over the one that runs, or what its provide() makes`,
        ]
  return [`${machine}: ${taken} of ${total}`, ...hint, ...missing.map((each) => `  never taken: ${each}`)].join('\n')
}
