/** For jobs that take their own time: of one operation, apart from what prepares it. */

/** Milliseconds, and for how many operations. */
type Pass = readonly [ms: number, operations: number]

/** Milliseconds that a job runs before the clock does, and while it does, at least. */
const WARM = 400
const TIMED = 400
/** Operations of one pass, where the job does not say. */
export const MANY = 1_000

/** Microseconds of one operation. Nothing is collected in between: see "gets cold" in docs/performance.md. */
export async function perOperation(pass: () => Pass | Promise<Pass>): Promise<number> {
  for (let begun = performance.now(); performance.now() - begun < WARM; ) await pass()
  let [ms, operations] = [0, 0]
  for (let begun = performance.now(); performance.now() - begun < TIMED; ) {
    const [more, done] = await pass()
    ms += more
    operations += done
  }
  return (ms * 1_000) / operations
}

export function timed(operations: number, act: (i: number) => void): Pass {
  const start = performance.now()
  for (let i = 0; i < operations; i++) act(i)
  return [performance.now() - start, operations]
}

export function expect(is: unknown, what: unknown): void {
  if (is !== what) throw new Error(`${String(is)} instead of ${String(what)}`)
}

/** Milliseconds of silence that are too long: reached only where the machine is busy with something else, and then only reported. */
export const SILENCE = 200

/** Milliseconds of CPU that a second takes in which each of these beats a hundred times: some of them in each millisecond. */
export async function beating(beats: readonly (() => void)[]): Promise<number> {
  const some = beats.length / 10
  let next = 0
  const interval = setInterval(() => {
    for (let i = 0; i < some; i++) beats[next++ % beats.length]?.()
  }, 1)
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  await wait(1_000)
  const before = process.cpuUsage()
  const first = next
  await wait(2_000)
  const { user, system } = process.cpuUsage(before)
  clearInterval(interval)
  // A machine that is busy with something else lets fewer of them beat.
  return ((user + system) / 1_000 / (next - first)) * beats.length * 100
}

/** What an operation throws has to be this. */
export function throws(act: () => unknown, message: RegExp): void {
  try {
    act()
  } catch (error) {
    if (message.test((error as Error).message)) return
    throw error
  }
  throw new Error('nothing was thrown')
}
