/** What is counted, by level and by name. */
export { type Counters, type Durations, MAX_NAMES, type Metrics, type MetricValues, Tally } from './metrics.ts'
export { countAll, type Named, NameGroup, type NameRegistry, NameWaiters } from './name-group.ts'
