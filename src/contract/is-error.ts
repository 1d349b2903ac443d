/**
 * Errors of users.
 *
 * Z3  An error is one whichever realm has made it, such as a vm context, as test runners have them, or a DOM written in JavaScript.
 */

const TAGS: ReadonlySet<string> = new Set(['[object Error]', '[object DOMException]'])

/** True for an error, whichever realm made it, and for one that calls itself otherwise. Never throws: a proxy may refuse to be looked at. */
export function isError(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false
  try {
    return value instanceof Error || TAGS.has(Object.prototype.toString.call(value))
  } catch {
    return false
  }
}
