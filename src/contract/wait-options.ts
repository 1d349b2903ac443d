/** How long to wait, in milliseconds, and what ends the wait early. */
export interface WaitOptions {
  /** @default Infinity */
  readonly timeout?: number | undefined
  /** Aborted: the wait rejects with its reason. @default none */
  readonly signal?: AbortSignal | undefined
}
