/**
 * The port of asynchronous contexts: in whose context something runs.
 *
 * Bodies, `start` and `restartIf` run through it. A spawned routine runs in the context that was captured at its spawn; a child runs
 * in the one that was captured when its manager was made, and a manager that is itself a child in that of its parent.
 */
export interface AsyncContext {
  /** The context of the code that is running now; undefined if there is nothing to keep. */
  capture(): unknown
  /** Calls `act(a, b)` in a captured context. */
  run<A, B>(captured: unknown, act: (a: A, b: B) => unknown, a: A, b: B): void
}

/** Captures nothing: code runs in whatever context its caller has. */
export const ambient: AsyncContext = {
  capture: () => undefined,
  run: (_captured, act, a, b) => void act(a, b),
}

/** The key of the option that takes one. */
export const ASYNC_CONTEXT: unique symbol = Symbol('curtaincall.async-context')
