/** What changes by the mere passing of time. */
import { useEffect } from 'react'
import { useSession } from './hooks.ts'

/** Looks again now and then while the tree is a living one, also when nothing happens in it. */
export function useTicking(isOn: boolean, every: number): void {
  const session = useSession()
  const isLive = session.player === undefined
  useEffect(() => {
    if (!isOn || !isLive) return undefined
    const timer = setInterval(() => session.redraw(), every)
    return () => clearInterval(timer)
  }, [session, isOn, isLive, every])
}
