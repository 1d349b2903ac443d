/** One actor: who it is, where it stands, what it holds, and what has happened to it. */
import { useState } from 'react'
import type { ActorView, SnapshotLine } from '../../src/inspector/protocol.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import { useTicking } from '../state/ticking.ts'
import { ActorHead } from './actor-head.tsx'
import { SendForm } from './actor-send.tsx'
import { StatePanel } from './actor-state.tsx'
import './actor.css'
import { ChartPanel } from './chart.tsx'
import { EventChips } from './event-chips.tsx'
import { LastFailure, Runs } from './runs.tsx'
import { EventTable } from './log.tsx'
import { count, Empty, Failed, leftOut, Stale } from './shared.tsx'

/** Milliseconds after which it is asked for again. */
const TICK = 500

export function ActorPane() {
  const session = useSession()
  const { path } = session.place
  if (path === '')
    return (
      <Empty title="Nobody is chosen">
        Choose a manager or a routine in the tree: here come its statechart, what it holds, and what has happened to it.
      </Empty>
    )
  // Another actor is another view: nothing that was chosen in the one means anything in the other.
  return <Actor key={path} path={path} />
}

function Actor({ path }: { readonly path: string }) {
  const session = useSession()
  const { answer: view, error, isLoading } = useAnswer('actor', { path }, TICK)
  useTicking(true, TICK)
  if (view === undefined) {
    if (error !== undefined) return <Failed error={error} />
    if (isLoading) return <Empty title="Looking…">{path}</Empty>
    return (
      <Empty title={session.player === undefined ? `${path} is not there any more` : `${path} is not there at this moment`}>
        {session.player === undefined
          ? 'It has ended, and too many others have ended since. The log may still hold what happened to it.'
          : 'Move the slider below to when it was, or choose somebody else.'}
      </Empty>
    )
  }
  return <Known view={view} stale={error} />
}

function Known({ view, stale }: { readonly view: ActorView; readonly stale: string | undefined }) {
  const session = useSession()
  const [then, setThen] = useState<SnapshotLine>()
  // Of an actor that has ended, and of many in a recording, only events are known.
  const inside = session.player === undefined ? !isOver(view) : view.snapshots.length > 0
  // A snapshot of an earlier life is gone with it.
  const held = view.snapshots.find(({ n }) => n === then?.n)
  return (
    <div className="actor">
      <ActorHead view={view} isOver={!inside} />
      <Stale error={stale} />
      <LastFailure view={view} />
      {view.kind === 'routine' && view.work === undefined ? <Runs view={view} then={held} /> : <ChartPanel view={view} then={held} />}
      <div className="columns">
        {inside ? (
          <StatePanel view={view} chosen={held} choose={setThen} />
        ) : (
          <section aria-label="State">
            <h3>State</h3>
            <p className="note">
              {session.player === undefined
                ? 'It has ended: what it held is gone with it.'
                : `Of what was inside it by this moment nothing was recorded.${leftOut(session.player.recording.traffic, 'snapshots')}`}
            </p>
          </section>
        )}
        <div className="actor-side">
          <Facts view={view} isOver={session.player === undefined && !inside} />
          {session.mayOrder && view.events.length > 0 ? <SendForm view={view} /> : <KnownEvents view={view} />}
        </div>
      </div>
      <History view={view} />
    </div>
  )
}

/** True if only events are left of it. */
const isOver = ({ snapshots, context, life }: ActorView): boolean =>
  context === undefined && snapshots.length === 0 && Object.keys(life.taken).length === 0

function Facts({ view: { path, facts, messages }, isOver }: { readonly view: ActorView; readonly isOver: boolean }) {
  const session = useSession()
  const isUnknown = useAnswer('strangers', { paths: [path] }, 2_000).answer?.includes(path) === true
  return (
    <section aria-label="Options">
      <h3>Options and facts</h3>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {isOver ? null : (
          <div>
            <dt>messages</dt>
            <dd>
              {count(messages.in)} in,{' '}
              {isUnknown ? 'out: not known, since it had begun before the inspector' : `${count(messages.out)} out`}{' '}
              <button type="button" className="link" onClick={() => session.go({ view: 'messages' })}>
                show them
              </button>
            </dd>
          </div>
        )}
      </dl>
    </section>
  )
}

function KnownEvents({ view }: { readonly view: ActorView }) {
  if (view.events.length === 0) return null
  return (
    <section aria-label="Events">
      <h3>Events that it knows</h3>
      <EventChips view={view} choose={undefined} />
    </section>
  )
}

function History({ view: { history } }: { readonly view: ActorView }) {
  return (
    <section aria-label="History">
      <h3>What has happened to it</h3>
      {history.length === 0 ? (
        <p className="note">Nothing that is still held.</p>
      ) : (
        <div className="scroll framed" tabIndex={0} role="region" aria-label="Events of this actor">
          <EventTable lines={history.toReversed()} isOfOne />
        </div>
      )}
    </section>
  )
}
