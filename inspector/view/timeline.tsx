import { Empty } from './shared.tsx'

export function TimelinePane() {
  return <Empty title="timeline" />
}
