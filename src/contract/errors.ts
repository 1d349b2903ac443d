/** One hierarchy of errors, told apart by `code`. */
import type { StoreFaultCode } from '../../machines/store-fault.ts'

/** What all errors of this library carry beside their message. */
export interface CurtaincallErrorOptions {
  /** The node that it is about, such as `shop/api/images`. */
  readonly path?: string | undefined
  /** What led to it. */
  readonly cause?: unknown
}

/**
 * Why a routine was told to stop, where nobody gave a reason of their own: by hand; since a manager shuts down, gave up (the `cause` is its
 * RestartLimitError or StartFailedError), or ran out of its time to stop; since its group is restarted (the `cause` is the error of the
 * child that failed).
 */
export type CancelCode = 'ERR_CANCELLED' | 'ERR_SHUTDOWN' | 'ERR_GAVE_UP' | 'ERR_SHUTDOWN_TIMEOUT' | 'ERR_GROUP_RESTART'

/** All codes. Compare `code`, not `instanceof`, across threads and duplicate installs. */
export type CurtaincallErrorCode =
  | 'ERR_CONFIG'
  | 'ERR_EXISTS'
  | 'ERR_NOT_ACCEPTING'
  | 'ERR_AT_CAPACITY'
  | 'ERR_QUEUE_FULL'
  | 'ERR_FAILED'
  | CancelCode
  | StoreFaultCode
  | 'ERR_TIMEOUT'
  | 'ERR_START'
  | 'ERR_RESTART_LIMIT'
  | 'ERR_HUNG'
  | 'ERR_ASK_TIMEOUT'
  | 'ERR_ASK_SELF'
  | 'ERR_MAILBOX_FULL'
  | 'ERR_NOT_RUNNING'
  | 'ERR_TEST'
  | 'ERR_ESCAPED'
  | 'ERR_TRACE'

/**
 * The base of every error that this library throws or rejects with.
 *
 * @example
 * try { local.spawn('resize', work) } catch (error) { if (error.code === 'ERR_AT_CAPACITY') await local.whenAvailable() }
 */
export class CurtaincallError extends Error {
  /** As in the exports. Written out for each class: a minifier shortens the names of classes themselves. */
  override name = 'CurtaincallError'
  /** Stable and meant to be compared. */
  readonly code: CurtaincallErrorCode
  /** The node that it is about, if there is one. */
  readonly path: string | undefined

  constructor(code: CurtaincallErrorCode, message: string, options: CurtaincallErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.path = options.path
  }
}

/** An option that is unknown, of the wrong type, or out of range. Thrown before anything starts. */
export class ConfigError extends CurtaincallError {
  override name = 'ConfigError'
  /** The option that is wrong, such as `maxRestarts`; undefined where it is not one option. */
  readonly option: string | undefined

  constructor(message: string, options: CurtaincallErrorOptions & { readonly option?: string | undefined } = {}) {
    super('ERR_CONFIG', message, options)
    this.option = options.option
  }
}

/** The name, or id, is taken. */
export class ManagerExistsError extends CurtaincallError {
  override name = 'ManagerExistsError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_EXISTS', message, options)
  }
}

/** A spawn was refused: nothing was started and nothing is left behind. */
export class SpawnRefusedError extends CurtaincallError {
  override name = 'SpawnRefusedError'
  declare readonly code: 'ERR_NOT_ACCEPTING' | 'ERR_AT_CAPACITY' | 'ERR_QUEUE_FULL'
}

/** `result()` of a routine that failed; the error as it was thrown is the `cause`. */
export class RoutineFailedError extends CurtaincallError {
  override name = 'RoutineFailedError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_FAILED', message, options)
  }
}

/** `result()` of a routine that was cancelled; the reason is the `cause`. Also the reason itself where none was given. */
export class RoutineCancelledError extends CurtaincallError {
  override name = 'RoutineCancelledError'
  constructor(message: string, options?: CurtaincallErrorOptions, code: CancelCode = 'ERR_CANCELLED') {
    super(code, message, options)
  }
}

/** An incarnation, or a wait, took longer than its timeout. */
export class RoutineTimeoutError extends CurtaincallError {
  override name = 'RoutineTimeoutError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_TIMEOUT', message, options)
  }
}

/** The `start` of a routine or manager threw, or one of its children's did: `path` says whose, what it threw is the `cause`. */
export class StartFailedError extends CurtaincallError {
  override name = 'StartFailedError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_START', message, options)
  }
}

/** True if that is what was thrown; whatever was thrown may be asked, a proxy that throws at each question too. */
export function isStartFailure(thrown: unknown): thrown is StartFailedError {
  try {
    return thrown instanceof StartFailedError
  } catch {
    return false
  }
}

/** A manager gave up: more restarts within its window than it allows. The last failure is the `cause`. */
export class RestartLimitError extends CurtaincallError {
  override name = 'RestartLimitError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_RESTART_LIMIT', message, options)
  }
}

/** A routine was silent for longer than `hungAfter` and its policy is to restart it, or to kill it. */
export class RoutineHungError extends CurtaincallError {
  override name = 'RoutineHungError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_HUNG', message, options)
  }
}

/** A question was not answered in time. */
export class AskTimeoutError extends CurtaincallError {
  override name = 'AskTimeoutError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_ASK_TIMEOUT', message, options)
  }
}

/**
 * A question was not answered in time that a routine, whose work is a function, has asked itself: if its body waits for the answer, it gives
 * none.
 */
export class SelfAskError extends CurtaincallError {
  override name = 'SelfAskError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_ASK_SELF', message, options)
  }
}

/** A mailbox holds as many messages as it may. */
export class MailboxFullError extends CurtaincallError {
  override name = 'MailboxFullError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_MAILBOX_FULL', message, options)
  }
}

/** The routine, or manager, has ended. */
export class NotRunningError extends CurtaincallError {
  override name = 'NotRunningError'
  constructor(message: string, options?: CurtaincallErrorOptions) {
    super('ERR_NOT_RUNNING', message, options)
  }
}
