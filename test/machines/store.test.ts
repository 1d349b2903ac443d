/** What a journal's entries mean, and what a store does about a fault. */
import { describe, expect, test } from 'vitest'
import { type EntryFacts, type EntryKind, learn, unheardOf } from '../../machines/journal.ts'
import { storeFault } from '../../machines/store-fault.ts'
import { type StoreHappening, type StoreStage, storeStep } from '../../machines/store-life.ts'

const entry = (kind: EntryKind, number = 0, body: string = kind): EntryFacts<string> => ({ kind, id: 'a', number, body })

describe('what an entry means', () => {
  test('E1: a spawn counts once', () => {
    const known = unheardOf<string>()
    expect([learn(known, entry('spawned', 0, 'one')), learn(known, entry('spawned', 0, 'two'))]).toEqual([true, false])
    expect(known).toMatchObject({ stage: 'living', spawn: 'one' })
  })

  test.each(['message', 'handled', 'snapshot', 'outcome'] as const)('E2: a %s of none that lives changes nothing', (kind) => {
    const known = unheardOf<string>()
    expect([learn(known, entry(kind, 1)), known]).toEqual([false, unheardOf()])
    learn(known, entry('spawned'))
    learn(known, entry('outcome', 0, 'first'))
    const after = structuredClone(known)
    expect([learn(known, entry(kind, 1, 'late')), learn(known, entry('spawned')), known]).toEqual([false, false, after])
  })

  test('E3: messages wait until they are handled', () => {
    const known = unheardOf<string>()
    const said = ['spawned', 'message'].map((kind) => learn(known, entry(kind as EntryKind, 2, 'two')))
    expect([...said, learn(known, entry('message', 2, 'again')), learn(known, entry('message', 3, 'three'))]).toEqual([
      true,
      true,
      false,
      true,
    ])
    expect([learn(known, entry('handled', 2)), learn(known, entry('handled', 1)), learn(known, entry('message', 1))]).toEqual([
      true,
      false,
      false,
    ])
    expect([...known.messages]).toEqual([[3, 'three']])
  })

  test('E4: a snapshot takes the place of the one before, and handles', () => {
    const known = unheardOf<string>()
    for (const each of [entry('spawned'), entry('message', 1), entry('message', 2), entry('snapshot', 2, 's2')]) learn(known, each)
    expect(known).toMatchObject({ handled: 2, snapshot: 's2', messages: new Map() })
    learn(known, entry('snapshot', 1, 's1'))
    expect(known).toMatchObject({ handled: 2, snapshot: 's1' })
    learn(known, entry('outcome', 0, 'over'))
    expect(known).toMatchObject({ stage: 'ended', snapshot: undefined, outcome: 'over' })
  })
})

describe('the life of a store', () => {
  const after = (...happenings: readonly StoreHappening[]): StoreStage =>
    happenings.reduce<StoreStage>((stage, happening) => storeStep(stage, happening)?.stage ?? stage, 'opening')

  test.each<[StoreStage, readonly StoreHappening[]]>([
    ['open', ['opened']],
    ['stalled', ['opened', 'passing', 'passing']],
    ['open', ['opened', 'passing', 'wrote']],
    ['failed', ['opened', 'passing', 'fault', 'wrote', 'close', 'closed']],
    ['failed', ['opened', 'late', 'wrote']],
    ['failed', ['fault', 'opened']],
    ['closed', ['opened', 'close', 'wrote', 'closed', 'fault', 'late']],
    ['failed', ['opened', 'close', 'fault', 'closed']],
    ['closed', ['opened', 'passing', 'close', 'closed']],
  ])('%s after %j', (stage, happenings) => expect(after(...happenings)).toBe(stage))

  test('whoever has it is told once, before what waits is refused; not where it was closed, or never opened', () => {
    const deeds = (...happenings: readonly StoreHappening[]): string[] => {
      let stage: StoreStage = 'opening'
      return happenings.flatMap((happening) => {
        const step = storeStep(stage, happening)
        stage = step?.stage ?? stage
        return [...(step?.deeds ?? [])]
      })
    }
    expect(deeds('opened', 'fault', 'late', 'fault', 'close')).toEqual(['tell', 'refuse'])
    expect(deeds('opened', 'passing', 'passing', 'wrote', 'wrote', 'passing', 'late')).toEqual(['warn', 'calm', 'warn', 'tell', 'refuse'])
    expect(deeds('fault', 'late')).toEqual(['reject'])
    expect(deeds('opened', 'close', 'fault', 'closed')).toEqual(['flush', 'refuse'])
    expect(deeds('opened', 'close', 'close', 'closed')).toEqual(['flush', 'refuse'])
  })
})

test.each([
  [13, 'ERR_STORE_FULL', true],
  [5, 'ERR_STORE_LOCKED', true],
  [517, 'ERR_STORE_LOCKED', true],
  [6, 'ERR_STORE_LOCKED', true],
  [8, 'ERR_STORE_READ_ONLY', false],
  [1_032, 'ERR_STORE_READ_ONLY', false],
  [11, 'ERR_STORE_DAMAGED', false],
  [267, 'ERR_STORE_DAMAGED', false],
  [522, 'ERR_STORE_DAMAGED', false],
  [26, 'ERR_STORE_FOREIGN', false],
  // A sync that has failed is never tried again: what it was about is gone from the cache.
  [1_034, 'ERR_STORE_FAILED', false],
  [undefined, 'ERR_STORE_FAILED', false],
])('SQLite says %s: %s', (errcode, code, passes) => expect(storeFault(errcode)).toMatchObject({ code, passes }))
