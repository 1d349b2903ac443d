/** The events that a machine knows: those that it may take now are lit, the others would be ignored. */
import { useMemo } from 'react'
import type { ActorView } from '../../src/inspector/protocol.ts'
import { possibleEvents } from '../layout/possible.ts'
import { useAnswer } from '../state/hooks.ts'

/** A chart never changes. */
const SELDOM = 60_000

/** @param choose What a click does; undefined if they can't be clicked. */
export function EventChips({ view, choose }: { readonly view: ActorView; readonly choose: ((type: string) => void) | undefined }) {
  const { path, events, work } = view
  const { answer: chart } = useAnswer('chart', { path, which: 'work' }, SELDOM)
  const value = view.next === undefined ? work?.value : undefined
  const possible = useMemo(() => (chart === undefined ? undefined : possibleEvents(chart, value)), [chart, value])
  const toldOf = (type: string): readonly [className: string, said: string] => {
    const guards = possible?.get(type) ?? possible?.get('*')
    if (possible === undefined) return ['', '']
    if (guards === undefined) return ['refused', 'ignored in its present state']
    return ['possible', guards.length === 0 ? 'taken in its present state' : `taken in its present state if ${guards.join(' or ')}`]
  }
  return (
    <ul className="chips event-chips">
      {events.map((type) => {
        const [className, said] = toldOf(type)
        const inside = (
          <>
            {className === 'possible' ? '● ' : className === 'refused' ? '⊘ ' : ''}
            {type}
          </>
        )
        return (
          <li key={type}>
            {choose === undefined ? (
              <code className={className} title={said}>
                {inside}
              </code>
            ) : (
              <button
                type="button"
                className={`chip ${className}`}
                aria-label={`${type}${said === '' ? '' : `, ${said}`}`}
                title={said}
                onClick={() => choose(type)}
              >
                {inside}
              </button>
            )}
          </li>
        )
      })}
    </ul>
  )
}
