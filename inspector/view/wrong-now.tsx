/** What is wrong at this moment, whether an event says so or not. */
import type { StateNow } from '../../src/inspector/protocol.ts'
import { useSession } from '../state/hooks.ts'
import { PathLink } from './shared.tsx'

export function WrongNow({ now }: { readonly now: readonly StateNow[] }) {
  const session = useSession()
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
