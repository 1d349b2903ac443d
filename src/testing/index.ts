/**
 * The test kit: virtual time, simulations, laws, campaigns, traces.
 *
 * @module
 */

// Virtual time
export { virtualTime, type VirtualTime, type VirtualTimeOptions } from './virtual-time.ts'
export type { PendingTimer, RunOptions, TimerKind } from './virtual-clock.ts'

// Simulations
export { type SimulatedTree, simulate, type Simulation, type SimulationOptions, type TreeOptions } from './simulate.ts'
export { type Fault, faults, readFault } from './faults.ts'
export type { ManagerPlan, TreePlan, WorkPlan } from './plan.ts'
export type { FreeStep, PlainStep, Request, Step } from './script.ts'
export type { ScheduleMode } from './schedule.ts'

// Stores
export { type DiskOptions, SimulatedDisk, simulatedStore, type SimulatedStoreOptions } from './simulated-store.ts'
export { type LifePlan, type Lives, type LivesOptions, simulateLives } from './lives.ts'
export { type LivesCampaignOptions, type LivesCampaignResult, propertyLives } from './lives-campaign.ts'
export { type DurableFinding, type DurableLaw, durableLaw, type DurableViolation, type Life } from './durable-law.ts'
export {
  durableLaws,
  endedStaysEnded,
  journalKeepsItsWord,
  nothingAcknowledgedIsLost,
  toldInOrder,
  unfinishedGoesOn,
} from './durable-laws.ts'
export type { JournalAppended, JournalFound, JournalRecord } from './journal-watch.ts'

// Machines
export {
  type Edge,
  type Exploration,
  explore,
  exploreMachine,
  type ExploreMachineOptions,
  type ExploreOptions,
  type Reached,
  type System,
} from './explore.ts'
export type { Payload, TriedEvents } from './machine-events.ts'
export { type MachineCoverage, type TransitionCoverage, transitionCoverage } from './coverage.ts'
export { type Model, models, refines, type Sight } from './refines.ts'
export { describeModel, type Implementation, type ModelPath, type Runner, transitionPaths } from './describe-model.ts'

// Suites
export {
  expectNoLeaks,
  startSupervised,
  type Supervised,
  type SupervisedOptions,
  type SupervisedTree,
  type OwnershipOptions,
} from './supervised.ts'
export type { Leak, LeakOptions } from './leaks.ts'
export { createTestProbe, type EventMatch, type TestProbe } from './probe.ts'

// Laws
export {
  type Finding,
  type Goal,
  type Law,
  law,
  type ManagerFacts,
  type Reach,
  type Remains,
  type RoutineFacts,
  type Run,
  sometimes,
} from './law.ts'
export { laws } from './laws.ts'
export {
  childBeforeParent,
  exactlyOneTerminal,
  invariants,
  noLiveResources,
  noSpawnAfterStop,
  permitsBalanced,
  restartIntensity,
  reverseOrder,
  toldOnce,
  withinOverallTimeout,
} from './invariants.ts'
export {
  cancelReachesAll,
  expectations,
  gracefulIfCooperative,
  killedOnlyIfDeaf,
  phasesInOrder,
  reportAddsUp,
  restartOrEscalate,
} from './expectations.ts'

// Campaigns
export {
  type CampaignOptions,
  type CampaignReach,
  type CampaignResult,
  CounterexampleError,
  fuzzTree,
  propertyShutdown,
} from './campaign.ts'
export { type Arbitraries, arbitraries, type FastCheck, type Scenario, type ScriptReach } from './arbitraries.ts'

export type { UnreachedTimer } from './timer-ledger.ts'

// Traces
export type { Trace, TraceEvent, TraceEventType, TraceHeader, Verdict, Violation } from './trace.ts'
export { parseTrace, printTrace, readTrace, writeTrace } from './trace-file.ts'
export { explainTrace } from './explain.ts'
export { type Divergence, type Replay, replayTrace } from './replay.ts'

// Grounds
export { type GroundBody, type GroundCheck, groundChecks, type GroundUnderTest } from './ground-checks.ts'
