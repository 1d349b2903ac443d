/** The store on a simulated disk is a store; and what is left after any crash is a prefix that holds all that was acknowledged. */
import { describe, expect, test } from 'vitest'
import { SimulatedDisk, simulatedStore } from '../../src/testing/index.ts'
import { randomFrom } from '../../src/testing/schedule.ts'
import { describeStore } from '../support/store-conformance.ts'
import { FakeHost, randomEntries, restored, spawned, Told, write } from '../support/store-host.ts'

describeStore('on a simulated disk', () => {
  const disk = new SimulatedDisk({ seed: 3, shortWrites: 0.2 })
  return { store: (options) => simulatedStore(disk, options) }
})

/** Some lives on one disk. What has happened, as lines. */
async function lives(seed: number, fsync: 'group' | 'system'): Promise<string[]> {
  const random = randomFrom(seed)
  const disk = new SimulatedDisk({ seed, shortWrites: 0.1 })
  const lines: string[] = []
  let kept: ReturnType<typeof randomEntries> = []
  for (let life = 0; life < 6; life++) {
    const host = new FakeHost()
    const journal = await simulatedStore(disk, { fsync }).open(host)
    const appended = randomEntries(seed * 10 + life, 200, 12)
    let acknowledged = 0
    let power = false
    const crashAt = Math.floor(random() * 250)
    const full = random() < 0.3
    if (full) disk.capacity = disk.used + Math.floor(random() * 8_000)
    for (const [i, entry] of appended.entries()) {
      journal.append(entry, (error) => {
        if (error === undefined) acknowledged++
        else expect(error).toMatchObject({ code: 'ERR_STORE_FULL' })
      })
      for (let turns = Math.floor(random() * 4); turns > 0; turns--) await Promise.resolve()
      if (i === crashAt) {
        power = random() < 0.5
        disk.crash(power ? 'power' : 'process')
        break
      }
    }
    if (crashAt >= appended.length) await journal.close()
    disk.capacity = Infinity
    const again = await simulatedStore(disk, { fsync }).open(new FakeHost())
    const lasted = again.position - kept.length
    // With the power goes what was not forced through, but never what comes before something that is there.
    if (fsync === 'group' || !power) expect(lasted).toBeGreaterThanOrEqual(acknowledged)
    else expect(again.position).toBeGreaterThanOrEqual(0)
    kept = lasted < 0 ? kept.slice(0, again.position) : [...kept, ...appended.slice(0, lasted)]
    const told = Told.of(kept)
    expect(await restored(again)).toEqual([...told.unfinished.values()])
    for (const [id, outcome] of told.outcomes) expect(await again.outcomeOf(id)).toEqual(outcome)
    lines.push(`${acknowledged} acknowledged, ${lasted} lasted${power ? ', power' : ''}${host.failures.length > 0 ? ', full' : ''}`)
    await again.close()
  }
  return lines
}

describe('lives on a simulated disk', () => {
  test.each(['group', 'system'] as const)('SS2: after each crash there is a prefix, with all that had to last (%s)', async (fsync) => {
    const lines: string[] = []
    for (let seed = 1; seed <= 60; seed++) lines.push(...(await lives(seed, fsync)))
    // All that is meant to happen does.
    for (const what of [', power', ', full', '200 lasted']) expect([what, lines.some((line) => line.includes(what))]).toEqual([what, true])
    const lost = lines.filter((line) => line.includes('power')).map((line) => line.match(/\d+/g) ?? [])
    expect(lost.some(([acknowledged, lasted]) => Number(lasted) < Number(acknowledged))).toBe(fsync === 'system')
  })

  test('the same seed, the same lives', async () => {
    expect(await lives(11, 'group')).toEqual(await lives(11, 'group'))
    expect(await lives(11, 'group')).not.toEqual(await lives(12, 'group'))
  })
})

test('SS2: what was lost is not found again behind the same entry, written anew', async () => {
  let found = 0
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new SimulatedDisk({ seed })
    const first = await simulatedStore(disk).open(new FakeHost())
    for (const id of ['a', 'b']) first.append(spawned(id), () => undefined)
    // Written, and not forced through yet.
    await Promise.resolve()
    disk.crash('power')
    const second = await simulatedStore(disk).open(new FakeHost())
    found += second.position
    if (second.position === 0) await write(second, spawned('a'))
    await second.close()
    const third = await simulatedStore(disk).open(new FakeHost())
    expect([seed, third.position]).toEqual([seed, second.position])
    await third.close()
  }
  expect(found).toBeGreaterThan(0)
})

test('a full disk fails once, and goes on when it is opened where there is room', async () => {
  const disk = new SimulatedDisk({ capacity: 600 })
  const host = new FakeHost()
  const journal = await simulatedStore(disk).open(host)
  await write(journal, spawned('a'))
  const refused = write(journal, spawned('b', 'x'.repeat(600)), spawned('c'))
  await expect(refused).rejects.toMatchObject({ code: 'ERR_STORE_FULL' })
  expect(host.failures).toMatchObject([{ code: 'ERR_STORE_FULL' }])
  await expect(journal.has('a')).rejects.toBe(host.failures[0])
  await journal.close()
  disk.capacity = 10_000
  const again = await simulatedStore(disk).open(host)
  expect((await restored(again)).map(({ id }) => id)).toEqual(['a'])
})

test('what takes time takes that of whatever clock there is', async () => {
  const disk = new SimulatedDisk({ latency: 3 })
  const journal = await simulatedStore(disk).open(new FakeHost())
  let isWritten = false
  const written = write(journal, spawned('a')).then(() => (isWritten = true))
  await Promise.resolve()
  expect(isWritten).toBe(false)
  await written
})
