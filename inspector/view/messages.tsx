/** Messages between chosen actors, one below the other, each from lifeline to lifeline. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { readable } from '../../src/inspector/chart.ts'
import type { MessageLine } from '../../src/inspector/protocol.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { columnsOf, endsOf, namesOf, OTHERS, OUTSIDE, SIGNS, UNKNOWN } from '../state/sequence.ts'
import type { Session } from '../state/session.ts'
import { pathsWith } from '../state/suggest.ts'
import { useTicking } from '../state/ticking.ts'
import { count, Empty, Failed, leftOut, moment, nameOf, Stale } from './shared.tsx'
import './messages.css'

/** Messages that are shown. */
const SHOWN = 200
/** Milliseconds after which they are asked for again. */
const TICK = 300
/** Pixels of the column of times, and of the narrowest lifeline. */
const TIMES = 104
const NARROWEST = 100
/** Pixels of a message's arrow. */
const ARROW_HEIGHT = 28

const KINDS: readonly MessageLine['kind'][] = ['event', 'send', 'ask', 'reply']

export function MessagesPane() {
  const session = useSession()
  const { path, with: others } = session.place
  const recording = session.player?.recording
  const chosen = [...new Set([path, ...others])].filter((each) => each !== '')
  const { answer, error } = useAnswer('messages', chosen.length === 0 ? undefined : { paths: chosen, limit: SHOWN }, TICK)
  const { answer: strangers = [] } = useAnswer('strangers', chosen.length === 0 ? undefined : { paths: chosen }, TICK)
  useTicking(chosen.length > 0, TICK)
  // Messages of other actors are no answer; those of the same ones stay until there are new ones.
  const key = chosen.join('\n')
  const kept = useRef<{ readonly key: string; readonly lines: readonly MessageLine[] }>(undefined)
  if (answer !== undefined) kept.current = { key, lines: answer }
  const lines = kept.current?.key === key ? kept.current.lines : undefined
  if (recording !== undefined && recording.traffic === undefined) {
    return (
      <Empty title="Messages are not recorded">
        This recording holds what began, ended and was restarted, and nothing of what was said.
      </Empty>
    )
  }
  return (
    <div className="messages">
      <Chooser chosen={chosen} />
      {error === undefined || lines !== undefined ? (
        chosen.length === 0 ? (
          <Empty title="Nobody is chosen">
            Choose somebody in the tree, or add some by name above: what goes between them is shown here.
          </Empty>
        ) : lines === undefined ? (
          <Empty title="Reading…" />
        ) : lines.length === 0 ? (
          <NoMessage chosen={chosen} strangers={strangers} />
        ) : (
          <Sequence key={key} chosen={chosen} lines={lines} />
        )
      ) : (
        <Failed error={error} />
      )}
      {lines === undefined || lines.length === 0 ? null : <Strangers names={strangers} />}
      {lines === undefined ? null : <Stale error={error} />}
      <Key lines={lines?.length ?? 0} more={leftOut(recording?.traffic, 'messages')} />
    </div>
  )
}

function NoMessage({ chosen, strangers }: { readonly chosen: readonly string[]; readonly strangers: readonly string[] }) {
  const { player } = useSession()
  if (strangers.length > 0) return <Empty title="What it sends is not known">{strangersText(strangers)}</Empty>
  const who = chosen.length === 1 ? nameOf(chosen[0] as string) : 'these'
  return (
    <Empty title="No message seen">
      Of {who} none was seen {player === undefined ? 'since this page was opened' : 'by this moment'}. Messages are recorded while a page is
      open; their text is kept for those whom one looks at.
    </Empty>
  )
}

/** Of whom it is not known what they send: then it does not count as nothing. */
function Strangers({ names }: { readonly names: readonly string[] }) {
  return names.length === 0 ? null : (
    <p className="note" role="note">
      {strangersText(names)}
    </p>
  )
}

