/**
 * Replaces properties of the platform for a while, also the same one several times at once.
 *
 * L1  Replacements may be taken off in any order: the others stay in place.
 * L2  When the last has stopped, the platform's own descriptor is back, and one that was not there is gone.
 * L3  A property may be inherited, or be an accessor, as globals are under jsdom, happy-dom and Jest; what there is not stays so.
 * L4  A replacement that can't be put in its place leaves nothing behind: those after it are put there as if it had never been tried.
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
  try {
    redefine(target, key, place)
  } catch (error) {
    place.layers.pop()
    if (place.layers.length === 0) forget(target, key)
    throw error
  }
  return () => {
    const at = place.layers.indexOf(mine)
    if (at < 0) return
    place.layers.splice(at, 1)
    redefine(target, key, place)
  }
}

/**
 * Puts something over what a property holds; returns what takes it off again. Nothing is put where there is nothing.
 *
 * @param around Makes what takes its place.
 */
export function coverValue(target: object, key: PropertyKey, around: (original: never) => unknown): () => void {
  if (!(key in target)) return () => undefined
  return cover(target, key, (below) => ({
    configurable: true,
    enumerable: below?.enumerable ?? false,
    writable: true,
    value: around(heldBy(target, key, below) as never),
  }))
}

/** What a property holds; what it inherits, if it is none of the target's own. */
function heldBy(target: object, key: PropertyKey, own: PropertyDescriptor | undefined): unknown {
  if (own === undefined) return Reflect.get(Object.getPrototypeOf(target) as object, key, target)
  return own.get === undefined ? own.value : own.get.call(target)
}

/** Does each of these, whatever some of them throw: what one can't undo, the others do. Throws the first error. */
export function undoAll(steps: readonly (() => void)[]): void {
  const errors: unknown[] = []
  for (const step of steps) {
    try {
      step()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

/**
 * Lets several hold the same replacements: the first puts them in their places, the last takes them off.
 *
 * @param install Gets a list for what undoes each of its steps: if it throws, those are undone, and nobody holds anything.
 * @returns What holds them, and returns what lets them go. To let go twice is to do so once.
 */
export function shared(install: (undo: (() => void)[]) => void): () => () => void {
  let holders = 0
  let undo: (() => void)[] = []
  return () => {
    if (holders === 0) {
      undo = []
      try {
        install(undo)
      } catch (error) {
        undoAll(undo)
        throw error
      }
    }
    holders++
    let holds = true
    return () => {
      if (!holds) return
      holds = false
      if (--holders === 0) undoAll(undo)
    }
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
