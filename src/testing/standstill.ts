/**
 * Notices that somebody waits in a virtual time that nobody moves: by itself that never ends, and the runner's own timeout knows nothing of timers.
 *
 * N1  Where the event loop has nothing left to do, that is certain, and said at once: the process would end.
 * N2  Elsewhere it is said once nothing has happened for a while, real time: no timer armed, nothing moved; and only if nothing real could still
 *     come: nothing was started inside that is not known, and nothing keeps the process awake but what runners talk through. A doubt is
 *     silence; so is `allowEscapes`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { CurtaincallError } from '../contract/index.ts'
import { isThenable } from '../turn/index.ts'
import { shared } from './layers.ts'
import { everySecond } from './platform.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What runners of tests, and consoles, keep open. */
const OF_RUNNERS: ReadonlySet<string> = new Set(['PipeWrap', 'TTYWrap', 'MessagePort', 'TickObject'])

/** How many looks in a row have to find nothing new. */
const PATIENCE = 3

interface Waiting {
  readonly clock: VirtualClock
  /** False if something real may have been started inside. */
  readonly isAlone: () => boolean
  readonly fail: (error: CurtaincallError) => void
  pace: number
  looks: number
}

const waiting = new Set<Waiting>()

/** What is begun here is part of no test, whichever began it. */
const outside = AsyncLocalStorage.snapshot() as (act: () => void) => void

const hold = shared((undo) =>
  outside(() => {
    undo.push(everySecond(() => lookForStandstill()))
    process.on('beforeExit', end)
    undo.push(() => void process.off('beforeExit', end))
  }),
)

/**
 * Waits for what a function returns, and fails if that waits for virtual timers that nobody fires.
 *
 * @param isAlone False if something real may have been started inside.
 */
export async function moving<Result>(
  clock: VirtualClock,
  isAlone: () => boolean,
  run: () => Result | PromiseLike<Result>,
): Promise<Awaited<Result>> {
  const result = run()
  if (!isThenable(result)) return result as Awaited<Result>
  const release = hold()
  let mine: Waiting | undefined
  const standstill = new Promise<never>((_, fail) => waiting.add((mine = { clock, isAlone, fail, pace: clock.pace, looks: 0 })))
  try {
    return await Promise.race([result as PromiseLike<Awaited<Result>>, standstill])
  } finally {
    if (mine !== undefined) waiting.delete(mine)
    release()
  }
}

/**
 * N2. Is called each second of real time.
 *
 * @param awake True if something real keeps the process awake.
 */
export function lookForStandstill(awake = isAwake()): void {
  for (const each of waiting) {
    const { clock, isAlone } = each
    const goesOn = clock.pace !== each.pace || !isAlone() || awake
    each.pace = clock.pace
    each.looks = goesOn ? 0 : each.looks + 1
    if (each.looks === PATIENCE) tell(each, 'for seconds nothing has happened')
  }
}

/** N1. */
function end(): void {
  for (const each of waiting) tell(each, 'nothing is left to happen')
}

function tell({ clock, fail }: Waiting, what: string): void {
  const timers = clock.describePending()
  if (timers === '') return
  const remedy = 'move it while you wait: await time.advance(ms), await time.runToQuiescence(), or a probe'
  fail(
    new CurtaincallError(
      'ERR_TEST',
      `virtual time stands still, and somebody waits: ${what}, and these timers are armed\n${timers}\n${remedy}`,
    ),
  )
}

/** True if something real keeps the process awake, or this platform does not say so. */
function isAwake(): boolean {
  const { getActiveResourcesInfo } = process as Partial<NodeJS.Process>
  return getActiveResourcesInfo?.().every((each) => OF_RUNNERS.has(each)) !== true
}
