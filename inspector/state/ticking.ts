/** What changes by the mere passing of time. */
import { useEffect } from 'react'
import { useSession } from './hooks.ts'

/**
 * Draws anew, and so asks again, every so many milliseconds while the tree is a live one: frames come only with lifecycle events, and
 * messages and snapshots are none. Not in a hidden tab.
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
