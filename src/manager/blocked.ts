/** Managers of which every permit is held by routines that have spawned others, which are queued behind them. */
import { type SupervisedRoutine, spawnersOfQueued } from '../routine/index.ts'
import type { Life } from './life.ts'

/** Of each manager from `top` downwards, which `lives` are, the paths of such routines at it and below; only of managers with any. */
export function blockedBelow(top: Life, lives: readonly Life[]): ReadonlyMap<Life, ReadonlySet<string>> {
  const spawners = new Map<Life, Set<SupervisedRoutine>>()
  for (const life of lives)
    for (const spawner of spawnersOfQueued(life.host)) for (const each of upTo(top, life)) of(spawners, each).add(spawner)
  const blocked = new Map<Life, Set<string>>()
  for (const [life, holders] of spawners) {
    const { count, max } = life.gate
    if (count < max || holders.size < count) continue
    for (const { path } of holders) for (const each of upTo(top, life)) of(blocked, each).add(path)
  }
  return blocked
}

function* upTo(top: Life, from: Life): Generator<Life> {
  for (let life: Life | undefined = from; life !== undefined; life = life === top ? undefined : life.up) yield life
}

function of<Key, Value>(sets: Map<Key, Set<Value>>, key: Key): Set<Value> {
  let set = sets.get(key)
  if (set === undefined) sets.set(key, (set = new Set()))
  return set
}
