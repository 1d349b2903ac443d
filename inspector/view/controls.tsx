/** Controls of the chosen actor, or of all routines that pass the filter. What an order will hit is shown before it is given. */
import { useRef, useState } from 'react'
import type { Control, Done } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import type { Session } from '../state/session.ts'
import { count, nameOf } from './shared.tsx'

interface Order {
  readonly control: Control
  readonly title: string
  readonly paths: readonly string[]
  /** What will happen, in a sentence. */
  readonly effect: string
  readonly isDestructive: boolean
}

/** States of a routine that can still be given an order. */
const LIVING = new Set(['pending', 'queued', 'running', 'stopping', 'hung'])
const SHOWN = 8

export function ControlBar() {
  const session = useSession()
  const [order, setOrder] = useState<Order>()
  const [done, setDone] = useState<string>()
  if (!session.mayOrder) return null
  const { path } = session.place
  const chosen = path === '' ? 0 : session.table.find(path)
  const give = (next: Order): void => {
    setDone(undefined)
    setOrder(next)
  }
  return (
    <div className="controls" role="toolbar" aria-label="Controls">
      {chosen === 0 ? (
        <span className="note">Choose an actor, or set a filter, to control it.</span>
      ) : (
        <Single chosen={chosen} give={give} />
      )}
      <Bulk give={give} />
      {done === undefined ? null : (
        <span className="note" role="status">
          {done}
        </span>
      )}
      {order === undefined ? null : (
        <Confirmation
          key={`${order.control} ${order.paths.length} ${order.paths[0]}`}
          order={order}
          close={(result) => {
            setOrder(undefined)
            if (result !== undefined) setDone(result)
          }}
        />
      )}
    </div>
  )
}

function Single({ chosen, give }: { readonly chosen: number; readonly give: (order: Order) => void }) {
  const session = useSession()
  const { kind, state } = session.table.item(chosen)
  const path = session.table.pathOf(chosen)
  const paths = [path]
  if (kind === 'routine') {
    const isOver = !LIVING.has(state)
    const name = nameOf(path)
    const offer = (control: Control, title: string, effect: string, isDestructive: boolean) => (
      <button type="button" disabled={isOver} onClick={() => give({ control, title, paths, effect, isDestructive })}>
        {title}
      </button>
    )
    return (
      <>
        {offer('cancel', 'Cancel', `Tells ${name} to stop, and does not restart it.`, true)}
        {offer('kill', 'Kill', `Gives up on ${name} at once, without waiting for it.`, true)}
        {offer('restart', 'Restart', `Ends the present run of ${name} and begins another.`, true)}
        {offer('send', 'Send…', `Sends a message to ${name}.`, false)}
      </>
    )
  }
  const below = living(session, chosen)
  const effect = `Stops ${path} and ${count(below)} living routines below it.`
  return (
    <>
      <button type="button" onClick={() => give({ control: 'shutdown', title: 'Shut down', paths, effect, isDestructive: true })}>
        Shut down
      </button>
      <button
        type="button"
        onClick={() =>
          give({
            control: 'shutdownNow',
            title: 'Shut down at once',
            paths,
            effect: `${effect} Nobody is waited for.`,
            isDestructive: true,
          })
        }
      >
        Shut down at once
      </button>
    </>
  )
}

function living(session: Session, slot: number): number {
  return Object.entries(session.table.counts(slot)).reduce((sum, [state, value]) => sum + (LIVING.has(state) ? value : 0), 0)
}

function Bulk({ give }: { readonly give: (order: Order) => void }) {
  const session = useSession()
  const { table } = session
  if (!table.isFiltered) return null
  const offer = (control: Control, title: string, verb: string) => (
    <button
      type="button"
      onClick={() => {
        const paths = table.matchingPaths(({ kind, state }) => kind === 'routine' && LIVING.has(state))
        const effect = `${verb} ${count(paths.length)} living routines that pass the filter.`
        give({ control, title: `${title} all`, paths, effect, isDestructive: control !== 'send' })
      }}
    >
      {title} all
    </button>
  )
  return (
    <span className="bulk">
      <span className="note">of the filter:</span>
      {offer('cancel', 'Cancel', 'Tells to stop, for good:')}
      {offer('kill', 'Kill', 'Gives up at once on')}
      {offer('restart', 'Restart', 'Begins another run of')}
      {offer('send', 'Send to', 'Sends a message to')}
    </span>
  )
}

function Confirmation({ order, close }: { readonly order: Order; readonly close: (result?: string) => void }) {
  const session = useSession()
  const { control, title, paths, effect, isDestructive } = order
  const [text, setText] = useState('{ "type": "" }')
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  // An order is not given twice: a second click may come before anything is drawn anew.
  const isGiven = useRef(false)
  const isShown = useRef(false)
  const open = (element: HTMLDialogElement | null): void => {
    if (element === null || isShown.current) return
    isShown.current = true
    element.showModal()
  }
  const act = async (): Promise<void> => {
    if (isGiven.current) return
    isGiven.current = true
    setBusy(true)
    try {
      const event = control === 'send' ? (JSON.parse(text) as unknown) : undefined
      close(summary(await session.order(control, paths, event), paths.length))
    } catch (error) {
      setProblem((error as Error).message)
      isGiven.current = false
      setBusy(false)
    }
  }
  return (
    <dialog ref={open} className="confirm" aria-labelledby="confirm-title" onClose={() => close()}>
      <h2 id="confirm-title">{title}?</h2>
      <p>{effect}</p>
      <ul className="hit">
        {paths.slice(0, SHOWN).map((path) => (
          <li key={path}>{path}</li>
        ))}
        {paths.length > SHOWN ? <li>and {count(paths.length - SHOWN)} more</li> : null}
      </ul>
      {control === 'send' ? (
        <label>
          Message, as JSON
          <textarea value={text} rows={4} spellCheck={false} onChange={({ target }) => setText(target.value)} />
        </label>
      ) : null}
      {problem === undefined ? null : <p role="alert">{problem}</p>}
      <div className="bar">
        <button type="button" onClick={() => close()}>
          Leave it
        </button>
        <button
          type="button"
          className={isDestructive ? 'danger' : 'primary'}
          disabled={paths.length === 0 || isBusy}
          onClick={() => void act()}
        >
          {isBusy ? 'telling…' : `${title} ${paths.length > 1 ? count(paths.length) : ''}`}
        </button>
      </div>
    </dialog>
  )
}

function summary({ hit, missed }: Done, total: number): string {
  const others = total - hit
  const some = missed[0] === undefined ? '' : `; ${count(others)} not${others === 1 ? '' : ', such as'} ${missed[0]}`
  return `${count(hit)} told${some}`
}
