/** Shutdowns as a waterfall of the five phases, and who is waited for. */
import { useState } from 'react'
import { PHASES } from '../../machines/lifecycle-event.ts'
import type { ShutdownView } from '../../src/inspector/protocol.ts'
import { useAnswer } from '../state/hooks.ts'
import { useTicking } from '../state/ticking.ts'
import { axisEnd, type Blocking, blockersOf, type Episode, episodesOf, patience, progressOf, segmentsOf } from '../state/waterfall.ts'
import { AccountBox, accountOf } from './account.tsx'
import { count, Empty, Failed, Glyph, moment, nameOf, PathLink, span, Stale, State } from './shared.tsx'
import './shutdown.css'

/** Managers that are drawn, and blockers that are named. */
const DRAWN = 300
const NAMED = 50
/** Blockers of one manager that the server names. */
const LISTED = 20
/** Parts of the time axis. */
const TICKS = 5

export function ShutdownPane() {
  const { answer, error, isLoading } = useAnswer('shutdown', {}, 250)
  const [chosen, setChosen] = useState('')
  const episodes = answer === undefined ? [] : episodesOf(answer)
  useTicking(
    episodes.some(({ endedAt }) => endedAt === undefined),
    500,
  )
  if (error !== undefined && answer === undefined) return <Failed error={error} />
  if (answer === undefined || isLoading) return <Empty title="Looking for shutdowns…" />
  const episode = episodes.find((each) => keyOf(each) === chosen) ?? episodes[0]
  if (episode === undefined)
    return (
      <Empty title="Nothing was shut down so far">
        As soon as a manager stops, the five phases of it and of all below are drawn here, with who holds them up.
      </Empty>
    )
  const account = accountOf(answer.accounts, episode)
  return (
    <div className="shutdown">
      <Summary episode={episode} now={answer.now} />
      {episodes.length === 1 ? null : (
        <label className="note">
          Shutdown{' '}
          <select value={keyOf(episode)} onChange={({ target }) => setChosen(target.value)}>
            {episodes.slice(0, 100).map((each) => (
              <option key={keyOf(each)} value={keyOf(each)}>
                {each.root.path}, {moment(each.from)}
                {each.endedAt === undefined ? ', goes on' : ''}
              </option>
            ))}
          </select>{' '}
          {count(episodes.length)} are held
        </label>
      )}
      {episode.endedAt === undefined ? <Blockers episode={episode} now={answer.now} /> : null}
      {account === undefined ? null : <AccountBox account={account} />}
      <Waterfall episode={episode} now={answer.now} hidden={answer.total - answer.runs.length} />
      <Durations episode={episode} now={answer.now} />
      <Stale error={error} />
    </div>
  )
}

const keyOf = ({ root, from }: Episode): string => `${from} ${root.path}`
const plural = (many: number, one: string): string => `${count(many)} ${one}${many === 1 ? '' : 's'}`

function Summary({ episode: { root, from, endedAt }, now }: { readonly episode: Episode; readonly now: number }) {
  if (endedAt !== undefined) {
    const late = root.deadline !== undefined && endedAt >= root.deadline
    return (
      <h2>
        {root.path}: ended <State state={root.state ?? 'completed'} /> after {span(endedAt - from)}
        {late ? ', out of time' : ''}
        {root.deadline === undefined || late ? null : <small> of the {span(root.deadline - from)} that it had</small>}
      </h2>
    )
  }
  const left = root.deadline === undefined ? undefined : root.deadline - now
  return (
    <h2>
      <Glyph state="stopping" /> {root.path}: {doing(root)}
      {left === undefined ? '' : left > 0 ? `, ${span(left)} until the deadline` : ', its time is up'}
    </h2>
  )
}

function doing({ phases, living }: ShutdownView): string {
  const phase = phases.at(-1)?.phase ?? 'closing'
  if (phase === 'cleaning') return 'cleaning up'
  if (living === undefined) return `in ${phase}`
  const whom = plural(living, 'routine')
  if (phase === 'closing') return `closed; ${whom} may end by itself`.replace(/s may end by itself/, 's may end by themselves')
  if (phase === 'killing') return `giving up on ${whom}`
  return living === 0 ? `${phase}, though no routine is left` : `waiting for ${whom}`
}

// --- who blocks ------------------------------------------------------------------------------

