/** Machines of XState 5 as definitions that XState 4 takes, and the names of its events. */
import { createMachine } from 'xstate'
import { toWire } from '../../src/inspector/to-wire.ts'

/** States of a machine, and characters of its definition: a larger one is shown as a box. */
const STATES = 2_000
const LENGTH = 512 * 1024

/** As much of a transition of XState 5 as is looked at. */
interface Transition {
  readonly target?: readonly Node[] | undefined
  readonly guard?: unknown
  readonly actions: readonly unknown[]
  readonly reenter?: boolean
  readonly description?: string
}

/** As much of a state node of XState 5 as is looked at. */
interface Node {
  readonly id: string
  readonly type: string
  readonly key: string
  readonly history: unknown
  readonly description?: string
  readonly tags?: readonly string[]
  readonly meta?: unknown
  readonly entry: readonly unknown[]
  readonly exit: readonly unknown[]
  readonly invoke: readonly { readonly id: string; readonly src: unknown }[]
  readonly states: Readonly<Record<string, Node>>
  readonly transitions: ReadonlyMap<string, readonly Transition[]>
  readonly always?: readonly Transition[] | undefined
  readonly initial?: { readonly target?: readonly Node[] | undefined } | undefined
}

const texts = new WeakMap<object, string | null>()

/**
 * The definition of an actor's machine, as JSON that XState 4 has read once already.
 *
 * @returns undefined for logic that is no machine, or whose machine XState 4 can't take.
 */
export function machineTextOf(logic: unknown): string | undefined {
  const root = (logic as { root?: unknown } | undefined)?.root
  if (typeof root !== 'object' || root === null || !('transitions' in root)) return undefined
  let text = texts.get(root)
  if (text === undefined) {
    try {
      text = JSON.stringify({ ...convert(root as unknown as Node, { left: STATES }), predictableActionArguments: true })
      if (text.length > LENGTH) throw new RangeError('too large')
      // Its targets are looked up only when they are asked for.
      void createMachine(JSON.parse(text) as object).definition
    } catch {
      text = null
    }
    texts.set(root, text)
  }
  return text ?? undefined
}

/** The definition that stands for an actor without a machine: a state for each status. */
export function boxText(id: string): string {
  const final = { type: 'final' }
  return JSON.stringify({
    id,
    initial: 'active',
    states: { active: {}, done: final, error: final, stopped: final },
    predictableActionArguments: true,
  })
}

function convert(node: Node, budget: { left: number }): object {
  if (--budget.left < 0) throw new RangeError('too large')
  const { id, type, description, tags = [], meta, entry, exit, invoke, states, transitions, always = [], initial } = node
  const events = [...transitions].map(([event, each]) => [event, each.map(transition)] as const)
  const delayOf = (event: string): string | undefined =>
    event.startsWith('xstate.after.') && event.endsWith(`.${id}`) ? event.slice('xstate.after.'.length, -id.length - 1) : undefined
  return {
    id,
    ...(type === 'parallel' || type === 'final' || type === 'history' ? { type } : {}),
    ...(type === 'history' ? { history: node.history } : {}),
    ...(type === 'compound' ? { initial: initial?.target?.[0]?.key } : {}),
    ...(description === undefined ? {} : { description }),
    ...(meta === undefined ? {} : { meta: toWire(meta) }),
    tags,
    entry: entry.filter(isOwn).map(named),
    exit: exit.filter(isOwn).map(named),
    invoke: invoke.map((each) => ({ id: each.id, src: typeof each.src === 'string' ? each.src : 'an actor' })),
    on: Object.fromEntries(events.filter(([event]) => delayOf(event) === undefined).map(([event, each]) => [nameInFour(event), each])),
    after: Object.fromEntries(events.flatMap(([event, each]) => (delayOf(event) === undefined ? [] : [[delayOf(event), each]]))),
    ...(always.length === 0 ? {} : { always: always.map(transition) }),
    states: Object.fromEntries(Object.entries(states).map(([key, each]) => [key, convert(each, budget)])),
  }
}

function transition({ target, guard, actions, reenter, description }: Transition): object {
  return {
    ...(target === undefined ? {} : { target: target.map(({ id }) => `#${id}`) }),
    ...(guard === undefined ? {} : { cond: named(guard) }),
    ...(description === undefined ? {} : { description }),
    internal: reenter !== true,
    actions: actions.map(named),
  }
}

/** False for actions that XState 5 adds for delayed transitions: XState 4 has its own for that. */
function isOwn(action: unknown): boolean {
  const { id, sendId } = (action ?? {}) as { id?: unknown; sendId?: unknown }
  return !String(id ?? sendId).startsWith('xstate.after.')
}

/** An action or guard by its name alone; those of XState lose their prefix, or XState 4 would take them for its own. */
function named(what: unknown): { type: string } {
  const name = typeof what === 'function' ? what.name : typeof what === 'string' ? what : (what as { type?: unknown } | null)?.type
  return { type: typeof name === 'string' && name !== '' ? name.replace(/^xstate\./, '') : 'a function' }
}

/** What XState 4 calls an event. */
export function nameInFour(event: string): string {
  return event
    .replace(/^xstate\.done\.actor\./, 'done.invoke.')
    .replace(/^xstate\.error\.actor\./, 'error.platform.')
    .replace(/^xstate\.done\.state\./, 'done.state.')
    .replace(/^xstate\.after\.([^.]+)\.(.+)$/, 'xstate.after($1)#$2')
}
