/** Sends an actor one of the events that it knows. */
import { useRef, useState } from 'react'
import type { ActorView } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import { EventChips } from './event-chips.tsx'

interface Result {
  readonly text: string
  readonly isBad: boolean
}

export function SendForm({ view }: { readonly view: ActorView }) {
  const { path } = view
  const session = useSession()
  const [text, setText] = useState('{ "type": "" }')
  const [result, setResult] = useState<Result>()
  const [isBusy, setBusy] = useState(false)
  const isSending = useRef(false)
  const send = async (): Promise<void> => {
    // What is under way is not sent again.
    if (isSending.current) return
    isSending.current = true
    setBusy(true)
    try {
      const event = JSON.parse(text) as { type?: unknown }
      const { hit, missed, ignored = 0 } = await session.order('send', [path], event)
      const type = String(event.type)
      if (hit !== 1) setResult({ text: missed[0] ?? 'it was not sent', isBad: true })
      else if (ignored > 0) setResult({ text: `${type} was refused: nothing is to be done for it in its present state`, isBad: true })
      else setResult({ text: `${type} was sent`, isBad: false })
    } catch (error) {
      setResult({ text: error instanceof SyntaxError ? `This is not JSON: ${error.message}` : (error as Error).message, isBad: true })
    } finally {
      isSending.current = false
      setBusy(false)
    }
  }
  return (
    <section aria-label="Send an event">
      <h3>Events that it knows</h3>
      <form
        className="send"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <EventChips view={view} choose={(type) => setText(JSON.stringify({ type }))} />
        <textarea
          aria-label="Event, as JSON"
          rows={2}
          spellCheck={false}
          value={text}
          onChange={({ target }) => setText(target.value)}
          onKeyDown={({ key, ctrlKey, metaKey, repeat }) => key === 'Enter' && (ctrlKey || metaKey) && !repeat && void send()}
        />
        <div className="bar">
          {/* Not disabled, since by keyboard one would lose the focus. The second click of a double click does not send. */}
          <button type="submit" className="primary" aria-disabled={isBusy} onClick={(event) => event.detail > 1 && event.preventDefault()}>
            Send
          </button>
          <output className={result?.isBad === true ? 'bad' : ''}>
            {result === undefined ? '' : `${result.isBad ? '✕' : '✓'} ${result.text}`}
          </output>
        </div>
      </form>
    </section>
  )
}
