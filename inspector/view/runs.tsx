/** What a function has done: its runs, and the steps of the latest one. A function has no statechart of its own. */
import { useState } from 'react'
import type { ActorView, LogLine } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import { ChartPanel, type Then } from './chart.tsx'
import { typeClass } from './log.tsx'
import { count, Glyph, moment, span } from './shared.tsx'
import { FailureOf } from './stack.tsx'
import './runs.css'

interface Run {
  readonly number: number
  readonly lines: LogLine[]
}

/** Runs that are shown, the latest first. */
const SHOWN = 12
const STEPS: Readonly<Record<string, readonly [word: string, glyph: string]>> = {
  'routine.spawned': ['spawned', 'pending'],
  'routine.queued': ['queued', 'queued'],
  'routine.restarted': ['restart decided', 'pending'],
  'routine.started': ['started', 'running'],
  'routine.completed': ['completed', 'completed'],
  'routine.failed': ['failed', 'failed'],
  'routine.cancelled': ['cancelled', 'cancelled'],
  'routine.killed': ['killed', 'killed'],
  'routine.hung': ['silent', 'hung'],
  'routine.revived': ['alive again', 'running'],
  'control.ordered': ['ordered by hand', 'stopping'],
  'message.dropped': ['dropped a message', 'stopping'],
}

function runsOf(history: readonly LogLine[]): Run[] {
  const runs: Run[] = []
  for (const line of history) {
    const number = Number(/(?:^|, )incarnation (\d+)/.exec(line.said)?.[1] ?? runs.at(-1)?.number ?? 1)
    const run = runs.at(-1)
    if (run?.number === number) run.lines.push(line)
    else runs.push({ number, lines: [line] })
  }
  return runs.reverse()
}

export function Runs({ view, then }: { readonly view: ActorView; readonly then: Then | undefined }) {
  const session = useSession()
  const [isOpen, setOpen] = useState(false)
  const [latest, ...earlier] = runsOf(view.history)
  const now = view.now ?? session.table.at
  return (
    <section className="runs" aria-label="Its runs">
      <h3>What it has done</h3>
      {latest === undefined ? <p className="note">Nothing that is still held.</p> : <Steps run={latest} now={now} view={view} />}
      {earlier.length === 0 ? null : (
        <ol className="earlier-runs" aria-label="Earlier runs">
          {earlier.slice(0, SHOWN).map(({ number, lines }) => (
            <EarlierRun key={number} number={number} lines={lines} />
          ))}
        </ol>
      )}
      {earlier.length > SHOWN ? <p className="note">and {count(earlier.length - SHOWN)} more in its history</p> : null}
      <details className="lifecycle" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>the chart of its lifecycle, the same for all routines</summary>
        {isOpen ? <ChartPanel view={view} then={then} /> : null}
      </details>
    </section>
  )
}

function EarlierRun({ number, lines }: Run) {
  const last = lines.at(-1)
  if (last === undefined) return null
  const [word, glyph] = STEPS[last.type] ?? [last.type, 'pending']
  const took = /duration ([\d.]+) ms/.exec(last.said)?.[1]
  const gist = /(?:error|reason) (.+)$/s.exec(last.said)?.[1] ?? ''
  return (
    <li>
      <Glyph state={glyph} quiet /> run {count(number)} {word}
      {took === undefined ? '' : ` after ${span(Number(took))}`} <span className="note">{gist}</span>
    </li>
  )
}

function Steps({ run: { number, lines }, now, view }: { readonly run: Run; readonly now: number; readonly view: ActorView }) {
  const begun = lines[0]?.at ?? now
  const last = lines.at(-1)?.at ?? now
  const { messages, state } = view
  const goesOn = state === 'running' || state === 'hung' || state === 'stopping'
  return (
    <ol className="run-steps" aria-label={`Steps of run ${number}`}>
      {lines.map((line) => {
        const [word, glyph] = STEPS[line.type] ?? [line.type, 'pending']
        return (
          <li key={line.seq} className={typeClass(line.type)} title={line.said}>
            <Glyph state={glyph} quiet /> <b>{word}</b>
            <small title={moment(line.at)}>+{span(line.at - begun)}</small>
          </li>
        )
      })}
      {messages.in + messages.out === 0 ? null : (
        <li>
          <b>
            {count(messages.in)} in, {count(messages.out)} out
          </b>
          <small>messages</small>
        </li>
      )}
      {goesOn ? (
        <li className="now">
          <Glyph state={state} quiet /> <b>{state}</b>
          <small>for {span(now - last)}</small>
        </li>
      ) : null}
    </ol>
  )
}

/** The latest failure that is among what has happened to it: open while it has not run since. */
export function LastFailure({ view }: { readonly view: ActorView }) {
  const session = useSession()
  const failed = view.history.findLast(({ type }) => type === 'routine.failed')
  const [chosen, choose] = useState<boolean>()
  if (failed === undefined) return null
  const { next } = view
  const isOpen = chosen ?? (next !== undefined || view.state === 'failed')
  const now = view.now ?? session.table.at
  return (
    <section className="last-failure" aria-label="Its last failure">
      {next === undefined ? null : (
        <p className="next-run" role="status">
          <Glyph state="pending" quiet /> Its next run starts {next.at > now ? `in ${span(next.at - now)}` : 'now'}.
          {view.work === undefined ? '' : ' The statechart shows where the failed run was at last.'}
        </p>
      )}
      <details open={isOpen}>
        <summary
          onClick={(event) => {
            event.preventDefault()
            choose(!isOpen)
          }}
        >
          <h3>Its last failure, {moment(failed.at)}</h3> <span className="note">{/error (.+)$/s.exec(failed.said)?.[1]}</span>
        </summary>
        {isOpen ? <FailureOf seq={failed.seq} /> : null}
      </details>
    </section>
  )
}
