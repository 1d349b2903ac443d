/** The log: everything that has happened, with what led to it. */
import { Fragment, useEffect, useRef, useState } from 'react'
import type { LogLine } from '../../src/inspector/protocol.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { count, Empty, Failed, moment, PathLink, Stale } from './shared.tsx'
import { FailureFolded } from './stack.tsx'

/** Groups of types, as one looks for them. */
export const GROUPS = {
  ends: ['routine.completed', 'routine.failed', 'routine.cancelled', 'routine.killed', 'routine.orphaned', 'routine.settled'],
  failures: ['routine.failed', 'routine.killed', 'routine.hung', 'manager.gaveUp', 'link.broken', 'routine.orphaned'],
  restarts: ['routine.restarted', 'manager.restarted', 'manager.gaveUp'],
  shutdown: ['manager.phase', 'manager.stopped'],
  refusals: ['routine.refused', 'message.dropped', 'message.deadLetter'],
  orders: ['control.ordered'],
} as const
type Group = keyof typeof GROUPS

const PAGE = 200

export function LogPane() {
  const session = useSession()
  const [text, setText] = useState('')
  const [groups, setGroups] = useState<readonly Group[]>([])
  const [here, setHere] = useState(false)
  const [before, setBefore] = useState<number>()
  const path = here && session.place.path !== '' ? session.place.path : undefined
  const ask = { text, only: groups.flatMap((group) => GROUPS[group]), limit: PAGE, before, path }
  const { answer, error, isLoading } = useAnswer('log', ask, 250)
  const toggle = (group: Group): void => {
    setBefore(undefined)
    setGroups(groups.includes(group) ? groups.filter((each) => each !== group) : [...groups, group])
  }
  return (
    <div className="log">
      <div className="bar">
        <input
          type="search"
          placeholder="Text"
          aria-label="Filter the log by text"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        {(Object.keys(GROUPS) as Group[]).map((group) => (
          <button key={group} type="button" className="chip" aria-pressed={groups.includes(group)} onClick={() => toggle(group)}>
            {group}
          </button>
        ))}
        <label>
          <input type="checkbox" checked={here} disabled={session.place.path === ''} onChange={({ target }) => setHere(target.checked)} />{' '}
          only the chosen one and below
        </label>
        <span className="note">
          {answer === undefined ? '' : `${count(answer.total)} held`}
          {answer !== undefined && answer.lost > 0 ? `, ${count(answer.lost)} older ones let go` : ''}
        </span>
      </div>
      {error !== undefined && answer === undefined ? (
        <Failed error={error} />
      ) : (
        <Lines lines={answer?.lines ?? []} whole={answer?.whole} isLoading={isLoading} follows={before === undefined} />
      )}
      <Stale error={error} />
      <div className="bar">
        <button type="button" disabled={(answer?.lines.length ?? 0) < PAGE} onClick={() => setBefore(answer?.lines[0]?.seq)}>
          older
        </button>
        <button type="button" disabled={before === undefined} onClick={() => setBefore(undefined)}>
          latest
        </button>
      </div>
    </div>
  )
}

function Lines({
  lines,
  whole,
  isLoading,
  follows,
}: {
  readonly lines: readonly LogLine[]
  readonly whole: number | undefined
  readonly isLoading: boolean
  readonly follows: boolean
}) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const last = lines.at(-1)?.seq
  useEffect(() => {
    // A reader who has scrolled up is not moved.
    if (follows && atEnd.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [last, follows])
  if (lines.length === 0)
    return (
      <Empty title={isLoading ? 'Reading…' : 'No such event'}>{isLoading ? '' : 'None of those that are held passes the filter.'}</Empty>
    )
  return (
    <div
      className="lines"
      ref={box}
      tabIndex={0}
      role="region"
      aria-label="Events"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 40
      }}
    >
      <EventTable lines={lines} whole={whole} />
    </div>
  )
}

/** Lines of a log; also used for the history of one actor. */
export function EventTable({
  lines,
  isOfOne = false,
  whole,
}: {
  readonly lines: readonly LogLine[]
  readonly isOfOne?: boolean
  /** The `seq` from which on nothing is missing. */
  readonly whole?: number | undefined
}) {
  const session = useSession()
  // Between the last line that has gaps before it, and the first from which on there are none.
  const edge = whole === undefined ? undefined : lines.find(({ seq }, k) => seq >= whole && k > 0 && (lines[k - 1] as LogLine).seq < whole)
  return (
    <table className="events">
      <thead>
        <tr>
          <th scope="col" className="when">
            when
          </th>
          <th scope="col" className="type">
            event
          </th>
          {isOfOne ? null : (
            <th scope="col" className="who">
              who
            </th>
          )}
          <th scope="col" className="said">
            details
          </th>
          <th scope="col" className="why">
            why
          </th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <Fragment key={line.seq}>
            {line === edge ? <Edge columns={isOfOne ? 4 : 5} /> : null}
            <tr className={`${typeClass(line.type)} ${line.seq === session.place.seq ? 'chosen' : ''}`}>
              <td className="when" title={`event ${session.numberOf(line.seq)}`}>
                {moment(line.at)}
                {session.isNumbered ? <small className="number">{session.numberOf(line.seq)}</small> : null}
              </td>
              <td className="type">{line.type}</td>
              {isOfOne ? null : (
                <td className="who">
                  <PathLink path={line.path} />
                </td>
              )}
              <td className="said" title={line.because === undefined ? line.said : `because ${line.because}\n${line.said}`}>
                {line.because === undefined ? line.said : `because ${line.because} · ${line.said}`}
                {line.type === 'routine.failed' ? <FailureFolded seq={line.seq} /> : null}
              </td>
              <td className="why">
                <WhyLink line={line} />
              </td>
            </tr>
          </Fragment>
        ))}
      </tbody>
    </table>
  )
}

/** Leads to why; it names the event that a line follows from. */
function WhyLink({ line: { seq, cause } }: { readonly line: LogLine }) {
  const session = useSession()
  const text = cause === null ? 'why' : `← ${session.numberOf(cause)}`
  return (
    <button
      type="button"
      className="link"
      onClick={() => session.go({ view: 'why', seq })}
      aria-label={`${text}: why event ${session.numberOf(seq)}`}
    >
      {text}
    </button>
  )
}

/** Above it only what is rare is held. */
function Edge({ columns }: { readonly columns: number }) {
  return (
    <tr className="edge">
      <td colSpan={columns}>Of the time above only failures, restarts, silence, phases and orders are known.</td>
    </tr>
  )
}

/** The class of an event, for its colour. */
export function typeClass(type: string): string {
  if (/failed|gaveUp|killed|broken|orphaned/.test(type)) return 'bad'
  if (/restarted|hung|refused|dropped|deadLetter|ordered/.test(type)) return 'odd'
  return ''
}
