/** A persisted snapshot as it is written down: what XState keeps of a child that has failed is an error, which JSON does not know. */
import { keepThrown } from './kept-outcome.ts'

interface Persisted {
  readonly status?: string
  readonly error?: unknown
  readonly children?: Readonly<Record<string, { readonly snapshot?: Persisted }>>
}

/** The same, with the errors of ended children as plain objects: of those, the status is what a restored machine looks at. */
export function writable(snapshot: unknown): unknown {
  const { status, error, children } = snapshot as Persisted
  const own = status === 'error' ? { ...(snapshot as object), error: keepThrown(error) } : (snapshot as object)
  if (typeof children !== 'object' || children === null) return own
  const written = Object.entries(children).map(([id, child]) => [
    id,
    child.snapshot === undefined ? child : { ...child, snapshot: writable(child.snapshot) },
  ])
  return { ...own, children: Object.fromEntries(written) as unknown }
}
