/**
 * How much is done, counted and not timed: how often each block of code runs, as V8's coverage counts it, and how many items the functions
 * of the platform go through that hide a loop. The same act has the same count on every machine.
 */
import { Session } from 'node:inspector/promises'

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

let hidden = 0

/** Functions that go through all items of an array. */
const LOOPS = [
  'indexOf',
  'lastIndexOf',
  'includes',
  'slice',
  'splice',
  'shift',
  'unshift',
  'concat',
  'toReversed',
  'reverse',
  'toSorted',
  'sort',
] as const
const ITERATORS = ['keys', 'values', 'entries', Symbol.iterator] as const

type Method = (this: object, ...given: unknown[]) => unknown

/** Puts functions that count in place of the platform's; returns what takes them away again. */
function instrument(): () => void {
  const undo: (() => void)[] = []
  const replace = (prototype: object, name: string | symbol, make: (original: Method) => Method): void => {
    const original = Reflect.get(prototype, name) as Method
    Object.defineProperty(prototype, name, { value: make(original), configurable: true, writable: true })
    undo.push(() => Object.defineProperty(prototype, name, { value: original, configurable: true, writable: true }))
  }
  for (const name of LOOPS)
    replace(
      Array.prototype,
      name,
      (original) =>
        function (this: object, ...given) {
          const { length } = this as unknown[]
          const result = original.apply(this, given)
          // These two leave alone what stands before.
          if (name === 'slice') hidden += (result as unknown[]).length
          else hidden += name === 'splice' ? length - (given[0] as number) : length
          return result
        },
    )
  for (const prototype of [Map.prototype, Set.prototype])
    for (const name of ITERATORS)
      replace(
        prototype,
        name,
        (original) =>
          function* (this: object) {
            for (const item of { [Symbol.iterator]: () => original.call(this) as Iterator<unknown> }) {
              hidden++
              yield item
            }
          },
      )
  return () => undo.forEach((each) => each())
}

/** How many steps an act takes. */
export async function stepsOf(act: () => unknown): Promise<number> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  await session.post('Profiler.takePreciseCoverage')
  hidden = 0
  const restore = instrument()
  try {
    await act()
  } finally {
    restore()
  }
  const seen = hidden
  const { result } = await session.post('Profiler.takePreciseCoverage')
  await session.post('Profiler.stopPreciseCoverage')
  session.disconnect()
  const ranges = result.flatMap(({ functions }) => functions.flatMap((each) => each.ranges as Range[]))
  return seen + ranges.reduce((sum, { count }) => sum + count, 0)
}

/** How many times as many steps an act takes among many as among few. Both are done once before, so that nothing is done for the first time. */
export async function growthOf(few: number, many: number, prepare: (n: number) => Promise<() => unknown>): Promise<number> {
  const steps: number[] = []
  for (const n of [few, many]) {
    const act = await prepare(n)
    await act()
    steps.push(await stepsOf(act))
  }
  return (steps[1] as number) / (steps[0] as number)
}
