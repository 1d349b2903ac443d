/** The same with a span of OpenTelemetry for each routine, where no SDK is there to take it. */
import { SpanStatusCode, trace } from '@opentelemetry/api'
import type { LifecycleEvent } from '../../src/index.ts'
import type { Variant } from '../job.ts'
import { streamHeard } from './curtaincall.ts'

const tracer = trace.getTracer('bench')

function record(event: LifecycleEvent): void {
  if (event.type !== 'routine.completed' && event.type !== 'routine.failed') return
  const { at, duration, name, path, incarnation } = event
  const attributes = { 'curtaincall.path': path, 'curtaincall.incarnation': incarnation }
  const span = tracer.startSpan(name, { startTime: at - duration, attributes })
  if (event.type === 'routine.failed') span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(at)
}

export const variant: Variant = { streamed: (n) => streamHeard(n, ['routine.completed', 'routine.failed'], n, record) }
