/** What is wrong at this moment, whether an event says so or not. */
import type { StateNow } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import { PathLink } from './shared.tsx'

/** @param said What is said above already. */
export function WrongNow({ now, said }: { readonly now: readonly StateNow[]; readonly said: string }) {
  const session = useSession()
  if (now.length === 1 && now[0]?.sentence === said) return null
  return (
    <section className="advice wrong-now" aria-label="Wrong now">
      <strong>{session.player === undefined ? 'Now:' : 'At this moment:'}</strong>
      <ul>
        {now.map(({ path, sentence }) => (
          <li key={path}>
            {sentence} · <PathLink path={path} whole />
          </li>
        ))}
      </ul>
    </section>
  )
}
