/** What blocks a thread, found out without its help. */
import type { Worker } from 'node:worker_threads'
import type { Blocked } from '../../machines/lifecycle-event.ts'
import { answerWithin, NO_ANSWER, pause } from '../ground/index.ts'

/** So many milliseconds may pass until the platform says what a thread has used. In a call that can't be interrupted it never does. */
const ANSWER = 150
/** Milliseconds between two looks. */
const SAMPLE = 50
/** A thread that sleeps uses nothing; one that computes has this many microseconds between two looks, however busy the machine is. */
const COMPUTES = 1_000
/** An event loop that turns is idle now and then, if only while it looks for what is due. */
const BLOCKED = 0.999

/** So many looks find nothing that it has used, before it is taken for asleep: on a busy machine one that computes may wait for its turn. */
const LOOKS = 5

/** Undefined if its event loop turns, it is gone, or this platform cannot tell. */
export async function diagnoseThread(worker: Worker): Promise<Blocked | undefined> {
  if (typeof worker.cpuUsage !== 'function') return undefined
  try {
    const before = worker.performance.eventLoopUtilization()
    let last = await answerWithin(worker.cpuUsage(), ANSWER)
    if (last === NO_ANSWER) return 'native'
    for (let look = 0; look < LOOKS; look++) {
      await pause(SAMPLE)
      const next = await answerWithin(worker.cpuUsage(), ANSWER)
      if (next === NO_ANSWER) return 'native'
      if (worker.performance.eventLoopUtilization(before).utilization < BLOCKED) return undefined
      // Of all looks together an answer itself would take as much, on a busy machine.
      if (next.user + next.system - last.user - last.system >= COMPUTES) return 'spin'
      last = next
    }
    return 'sleep'
  } catch {
    return undefined
  }
}
