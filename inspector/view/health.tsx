import { Empty } from './shared.tsx'

export function HealthPane() {
  return <Empty title="health" />
}
