import { Empty } from './shared.tsx'

export function MessagesPane() {
  return <Empty title="messages" />
}
