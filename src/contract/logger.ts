/** The port through which log lines go out: pino's shape. */

/** One level of a logger: an object first, a message second. */
export type LogMethod = (details: object, message?: string) => void

/** What the library asks of a logger; pino has it, and more. */
export interface Logger {
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
  /** A logger that adds the bindings to each line. */
  child?(bindings: Record<string, unknown>): Logger
}

const silent: LogMethod = () => undefined

/** Says nothing. */
export const silentLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent }
