/** The turns of a tree by themselves: random programs of turns, words and deeds that call back, and what has to hold of them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createGlobalManager } from '../../src/index.ts'
import { SLICE, sliceAfter, Slices } from '../../src/turn/slices.ts'
import { Turn } from '../../src/turn/turn.ts'

/** Slices whose turns of the clock are put into a list. */
function slicesOf(turn: Turn, timers: (() => void)[] = []): Slices {
  return new Slices({ turn, clock: { now: () => 0, setTimeout: (callback) => timers.push(callback), clearTimeout: () => undefined } })
}

/** What a turn leads to; `calls` are turns that a word or a deed begins from the outside. */
interface Program {
  readonly sort: 'word' | 'deed' | 'next'
  readonly throws: boolean
  readonly calls: readonly (readonly Program[])[]
}

const program: fc.Arbitrary<Program> = fc.letrec<{ act: Program }>((tie) => ({
  act: fc.record({
    sort: fc.constantFrom('word' as const, 'deed' as const, 'next' as const),
    throws: fc.boolean(),
    calls: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant([]),
      fc.array(fc.array(tie('act'), { maxLength: 3 }), { maxLength: 2 }),
    ),
  }),
})).act

interface Done {
  readonly sort: Program['sort']
  readonly n: number
  /** Of the call that has led to it. */
  readonly call: number
}

/** Plays programs on a turn and notes what comes in which order, and what breaks a rule. */
class Player {
  readonly contained: unknown[] = []
  readonly done: Done[] = []
  readonly faults: string[] = []
  readonly turn = new Turn((error) => this.contained.push(error))
  #n = 0
  #thrown = 0
  #words = 0
  #inTurn = false
  #calls = 0
  #call = 0
  #waiting = { word: 0, deed: 0, next: 0 }

  get thrown(): number {
    return this.#thrown
  }

  /** One call from outside: a turn that leads to these. */
  call(acts: readonly Program[]): void {
    const before = this.#waiting.deed + this.#waiting.next
    const outer = this.#call
    this.#call = ++this.#calls
    this.turn.run(() => {
      if (this.#inTurn) this.faults.push('T1: a turn in a turn')
      this.#inTurn = true
      for (const act of acts) this.#lead(act)
      this.#inTurn = false
    }, undefined)
    const left = this.#waiting.deed + this.#waiting.next
    if (left !== before) this.faults.push(`T5: ${left} deeds are left where ${before} were before the call`)
    this.#call = outer
  }

  #lead(act: Program): void {
    const { sort } = act
    const n = this.#n++
    this.#waiting[sort]++
    const call = this.#call
    const carryOut = (): void => this.#carryOut(act, n, call)
    if (sort === 'word') this.turn.word(carryOut, undefined, undefined)
    else this.turn[sort](carryOut, undefined)
  }

