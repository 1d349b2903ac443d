/** Waits for a sign of life, in the time of the platform: whatever clock a tree has, a disk knows none but that. */

// As they are now: a fake clock that comes later is not for disks.
const { setTimeout: arm, clearTimeout: disarm, setImmediate: turn } = globalThis

export class Patience {
  readonly #time: number
  readonly #late: () => void
  #timer: NodeJS.Timeout | undefined
  /** True if nothing was heard since the timer was armed. */
  #isSilent = true

  constructor(time: number, late: () => void) {
    this.#time = time
    this.#late = late
  }

  /** Something is on its way. */
  begin(): void {
    if (this.#timer !== undefined) return
    this.#isSilent = true
    this.#timer = arm(this.#over, this.#time)
    this.#timer.unref()
  }

  /** A sign of life. */
  heard(): void {
    this.#isSilent = false
  }

  /** Nothing is on its way any more. */
  end(): void {
    disarm(this.#timer)
    this.#timer = undefined
  }

  /** What was said may lie in the queue of an event loop that was blocked. */
  readonly #over = (): void => {
    turn(() => {
      if (this.#timer === undefined) return
      this.#timer = undefined
      if (this.#isSilent) this.#late()
      else this.begin()
    })
  }
}
