/** Options and child specs: checked once, with every default filled in. */
export {
  abortSignal,
  anything,
  callable,
  check,
  duration,
  durationOrInfinity,
  finiteCount,
  flag,
  having,
  isObject,
  limit,
  nodeName,
  objectOfFunctions,
  oneOf,
  positiveDuration,
  positiveOrInfinity,
  refuse,
  type Rule,
  show,
} from './check.ts'
export { type ChildSpec, companionOf, isChildSpec, type ManagerChild, type RoutineChild, seal } from './child-spec.ts'
export {
  checkAppChild,
  checkName,
  compileAppSpec,
  compileGlobalSpec,
  compileLocalSpec,
  type DurableWork,
  type GlobalManagerOptions,
  type GlobalSpec,
  type LocalManagerOptions,
  type ManagerOptions,
  type ManagerSpec,
  type ManagerStartContext,
  type StoreFailurePolicy,
  type SupervisorOptions,
} from './manager-spec.ts'
export {
  type ChildOptions,
  compileRoutineSpec,
  ignore,
  type MailboxOptions,
  type OnHung,
  type ResumeOptions,
  type RoutineOptions,
  type RoutineSpec,
  share,
  type ShutdownTime,
  SpecCompiler,
  type StartContext,
} from './routine-spec.ts'
export { keptOptions, specFromKept } from './durable-spec.ts'
export { plainCopy } from './plain.ts'
export { checkShutdownOptions, DEFAULT_SHUTDOWN_TIMEOUT, plainShutdown, SHUTDOWN_RULES, type ShutdownPlan } from './shutdown-spec.ts'
export { checkWork, isActorLogic, type LogicArguments, type OptionsFor } from './work-spec.ts'
