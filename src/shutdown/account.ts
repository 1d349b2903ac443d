/** What a shutdown accounts for: who ended how, in which phase, and what went wrong. */
import type { EndKind, ErrorReport, PhaseReport, RoutineReport, ShutdownReport } from '../contract/index.ts'

type Accounted = Pick<ShutdownReport, EndKind | 'orphaned' | 'phases' | 'routines' | 'errors' | 'children'>

export class Account {
  readonly phases: PhaseReport[] = []
  readonly errors: ErrorReport[] = []
  /** Of the managers below, in order of their end. */
  readonly children: ShutdownReport[] = []
  readonly #routines: RoutineReport[] = []
  readonly #counts: Record<EndKind, number> = { completed: 0, failed: 0, cancelled: 0, killed: 0 }
  #orphaned = 0

  /** A routine has ended. */
  add(entry: RoutineReport, orphan: boolean): void {
    this.#routines.push(entry)
    this.#counts[entry.outcome]++
    if (orphan) this.#orphaned++
  }

  read(): Accounted {
    const { phases, errors, children } = this
    return { ...this.#counts, orphaned: this.#orphaned, phases, routines: this.#routines, errors, children }
  }
}
