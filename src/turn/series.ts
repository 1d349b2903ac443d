/** A change to many nodes; see T8 in turn.ts. */

/** The turns of the tree. */
interface Turns {
  /** Changes with each word, deed or turn that arises. */
  readonly waiting: number
  next(act: (series: Series) => void, series: Series): void
}

interface Series {
  readonly turn: Turns
  readonly targets: readonly unknown[]
  at: number
  readonly act: (target: unknown) => void
  /** The turn that follows the series. */
  readonly last: (() => void) | undefined
}

/** As many of a series as lead to nothing that has to be done before the next. */
export function step(series: Series): void {
  const { turn, targets, act, last } = series
  while (series.at < targets.length) {
    const { waiting } = turn
    act(targets[series.at++])
    if (turn.waiting === waiting) continue
    turn.next(step, series)
    return
  }
  last?.()
}
