/** What runs, how it is connected, what was coalesced, and how it looks. */
import { useSelector } from '@xstate/react'
import { useEffect, useState } from 'react'
import { ENDS } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import { SaveMenu } from './save.tsx'
import { count, Glyph } from './shared.tsx'

const THEMES = ['auto', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]
const KEY = 'curtaincall.theme'

function remembered(): Theme {
  const found = localStorage.getItem(KEY)
  return THEMES.find((theme) => theme === found) ?? 'auto'
}

export function Header() {
  const session = useSession()
  const name = useSelector(session.page, ({ context }) => context.hello?.name) ?? session.player?.recording.name ?? '…'
  const { table } = session
  const totals = table.root === 0 ? undefined : { ...table.counts(table.root), ...ended(table.totals) }
  return (
    <header className="top">
      <h1>
        <img src="./icon.svg" alt="" width="20" height="20" /> {name}
      </h1>
      <Connection />
      <ul className="totals" aria-label="Routines by state">
        {totals === undefined
          ? null
          : Object.entries(totals).map(([state, value]) => (
              <li key={state} className={value === 0 ? 'none' : ''} title={state}>
                <Glyph state={state} /> {count(value)}
              </li>
            ))}
      </ul>
      <Events />
      <SaveMenu />
      <ThemeButton />
    </header>
  )
}

function Events() {
  const { player, table } = useSession()
  if (player !== undefined)
    return (
      <span className="badge" title="Events up to this moment, of those in this recording">
        {count(player.passed)} of {count(player.recording.events.length)} events
      </span>
    )
  return (
    <span className="badge" title="Changes that a later one within the same tenth of a second has taken the place of. No end is lost.">
      {count(table.events)} events, {count(table.coalesced)} coalesced
    </span>
  )
}

/** How many routines have ended, ever; only the latest of them are nodes of the tree. */
function ended(totals: readonly number[]): Record<string, number> {
  return Object.fromEntries(ENDS.map((end, k) => [end, totals[k] ?? 0]))
}

function Connection() {
  const session = useSession()
  const status = useSelector(session.page, (snapshot) => snapshot)
  const { hello } = status.context
  const { end } = session
  const [word, title] = status.matches({ live: 'silent' })
    ? ['not answering', 'Nothing has been heard of the process for three seconds: it is busy, or was stopped. The page goes on by itself']
    : status.matches('live') && end !== undefined
      ? ['ended', `The whole tree has ended: ${end}. What it left can be looked at while the process is there`]
      : status.matches('live')
        ? ['live', hello?.controls === true ? 'Controls are on' : 'Read only: start the inspector with controls to allow more']
        : status.matches('replay')
          ? ['recording', 'What was; the tree may have moved on']
          : status.matches('lost')
            ? ['disconnected', 'The process is gone or busy; trying again']
            : status.matches('replaced')
              ? ['disconnected', 'The process is gone; another run has taken its place']
              : ['connecting', '']
  return (
    <span className={`connection ${word.replace(' ', '-')}`} role="status" title={title}>
      {word}
      {status.matches('lost') ? (
        <button type="button" className="link" onClick={() => session.page.send({ type: 'retry' })}>
          try now
        </button>
      ) : null}
    </span>
  )
}

function ThemeButton() {
  const [theme, setTheme] = useState(remembered)
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
    localStorage.setItem(KEY, theme)
  }, [theme])
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme
  return (
    <button type="button" onClick={() => setTheme(next)} title={`Colours: ${theme}; change to ${next}`}>
      ◐ {theme}
    </button>
  )
}
