/** Bugs that break a law of the test kit, each in one line of the code. */
import type { Bug } from './plant.ts'

interface CampaignBug extends Bug {
  /** Runs in which it has to be found, if fewer than all. */
  readonly within?: number
}

export const BUGS: readonly CampaignBug[] = [
  {
    name: 'a local manager accepts while it closes',
    file: 'src/manager/local-manager.ts',
    from: 'refused = waits || this.closed',
    to: 'refused = waits || this.over',
  },
  {
    name: 'a tighter deadline from above is ignored',
    file: 'src/shutdown/shutdown.ts',
    from: "this.tighten('graceful', this.#closing.patience)",
    to: 'void 0',
  },
  {
    name: 'services stop in the order of their start',
    file: 'src/manager/subtree.ts',
    from: '[...(this.#startOrder ?? [])])',
    to: '[...(this.#startOrder ?? [])].reverse())',
  },
  {
    name: 'a killed routine keeps its permit',
    file: 'src/supervision/routine-registry.ts',
    from: 'if (!this.queue.remove(routine) && !keepPermit)',
    to: "if (!this.queue.remove(routine) && !keepPermit && routine.endKind !== 'killed')",
  },
  {
    name: 'one restart more than the limit',
    file: 'machines/restart-policy.ts',
    from: 'return this.count(now) <= this.max',
    to: 'return this.count(now) <= this.max + 1',
  },
  {
    name: 'who is given up on without having been asked is not told',
    file: 'src/routine/incarnation.ts',
    from: '    if (!this.asked) this.turn.deed(turns.askBody, this)\n',
    to: '    if (!this.asked) this.#flags &= ~BODY_RUNS\n',
  },
  {
    name: 'a delayed restart is not disarmed when the routine ends',
    file: 'src/routine/supervised-routine.ts',
    from: '    stopBackOff(this)\n    this.#mailbox?.abandon()',
    to: '    this.#mailbox?.abandon()',
  },
  {
    name: 'a phase waits for nobody',
    file: 'machines/shutdown.ts',
    from: "if (phase === 'waiting') return living === 0",
    to: "if (phase === 'waiting') return true",
  },
  {
    name: 'what was told to stop is restarted',
    file: 'src/supervision/routine-registry.ts',
    from: 'if (routine.stopRequested || this.#host.closed) return false\n',
    to: 'if (this.#host.closed) return false\n',
  },
  {
    name: 'the phase killing is skipped',
    file: 'machines/manager.ts',
    from: "waiting: { entry: 'wait', on: { phaseDone: 'killing' } }",
    to: "waiting: { entry: 'wait', on: { phaseDone: 'cleaning' } }",
  },
  {
    name: 'a second shutdown can slow the first one down',
    file: 'src/shutdown/shutdown.ts',
    from: 'const deadline = tighten(this.#deadline, this.#now() + timeout)\n    if (deadline < this.#deadline) {',
    to: 'const deadline = this.#now() + timeout\n    if (deadline !== this.#deadline) {',
  },
  {
    name: 'immediate during graceful is not heard',
    file: 'src/shutdown/shutdown.ts',
    from: "if (mode === 'immediate' && this.#mode !== 'immediate')",
    to: "if (mode === 'immediate' && this.#mode !== 'immediate' && this.#phase === 'closing')",
  },
  {
    name: 'who has run for an hour keeps its permit',
    file: 'src/supervision/routine-registry.ts',
    from: 'if (!this.queue.remove(routine) && !keepPermit)',
    to: 'if (!this.queue.remove(routine) && !keepPermit && routine.uptime < 3_600_000)',
    within: 1_000,
  },
  {
    name: 'who has run for an hour is not told to stop',
    file: 'src/routine/body-turns.ts',
    from: 'export function askBody(incarnation: Incarnation): void {\n',
    to: 'export function askBody(incarnation: Incarnation): void {\n  if (incarnation.tree.clock.now() - (incarnation.startedAt ?? 0) >= 3_600_000) return\n',
    within: 1_000,
  },
]
