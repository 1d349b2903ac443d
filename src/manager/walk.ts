/**
 * Walks over the managers below one, without recursion: a tree may be deeper than a stack holds. The cursor is data; what is added or taken
 * off on the way is heeded.
 */
import type { Offspring, Supervisor } from '../supervision/index.ts'

/** A manager, and what is below it. */
interface Level<Self> {
  readonly flock: { readonly hasManagers: boolean; below(): Iterator<Self> }
}

/** Each before those below it, in order of their making. */
export function* before<L extends Level<L>>(top: L): Generator<L, void> {
  const levels = [top.flock.below()]
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { value, done } = level.next()
    if (done === true) levels.pop()
    else {
      yield value
      if (value.flock.hasManagers) levels.push(value.flock.below())
    }
  }
}

/** The manager itself, and each before those below it. */
export function* downwards<L extends Level<L>>(top: L): Generator<L, void> {
  yield top
  yield* before(top)
}

/** Each behind those below it, in order of their making. */
export function* behind<L extends Level<L>>(top: L): Generator<L, void> {
  const path: L[] = []
  const levels = [top.flock.below()]
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { value, done } = level.next()
    if (done !== true && !value.flock.hasManagers) {
      yield value
      continue
    }
    if (done !== true) {
      path.push(value)
      levels.push(value.flock.below())
      continue
    }
    levels.pop()
    const left = path.pop()
    if (left !== undefined) yield left
  }
}

/** A manager, and whether it was told to accept nothing. */
interface Refusing {
  readonly refuses: boolean
  readonly up: Refusing | undefined
}

/** True if a level above was told to accept nothing: what is below follows in slices. */
export function refusesAbove({ up }: Refusing): boolean {
  let level = up
  while (level?.refuses === false) level = level.up
  return level !== undefined
}

/** A manager that closes, or does not yet. */
interface Closable<Self> {
  readonly closed: boolean
  readonly run: unknown
  readonly up: Self | undefined
}

/** Those from a level above that closes down to this one to which that has not come, the highest first. */
export function late<L extends Closable<L>>(lowest: L): L[] {
  const levels: L[] = []
  for (let level: L | undefined = lowest; level?.run === undefined && level?.closed === true; level = level.up) levels.push(level)
  return levels.reverse()
}

/** The children of a supervisor, to one that is one of them. */
export function siblingsOf(up: { readonly supervisor: Supervisor } | undefined): Offspring | undefined {
  return up?.supervisor.children
}
