/** Listeners that come and go, many of them, and on what has ended. */
import { describe, expect, test } from 'vitest'
import { createGlobalManager } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test('B3: 40,000 listeners come and go, in any order, in the time of a test', () => {
    const { local, global } = makeTree({}, mode)
    const heard: number[] = []
    const offs = Array.from({ length: 40_000 }, (_, i) => global.on('routine.spawned', () => heard.push(i)))
    const left = [3, 20_000, 39_999]
    // The later half from its end, the other from its beginning.
    for (const i of offs.keys()) if (!left.includes(i) && i < 20_000) offs[i]?.()
    for (const i of [...offs.keys()].reverse()) if (!left.includes(i) && i >= 20_000) offs[i]?.()
    local.spawn('x', untilTold)
    expect(heard).toEqual(left)
    for (const off of offs) off()
    expect(global.tree.bus.hears('message.dropped')).toBe(true)
    local.spawn('x', untilTold)
    expect(heard).toEqual(left)
  })

  test('T10, B3: those who leave, and those who come, while an event is told', () => {
    const { local } = makeTree({}, mode)
    const heard: string[] = []
    const offs: (() => void)[] = []
    const add = (who: string, act: () => void = () => undefined): void =>
      void offs.push(
        local.on('routine.spawned', ({ name }) => {
          heard.push(`${who} ${name}`)
          act()
        }),
      )
    const dropAll = (): void => {
      for (const off of offs.splice(0)) off()
      add('late')
    }
    add('first')
    add('second', dropAll)
    add('third')
    local.spawn('a', untilTold)
    local.spawn('b', untilTold)
    expect(heard).toEqual(['first a', 'second a', 'third a', 'late b'])
  })

  test('B4: a listener that is added once a manager has ended for good ends at once, and costs the living tree nothing', async () => {
    const global = createGlobalManager(mode)
    const app = global.createApp('a')
    const ended = app.createLocal('ended')
    const before = ended.on('*', () => undefined)
    const { bus } = global.tree
    expect(bus.hears('routine.started')).toBe(true)
    await ended.shutdown()
    expect(bus.hears('routine.started')).toBe(false)
    const off = ended.on('*', () => expect.unreachable())
    expect(bus.hears('routine.started')).toBe(false)
    expect(() => ended.spawn('x', untilTold)).toThrow('accepts nothing')
    off()
    before()
    expect(bus.hears('routine.started')).toBe(false)
    await global.shutdown()
    global.on('*', () => expect.unreachable())
    expect(bus.isHeard).toBe(false)
  })

  test('B4: between two lives of a manager its listeners stay, and more may come', async () => {
    const { local, events, clock } = makeTree({ maxRestarts: 0 }, mode)
    const heard: string[] = []
    local.on('manager.stopped', () => void local.on('manager.restarted', ({ path }) => heard.push(path)))
    local.spawn('x', () => Promise.reject(new Error('x')), { restart: 'permanent' })
    await clock.runOut()
    expect(events.some(({ type }) => type === 'manager.restarted')).toBe(true)
    expect(heard).toEqual(['g/a/l'])
  })
})
