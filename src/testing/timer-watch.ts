/** Timers of the platform, as leak watches see them; those of a virtual clock are asked of the clock. */
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { coverValue } from './layers.ts'
import { hearResources, platformName, whatHooksTell } from './platform.ts'
import { presentClock } from './virtual-time.ts'

/** What is told of timers. */
export interface TimerListener {
  timer(id: number, kind: string): void
  timerGone(id: number): void
}

type Any = (this: unknown, ...args: unknown[]) => unknown

/** Tells who `find` says is to be told, from now on; `undo` gets what ends that. */
export function watchTimers(undo: (() => void)[], find: () => TimerListener | undefined): void {
  if (whatHooksTell().timers) undo.push(watchResources(find))
  else watchFunctions(undo, find)
}

/** What is to be said where not every timer is seen; undefined where each is. */
export function unseenTimers(): string | undefined {
  if (whatHooksTell().timers) return undefined
  return `${platformName()} does not show all timers: its async hooks tell nothing of them, so that those of functions that were imported by name, or taken before, can't be seen. With allowUnseen: true the others are enough`
}

function watchResources(find: () => TimerListener | undefined): () => void {
  const listeners = new Map<number, TimerListener>()
  return hearResources({
    init(id, type) {
      const listener = type === 'Timeout' || type === 'Immediate' ? find() : undefined
      if (listener === undefined) return
      listeners.set(id, listener)
      listener.timer(id, type)
    },
    destroy(id) {
      listeners.get(id)?.timerGone(id)
      listeners.delete(id)
    },
  })
}

/** Says that a timer is over. */
type Gone = () => void

let lastId = 0

/** A timer that is there until what is returned is called; undefined if nobody is to be told. */
function begun(listener: TimerListener | undefined, kind: string): Gone | undefined {
  // The clock knows those that it has.
  if (listener === undefined || presentClock() !== undefined) return undefined
  const id = ++lastId
  listener.timer(id, kind)
  return () => listener.timerGone(id)
}

/** Where hooks tell nothing, the functions do that make timers. */
function watchFunctions(undo: (() => void)[], find: () => TimerListener | undefined): void {
  const byHandle = new Map<unknown, Gone>()
  const byNumber = new Map<number, Gone>()
  const start = (kind: string) => (original: Any) => {
    const replaced: Any = function (callback, ...rest) {
      const gone = typeof callback === 'function' ? begun(find(), kind) : undefined
      if (gone === undefined) return original.call(this, callback, ...rest)
      const once: Any = function (...args) {
        if (kind !== 'setInterval') gone()
        return (callback as Any).apply(this, args)
      }
      const handle = original.call(this, once, ...rest)
      byHandle.set(handle, gone)
      if (!Number.isNaN(Number(handle))) byNumber.set(Number(handle), gone)
      return handle
    }
    // What is promisified is watched, too.
    return Object.defineProperties(replaced, Object.getOwnPropertyDescriptors(original))
  }
  const clear = (original: Any): Any =>
    function (handle) {
      const gone = byHandle.get(handle) ?? byNumber.get(Number(handle))
      gone?.()
      return original.call(this, handle)
    }
  const promised =
    (kind: string) =>
    (original: Any): Any =>
      function (...args) {
        const gone = begun(find(), kind)
        const result = original.apply(this, args) as Promise<unknown>
        if (gone !== undefined) result.then(gone, gone)
        return result
      }
  for (const target of [globalThis, timers]) {
    for (const kind of ['setTimeout', 'setInterval', 'setImmediate']) undo.push(coverValue(target, kind, start(kind)))
    for (const name of ['clearTimeout', 'clearInterval', 'clearImmediate']) undo.push(coverValue(target, name, clear))
  }
  for (const kind of ['setTimeout', 'setImmediate']) undo.push(coverValue(timersPromises, kind, promised(kind)))
  undo.push(() => syncBuiltinESMExports())
  syncBuiltinESMExports()
}
