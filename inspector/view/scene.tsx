/** What somebody was doing just before it failed, and what that took down. */
import { useMemo } from 'react'
import type { SceneView } from '../../src/inspector/protocol.ts'
import { readable } from '../../src/inspector/chart.ts'
import { activeIds, valueText } from '../layout/active.ts'
import { useAnswer } from '../state/hooks.ts'
import { useLayout } from './chart.tsx'
import { ChartDrawing } from './chart-drawing.tsx'
import { ChartStage } from './chart-stage.tsx'
import { Change } from './actor-state.tsx'
import { count, nameOf, PathLink } from './shared.tsx'

/** What it took down may still grow. */
const NOW_AND_THEN = 5_000
/** Differences that are shown. */
const CHANGES = 8

export function Scene({ seq, path }: { readonly seq: number; readonly path: string }) {
  const { answer } = useAnswer('scene', { seq }, NOW_AND_THEN)
  if (answer === undefined) return null
  const { machine, messages, struck } = answer
  if (struck.length === 0 && machine === undefined && messages.length === 0) return null
  return (
    <div className="scene">
      {struck.length === 0 ? null : <Struck struck={struck} />}
      {machine === undefined ? null : <Machine machine={machine} path={path} />}
      {messages.length === 0 ? null : <Messages messages={messages} path={path} />}
    </div>
  )
}

const DEEDS: Readonly<Record<string, string>> = {
  'routine.failed': 'failed',
  'routine.cancelled': 'was stopped',
  'routine.killed': 'was given up on',
  'link.broken': 'was tied to it',
  'manager.gaveUp': 'gave up',
  'manager.stopped': 'stopped',
  'manager.restarted': 'began anew',
}

function Struck({ struck }: Pick<SceneView, 'struck'>) {
  return (
    <section>
      <h4>What it took down with it</h4>
      <ul className="struck">
        {struck.map(({ seq, type, path }) => (
          <li key={seq}>
            <PathLink path={path} /> {DEEDS[type] ?? type}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Machine({ machine, path }: { readonly machine: NonNullable<SceneView['machine']>; readonly path: string }) {
  const { value, event, before, changes } = machine
  // The same scene is answered anew now and then: what is drawn stays as it is.
  const text = JSON.stringify(machine.chart)
  const chart = useMemo(() => JSON.parse(text) as typeof machine.chart, [text])
  const laid = useLayout(chart)
  const active = useMemo(() => activeIds(chart, value), [chart, value])
  const said = `It was in ${valueText(value)}${event === '' ? '' : `, and failed on ${readable(event)}`}`
  return (
    <section>
      <h4>Just before: {said.charAt(0).toLowerCase() + said.slice(1)}</h4>
      <ChartStage laid={laid} active={active} note="" label={`Statechart of ${nameOf(path)}. ${said}`}>
        {(layout) => (
          <ChartDrawing graph={laid.graph} layout={layout} active={active} taken={NONE} isThen lit={event === '' ? undefined : event} />
        )}
      </ChartStage>
      {changes.length === 0 ? null : (
        <>
          <h4>What {before === '' ? 'had changed last' : `${readable(before)} had changed`}</h4>
          <ul className="differences">
            {changes.slice(0, CHANGES).map((each) => (
              <Change key={JSON.stringify(each.at)} {...each} />
            ))}
          </ul>
          {changes.length > CHANGES ? <p className="note">and {count(changes.length - CHANGES)} more</p> : null}
        </>
      )}
    </section>
  )
}

const NONE = {}

function Messages({ messages, path }: Pick<SceneView, 'messages'> & { readonly path: string }) {
  return (
    <section>
      <h4>Its last messages</h4>
      <ol className="last-messages">
        {messages.map(({ n, from, to, type, kind }) => (
          <li key={n}>
            <span aria-label={to === path ? 'in' : 'out'}>{to === path ? '→' : '←'}</span> <code>{readable(type)}</code>{' '}
            <small>
              {kind === 'event' || kind === 'send' ? '' : `${kind}, `}
              {to === path ? (from === '' ? 'from outside' : `from ${nameOf(from)}`) : to === '' ? 'to outside' : `to ${nameOf(to)}`}
            </small>
          </li>
        ))}
      </ol>
    </section>
  )
}
