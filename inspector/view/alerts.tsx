/** Tells of new problems where the page is not looked at: in its title, and by a notification where somebody wants that. */
import { useSelector } from '@xstate/react'
import { useEffect, useRef, useState } from 'react'
import { useAnswer, useSession } from '../state/hooks.ts'
import { KINDS, PRESENT } from './problems.tsx'

const KEY = 'curtaincall.notify'
/** Milliseconds between two looks. */
const EVERY = 2_000

const isWanted = (): boolean => localStorage.getItem(KEY) === 'yes' && 'Notification' in window && Notification.permission === 'granted'

/** Draws nothing: it is there as long as the page is. */
export function Alerts() {
  const session = useSession()
  const name = useSelector(session.page, ({ context }) => context.hello?.name) ?? session.player?.recording.name
  // A recording that is opened has no living tree, and one that is fetched has nothing else to be asked.
  const isLive = useSelector(session.page, (snapshot) => snapshot.matches('live'))
  const { answer } = useAnswer('problems', isLive ? {} : undefined, EVERY)
  const known = useRef<Set<string>>(undefined)
  const { problems = [], warnings = [], now = 0 } = answer ?? {}
  const present = problems.filter(({ last }) => now - last < PRESENT)
  const many = present.length + warnings.length
  useEffect(() => {
    if (name !== undefined) document.title = `${isLive && many > 0 ? `(${many}) ` : ''}${name} · curtaincall`
  }, [name, many, isLive])
  useEffect(() => {
    if (answer === undefined) return
    // What was there when the page was opened is no news.
    const before = known.current
    known.current = new Set(answer.problems.map(({ key }) => key))
    if (before === undefined || !document.hidden || !isWanted()) return
    const news = answer.problems.filter((each) => !before.has(each.key))
    for (const { key, who, kind, error, said } of news.slice(0, 3)) {
      const shown = new Notification(`${who} ${KINDS[kind].word}`, { body: error === '' ? said : `${error}: ${said}`, tag: key })
      shown.addEventListener('click', () => window.focus())
    }
  }, [answer])
  return null
}

/** Whether a notification is wanted. */
export function AlertChoice() {
  const [isOn, setOn] = useState(isWanted)
  const [why, setWhy] = useState('')
  if (!('Notification' in window)) return null
  const choose = async (): Promise<void> => {
    if (isOn) localStorage.removeItem(KEY)
    else if ((await Notification.requestPermission()) === 'granted') localStorage.setItem(KEY, 'yes')
    else setWhy('The browser does not allow it: its settings for this address say so.')
    setOn(isWanted())
  }
  return (
    <p className="note alert-choice">
      <label>
        <input type="checkbox" checked={isOn} onChange={() => void choose()} /> notify me of new problems while this page is in the
        background
      </label>{' '}
      <span role="status">{why}</span>
    </p>
  )
}
