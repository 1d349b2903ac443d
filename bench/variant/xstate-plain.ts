/** What supervised machines are held beside: the same logic in plain actors, each a root, as XState's users make them. */
import { type Actor, type AnyActorLogic, createActor, createMachine } from 'xstate'
import { Check, ENDING, type Kind, sendAll, stream, Sum, type Variant } from '../job.ts'
import { adding, asPromise, inPhases, patient, quiet, twoEvents } from './machines.ts'

const over = ({ status }: { readonly status: string }): void => {
  if (status !== 'done') throw new Error(`${status} instead of done`)
}

async function send(n: number, look: (actor: Actor<AnyActorLogic>) => void): Promise<void> {
  const sum = new Sum()
  const actor = createActor(adding(sum)).start()
  await sendAll(n, sum, (i) => {
    actor.send({ type: 'add', i })
    look(actor as unknown as Actor<AnyActorLogic>)
  })
  actor.stop()
}

export const variant: Variant = {
  /** Below one parent, as supervised ones are. */
  async live(n: number, kind: Kind) {
    const parent = createActor(createMachine({})).start()
    const kept: unknown[] = []
    const actors = Array.from({ length: n }, () => {
      const actor = createActor(twoEvents, { parent } as object).start()
      if (kind === 'resumed') kept.push(actor.getPersistedSnapshot())
      return actor
    })
    await Promise.resolve()
    return async () => {
      for (const actor of actors) {
        actor.send({ type: 'begin' })
        actor.send({ type: 'end' })
        over(actor.getSnapshot())
      }
      parent.stop()
      if (kept.length !== (kind === 'resumed' ? n : 0)) throw new Error('not all were kept')
    }
  },

  async ending(n) {
    const others = Array.from({ length: n }, () => createActor(patient).start())
    const actors = Array.from({ length: ENDING }, () => createActor(patient).start())
    await new Promise((resolve) => setImmediate(resolve))
    return {
      end: () => {
        for (const actor of actors) actor.send({ type: 'end' })
      },
      stop: async () => {
        for (const actor of actors) over(actor.getSnapshot())
        for (const actor of others) actor.stop()
      },
    }
  },

  alone: {
    async machine(n) {
      await stream(n, async () => {
        const actor = createActor(twoEvents).start()
        actor.send({ type: 'begin' })
        actor.send({ type: 'end' })
        over(actor.getSnapshot())
        await undefined
      })
    },

    async promise(n) {
      const check = new Check(n)
      await stream(n, async (i) => {
        const actor = createActor(asPromise, { input: i })
        await new Promise<void>((resolve) => {
          actor.subscribe({
            complete: () => {
              check.done(actor.getSnapshot().output as number)
              resolve()
            },
            error: () => {
              check.failed()
              resolve()
            },
          })
          actor.start()
        })
      })
      check.verify()
    },

    async callback(n) {
      await stream(n, async () => {
        const actor = createActor(quiet).start()
        await undefined
        const { status } = actor.stop().getSnapshot()
        if (status !== 'stopped') throw new Error(`${status} instead of stopped`)
      })
    },

    async manager(n) {
      for (let i = 0; i < n; i++) {
        const actor = createActor(inPhases).start() as Actor<AnyActorLogic>
        const { value } = actor.getSnapshot() as { value?: unknown }
        const { status } = actor.stop().getSnapshot()
        if (value !== 'running' || status !== 'stopped') throw new Error(`${String(value)}, then ${status}`)
        await undefined
      }
    },

    'send-machine': (n) => send(n, () => undefined),

    async 'send-resumed'(n) {
      let kept: unknown
      await send(n, (actor) => {
        kept = actor.getPersistedSnapshot()
      })
      if (kept === undefined) throw new Error('nothing was kept')
    },
  },
}
