import { Empty } from './shared.tsx'

export function ActorPane() {
  return <Empty title="actor" />
}
