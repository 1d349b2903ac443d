/** The actors of managers: made by the first look, and then as if they had been there from the beginning. */
import { describe, expect, test } from 'vitest'
import type { AnyActorRef, AnyMachineSnapshot, InspectionEvent } from 'xstate'
import { toPromise, waitFor } from 'xstate'
import { createGlobalManager, type GlobalManager, type GlobalManagerOptions, type Manager, manager } from 'curtaincall'
import type { Life } from '../../src/manager/life.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

const PHASES = ['closing', 'cancelling', 'waiting', 'killing', 'cleaning']

const isObserved = (one: Manager): boolean => (one as unknown as { life: Life }).life.isObserved

/** All of a snapshot that can be printed, its methods included. */
function plain(snapshot: unknown): unknown {
  const { machine, _nodes, ...rest } = snapshot as AnyMachineSnapshot
  const nodes = new Set(_nodes.map(({ id }) => id))
  const can = ['start', 'shutdown', 'giveUp', 'hurry', 'phaseDone'].filter((type) => (snapshot as AnyMachineSnapshot).can({ type }))
  return { ...rest, id: machine.id, nodes, can }
}

/** A tree, and a local manager whose life is followed: `look` is called at each of its moments. */
async function live(
  options: GlobalManagerOptions,
  how: 'completed' | 'cancelled' | 'failed',
  look: (one: Manager) => void,
): Promise<GlobalManager> {
  const global = createGlobalManager({ name: 'g', clock: new VirtualClock(), logger: false, ...options })
  const local = global.createApp('a').createLocal('l', { maxRestarts: 0, restart: 'temporary' })
  local.on('manager.phase', () => look(local))
  look(local)
  if (how === 'failed') {
    local.spawn('crash', () => Promise.reject(new Error('broken')), { restart: 'permanent' })
    local.spawn('crash', () => Promise.reject(new Error('broken')), { restart: 'permanent' })
  } else void local.shutdown(how === 'completed' ? {} : { mode: 'immediate' })
  await settle()
  await local.outcome
  expect(local.state).toBe(how)
  look(local)
  return global
}

describe('what is seen of one that nobody has looked at before is what XState has come to', () => {
  for (const how of ['completed', 'cancelled', 'failed'] as const)
    test(`of one that ends ${how}, at each moment of its life`, async () => {
      const seen: unknown[] = []
      const inspected: InspectionEvent[] = []
      const looks = { inspect: (event: InspectionEvent) => void inspected.push(event) }
      await live(looks, how, ({ actor }) => seen.push(plain(actor.getSnapshot())))
      expect(inspected.some(({ type }) => type === '@xstate.microstep')).toBe(true)
      expect(seen).toHaveLength(PHASES.length + 2)
      for (const strict of [false, true])
        for (const at of seen.keys()) {
          let now = 0
          await live({ strict }, how, (one) => {
            if (!strict) expect(isObserved(one)).toBe(now > at)
            if (now++ === at) expect(plain(one.actor.getSnapshot())).toEqual(seen[at])
          })
        }
      // One that was looked at goes on by the table.
      const followed: unknown[] = []
      await live({}, how, ({ actor }) => followed.push(plain(actor.getSnapshot())))
      expect(followed).toEqual(seen)
    })
})

test('its actor has its parent and its system, also when it is over, and above it are those of the levels above', async () => {
  const late = await live({}, 'completed', () => undefined)
  const app = late.getApp('a') as Manager
  expect([isObserved(late), isObserved(app)]).toEqual([false, false])
  const local = late.getApp('a')?.createLocal('m') as Manager
  await local.shutdown()
  const { actor } = local as { actor: unknown } as { actor: AnyActorRef }
  expect([actor.id, actor._parent, actor._parent?._parent]).toEqual(['m', app.actor, late.actor])
  expect(actor.system).toBe(late.actor.system)
  expect(actor.getSnapshot()).toMatchObject({ status: 'done', value: 'completed' })
  await toPromise(actor)
})

test('waitFor and subscribe see what comes behind the first look', async () => {
  const global = createGlobalManager({ clock: new VirtualClock(), logger: false })
  const local = global.createApp('a').createLocal('l')
  const phases: unknown[] = []
  const stopped = waitFor(local.actor, ({ status }) => status === 'done')
  local.actor.subscribe(({ value }) => phases.push(value))
  await local.shutdown()
  expect((await stopped).value).toBe('completed')
  expect(phases).toEqual([...PHASES.map((stopping) => ({ stopping })), 'completed'])
})

describe('an observer that begins later', () => {
  const line = (event: InspectionEvent): string => {
    const { snapshot } = event as { snapshot?: AnyMachineSnapshot }
    const { event: about } = event as { event?: { type: string } }
    return [event.type, (event.actorRef as AnyActorRef).id, about?.type, JSON.stringify(snapshot?.value)].join(' ')
  }

  const heard = async (look: (global: GlobalManager) => void): Promise<string[]> => {
    const global = createGlobalManager({ name: 'g', clock: new VirtualClock(), logger: false })
    const app = global.createApp('a', { children: [manager('c')] })
    app.createLocal('l')
    await settle()
    look(global)
    const lines: string[] = []
    global.actor.system.inspect((event) => void lines.push(line(event)))
    app.createLocal('born')
    await global.shutdown()
    return lines
  }

  test('sees the same, whether or not somebody had looked before', async () => {
    const looked = await heard((global) => {
      for (const local of global.getApp('a')?.locals() ?? []) local.actor.getSnapshot()
    })
    const unlooked = await heard(() => undefined)
    expect(unlooked.length).toBeGreaterThan(60)
    expect(unlooked).toEqual(looked)
    expect(unlooked.filter((each) => each.startsWith('@xstate.actor'))).toEqual(['@xstate.actor born  '])
  })
})

test('of a tree that is deeper than a stack holds', async () => {
  const DEPTH = 6_000
  let child = manager('m')
  for (let i = 0; i < DEPTH; i++) child = manager('m', { children: [child] })
  const global = createGlobalManager({ clock: new VirtualClock(), logger: false })
  let local = global.createApp('a', { children: [child] }).getLocal('m')
  await settle()
  for (let i = 0; i < DEPTH; i++) local = local?.getLocal('m')
  let depth = 0
  for (let actor: AnyActorRef | undefined = local?.actor; actor !== undefined; actor = actor._parent) depth++
  expect(depth).toBe(DEPTH + 3)
})
