/** What blocks a process, found out without its help, on Linux. */
import { readFile } from 'node:fs/promises'
import type { Blocked } from '../../machines/lifecycle-event.ts'
import { answerWithin, NO_ANSWER, pause } from '../ground/index.ts'

/** Milliseconds in which a process whose event loop turns has answered. */
const ANSWER = 150
/** Milliseconds between two looks; the kernel counts in hundredths of a second. */
const SAMPLE = 100

interface Sight {
  /** Hundredths of a second that it has computed. */
  readonly ticks: number
  /** True if it computes, or would if it were its turn. */
  readonly runs: boolean
  /** True if it waits in the kernel for what no signal ends. */
  readonly isStuck: boolean
}

async function look(pid: number): Promise<Sight> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // Its name, in brackets, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { ticks: Number(fields[11]) + Number(fields[12]), runs: fields[0] === 'R', isStuck: fields[0] === 'D' }
}

/** Undefined if its event loop turns, it is gone, or this platform cannot tell. A call that cannot be interrupted computes, or is stuck. */
export async function diagnoseProcess(pid: number, ping: () => Promise<void>): Promise<Blocked | undefined> {
  try {
    if ((await answerWithin(ping(), ANSWER)) !== NO_ANSWER) return undefined
    const before = await look(pid)
    await pause(SAMPLE)
    const after = await look(pid)
    if (before.isStuck && after.isStuck) return 'native'
    return after.ticks > before.ticks || before.runs || after.runs ? 'spin' : 'sleep'
  } catch {
    return undefined
  }
}
