/**
 * The window of time that a timeline shows.
 *
 * V1  It is never narrower than a millisecond, nor much wider than what there is, or than an hour, which one may always ask for.
 * V2  While it follows, its end is now, whatever its width.
 */

/** Milliseconds that are shown first, at most. */
const FIRST_SPAN = 60_000
const LEAST = 1
/** As wide as it may be, however little there is: the widest that the page offers. */
export const WIDEST_OFFERED = 3_600_000
/** The part of the window that is free after now. */
const AHEAD = 0.03

export class TimeView {
  from = 0
  to = FIRST_SPAN
  /** Between these there is something. */
  first = 0
  now = 0
  /** Of the time before this not all is known. */
  known = -Infinity
  isFollowing = false
  /** True once it is known what there is. */
  isKnown = false
  readonly #listeners = new Set<() => void>()

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  get span(): number {
    return this.to - this.from
  }

  /** What there is by now; the first time, that decides what is shown. */
  learn(first: number, now: number, isLive: boolean): void {
    if (first === this.first && now === this.now && this.isKnown) return
    this.first = first
    this.now = now
    if (!this.isKnown) {
      this.isKnown = true
      if (isLive) this.follow(Math.min(FIRST_SPAN, Math.max(10_000, (now - first) * 1.1)))
      else this.showAll()
    } else if (this.isFollowing) this.#set(now - this.span * (1 - AHEAD), this.span)
    else this.#notify()
  }

  /** Slides along with time. */
  follow(span = this.span): void {
    this.isFollowing = true
    const width = this.#fit(span)
    this.#set(this.now - width * (1 - AHEAD), width)
  }

  show(from: number, to: number): void {
    this.isFollowing = false
    this.#set(from, this.#fit(to - from))
  }

  showAll(): void {
    const span = Math.max(this.now - this.first, 10)
    this.show(this.first - span * AHEAD, this.now + span * AHEAD)
  }

  /** So many milliseconds, the end of which stays where it is. */
  last(span: number): void {
    if (this.isFollowing) this.follow(span)
    else this.zoom(this.#fit(span) / this.span, (this.from + this.to) / 2)
  }

  pan(by: number): void {
    const { from, to } = this
    const [least, most] = [this.first - this.span * 0.5, this.now + this.span * 0.5]
    const allowed = Math.max(Math.min(0, least - from), Math.min(by, Math.max(0, most - to)))
    this.show(from + allowed, to + allowed)
  }

  /** Wider by a factor; one moment stays where it is. While it follows, that is now. */
  zoom(factor: number, around: number): void {
    if (this.isFollowing) {
      this.follow(this.span * factor)
      return
    }
    const width = this.#fit(this.span * factor)
    const share = (around - this.from) / this.span
    this.#set(around - width * share, width)
  }

  #fit(span: number): number {
    const most = Math.max((this.now - this.first) * 1.5, WIDEST_OFFERED)
    return Math.max(LEAST, Math.min(span, most))
  }

  #set(from: number, span: number): void {
    this.from = from
    this.to = from + span
    this.#notify()
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** What is asked for: somewhat more than is shown, in steps, so that a little sliding asks for nothing new. */
export function askedFor({ from, to, isFollowing }: Pick<TimeView, 'from' | 'to' | 'isFollowing'>): {
  from: number
  to: number | undefined
} {
  const step = 2 ** Math.floor(Math.log2((to - from) / 2))
  const begin = Math.floor(from / step - 0.5) * step
  return { from: begin, to: isFollowing ? undefined : Math.ceil(to / step + 0.5) * step }
}
