/** What the path of an actor says: the names from the global manager down, with an id behind that of a routine. */

/** The short name of a path: without those above it, and without an id. */
export function shortName(path: string): string {
  const last = path.slice(path.lastIndexOf('/') + 1)
  const mark = last.indexOf('#')
  return mark > 0 ? last.slice(0, mark) : last
}

/** The path of who is above; empty for the global manager. */
export function above(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
