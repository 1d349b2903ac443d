/** What is measured, against which peers: the table of `npm run bench`, whose own rows bench/beside.ts measures too. */

export interface Row {
  readonly benchmark: string
  readonly title: string
  readonly n: number
  readonly unit: string
  readonly peers: readonly string[]
  /** The variant that is ours. @default 'curtaincall' */
  readonly ours?: string
  /** At most so many rounds: for what takes a minute. */
  readonly rounds?: number
  /** So many processes for each round: for what takes a moment. @default 1 */
  readonly processes?: number
}

/** Megabytes. V8 collects when it has to: how little a million can do with is only seen where there is no more. */
export const SMALL_HEAP = 1_800

/** What XState's own users have without us, and the same supervised. */
const beside = { ours: 'curtaincall-alone', peers: ['xstate-plain'], unit: 'µs' }

const QUEUED = ['p-queue', 'effect', 'effect-for-each', 'rxjs', 'by-hand', 'xstate-machine']

export const rows: readonly Row[] = [
  ...[1_000, 10_000, 100_000].map((n) => ({
    benchmark: 'spawn',
    title: `same job, ${n} at once, 100 at a time`,
    n,
    unit: 'µs',
    peers: n > 10_000 ? QUEUED : [...QUEUED, 'xstate-spawn-child'],
  })),
  ...[1_000, 10_000, 100_000].map((n) => ({
    benchmark: 'streamed',
    title: `same job, ${n} streamed, 100 live`,
    n,
    unit: 'µs',
    peers: ['nact', 'p-queue', 'effect', 'effect-for-each', 'rxjs', 'by-hand', 'xstate-machine'],
  })),
  {
    benchmark: 'events',
    title: 'streamed, nobody listening',
    n: 100_000,
    unit: 'µs',
    peers: ['curtaincall-one-listener', 'curtaincall-otel-api', 'curtaincall-all-events'],
  },
  { benchmark: 'call-p50', title: 'the call that spawns, median', n: 100_000, unit: 'µs', peers: ['nact', 'p-queue'] },
  { benchmark: 'call-p99', title: 'the call that spawns, 99 of 100', n: 100_000, unit: 'µs', peers: ['nact', 'p-queue'] },
  { benchmark: 'restart', title: 'crash to restart', n: 20_000, unit: 'µs', peers: ['by-hand', 'nact', 'effect', 'xstate-machine'] },
  { benchmark: 'send', title: 'send a message', n: 100_000, unit: 'µs', peers: ['nact', 'effect', 'xstate-machine'] },
  { benchmark: 'ask', title: 'ask and be answered', n: 50_000, unit: 'µs', peers: ['nact', 'effect', 'xstate-machine'] },
  ...[1_000, 10_000, 100_000].map((n) => ({
    benchmark: 'spawn-plain',
    title: `without timeout and signal, ${n} at once, 100 at a time`,
    n,
    unit: 'µs',
    peers: ['p-queue'],
  })),
  ...[1_000, 10_000, 100_000].map((n) => ({
    benchmark: 'streamed-plain',
    title: `without timeout and signal, ${n} streamed, 100 live`,
    n,
    unit: 'µs',
    peers: ['p-queue'],
  })),
  { benchmark: 'single', title: 'the same, one at a time', n: 10_000, unit: 'µs', peers: ['p-queue'] },
  { benchmark: 'spawn-stop', title: 'spawned, started, and stopped', n: 10_000, unit: 'µs', peers: ['nact'] },
  {
    ...beside,
    benchmark: 'restart-child',
    title: 'crash to restart, of a child; of what was spawned; with attempts',
    n: 20_000,
    peers: ['curtaincall', 'curtaincall-attempts'],
  },
  { ...beside, benchmark: 'one-for-all', title: 'crash to restart of ten, one_for_all', n: 20_000, peers: ['by-hand'] },
  { ...beside, benchmark: 'machine', title: 'life of a machine, two events', n: 50_000 },
  { ...beside, benchmark: 'promise', title: 'life of a fromPromise', n: 50_000 },
  { ...beside, benchmark: 'callback', title: 'life of a fromCallback, started and stopped', n: 50_000 },
  { ...beside, benchmark: 'send-machine', title: 'send to a machine', n: 100_000 },
  { ...beside, benchmark: 'send-resumed', title: 'the same, persisted each time', n: 100_000 },
  ...[100, 10_000].map((n) => ({
    ...beside,
    benchmark: 'after',
    title: `end of a machine that has an \`after\`, beside ${n} such`,
    n,
  })),
  { ...beside, benchmark: 'bytes-machine', title: 'bytes of a live machine', n: 5_000, unit: 'B' },
  { ...beside, benchmark: 'bytes-resumed', title: 'the same, persisted each time', n: 5_000, unit: 'B' },
  { ...beside, benchmark: 'manager', title: 'an empty local manager made and shut down, or a machine started and stopped', n: 5_000 },
  ...[
    { benchmark: 'bytes-local', title: 'bytes of an empty local manager' },
    { benchmark: 'bytes-manager-child', title: 'bytes of a manager that is a child, its spec included' },
    { benchmark: 'bytes-routine-child', title: 'bytes of a live routine that is a child, its spec included' },
    { benchmark: 'bytes-own-name', title: 'bytes of a live routine that has a name of its own' },
  ].map((row) => ({ ...beside, ...row, n: 20_000, unit: 'B', peers: [] })),
  { ...beside, benchmark: 'strict', title: 'streamed, strict; and not strict', n: 50_000, peers: ['curtaincall'] },
  { benchmark: 'dropped', title: 'a message dropped by overflow, nobody listening', n: 1_000, unit: 'µs', peers: [] },
  { benchmark: 'refused', title: 'a spawn refused, or an error thrown', n: 1_000, unit: 'µs', peers: ['by-hand'] },
  { benchmark: 'beating', title: '1000 that beat, CPU of a second, or timer.refresh()', n: 1_000, unit: 'ms', peers: ['by-hand'] },
  { benchmark: 'shutdown', title: 'shutdown of 100000 live, each', n: 100_000, unit: 'µs', peers: ['by-hand', 'effect'] },
  { benchmark: 'shutdown-scattered', title: 'the same, spawned on 100 local managers by turns', n: 100_000, unit: 'µs', peers: [] },
  { benchmark: 'bytes-bare', title: 'bytes per live task over its own promise, bare', n: 20_000, unit: 'B', peers: [] },
  {
    benchmark: 'bytes',
    title: 'the same with timeout, signal, result',
    n: 20_000,
    unit: 'B',
    peers: ['by-hand', 'p-queue', 'effect'],
  },
  { benchmark: 'million', title: 'shutdown of 1000000 live within 30 s, each', n: 1_000_000, unit: 'µs', peers: [], rounds: 1 },
  {
    benchmark: 'million-peak',
    title: `peak memory of the same, with ${SMALL_HEAP} MB of heap`,
    n: 1_000_000,
    unit: 'MB',
    peers: [],
    rounds: 1,
  },
  {
    ...beside,
    benchmark: 'soak-machine',
    title: 'heap growth over 1000000 lives of a machine',
    n: 1_000_000,
    unit: 'B',
    peers: [],
    rounds: 1,
  },
  { benchmark: 'soak', title: 'heap growth over 10000000 tasks', n: 10_000_000, unit: 'B', peers: [], rounds: 1 },
]

/** What it takes until something can be done: of the package as it is built, in processes that do nothing else (bench/start-up.ts). */
export const startUpRows: readonly Row[] = [
  { benchmark: 'import', title: 'import', n: 1, unit: 'ms', peers: ['xstate'], processes: 5 },
  { benchmark: 'first-manager', title: 'the first createGlobalManager', n: 1, unit: 'ms', peers: [], processes: 5 },
  { benchmark: 'first-routine', title: 'the first spawn', n: 1, unit: 'ms', peers: [], processes: 5 },
  { benchmark: 'command', title: 'curtaincall --help, to its end', n: 1, unit: 'ms', peers: ['node'], processes: 5 },
]
