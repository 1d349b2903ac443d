import { Empty } from './shared.tsx'

export function ShutdownPane() {
  return <Empty title="shutdown" />
}
