/** The supervision tree as a list, of which only what is in sight is rendered; by mouse or by keyboard alone. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { ENDS, STATES } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import type { Session } from '../state/session.ts'
import type { ListItem } from '../state/table.ts'
import { count, Empty, Glyph } from './shared.tsx'

/** Pixels that an item of the list is high; as in style.css. */
const HEIGHT = 24
/** Items above and below the window that are rendered already. */
const SPARE = 8

export function TreePane() {
  return (
    <nav className="tree" aria-label="Supervision tree">
      <FilterBar />
      <Items />
    </nav>
  )
}

function FilterBar() {
  const session = useSession()
  const { find, only } = session.place
  const toggle = (state: string): void =>
    session.go({ only: only.includes(state) ? only.filter((each) => each !== state) : [...only, state] })
  const { table } = session
  return (
    <div className="filter">
      <input
        type="search"
        placeholder="Name or path"
        aria-label="Filter by name or path"
        value={find}
        onChange={({ target }) => session.go({ find: target.value })}
      />
      <div className="chips" role="group" aria-label="Filter by state">
        {[...STATES, 'restarted'].map((state) => (
          <button
            key={state}
            type="button"
            className="chip"
            aria-pressed={only.includes(state)}
            aria-label={state}
            title={`Only ${state}`}
            onClick={() => toggle(state)}
          >
            {state === 'restarted' ? '↻' : <Glyph state={state} quiet />}
          </button>
        ))}
      </div>
      <div className="matching" role="status">
        {table.isFiltered ? (
          <>
            {count(table.matching)} of {count(table.size)}
            <button type="button" className="link" onClick={() => session.go({ find: '', only: [] })}>
              clear
            </button>
          </>
        ) : (
          `${count(table.size)} nodes`
        )}
      </div>
    </div>
  )
}

function Items() {
  const session = useSession()
  const { table, place } = session
  const box = useRef<HTMLDivElement>(null)
  const [window_, setWindow] = useState({ top: 0, height: 600 })
  const total = table.shown
  const first = Math.max(0, Math.floor(window_.top / HEIGHT) - SPARE)
  const items = table.items(first, Math.ceil(window_.height / HEIGHT) + 2 * SPARE)
  const chosen = place.path === '' ? 0 : table.find(place.path)
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const measure = (): void => setWindow({ top: element.scrollTop, height: element.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useRevealed(session, chosen, box)
  return (
    <div
      ref={box}
      className="rows"
      role="tree"
      aria-label="Actors"
      tabIndex={0}
      aria-activedescendant={items.some(({ slot }) => slot === chosen) ? `row-${chosen}` : undefined}
      onScroll={({ currentTarget }) => setWindow({ top: currentTarget.scrollTop, height: currentTarget.clientHeight })}
      onKeyDown={(event) => move(event, session, chosen)}
    >
      {total === 0 && table.size > 0 ? <Empty title="Nobody passes the filter" /> : null}
      <div className="sheet" style={{ height: total * HEIGHT }}>
        {items.map((item, k) => (
          <TreeItem key={item.slot} item={item} at={first + k} isChosen={item.slot === chosen} />
        ))}
      </div>
    </div>
  )
}

/** Opens the way to the chosen node, whether it was chosen here or by an address, and scrolls to it, once. */
function useRevealed(session: Session, chosen: number, box: React.RefObject<HTMLDivElement | null>): void {
  const { path } = session.place
  const revealed = useRef('')
  useEffect(() => {
    const element = box.current
    if (chosen === 0 || element === null || revealed.current === path) return
    const index = session.table.indexOf(chosen)
    if (index < 0) {
      session.table.reveal(chosen)
      // Once it is listed, this comes again.
      if (session.table.indexOf(chosen) >= 0) session.redraw()
      return
    }
    revealed.current = path
    const top = index * HEIGHT
    if (top < element.scrollTop) element.scrollTop = top
    else if (top > element.scrollTop + element.clientHeight - HEIGHT * 2) element.scrollTop = top - element.clientHeight / 2
  })
}

function TreeItem({ item, at, isChosen }: { readonly item: ListItem; readonly at: number; readonly isChosen: boolean }) {
  const session = useSession()
  const { table } = session
  const { slot, depth, label, kind, state, restarts, expandable, expanded } = item
  const choose = (): void => session.go({ path: table.pathOf(slot), view: session.place.view === 'health' ? 'actor' : session.place.view })
  const [name = '', id] = label.split('#')
  return (
    <div
      id={`row-${slot}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={isChosen}
      {...(expandable ? { 'aria-expanded': expanded } : {})}
      className={`row ${kind} ${isChosen ? 'chosen' : ''}`}
      style={{ transform: `translateY(${at * HEIGHT}px)`, paddingLeft: 6 + depth * 16 }}
      onClick={choose}
    >
      <span
        className="twist"
        aria-hidden
        onClick={(event) => (event.stopPropagation(), table.setExpanded(slot, !expanded), session.redraw())}
      >
        {expandable ? (expanded ? '▾' : '▸') : ''}
      </span>
      <Glyph state={state} />
      <span className="name">{name}</span>
      {id === undefined || id === name ? null : <span className="id">#{id}</span>}
      {restarts > 0 ? (
        <span className="restarts" title={`restarted ${restarts} times`}>
          ↻{restarts}
        </span>
      ) : null}
      {kind === 'routine' ? null : <Counts slot={slot} />}
    </div>
  )
}

const OVER: ReadonlySet<string> = new Set(ENDS)

/** What is below, in a few numbers. */
function Counts({ slot }: { readonly slot: number }) {
  const counts = Object.entries(useSession().table.counts(slot)).filter(([, value]) => value > 0)
  return (
    <span className="counts">
      {counts.map(([state, value]) => (
        <span
          key={state}
          className={state}
          title={`${count(value)} ${state}${OVER.has(state) ? ', of those that stay to be looked at' : ''}`}
        >
          <Glyph state={state} quiet />
          {count(value)}
        </span>
      ))}
    </span>
  )
}

/** As trees work everywhere: arrows, Home and End, Enter. */
function move(event: React.KeyboardEvent, session: Session, chosen: number): void {
  const { table, place } = session
  const index = chosen === 0 ? -1 : table.indexOf(chosen)
  const go = (slot: number): void => {
    if (slot !== 0) session.go({ path: table.pathOf(slot) })
  }
  const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / HEIGHT) - 1)
  const { expanded = false, expandable = false } = chosen === 0 ? {} : table.item(chosen)
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => go(table.slotAt(Math.min(table.shown - 1, index + 1))),
    ArrowUp: () => go(table.slotAt(Math.max(0, index - 1))),
    PageDown: () => go(table.slotAt(Math.min(table.shown - 1, index + page))),
    PageUp: () => go(table.slotAt(Math.max(0, index - page))),
    Home: () => go(table.slotAt(0)),
    End: () => go(table.slotAt(table.shown - 1)),
    ArrowRight: () => {
      if (expandable && !expanded) table.setExpanded(chosen, true)
      else if (expandable) go(table.slotAt(index + 1))
    },
    ArrowLeft: () => {
      if (expandable && expanded) table.setExpanded(chosen, false)
      else if (chosen !== 0) go(table.parentOf(chosen))
    },
    Enter: () => session.go({ view: place.view === 'health' ? 'actor' : place.view }),
  }
  const act = keys[event.key]
  if (act === undefined) return
  event.preventDefault()
  act()
  session.redraw()
}
