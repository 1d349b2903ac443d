/** nact has no limit, timeout or signal for a task: they are added by hand, streamed. */
import { dispatch, query, type Ref, spawn, start, stop } from 'nact'
import { askAll, callAll, Check, sendAll, stream, Sum, task, TIMEOUT, type Variant } from '../job.ts'

function submit(system: unknown, i: number, check: Check): Promise<void> {
  return new Promise((resolve) => {
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), TIMEOUT)
    const actor = spawn(
      system as never,
      (async () => {
        try {
          check.done(await task(i, controller.signal))
        } catch {
          check.failed()
        }
        clearTimeout(timer)
        resolve()
        return undefined
      }) as never,
      `task-${i}`,
    )
    dispatch(actor as unknown as Ref<string>, 'go')
  })
}

export const variant: Variant = {
  async streamed(n) {
    const system = start()
    const check = new Check(n)
    await stream(n, (i) => submit(system, i, check))
    check.verify()
  },

  async call(n, timed) {
    const system = start()
    const check = new Check(n)
    await callAll(n, (i) => timed(() => submit(system, i, check)))
    check.verify()
  },

  async send(n) {
    const system = start()
    const sum = new Sum()
    const receiver = spawn(system as never, ((_state: unknown, message: number) => sum.add(message)) as never, 'receiver')
    await sendAll(n, sum, (i) => dispatch(receiver as unknown as Ref<number>, i))
  },

  async ask(n) {
    const system = start()
    const receiver = spawn(
      system as never,
      ((_state: unknown, { i, sender }: { i: number; sender: Ref<number> }) => dispatch(sender, 2 * i)) as never,
      'receiver',
    )
    await askAll(n, (i) => query(receiver as never, ((sender: Ref<number>) => ({ i, sender })) as never, TIMEOUT) as Promise<number>)
  },

  async spawnAndStop(n) {
    const system = start()
    let ran = 0
    await stream(n, async (i) => {
      const started = Promise.withResolvers<void>()
      const stopped = Promise.withResolvers<void>()
      const work = (): undefined => {
        ran++
        started.resolve()
      }
      const actor = spawn(system as never, work as never, `task-${i}`, { afterStop: () => stopped.resolve() } as never)
      dispatch(actor as unknown as Ref<string>, 'go')
      await started.promise
      stop(actor as never)
      await stopped.promise
    })
    if (ran !== n) throw new Error(`${ran} instead of ${n}`)
  },

  async restart(n) {
    const system = start()
    await new Promise<void>((resolve) => {
      let attempt = 0
      const actor = spawn(
        system as never,
        (async () => {
          await undefined
          if (++attempt <= n) throw new Error('again')
          resolve()
          return undefined
        }) as never,
        'task',
        {
          onCrash: ((_message: unknown, _error: unknown, context: { reset: unknown; self: Ref<string> }) => {
            dispatch(context.self, 'go')
            return context.reset
          }) as never,
        } as never,
      ) as unknown as Ref<string>
      dispatch(actor, 'go')
    })
  },
}
