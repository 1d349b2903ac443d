/** What changes by the mere passing of time. */
import { useEffect } from 'react'
import { useSession } from './hooks.ts'

/**
 * Looks again now and then while the tree is a living one, also when nothing happens in it: frames come only with lifecycles, and a
 * message or a snapshot is none. In a tab that nobody sees, it does not.
 */
export function useTicking(isOn: boolean, every: number): void {
  const session = useSession()
  const isLive = session.player === undefined
  useEffect(() => {
    if (!isOn || !isLive) return undefined
    const timer = setInterval(() => !document.hidden && session.page.getSnapshot().matches('live') && session.redraw(), every)
    return () => clearInterval(timer)
  }, [session, isOn, isLive, every])
}