function strangersText(names: readonly string[]): string {
  const who = names.map((path) => nameOf(path).replace(/#.*/, '')).join(', ')
  const it = names.length === 1 ? 'it' : 'they'
  return `But for answers, it is not known what ${who} sent: ${it} had begun before the inspector was started. It is drawn as from "not known".`
}

// --- who is chosen ---------------------------------------------------------------------------

const SUGGESTED = 12

/** Paths with a text in them. */
function suggestions(session: Session, text: string, chosen: readonly string[]): string[] {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return []
  return pathsWith(session.table, wanted, SUGGESTED + chosen.length).filter((each) => !chosen.includes(each))
}

function Chooser({ chosen }: { readonly chosen: readonly string[] }) {
  const session = useSession()
  const { path, with: others } = session.place
  const [text, setText] = useState('')
  const found = useMemo(() => suggestions(session, text, chosen).slice(0, SUGGESTED), [session, text, chosen.join('\n')])
  const add = (wanted: string): void => {
    const exact = session.table.find(wanted) !== 0 ? wanted : found[0]
    if (exact === undefined) return
    session.go({ with: [...new Set([...others, exact])] })
    setText('')
  }
  return (
    <div className="bar chooser">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          add(text)
        }}
      >
        <input
          type="search"
          list="actors"
          placeholder="Add an actor by name"
          aria-label="Add an actor by name or path"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <datalist id="actors">
          {found.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
        <button type="submit" disabled={found.length === 0 && session.table.find(text) === 0}>
          add
        </button>
      </form>
      <button
        type="button"
        title="Keeps its lifeline when somebody else is chosen in the tree"
        disabled={path === '' || others.includes(path)}
        onClick={() => session.go({ with: [...others, path] })}
      >
        {path === '' || others.includes(path) ? 'keep the chosen one' : `keep ${nameOf(path).replace(/#.*/, '')}`}
      </button>
      <ul className="bar" aria-label="Whose messages are shown">
        {chosen.map((each) => (
          <li key={each} className={`participant ${each === path ? 'is-chosen' : ''}`} title={each}>
            <span>{nameOf(each)}</span>
            {others.includes(each) ? (
              <button
                type="button"
                aria-label={`Remove ${each}`}
                onClick={() => session.go({ with: others.filter((other) => other !== each), ...(each === path ? { path: '' } : {}) })}
              >
                ×
              </button>
            ) : (
              <small>chosen</small>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}

// --- what goes between them ------------------------------------------------------------------

function Sequence({ chosen, lines }: { readonly chosen: readonly string[]; readonly lines: readonly MessageLine[] }) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const [room, setRoom] = useState(700)
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set())
  const before = useRef<readonly string[]>([])
  const columns = columnsOf(chosen, lines, before.current)
  before.current = columns
  const width = Math.max(NARROWEST, Math.floor((room - TIMES) / columns.length))
  const names = namesOf(columns)
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const observer = new ResizeObserver(() => setRoom(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const last = lines.at(-1)?.n
  useEffect(() => {
    // A reader who has scrolled up is not moved.
    if (atEnd.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [last])
  const toggle = (n: number): void =>
    setOpened((now) => (now.has(n) ? new Set([...now].filter((each) => each !== n)) : new Set([...now, n])))
  const whole = TIMES + width * columns.length
  return (
    <div
      ref={box}
      className="sequence"
      role="region"
      aria-label="Messages"
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 40
      }}
    >
      <Heads columns={columns} names={names} chosen={chosen} width={width} />
      <div className="lifelines" style={{ width: whole }}>
        {columns.map((path, k) => (
          <i key={path} className={SIGNS.has(path) ? 'dim' : ''} style={{ left: TIMES + width * (k + 0.5) }} />
        ))}
        <ol>
          {lines.map((line, k) => (
            <Message
              key={line.n}
              line={line}
              gap={k === 0 ? 0 : line.at - (lines[k - 1] as MessageLine).at}
              ends={endsOf(line, columns)}
              names={names}
              width={width}
              isOpen={opened.has(line.n)}
              onToggle={toggle}
            />
          ))}
        </ol>
      </div>
    </div>
  )
}

function Heads({
  columns,
  names,
  chosen,
  width,
}: {
  readonly columns: readonly string[]
  readonly names: readonly string[]
  readonly chosen: readonly string[]
  readonly width: number
}) {
  const session = useSession()
  return (
    <ol className="heads" style={{ width: TIMES + width * columns.length, paddingLeft: TIMES }}>
      {columns.map((path, k) => (
        <li key={path} style={{ width }} className={chosen.includes(path) ? 'is-chosen' : ''}>
          {SIGNS.has(path) ? (
            <span title={MEANS[path]}>{names[k]}</span>
          ) : (
            <button type="button" className="link" title={path} onClick={() => session.go({ path, with: [...new Set(chosen)] })}>
              <LifelineName name={names[k] as string} />
            </button>
          )}
        </li>
      ))}
    </ol>
  )
}

/** The id of a routine below its name: side by side there is no room for both. */
function LifelineName({ name }: { readonly name: string }) {
  const at = name.indexOf('#')
  if (at < 0) return name
  return (
    <>
      {name.slice(0, at)}
      <small>{name.slice(at)}</small>
    </>
  )
}

const MEANS: Readonly<Record<string, string>> = {
  [OUTSIDE]: 'Outside the tree',
  [UNKNOWN]: 'Outside the tree; or somebody in it that had begun before the inspector was started, and cannot be told apart from it',
  [OTHERS]: 'All those for whom there is no lifeline: add them by name to see them',
}

function Message({
  line,
  gap,
  ends: [from, to],
  names,
  width,
  isOpen,
  onToggle,
}: {
  readonly line: MessageLine
  readonly gap: number
  readonly ends: readonly [from: number, to: number]
  readonly names: readonly string[]
  readonly width: number
  readonly isOpen: boolean
  readonly onToggle: (n: number) => void
}) {
  const { n, at, type, kind, text } = line
  const [a, b] = [from, to].map((column) => width * (column + 0.5)) as [number, number]
  const isSelf = from === to
  const left = isSelf ? a + 34 : Math.min(a, b)
  const title = `${names[from]} → ${names[to]}: ${kind} ${type}${text === '' ? '' : `\n${text.slice(0, 600)}`}`
  return (
    <li className={`message ${kind} ${gap > 1_000 ? 'later' : ''}`}>
      <button type="button" aria-expanded={isOpen} title={title} onClick={() => onToggle(n)}>
        <time style={{ width: TIMES }}>{moment(at)}</time>
        <span className="sr">
          {names[from]} to {names[to]}, {kind}
        </span>
        <Arrow a={a} b={b} isSelf={isSelf} width={width * names.length} />
        <span
          className="type"
          style={
            isSelf ? { left: TIMES + left, maxWidth: width * 2 } : { left: TIMES + left + 8, width: Math.max(40, Math.abs(b - a) - 20) }
          }
        >
          <span>{readable(type)}</span>
        </span>
      </button>
      {isOpen ? (
        <pre style={{ marginLeft: TIMES + 6 }}>
          {`${kind} ${type}\nfrom ${line.from === '' ? 'outside' : line.from}\nto   ${line.to === '' ? 'outside' : line.to}\n`}
          {text === '' ? 'its text was not kept: nobody looked at either of the two when it was sent' : text}
        </pre>
      ) : null}
    </li>
  )
}

/** A filled head stands for a message, an open one for an answer; lines differ by kind in the style sheet. */
function Arrow({ a, b, isSelf, width }: { readonly a: number; readonly b: number; readonly isSelf: boolean; readonly width: number }) {
  const y = ARROW_HEIGHT - 8
  const way = Math.sign(b - a)
  const tip = isSelf ? a + 2 : b - way * 2
  const path = isSelf ? `M${a + 2} ${y - 11}h26v11H${a + 4}` : `M${a} ${y}H${tip - way * 3}`
  const head = isSelf ? 1 : -way
  return (
    <svg width={width} height={ARROW_HEIGHT} aria-hidden>
      <circle cx={a} cy={isSelf ? y - 11 : y} r="2.5" />
      <path className="line" d={path} />
      <path className="head" d={`M${tip + head * 8} ${y - 4.5}L${tip} ${y}L${tip + head * 8} ${y + 4.5}`} />
    </svg>
  )
}

/** What the kinds of lines mean. */
function Key({ lines, more }: { readonly lines: number; readonly more: string }) {
  return (
    <div className="message-key">
      <ul>
        {KINDS.map((kind) => (
          <li key={kind} className={`message ${kind}`}>
            <svg width="40" height="12" viewBox="0 8 40 12" aria-hidden>
              <path className="line" d="M1 14H36" />
              <path className="head" d="M30 9.5L38 14L30 18.5" />
            </svg>{' '}
            {kind}
          </li>
        ))}
      </ul>
      <span className="note" role="status">
        {lines === SHOWN ? `the latest ${SHOWN}` : `${count(lines)} messages`}; click one for its text.{more}
      </span>
    </div>
  )
}
