/** What every durable store does: J1 to J8 of src/port/journal.ts. */
import { describe, expect, test } from 'vitest'
import type { DurableStore, Journal, StoredEntry } from '../../src/port/index.ts'
import { FakeHost, handled, message, outcome, randomEntries, restored, snapshot, spawned, Told, write } from './store-host.ts'

/** A place for a store: `store` is made anew each time, and finds there what the one before has left. */
export interface Place {
  store(options?: { readonly maxWaiting?: number }): DurableStore
}

/** @param place A new one, empty. */
export function describeStore(name: string, place: () => Place): void {
  const open = (at: Place, host = new FakeHost(), options?: { readonly maxWaiting?: number }): Promise<Journal> =>
    at.store(options).open(host)

  async function expectTold(journal: Journal, told: Told): Promise<void> {
    expect(await restored(journal)).toEqual([...told.unfinished.values()])
    for (const [id, kept] of told.outcomes) expect([id, await journal.outcomeOf(id)]).toEqual([id, kept])
    for (const id of told.unfinished.keys()) expect([id, await journal.outcomeOf(id), await journal.has(id)]).toEqual([id, undefined, true])
  }

  describe(`a store ${name}`, () => {
    test('J1: acknowledges in order, each once, and never before append has returned', async () => {
      const journal = await open(place())
      const told: number[] = []
      let isAppending = false
      await new Promise<void>((resolve) => {
        for (let i = 0; i < 3_000; i++) {
          isAppending = true
          journal.append(i % 2 === 0 ? spawned(`r${i}`) : outcome(`r${i - 1}`), (error) => {
            expect([error, isAppending]).toEqual([undefined, false])
            told.push(i)
            if (told.length === 3_000) resolve()
          })
          isAppending = false
        }
      })
      expect(told).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
      expect(journal.position).toBe(3_000)
      await journal.close()
      expect(told).toHaveLength(3_000)
    })

    test('J1: what cannot be written down is refused in its turn, and nothing else', async () => {
      const journal = await open(place())
      const told: unknown[] = []
      const tell = (which: string) => (error?: unknown) => told.push([which, (error as { code?: string } | undefined)?.code])
      journal.append(spawned('a', 1n), tell('a'))
      journal.append(spawned('b'), tell('b'))
      journal.append(spawned('c', 2n), tell('c'))
      expect(told).toEqual([])
      await write(journal, spawned('d'))
      expect(told).toEqual([
        ['a', 'ERR_CONFIG'],
        ['b', undefined],
        ['c', 'ERR_CONFIG'],
      ])
      expect((await restored(journal)).map(({ id }) => id)).toEqual(['b', 'd'])
      await journal.close()
    })

    test('J3: what was acknowledged is there when it is opened again, and after that the journal goes on', async () => {
      const at = place()
      const first = await open(at)
      await write(
        first,
        spawned('a'),
        spawned('b'),
        message('a', 1),
        message('a', 2),
        handled('a', 1),
        snapshot('b', 0, 'on'),
        outcome('b'),
      )
      await first.close()
      const second = await open(at)
      expect(second.position).toBe(7)
      await write(second, spawned('c'), message('a', 3))
      await second.close()
      const third = await open(at)
      expect(third.position).toBe(9)
      await expectTold(
        third,
        Told.of([spawned('a'), spawned('b'), handled('a', 1), message('a', 2), outcome('b'), spawned('c'), message('a', 3)]),
      )
      expect(await third.has('d')).toBe(false)
      await third.close()
    })

    test('J3: values come back as JSON has them', async () => {
      const at = place()
      const first = await open(at)
      const values = [null, true, -1.5e300, '', 'ü€😀\0\n"\\', '\ud800', 'x'.repeat(300_000), [[], {}], { __proto__: null, 'a b': [1] }]
      const entries = values.flatMap((value, i): StoredEntry[] => [spawned(`r${i}`, value), message(`r${i}`, 1, value)])
      await write(first, { ...spawned('u'), input: undefined } as never, { ...message('u', 1), message: undefined } as never, ...entries)
      await first.close()
      const second = await open(at)
      const [none, ...some] = await restored(second)
      expect([none?.input, none?.messages]).toEqual([undefined, [{ number: 1, message: undefined }]])
      some.forEach(({ input, messages }, i) => {
        expect(JSON.stringify(input)).toBe(JSON.stringify(values[i]))
        expect(JSON.stringify(messages[0]?.message)).toBe(JSON.stringify(values[i]))
      })
      await second.close()
    })

    test.each([1, 2, 3])('J3, J4: what entries mean does not depend on when they were digested (%i)', async (seed) => {
      const at = place()
      const all: StoredEntry[] = []
      for (let life = 0; life < 3; life++) {
        const journal = await open(at)
        for (let i = 0; i < 6; i++) {
          const entries = randomEntries(seed * 100 + life * 10 + i, 60, 10 + 10 * i)
          all.push(...entries)
          await write(journal, ...entries)
          if (i % 2 === 0) await expectTold(journal, Told.of(all))
        }
        await journal.close()
      }
      const journal = await open(at)
      await expectTold(journal, Told.of(all))
      await journal.close()
    })

    test('J4: the first spawn and the first outcome count; what names none that lives changes nothing', async () => {
      const journal = await open(place())
      await write(journal, message('a', 1), handled('a', 1), outcome('a', 'nobody'))
      expect([await journal.has('a'), await journal.outcomeOf('a')]).toEqual([false, undefined])
      await write(journal, spawned('a', 1), spawned('a', 2))
      expect((await restored(journal)).map(({ input }) => input)).toEqual([1])
      await write(journal, outcome('a', 'first'), outcome('a', 'second'), spawned('a', 3), message('a', 2), snapshot('a', 1, 'x'))
      expect(await restored(journal)).toEqual([])
      expect(await journal.outcomeOf('a')).toEqual({ at: 9, outcome: { status: 'completed', output: 'first' } })
      await write(journal, outcome('a', 'third'))
      expect(await journal.outcomeOf('a')).toMatchObject({ outcome: { output: 'first' } })
      await journal.close()
    })

    test('J5: it is full while too much waits, tells once when it is over, and keeps what is appended all the same', async () => {
      const journal = await open(place(), new FakeHost(), { maxWaiting: 2_000 })
      expect(journal.isFull).toBe(false)
      let told = 0
      const room = Promise.withResolvers<void>()
      const entries = Array.from({ length: 50 }, (_, i) => spawned(`r${i}`))
      const written = write(journal, ...entries)
      expect(journal.isFull).toBe(true)
      journal.whenRoom(() => {
        told++
        expect(journal.isFull).toBe(false)
        room.resolve()
      })
      expect(told).toBe(0)
      await room.promise
      await written
      await new Promise<void>((resolve) => journal.whenRoom(resolve))
      expect([told, (await restored(journal)).length]).toEqual([1, 50])
      await journal.close()
    })

    test('J6: after close all is refused, nobody is told of a failure, and what was appended before lasts', async () => {
      const at = place()
      const host = new FakeHost()
      const journal = await open(at, host)
      const written = write(journal, spawned('a'))
      const closed = journal.close()
      await expect(write(journal, spawned('late'))).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' })
      await expect(journal.has('a')).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' })
      await Promise.all([written, closed, journal.close()])
      await new Promise<void>((resolve) => journal.whenRoom(resolve))
      expect(host.failures).toEqual([])
      const again = await open(at)
      expect((await restored(again)).map(({ id }) => id)).toEqual(['a'])
      await again.close()
    })

    test('J7: a question is answered from all that was appended before it', async () => {
      const journal = await open(place())
      journal.append(spawned('a'), () => undefined)
      const before = journal.has('a')
      const pages = journal.unfinished()
      journal.append(outcome('a'), () => undefined)
      const [has, after] = await Promise.all([before, journal.outcomeOf('a')])
      expect([has, after]).toMatchObject([true, { outcome: { output: 'a' } }])
      journal.append(spawned('b'), () => undefined)
      // What was spawned after the call is not among them; what has ended meanwhile may be missing.
      for await (const page of pages) expect(page.map(({ id }) => id)).toEqual(['a'])
      await journal.close()
    })

    test('those without an outcome are read back in pages, in order of their spawn', async () => {
      const journal = await open(place())
      const ids = Array.from({ length: 1_000 }, (_, i) => `r${(i * 7_919) % 1_000}`)
      await write(journal, ...ids.map((id) => spawned(id)), outcome('r0'))
      const sizes: number[] = []
      const read: string[] = []
      for await (const page of journal.unfinished()) {
        sizes.push(page.length)
        read.push(...page.map(({ id }) => id))
      }
      expect(sizes.length).toBeGreaterThan(2)
      expect(sizes).not.toContain(0)
      expect(read).toEqual(ids.filter((id) => id !== 'r0'))
      // Whoever stops in the middle leaves nothing behind that the store would wait for.
      for await (const page of journal.unfinished()) if (page.length > 0) break
      await write(journal, outcome('r1'))
      await journal.close()
    })

    test('one owner at a time, and one tree', async () => {
      const at = place()
      const journal = await open(at)
      await expect(open(at)).rejects.toMatchObject({ code: 'ERR_STORE_IN_USE' })
      await write(journal, spawned('a'))
      await journal.close()
      await expect(open(at, new FakeHost('another'))).rejects.toMatchObject({ code: 'ERR_STORE_FOREIGN' })
      const again = await open(at)
      expect(await again.has('a')).toBe(true)
      await again.close()
    })
  })
}
