/**
 * Replaces properties of the platform for a while, also the same one several times at once.
 *
 * L1  Replacements may be taken off in any order: the others stay in place.
 * L2  When the last has stopped, the platform's own descriptor is back, and one that was not there is gone.
 */

/** Makes the property that replaces the one below it; that is undefined if there is none. */
export type Layer = (below: PropertyDescriptor | undefined) => PropertyDescriptor

interface Place {
  /** The platform's own property. */
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
  redefine(target, key, place)
  return () => {
    const at = place.layers.indexOf(mine)
    if (at < 0) return
    place.layers.splice(at, 1)
    redefine(target, key, place)
  }
}

/** The platform's own property is read once, before the first layer is put over it. */
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

/** Defines the property anew, by all its layers. */
function redefine(target: object, key: PropertyKey, { own, layers }: Place): void {
  if (layers.length === 0) forget(target, key)
  const topmost = layers.reduce<PropertyDescriptor | undefined>((below, { layer }) => layer(below), own)
  if (topmost === undefined) Reflect.deleteProperty(target, key)
  else Object.defineProperty(target, key, topmost)
}
