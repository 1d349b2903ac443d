/** Waits of the platform's own time: how long something takes that runs elsewhere is the business of no tree's clock. */

/** What came instead of an answer. */
export const NO_ANSWER: unique symbol = Symbol('no answer')

/** Waits for an answer only so many milliseconds. */
export async function answerWithin<Value>(promise: Promise<Value>, ms: number): Promise<Value | typeof NO_ANSWER> {
  const { promise: late, resolve } = Promise.withResolvers<typeof NO_ANSWER>()
  const timer = setTimeout(() => resolve(NO_ANSWER), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
