/** Statecharts of any XState machine, as data that a page can draw. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { ChartState, ChartTransition } from './protocol.ts'
import { toWire } from './to-wire.ts'

/** Levels and names of a state's value that are shown. */
const DEEP = 100
const NAMES = 5_000
/** Characters of a name. */
const LONG = 1_000

/** The value of a machine's state, uncut, so that it can be found in the chart; anything else as it is shown. */
export function stateToWire(value: unknown): unknown {
  if (value === undefined) return undefined
  const room = { left: NAMES }
  return isStateValue(value, DEEP, room) ? value : toWire(value)
}

/** True for texts, and plain objects of them, within the limits: to read them calls no code of a user. */
function isStateValue(value: unknown, levels: number, room: { left: number }): boolean {
  if (typeof value === 'string') return value.length <= LONG
  if (typeof value !== 'object' || value === null || levels === 0) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.entries(Object.getOwnPropertyDescriptors(value)).every(
    ([key, each]) => --room.left >= 0 && key.length <= LONG && 'value' in each && isStateValue(each.value, levels - 1, room),
  )
}

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
    type: node.type === 'history' && node.history === 'deep' ? 'deep history' : node.type,
    initial: node.initial?.target[0]?.key,
    description: node.description,
    entry: fromConfig(node.entry, node.config.entry).map(named),
    exit: fromConfig(node.exit, node.config.exit).map(named),
    invoke: node.invoke.map(sourceOf),
    transitions: [...transitions.map((transition) => transitionOf(node, transition)), ...defaultOf(node)],
    states: Object.values(node.states).map(stateOf),
  }
}

/** The actions that the config has: for delayed transitions XState adds some of its own behind them. */
function fromConfig<Action>(actions: readonly Action[], inConfig: unknown): readonly Action[] {
  return actions.slice(0, inConfig === undefined ? 0 : Array.isArray(inConfig) ? inConfig.length : 1)
}

/** The name of what an invoked actor runs; logic that stands in the config itself has none. */
function sourceOf({ src }: { readonly src: unknown }): string {
  return typeof src === 'string' && !src.startsWith('xstate.') ? src : 'an actor'
}

function transitionOf(node: AnyStateNode, transition: AnyTransitionDefinition): ChartTransition {
  const { eventType, target, guard, actions } = transition
  // An invoked actor without an id is given one that says nothing: the name of what it runs says more.
  const invoked = node.invoke.find(({ id }) => /^xstate\.(?:done|error|snapshot)\.actor\.(.+)$/.exec(eventType)?.[1] === id)
  return {
    key: keyOf(transition),
    event: readable(invoked !== undefined && /^\d+\./.test(invoked.id) ? eventType.replace(invoked.id, sourceOf(invoked)) : eventType),
    targets: target?.map(({ id }) => id) ?? [],
    guard: guard === undefined ? undefined : named(guard),
    actions: actions.map(named),
  }
}

/** Where a history state leads while there is no history. */
function defaultOf({ id, config, parent }: AnyStateNode): ChartTransition[] {
  const { target } = config as { target?: unknown }
  if (typeof target !== 'string' || parent === undefined) return []
  const found = target.startsWith('#')
    ? parent.machine.getStateNodeById(target.slice(1))
    : target.split('.').reduce<AnyStateNode | undefined>((at, key) => (key === '' ? at : at?.states[key]), parent)
  return found === undefined ? [] : [{ key: `${id} default`, event: 'default', targets: [found.id], guard: undefined, actions: [] }]
}

/** The key by which a transition is counted: several of one state may be for the same event. */
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

const STATE_DONE = 'xstate.done.state.'

/** XState's own event names, as a person says them: in one pass, since a recording may hold one of any length. */
export function readable(event: string): string {
  const after = /^xstate\.after\.([^.]+)\./.exec(event)
  if (after !== null) return /^\d+$/.test(after[1] as string) ? `after ${after[1]} ms` : `after ${after[1]}`
  if (event === '') return 'always'
  if (event === 'xstate.stop') return 'told to stop'
  if (event === 'xstate.init') return 'its start'
  if (event.startsWith(STATE_DONE) && !event.endsWith('.')) return `${event.slice(event.lastIndexOf('.') + 1)} is done`
  return event
    .replace(/^xstate\.done\.actor\.(?:\d+\.)?(.+)$/, '$1 is done')
    .replace(/^xstate\.error\.actor\.(?:\d+\.)?(.+)$/, '$1 failed')
    .replace(/^xstate\.route\./, 'route to ')
}
