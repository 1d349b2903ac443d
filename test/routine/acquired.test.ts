/** What a `start` has acquired is released by the body that follows it: RS1 and RS2 of src/routine/stopping.ts. */
import { describe, expect, test } from 'vitest'
import { type ChildOptions, createGlobalManager, ignore, routine, type Routine, type RoutineOptions } from 'curtaincall'
import { fromCallback } from 'xstate'
import { makeTree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const modes = [{ strict: false }, { strict: true }]
type AnyRoutine = Routine<any, any, any, any>

const kinds = ['spawned', 'child'] as const
/** Ways to stop it, where `one` is the routine. */
const stops = {
  cancel: (one: AnyRoutine) => void one.cancel('enough'),
  kill: (one: AnyRoutine) => void one.kill('enough'),
  exit: (one: AnyRoutine) => void one.exit('shutdown'),
  signal: (_: AnyRoutine, control: AbortController) => control.abort('enough'),
  shutdown: (_one: AnyRoutine, _: AbortController, tree: ReturnType<typeof makeTree>) => void tree.global.shutdown(),
}

type Tree = ReturnType<typeof makeTree>

describe.each(modes.flatMap(({ strict }) => kinds.map((kind) => ({ strict, kind }))))('$kind, strict: $strict', ({ strict, kind }) => {
  const find = (tree: Tree): AnyRoutine => tree.local.routine('w') as AnyRoutine

  function make(tree: Tree, log: string[], options: RoutineOptions & ChildOptions): void {
    const body = async ({ signal }: { signal: AbortSignal }): Promise<void> => {
      log.push(signal.aborted ? 'body, aborted' : 'body')
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      log.push('released')
    }
    const given = { id: 'w', start: () => void log.push('acquired'), restart: 'temporary', ...options } as const
    if (kind === 'child') void tree.local.startChild(routine('w', body, given))
    else tree.local.spawn('w', body, given)
  }

  test.each(Object.entries(stops))('RS1: %s after its start and before its body', async (how, stop) => {
    const log: string[] = []
    const control = new AbortController()
    const tree = makeTree({}, { strict })
    make(tree, log, { signal: control.signal })
    const one = find(tree)
    expect(log).toEqual(['acquired'])
    stop(one, control, tree)
    await settle()
    const orphan = how === 'kill' || how === 'exit'
    expect(log).toEqual(orphan ? ['acquired', 'body, aborted', 'released'] : ['acquired', 'body', 'released'])
    expect((await one.outcome).status).toBe('cancelled')
    expect(tree.story(/orphaned|settled/)).toEqual(orphan ? ['routine.orphaned g/a/l/w', 'routine.settled g/a/l/w'] : [])
    await tree.global.shutdown()
    expect(tree.global.metrics()).toMatchObject({ running: 0, pending: 0, orphaned: 0 })
  })

  test.each(Object.entries(stops))('RS2: %s from inside of its start', async (how, stop) => {
    const log: string[] = []
    const control = new AbortController()
    const tree = makeTree({}, { strict })
    const start = (): void => {
      log.push('acquired')
      stop(find(tree), control, tree)
    }
    make(tree, log, { signal: control.signal, start })
    await settle()
    const orphan = how === 'kill' || how === 'exit'
    expect(log).toEqual(orphan ? ['acquired', 'body, aborted', 'released'] : ['acquired', 'body', 'released'])
    await tree.global.shutdown()
    expect(tree.global.metrics()).toMatchObject({ running: 0, pending: 0, orphaned: 0, spawned: 1 })
  })

  test('RS2: a start that fails after it was told to stop ends cancelled, with its error', async () => {
    const log: string[] = []
    const tree = makeTree({}, { strict })
    const start = (): void => {
      void find(tree).cancel('enough')
      throw new Error('no start')
    }
    make(tree, log, { start })
    await settle()
    const end = tree.events.find(({ type }) => type === 'routine.cancelled')
    expect(end).toMatchObject({ reason: 'enough', error: { cause: new Error('no start') } })
    expect(log).toEqual([])
  })

  test('RS1: a start that asks to be ignored has acquired nothing', async () => {
    const log: string[] = []
    const tree = makeTree({}, { strict })
    make(tree, log, { start: () => ignore })
    await tree.global.shutdown()
    expect(log).toEqual([])
  })
})

test.each(modes)('RS1: an actor is started, and stopped at once (strict: $strict)', async ({ strict }) => {
  const log: string[] = []
  const work = fromCallback(() => {
    log.push('begun')
    return () => void log.push('released')
  })
  const local = createGlobalManager({ strict }).createApp('a').createLocal('l')
  const one = local.spawn('w', work, { start: () => void log.push('acquired') })
  expect((await one.cancel()).status).toBe('cancelled')
  expect(log).toEqual(['acquired', 'begun', 'released'])
})
