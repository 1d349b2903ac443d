/** The whole page: the tree on the left, a view of it on the right, time below. */
import { useSelector } from '@xstate/react'
import { useEffect } from 'react'
import type { Hello } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import type { View } from '../state/place.ts'
import { ActorPane } from './actor.tsx'
import { Alerts } from './alerts.tsx'
import { ComparePane } from './compare.tsx'
import { ControlBar } from './controls.tsx'
import { FaultBanner } from './fault.tsx'
import { Header } from './header.tsx'
import { HealthPane } from './health.tsx'
import { LogPane } from './log.tsx'
import { MessagesPane } from './messages.tsx'
import { ProblemsPane } from './problems.tsx'
import { Empty } from './shared.tsx'
import { ShutdownPane } from './shutdown.tsx'
import { TimelinePane } from './timeline.tsx'
import { Transport } from './transport.tsx'
import { TreePane } from './tree.tsx'
import { ViolationsBanner } from './violations.tsx'
import { WhyPane } from './why.tsx'

const PANES: Readonly<Record<View, { readonly title: string; readonly Pane: () => React.JSX.Element }>> = {
  problems: { title: 'Problems', Pane: ProblemsPane },
  health: { title: 'Health', Pane: HealthPane },
  actor: { title: 'Actor', Pane: ActorPane },
  timeline: { title: 'Timeline', Pane: TimelinePane },
  messages: { title: 'Messages', Pane: MessagesPane },
  log: { title: 'Log', Pane: LogPane },
  why: { title: 'Why', Pane: WhyPane },
  shutdown: { title: 'Shutdown', Pane: ShutdownPane },
  compare: { title: 'Compare', Pane: ComparePane },
}

const ORDER: readonly View[] = ['problems', 'health', 'actor', 'why', 'timeline', 'messages', 'log', 'shutdown']

export function Page() {
  const session = useSession()
  const status = useSelector(session.page, (snapshot) => snapshot)
  if (status.matches('refused')) return <Refused why={status.context.why} isRecording={isRecording(status.context)} />
  const { Pane } = PANES[session.place.view]
  const isEmpty = session.table.size === 0
  const isReplaced = status.matches('replaced')
  if (isReplaced && isEmpty) return <Refused why={status.context.why} isRecording={false} />
  return (
    <div className={session.isLawBroken ? 'page is-broken' : 'page'} data-at={session.table.at}>
      <Alerts />
      <Header />
      <FaultBanner />
      <ViolationsBanner />
      {isReplaced ? <Replaced /> : null}
      <main>
        <TreePane />
        <section className="detail" aria-label={PANES[session.place.view].title}>
          <Tabs />
          <ControlBar />
          <div className="pane" id="pane" role="tabpanel" tabIndex={-1}>
            {isEmpty ? <NoTreeYet /> : <Pane key={session.place.view} />}
          </div>
        </section>
      </main>
      <Transport />
    </div>
  )
}

function Tabs() {
  const session = useSession()
  const { view } = session.place
  // In a narrow window not all of them are in sight.
  useEffect(() => {
    document.getElementById(`tab-${view}`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [view])
  const views: readonly View[] = session.beside === undefined ? ORDER : [...ORDER, 'compare']
  const move = (event: React.KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (by === 0) return
    event.preventDefault()
    const next = views[(views.indexOf(view) + by + views.length) % views.length] as View
    session.go({ view: next })
    document.getElementById(`tab-${next}`)?.focus()
  }
  return (
    <div className="tabs" role="tablist" aria-label="Views" onKeyDown={move}>
      {views.map((each) => (
        <button
          key={each}
          id={`tab-${each}`}
          type="button"
          role="tab"
          aria-selected={each === view}
          aria-controls="pane"
          tabIndex={each === view ? 0 : -1}
          onClick={() => session.go({ view: each })}
        >
          {PANES[each].title}
        </button>
      ))}
    </div>
  )
}

function NoTreeYet() {
  const session = useSession()
  const isLost = session.page.getSnapshot().matches('lost')
  return isLost ? (
    <Empty title="The process is not there">It has ended, or has not begun. The page looks for it every few seconds.</Empty>
  ) : (
    <Empty title="Looking at the tree…">The first picture comes within a moment.</Empty>
  )
}

function Replaced() {
  return (
    <aside className="replaced" role="alert">
      <strong>Another run has taken its place:</strong> open the address that it has printed. What is shown is of the run before, and gone
      with it once this page is closed.
    </aside>
  )
}

const isRecording = ({ standalone, hello }: { readonly standalone: boolean; readonly hello: Hello | undefined }): boolean =>
  standalone || hello?.source === 'file'

function Refused({ why, isRecording }: { readonly why: string; readonly isRecording: boolean }) {
  return (
    <main className="refused">
      <h1>curtaincall</h1>
      <Empty title={isRecording ? 'This recording can’t be shown' : 'This page may not look'}>{why}</Empty>
    </main>
  )
}