function Blockers({ episode, now }: { readonly episode: Episode; readonly now: number }) {
  const all = blockersOf(episode)
  const named = all.slice(0, NAMED)
  // The server names a few of each manager; only where that is all of them, the others can be counted.
  const isWhole = episode.runs.every(({ blocking }) => blocking.length < LISTED)
  const isDraining = episode.root.phases.at(-1)?.phase === 'closing'
  const later = (episode.root.living ?? 0) - all.length
  return (
    <section className="blockers" aria-label="Who blocks now" tabIndex={0}>
      <h3>Who blocks now</h3>
      {named.length === 0 ? (
        <p className="note">{nobody(episode, now)}</p>
      ) : (
        <ul>
          {named.map((blocker) => (
            <li key={blocker.path}>
              <Glyph state={blocker.state} />
              <span className="blocker">
                <PathLink path={blocker.path} />{' '}
                <small title={blocker.path}>in {blocker.path.slice(0, blocker.path.lastIndexOf('/'))}</small>
              </span>
              <p>{reason(blocker, episode.root, now)}</p>
              <Patience blocker={blocker} root={episode.root} now={now} />
            </li>
          ))}
        </ul>
      )}
      {all.length > NAMED ? <p className="note">and {count(all.length - NAMED)} more</p> : null}
      {isDraining && later > 0 ? <p className="note">and {count(later)} more, all of which may end by themselves</p> : null}
      {!isDraining && isWhole && later > 0 ? (
        <p className="note">
          {later === 1 ? 'A further routine stops' : `${count(later)} further routines stop`} when the turn comes: managers stop one by one,
          the latest first.
        </p>
      ) : null}
    </section>
  )
}

/** What to say where no routine blocks: a listener may. */
function nobody({ runs }: Episode, now: number): string {
  const hooked = runs.findLast(({ endedAt, hooks }) => endedAt === undefined && hooks > 0)
  if (hooked !== undefined) return `No routine. ${hooked.path}: ${progressOf(hooked)} of its manager.phase.`
  const slow = runs.findLast(({ endedAt, held, phases }) => endedAt === undefined && !held && now - (phases.at(-1)?.from ?? now) > 250)
  const phase = slow?.phases.at(-1)
  if (slow === undefined || phase === undefined) return 'Nobody: it goes on by itself.'
  return `No routine. ${slow.path} has been in ${phase.phase} for ${span(now - phase.from)}: a listener of its manager.phase may hold it, or work that is allowed to end by itself.`
}

function reason({ path, state, since, asked, until, by }: Blocking, root: ShutdownView, now: number): string {
  const who = `waiting for ${nameOf(path)}: `
  const said = [since === undefined ? state : `running for ${span(now - since)}`]
  if (asked !== undefined) said.push(`told to stop ${span(now - asked)} ago`)
  else if (by.phases.at(-1)?.phase === 'closing') said.push('not told to stop yet: it may end by itself')
  if (until !== undefined && until > now) said.push(`has ${span(until - now)} of its shutdown time left`)
  else if (until !== undefined) said.push('its shutdown time is over')
  else if (asked !== undefined && root.deadline !== undefined) said.push('has until the deadline of the whole')
  return who + said.join(', ')
}

/** How much is left of the time that a routine has to stop, as a gauge. */
function Patience({ blocker, root, now }: { readonly blocker: Blocking; readonly root: ShutdownView; readonly now: number }) {
  const end = patience(blocker, root)
  const from = blocker.asked ?? blocker.by.startedAt
  if (end === undefined || end <= from) return <span />
  const left = Math.max(0, Math.min(1, (end - now) / (end - from)))
  return (
    <span className="patience" role="img" aria-label={`${Math.round(left * 100)} % of its time is left`}>
      <span style={{ width: `${left * 100}%` }} />
    </span>
  )
}

// --- the waterfall ---------------------------------------------------------------------------

