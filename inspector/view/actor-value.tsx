/** A value that can be opened, level by level; what is deeper than what has come is asked for. */
import { useState } from 'react'
import { useAnswer } from '../state/hooks.ts'

type Keys = readonly (string | number)[]

/** Where the value is from: the present snapshot of an actor, or an earlier one. */
export interface Owner {
  readonly path: string
  readonly n: number | undefined
}

interface ValueProps {
  readonly owner: Owner
  readonly name: string | number | undefined
  readonly value: unknown
  readonly at: Keys
  /** True for what the reader has asked for: it is open. */
  readonly isAsked?: boolean
}

/** Levels that are open from the start, and entries of one that are. */
const OPEN = 2
const FEW = 12
/** What stands for something that was too deep, or too much. */
const CUT = /^(?:[\w$]+ …|… more than is shown)$/

const isOpenable = (value: unknown): value is object => typeof value === 'object' && value !== null

export function Value({ owner, name, value, at, isAsked = false }: ValueProps) {
  if (typeof value === 'string' && CUT.test(value) && at.length > 0) return <Deeper {...{ owner, name, value, at }} />
  if (!isOpenable(value))
    return (
      <div className="leaf">
        <Name name={name} />
        <Plain value={value} />
      </div>
    )
  const isList = Array.isArray(value)
  const entries: [string | number, unknown][] = isList ? [...value.entries()] : Object.entries(value)
  if (entries.length === 0)
    return (
      <div className="leaf">
        <Name name={name} />
        <span className="note">{isList ? 'an empty list' : 'nothing in it'}</span>
      </div>
    )
  return (
    <details open={isAsked || (at.length < OPEN && entries.length <= FEW)}>
      <summary>
        <Name name={name} />
        <span className="note">{summaryOf(value, entries)}</span>
      </summary>
      {entries.map(([key, inner]) => (
        <Value key={key} owner={owner} name={key} value={inner} at={[...at, key]} />
      ))}
    </details>
  )
}

function summaryOf(value: object, entries: readonly (readonly [string | number, unknown])[]): string {
  if (Array.isArray(value)) return `list of ${entries.length}`
  const type = (value as Record<string, unknown>)['(type)']
  const keys = entries.map(([key]) => key).filter((key) => key !== '(type)')
  const some = keys.slice(0, 4).join(', ')
  return `${typeof type === 'string' ? `${type} ` : ''}{ ${some}${keys.length > 4 ? ', …' : ''} }`
}

function Name({ name }: { readonly name: string | number | undefined }) {
  return name === undefined ? null : <span className="value-key">{name}: </span>
}

/** A value in a line, with a class for its kind. */
export function Plain({ value }: { readonly value: unknown }) {
  // JSON has no undefined: it comes as this text.
  if (value === 'undefined') return <span className="plain null">undefined</span>
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return <span className={`plain ${value === null ? 'null' : typeof value}`}>{typeof value === 'string' ? `“${text}”` : text}</span>
}

/** What was cut off: it is asked for when the reader wants it. */
function Deeper({ owner, name, value, at }: ValueProps) {
  const [isWanted, want] = useState(false)
  const { answer, error } = useAnswer(
    'look',
    isWanted ? { path: owner.path, n: owner.n, at } : undefined,
    owner.n === undefined ? 1_000 : 60_000,
  )
  if (answer !== undefined && !(typeof answer === 'string' && CUT.test(answer)))
    return (
      <div className="deeper">
        <Value owner={owner} name={name} value={answer} at={at} isAsked />
      </div>
    )
  return (
    <div className="leaf">
      <Name name={name} />
      <span className="note">{error ?? String(value)} </span>
      {error === undefined ? (
        <button type="button" className="link" disabled={isWanted} onClick={() => want(true)} aria-label={`look into ${name ?? 'it'}`}>
          {isWanted ? 'looking…' : 'look into it'}
        </button>
      ) : null}
    </div>
  )
}
