/** What views take from the session. */
import { createContext, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { Question, Questions } from '../../src/inspector/protocol.ts'
import type { Session } from './session.ts'

export const SessionContext = createContext<Session | undefined>(undefined)

/** The session; the view is drawn anew whenever something has changed. */
export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === undefined) throw new Error('there is no session around this view')
  useSyncExternalStore(session.subscribe, () => session.version)
  return session
}

export interface Answered<Answer> {
  /** The latest answer: it stays until there is another one, so that nothing jumps. */
  readonly answer: Answer | undefined
  readonly error: string | undefined
  /** True until the first answer to this question. */
  readonly isLoading: boolean
}

/** Milliseconds after which a question that has failed is asked again, at most, also if it is asked more seldom otherwise. */
const AGAIN = 1_000

/**
 * Asks, and asks again when something has changed, but never more often than so many milliseconds, and never twice at once.
 *
 * @param what `undefined` asks nothing.
 */
export function useAnswer<Name extends Question>(
  name: Name,
  what: Questions[Name]['ask'] | undefined,
  every = 500,
): Answered<Questions[Name]['answer']> {
  const session = useSession()
  const key = what === undefined ? undefined : JSON.stringify(what)
  const [state, setState] = useState<{ key: string | undefined; answer?: Questions[Name]['answer']; error?: string }>({ key: undefined })
  const asked = useRef({ key: undefined as string | undefined, version: -1, at: 0, busy: false, failed: false })
  const [, wake] = useState(0)
  const version = session.version
  useEffect(() => {
    const last = asked.current
    if (key === undefined || (last.key === key && (last.busy || last.version === version))) return undefined
    const wait = last.key === key ? Math.max(0, last.at + (last.failed ? Math.min(AGAIN, every) : every) - performance.now()) : 0
    const timer = setTimeout(() => {
      asked.current = { key, version: session.version, at: performance.now(), busy: true, failed: false }
      const settle = (result: { answer?: Questions[Name]['answer']; error?: string }): void => {
        if (asked.current.key !== key) return
        asked.current.busy = false
        asked.current.failed = result.error !== undefined
        setState((before) => ({ key, ...(before.key === key ? { answer: before.answer } : {}), ...result }))
        // Something may have changed meanwhile.
        if (asked.current.version !== session.version) wake((count) => count + 1)
      }
      session.ask(name, JSON.parse(key) as Questions[Name]['ask']).then(
        (answer) => settle({ answer }),
        (error: Error) => settle({ error: error.message }),
      )
    }, wait)
    return () => clearTimeout(timer)
  })
  const isCurrent = state.key === key
  return {
    answer: isCurrent ? state.answer : undefined,
    error: isCurrent ? state.error : undefined,
    isLoading: key !== undefined && !isCurrent,
  }
}
