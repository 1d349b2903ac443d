/**
 * Promises of users.
 *
 * Z1  A promise is what has a `then`, of whatever realm and library it is.
 * Z2  What is called for its effects may return one, which nobody else looks at: what it rejects with is contained.
 */

/** True for anything with a `then` method, as `await` has it. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && typeof (value as { then?: unknown }).then === 'function'
}

/**
 * Hands what a promise rejects with to `contain`: nobody else takes what a listener, an observer or a logger returns.
 *
 * @returns Resolves when it has settled; undefined for what is no promise.
 */
export function quiet(result: unknown, contain: (error: unknown) => void): Promise<unknown> | undefined {
  return isThenable(result) ? Promise.resolve(result).catch(contain) : undefined
}
