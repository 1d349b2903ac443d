/** Microtasks that nobody can take away. */

const NOW = Promise.resolve()

/**
 * Calls back in a microtask, behind those that are queued. Not by `queueMicrotask`, which fake clocks put something in the place of: what was
 * queued there is never called once the platform's own is back, and whoever waits for it to queue the next would wait for ever.
 */
export function soon(act: () => void): void {
  void NOW.then(act)
}
