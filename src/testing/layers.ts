/**
 * Properties of the platform that are replaced for a while, by several at once.
 *
 * L1  Who replaces one may stop in any order: what the others have put there stays.
 * L2  When the last has stopped, the platform's own descriptor is back, and one that was not there is gone.
 */

/** Makes what is to stand there of what stands there without it; undefined if nothing does. */
export type Layer = (below: PropertyDescriptor | undefined) => PropertyDescriptor

interface Place {
  readonly own: PropertyDescriptor | undefined
  /** The first is next to the platform's own. */
  readonly layers: { readonly layer: Layer }[]
}

const places = new Map<object, Map<PropertyKey, Place>>()

/** Puts a layer over a property; returns what takes it off again. */
export function cover(target: object, key: PropertyKey, layer: Layer): () => void {
  const place = placeOf(target, key)
  // The same function may be put there twice.
  const mine = { layer }
  place.layers.push(mine)
  settle(target, key, place)
  return () => {
    const at = place.layers.indexOf(mine)
    if (at < 0) return
    place.layers.splice(at, 1)
    settle(target, key, place)
  }
}

/** The platform's own is looked at once, by the first who comes: later something of ours stands there. */
function placeOf(target: object, key: PropertyKey): Place {
  let keys = places.get(target)
  if (keys === undefined) places.set(target, (keys = new Map()))
  let place = keys.get(key)
  if (place === undefined) keys.set(key, (place = { own: Object.getOwnPropertyDescriptor(target, key), layers: [] }))
  return place
}

function forget(target: object, key: PropertyKey): void {
  const keys = places.get(target)
  keys?.delete(key)
  if (keys?.size === 0) places.delete(target)
}

/** Makes the property anew of all that is over it. */
function settle(target: object, key: PropertyKey, { own, layers }: Place): void {
  if (layers.length === 0) forget(target, key)
  const settled = layers.reduce<PropertyDescriptor | undefined>((below, { layer }) => layer(below), own)
  if (settled === undefined) Reflect.deleteProperty(target, key)
  else Object.defineProperty(target, key, settled)
}