function Waterfall({ episode, now, hidden }: { readonly episode: Episode; readonly now: number; readonly hidden: number }) {
  const { root, from, endedAt, runs } = episode
  const to = axisEnd(episode, now)
  const at = (time: number): number => Math.max(0, Math.min(100, ((time - from) / (to - from)) * 100))
  const ticks = Array.from({ length: TICKS + 1 }, (_, k) => ((to - from) * k) / TICKS)
  const left = Math.max(0, runs.length - DRAWN) + hidden
  const hasDeadline = root.deadline !== undefined && root.deadline <= to
  return (
    <section aria-label="Phases">
      <ul className="phase-legend" aria-label="Phases, in their order">
        {PHASES.map((phase) => (
          <li key={phase}>
            <span className={`swatch phase ${phase}`} /> {phase}
          </li>
        ))}
        <li>
          <span className="swatch phase closing held" /> closed, waits its turn
        </li>
        {hasDeadline ? (
          <li>
            <span className="swatch mark deadline" /> deadline
          </li>
        ) : null}
        {endedAt === undefined ? (
          <li>
            <span className="swatch mark now" /> now
          </li>
        ) : null}
      </ul>
      <div className="waterfall">
        <div className="axis" aria-hidden>
          <span />
          <div>
            {ticks.map((tick, k) => (
              <span key={k} style={{ left: `${(k / TICKS) * 100}%` }}>
                {span(tick)}
              </span>
            ))}
          </div>
          <span />
        </div>
        <ol>
          {runs.slice(0, DRAWN).map((run) => (
            <ManagerPhases key={run.path} run={run} base={root.depth} now={now} at={at} />
          ))}
        </ol>
        <div className="marks" aria-hidden>
          <div>
            {hasDeadline ? <span className="mark deadline" style={{ left: `${at(root.deadline as number)}%` }} /> : null}
            {endedAt === undefined ? <span className="mark now" style={{ left: `${at(now)}%` }} /> : null}
          </div>
        </div>
      </div>
      {left > 0 ? <p className="note">{plural(left, 'further manager')} not drawn: those that took longest are.</p> : null}
    </section>
  )
}

interface ManagerPhasesProps {
  readonly run: ShutdownView
  readonly base: number
  readonly now: number
  readonly at: (time: number) => number
}

function ManagerPhases({ run, base, now, at }: ManagerPhasesProps) {
  const { path, depth, phases, endedAt, startedAt, state } = run
  const whole = (endedAt ?? now) - startedAt
  const said = phases.map(({ phase, from, to }) => `${phase} ${span((to ?? now) - from)}`).join(', ')
  return (
    <li>
      <span className="name" style={{ paddingInlineStart: Math.min(10, depth - base) * 14 }}>
        <PathLink path={path} />
      </span>
      <span className="track" role="img" aria-label={said} title={said}>
        {segmentsOf(run, now, at).map(({ phase: each, left, width, shift }) => {
          // A manager below is closed with those above it, and has nothing to do until its turn comes.
          const isHeld = each === 'closing' && depth > base && width > 0.2
          return (
            <span
              key={each}
              className={`phase ${each} ${isHeld ? 'held' : ''}`}
              style={{ left: `calc(${left}% + ${shift}px)`, width: `calc(${width}% - ${shift}px)` }}
            >
              {isHeld ? null : <b>{each}</b>}
            </span>
          )
        })}
      </span>
      <span className="total">
        {endedAt === undefined ? <Glyph state="stopping" quiet /> : <Glyph state={state ?? 'completed'} />}
        {endedAt === undefined ? progressOf(run) : span(whole)}
      </span>
    </li>
  )
}

/** The same in numbers. */
function Durations({ episode: { runs }, now }: { readonly episode: Episode; readonly now: number }) {
  return (
    <details className="durations">
      <summary>Durations as a table</summary>
      <div className="lines">
        <table>
          <thead>
            <tr>
              <th scope="col">manager</th>
              {PHASES.map((phase) => (
                <th key={phase} scope="col">
                  {phase}
                </th>
              ))}
              <th scope="col">whole</th>
              <th scope="col">ended</th>
            </tr>
          </thead>
          <tbody>
            {runs.slice(0, DRAWN).map(({ path, phases, startedAt, endedAt, state }) => (
              <tr key={path}>
                <td>
                  <PathLink path={path} whole />
                </td>
                {PHASES.map((name) => {
                  const found = phases.find(({ phase }) => phase === name)
                  return <td key={name}>{found === undefined ? '–' : span((found.to ?? now) - found.from)}</td>
                })}
                <td>{span((endedAt ?? now) - startedAt)}</td>
                <td>{endedAt === undefined ? 'not yet' : <State state={state ?? 'completed'} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
