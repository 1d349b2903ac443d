/**
 * The port of asynchronous contexts: in whose context something runs.
 *
 * What the library calls for a routine runs through it: `start`, the body, messages, `restartIf`, the listeners on its signal, and its
 * timers. A spawned routine runs in the context of its `spawn`; a child runs in that of the making of its manager, and a manager that is
 * itself a child in that of its parent. A restart is in the same again.
 *
 * AC1  No code of a routine runs in the context of another one, whoever spawned first, made room for it, or stopped it.
 * AC2  A context is kept by the routines that run in it, and by nothing else: neither by timers that are shared nor by what is over.
 * AC3  Where no store is in use there is nothing to keep: a capture is undefined, and what was captured so runs in no one's context.
 */
export interface AsyncContext {
  /** The context of the code that is running now; undefined if there is nothing to keep. */
  capture(): unknown
  /** Calls `act(a, b)` in a captured context; of undefined, in no one's. */
  run<A, B>(captured: unknown, act: (a: A, b: B) => unknown, a: A, b: B): void
}

/** Captures nothing: code runs in whatever context its caller has. */
export const ambient: AsyncContext = {
  capture: () => undefined,
  run: (_captured, act, a, b) => void act(a, b),
}

/** The key of the option that takes one. */
export const ASYNC_CONTEXT: unique symbol = Symbol('curtaincall.async-context')
