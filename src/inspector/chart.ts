/** Statecharts as data that a page can draw: any XState machine's, seen for the first time. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { ChartState, ChartTransition } from './protocol.ts'
import { toWire } from './to-wire.ts'

/** Levels and names of a state's value that are shown. */
const DEEP = 100
const NAMES = 5_000
/** Characters of a name. */
const LONG = 1_000

/** The value of a machine's state as it is, however deep, so that it can be found in the chart; of what has none, what it is. */
export function stateToWire(value: unknown): unknown {
  if (value === undefined) return undefined
  const room = { left: NAMES }
  return isStateValue(value, DEEP, room) ? value : toWire(value)
}

/** Plain objects with texts at their ends: nothing in it is anybody's code. */
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
    entry: own(node.entry, node.config.entry).map(named),
    exit: own(node.exit, node.config.exit).map(named),
    invoke: node.invoke.map(sourceOf),
    transitions: [...transitions.map((transition) => transitionOf(node, transition)), ...defaultOf(node)],
    states: Object.values(node.states).map(stateOf),
  }
}

/** What was written down: for its timers XState adds actions of its own behind it. */
function own<Action>(actions: readonly Action[], written: unknown): readonly Action[] {
  return actions.slice(0, written === undefined ? 0 : Array.isArray(written) ? written.length : 1)
}

/** What an invoked actor runs; one that was written down in its place has no name. */
function sourceOf({ src }: { readonly src: unknown }): string {
  return typeof src === 'string' && !src.startsWith('xstate.') ? src : 'an actor'
}

function transitionOf(node: AnyStateNode, transition: AnyTransitionDefinition): ChartTransition {
  const { eventType, target, guard, actions } = transition
  // An invoked actor without an id has one that says nothing: what it runs does.
  const invoked = node.invoke.find(({ id }) => /^xstate\.(?:done|error|snapshot)\.actor\.(.+)$/.exec(eventType)?.[1] === id)
  return {
    key: keyOf(transition),
    event: readable(invoked !== undefined && /^\d+\./.test(invoked.id) ? eventType.replace(invoked.id, sourceOf(invoked)) : eventType),
    targets: target?.map(({ id }) => id) ?? [],
    guard: guard === undefined ? undefined : named(guard),
    actions: actions.map(named),
  }
}

/** Where a history leads that has not been made yet. */
function defaultOf({ id, config, parent }: AnyStateNode): ChartTransition[] {
  const { target } = config as { target?: unknown }
  if (typeof target !== 'string' || parent === undefined) return []
  const found = target.startsWith('#')
    ? parent.machine.getStateNodeById(target.slice(1))
    : target.split('.').reduce<AnyStateNode | undefined>((at, key) => (key === '' ? at : at?.states[key]), parent)
  return found === undefined ? [] : [{ key: `${id} default`, event: 'default', targets: [found.id], guard: undefined, actions: [] }]
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
  if (event === 'xstate.stop') return 'told to stop'
  if (event === 'xstate.init') return 'its start'
  return event
    .replace(/^xstate\.done\.actor\.(?:\d+\.)?(.+)$/, '$1 is done')
    .replace(/^xstate\.error\.actor\.(?:\d+\.)?(.+)$/, '$1 failed')
    .replace(/^xstate\.done\.state\..*?([^.]+)$/, '$1 is done')
    .replace(/^xstate\.route\./, 'route to ')
}
