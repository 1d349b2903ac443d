/** The moment that is shown: live, or anywhere in a recording. */
import { useSelector } from '@xstate/react'
import { useState } from 'react'
import { useSession } from '../state/hooks.ts'
import { moment, span, STALE } from './shared.tsx'

const SPEEDS = [0.1, 0.5, 1, 2, 5, 10, 100]

export function Transport() {
  const session = useSession()
  const status = useSelector(session.page, (snapshot) => snapshot)
  const isReplay = status.matches('replay')
  const isFetching = status.matches('fetching')
  const isFile = status.context.standalone || status.context.hello?.source === 'file'
  return (
    <footer className="transport" aria-label="Time">
      {isReplay ? (
        <Deck />
      ) : (
        <button type="button" disabled={!status.matches('live')} onClick={() => session.page.send({ type: 'record' })}>
          ◂ look back
        </button>
      )}
      {isFetching ? <span role="status">fetching what was recorded…</span> : null}
      {status.matches('live') && status.context.why !== '' ? <span role="alert">{status.context.why}</span> : null}
      <span id={STALE} role="status" className="stale" />
      {isFile ? null : (
        <button
          type="button"
          className="go-live"
          aria-pressed={!isReplay}
          disabled={!isReplay}
          onClick={() => session.page.send({ type: 'live' })}
        >
          ● live
        </button>
      )}
    </footer>
  )
}

function Deck() {
  const session = useSession()
  const isPlaying = useSelector(session.page, (snapshot) => snapshot.matches({ replay: 'playing' }))
  const [speed, setSpeed] = useState(session.speed)
  const { player } = session
  if (player === undefined) return null
  return (
    <>
      <button type="button" title="One event back" onClick={() => session.step(-1)}>
        ◂|
      </button>
      <button type="button" className="play" onClick={() => session.page.send({ type: isPlaying ? 'pause' : 'play' })}>
        {isPlaying ? '❚❚ pause' : '▸ play'}
      </button>
      <button type="button" title="One event on" onClick={() => session.step(1)}>
        |▸
      </button>
      <select
        aria-label="Speed"
        value={speed}
        onChange={({ target }) => {
          session.speed = Number(target.value)
          setSpeed(session.speed)
        }}
      >
        {SPEEDS.map((each) => (
          <option key={each} value={each}>
            {each}×
          </option>
        ))}
      </select>
      <input
        type="range"
        aria-label="Moment"
        aria-valuetext={moment(player.at)}
        min={player.from}
        max={Math.max(player.from + 1, player.to)}
        step="any"
        value={player.at}
        onChange={({ target }) => session.scrub(Number(target.value))}
      />
      <output>
        {moment(player.at)} <small>+{span(player.at - player.from)}</small>
      </output>
      <Bookmarks />
    </>
  )
}

function Bookmarks() {
  const session = useSession()
  const { marks } = session
  return (
    <span className="bookmarks">
      <button type="button" title="Remember this moment" onClick={() => session.mark()}>
        + mark
      </button>
      {marks.length === 0 ? null : (
        <select aria-label="Bookmarks" value="" onChange={({ target }) => session.scrub(Number(target.value))}>
          <option value="" disabled>
            {marks.length} bookmarks
          </option>
          {marks.map((at) => (
            <option key={at} value={at}>
              {moment(at)}
            </option>
          ))}
        </select>
      )}
    </span>
  )
}
