/** Statecharts as data that a page can draw: any XState machine's, seen for the first time. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { ChartState } from './protocol.ts'

/** True for a machine, as opposed to other actor logic. */
export function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && 'root' in logic && 'definition' in logic
}

/** The chart of a machine. */
export function chartOf(machine: AnyStateMachine): ChartState {
  return stateOf(machine.root)
}

function stateOf(node: AnyStateNode): ChartState {
  const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])]
  return {
    id: node.id,
    key: node.key,
    type: node.type,
    initial: node.initial?.target[0]?.key,
    description: node.description,
    entry: node.entry.map(named),
    exit: node.exit.map(named),
    invoke: node.invoke.map(({ src }) => (typeof src === 'string' ? src : 'an actor')),
    transitions: transitions.map((transition) => ({
      key: keyOf(transition),
      event: readable(transition.eventType),
      targets: transition.target?.map(({ id }) => id) ?? [],
      guard: transition.guard === undefined ? undefined : named(transition.guard),
      actions: transition.actions.map(named),
    })),
    states: Object.values(node.states).map(stateOf),
  }
}

/** What a transition is counted by: several of one state may hear the same event. */
export function keyOf(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition
  const siblings = source.transitions.get(eventType) ?? source.always ?? []
  return `${source.id} ${eventType} ${siblings.indexOf(transition)}`
}

function named(action: unknown): string {
  if (typeof action === 'string') return action
  if (typeof action === 'function') return action.name === '' ? 'a function' : action.name
  return typeof action === 'object' && action !== null && 'type' in action ? String(action.type) : 'a function'
}

/** XState's own event names, as a person says them. */
export function readable(event: string): string {
  const after = /^xstate\.after\.([^.]+)\./.exec(event)
  if (after !== null) return /^\d+$/.test(after[1] as string) ? `after ${after[1]} ms` : `after ${after[1]}`
  if (event === '') return 'always'
  return event
    .replace(/^xstate\.done\.actor\.(?:\d+\.)?(.+)$/, '$1 is done')
    .replace(/^xstate\.error\.actor\.(?:\d+\.)?(.+)$/, '$1 failed')
    .replace(/^xstate\.done\.state\..*?([^.]+)$/, '$1 is done')
    .replace(/^xstate\.route\./, 'route to ')
}