  #carryOut({ sort, throws, calls }: Program, n: number, call: number): void {
    this.#waiting[sort]--
    this.done.push({ sort, n, call })
    this.#call = call
    if (sort === 'next') {
      if (!this.turn.busy) this.faults.push('T1: a turn that is none')
      for (const acts of calls) for (const act of acts) this.#lead(act)
    } else {
      if (this.turn.busy || this.#inTurn) this.faults.push('T2: foreign code in a turn')
      if (sort === 'word' && this.#words++ > 0) this.faults.push('T4: a word in a word')
      for (const acts of calls) this.call(acts)
      if (sort === 'word') this.#words--
    }
    if (!throws) return
    this.#thrown++
    throw new Error('thrown')
  }

  get isDone(): boolean {
    const { word, deed, next } = this.#waiting
    return word + deed + next === 0 && this.turn.isQuiet && !this.turn.busy
  }
}

const rising = (numbers: readonly number[]): boolean => numbers.every((n, i) => i === 0 || n > (numbers[i - 1] as number))

test('T1, T2, T4, T5, T7, T11, T12: random programs of turns that lead to words and deeds, which begin turns', () => {
  fc.assert(
    fc.property(fc.array(fc.array(program, { maxLength: 4 }), { maxLength: 3 }), (calls) => {
      const player = new Player()
      for (const acts of calls) {
        player.call(acts)
        // T12, and with it T4: all words are told before the outermost call returns.
        expect(player.isDone).toBe(true)
      }
      expect(player.faults).toEqual([])
      expect(rising(player.done.flatMap(({ sort, n }) => (sort === 'word' ? [n] : [])))).toBe(true)
      for (const { call } of player.done)
        expect(rising(player.done.flatMap((each) => (each.sort === 'word' || each.call !== call ? [] : [each.n])))).toBe(true)
      expect(player.contained).toHaveLength(player.thrown)
    }),
    { numRuns: 2_000 },
  )
})

test('T5: in an outermost call words and deeds come in the order in which they arose; in a nested one the words wait, and so does what waited before', () => {
  const told: string[] = []
  const turn = new Turn((error) => told.push(String(error)))
  const say = (what: string) => (): void => void told.push(what)
  turn.run(() => {
    turn.word(say('word 1'), undefined, undefined)
    turn.deed(say('deed 2'), undefined)
    turn.word(
      () => {
        told.push('word 3')
        turn.run(() => {
          turn.word(say('word 6'), undefined, undefined)
          turn.deed(say('deed 7'), undefined)
        }, undefined)
        told.push('after the nested call')
      },
      undefined,
      undefined,
    )
    turn.deed(say('deed 4'), undefined)
    turn.next(say('turn 5'), undefined)
  }, undefined)
  expect(told).toEqual(['word 1', 'deed 2', 'word 3', 'deed 7', 'after the nested call', 'deed 4', 'turn 5', 'word 6'])
})

test('T6: what comes of a deed is a turn behind what is due by then; what comes of a word, or of nobody, is one at once', () => {
  const told: string[] = []
  const turn = new Turn((error) => told.push(String(error)))
  turn.run(() => {
    turn.deed(() => {
      turn.arise(() => told.push('the answer'), undefined)
      told.push('the deed has returned')
    }, undefined)
    turn.word(() => told.push('a word before it'), undefined, undefined)
  }, undefined)
  expect(told).toEqual(['the deed has returned', 'a word before it', 'the answer'])
  turn.arise(() => told.push(`in a turn: ${turn.busy}`), undefined)
  expect(told.at(-1)).toBe('in a turn: true')
  expect(turn.ask(() => turn.busy)).toBe(false)
})

test('T6: a question may give orders; what it throws is the one’s who asked, and everybody has heard by then', () => {
  const told: string[] = []
  const turn = new Turn((error) => told.push(String(error)))
  const ask = (): never =>
    turn.ask(() => {
      turn.run(() => turn.word(() => told.push('heard'), undefined, undefined), undefined)
      expect(told).toEqual([])
      throw new Error('no answer')
    })
  expect(ask).toThrow('no answer')
  expect(told).toEqual(['heard'])
  expect(turn.isQuiet).toBe(true)
})

test('T5: what a nested call leads to before a question, and after it, is done before it returns', () => {
  const told: string[] = []
  const turn = new Turn((error) => told.push(String(error)))
  const say = (what: string) => (): void => void told.push(what)
  turn.run(() => {
    turn.word(
      () => {
        turn.run(() => {
          turn.deed(say('before'), undefined)
          turn.ask(() => turn.run(() => turn.deed(say('in the question'), undefined), undefined))
          turn.deed(say('after'), undefined)
        }, undefined)
        told.push('the call has returned')
      },
      undefined,
      undefined,
    )
  }, undefined)
  expect(told).toEqual(['in the question', 'before', 'after', 'the call has returned'])
})

test('T8: a series is a turn for each, with what it leads to in between, and passes over who has ended meanwhile', () => {
  const told: string[] = []
  const turn = new Turn((error) => told.push(String(error)))
  const ended = new Set<string>()
  const stop = (name: string): void => {
    if (ended.has(name)) return
    ended.add(name)
    turn.deed(() => {
      told.push(`deed of ${name}`)
      // Somebody ends another one in the middle of the series.
      if (name === 'b') turn.run(() => stop('d'), undefined)
    }, undefined)
    turn.word(() => told.push(`word of ${name}`), undefined, undefined)
  }
  turn.run(() => slicesOf(turn).each(['a', 'b', 'c', 'd'].values(), stop, () => told.push('and then')), undefined)
  expect(told).toEqual(['deed of a', 'word of a', 'deed of b', 'deed of d', 'word of b', 'word of d', 'deed of c', 'word of c', 'and then'])
})

test('T8: a series of a million that lead to nothing deepens no stack, and leaves nothing behind', () => {
  const turn = new Turn(() => undefined)
  const timers: (() => void)[] = []
  let sum = 0
  const all = Array.from({ length: 1_000_000 }, (_, i) => i)
  const add = (i: number): void => void (sum += i)
  turn.run(() => slicesOf(turn, timers).each(all.values(), add), undefined)
  let slicesOfAMillion = 0
  for (let size = SLICE, done = 0; done < 1_000_000; size = sliceAfter(size), slicesOfAMillion++) done += size
  // A turn of the clock between each two slices.
  for (const timer of timers) timer()
  expect([sum, timers.length]).toEqual([499_999_500_000, slicesOfAMillion - 1])
  const takeAway = (i: number): void => turn.deed(() => (sum -= i), undefined)
  turn.run(() => slicesOf(turn, timers).each(all.slice(0, SLICE).values(), takeAway), undefined)
  expect(sum).toBe(499_999_500_000 - ((SLICE - 1) * SLICE) / 2)
  expect(turn.isQuiet).toBe(true)
})

test('a user’s clock is asked before each turn that foreign code may have gone before, and between turns', () => {
  const turn = new Turn(() => undefined)
  const asked: boolean[] = []
  turn.askBefore(() => asked.push(turn.busy))
  turn.run(() => turn.next(() => turn.next(() => undefined, undefined), undefined), undefined)
  expect(asked).toEqual([false])
  turn.run(() => {
    turn.deed(() => turn.run(() => undefined, undefined), undefined)
    turn.next(() => turn.next(() => undefined, undefined), undefined)
  }, undefined)
  // At the beginning, in the deed, and after it: it may have gone on for long.
  expect(asked).toEqual([false, false, false, false])
  turn.run(() => {
    turn.ask(() => undefined)
    turn.next(() => undefined, undefined)
  }, undefined)
  expect(asked).toEqual([false, false, false, false, false, false])
  asked.length = 0
  // A turn that reads no time is not asked for it, and the one that follows is; the clock itself is no code that time passes in.
  turn.begin(false)
  turn.next(() => undefined)
  turn.end()
  expect(asked).toEqual([false])
  turn.run(() => {
    turn.clockDeed(() => undefined, undefined)
    turn.next(() => undefined)
  })
  expect(asked).toEqual([false, false])
})

test('V1: in the life of a task that nobody listens to, a user’s clock is asked when it begins and when it ends, and both are right', async () => {
  let time = 1_000
  let readings = 0
  const clock = { now: () => (readings++, time), setTimeout: () => 0, clearTimeout: () => undefined }
  const local = createGlobalManager({ clock }).createApp('app').createLocal('local')
  readings = 0
  time = 2_000
  const routine = local.spawn('task', () => (time += 50), { timeout: 100 })
  time = 3_000
  await routine.outcome
  expect(readings).toBe(2)
  expect([routine.startedAt, routine.uptime]).toEqual([3_000, 50])
})

test('T5: 100,000 deeds, each of which calls back, deepen no stack', () => {
  const turn = new Turn((error) => expect.fail(String(error)))
  let done = 0
  const all = Array.from({ length: 100_000 }, (_, i) => i)
  const callsBack = (): void => turn.run(() => turn.deed(() => done++, undefined), undefined)
  turn.run(() => turn.next(() => all.forEach(() => turn.deed(callsBack, undefined)), undefined), undefined)
  turn.run(() => {
    for (const _ of all) turn.deed(callsBack, undefined)
  }, undefined)
  expect(done).toBe(200_000)
})

test('T5: a chain of calls, each of which a deed of the last makes, overflows no stack, and nobody is left unheard', () => {
  const told: string[] = []
  const turn = new Turn((error) => told.push(String(error)))
  let deepest = 0
  let depth = 0
  let done = 0
  const link = (left: number): void => {
    deepest = Math.max(deepest, ++depth)
    done++
    if (left > 0) turn.run(() => turn.deed(link, left - 1), undefined)
    depth--
  }
  turn.run(() => turn.deed(link, 10_000), undefined)
  expect([done, told, turn.isQuiet]).toEqual([10_001, [], true])
  expect(deepest).toBeLessThan(100)
})

test('T11: a stack that overflows in a question or a deed leaves the turns whole', () => {
  const told: unknown[] = []
  const turn = new Turn((error) => told.push(error))
  const endless = (): void => turn.run(() => turn.ask(endless), undefined)
  turn.run(() => turn.deed(endless, undefined), undefined)
  expect(told).toEqual([expect.any(RangeError)])
  let asks = true
  turn.askBefore(() => asks && turn.run(() => undefined, undefined))
  expect(() => turn.run(() => undefined, undefined)).toThrow(RangeError)
  asks = false
  expect([turn.busy, turn.isQuiet]).toEqual([false, true])
  turn.run(() => turn.word(() => told.push('heard'), undefined, undefined), undefined)
  expect(told.at(-1)).toBe('heard')
})
