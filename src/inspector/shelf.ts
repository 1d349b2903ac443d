/** Recordings, as a server shows them: the page gets them whole and plays them itself. */
import { Forest } from './forest.ts'
import type { Question, Questions, Recording } from './protocol.ts'
import type { Watched } from './watched.ts'

export class Shelf implements Watched {
  readonly source = 'file'
  readonly forest = new Forest()
  readonly #recordings: readonly Recording[]

  /** The first one is shown; the others stand beside it. */
  constructor(recordings: readonly Recording[]) {
    this.#recordings = recordings
  }

  get name(): string {
    return this.#recordings[0]?.name ?? ''
  }

  get now(): number {
    return this.#recordings[0]?.from ?? 0
  }

  // Nothing comes and goes with the pages.
  onEnd(): void {}
  begin(): void {}
  end(): void {}
  close(): void {}

  answer<Name extends Question>(name: Name, ask: Questions[Name]['ask']): Questions[Name]['answer'] {
    if (name !== 'recording') throw new Error('these are recordings: they are asked for whole')
    const { which = 0 } = ask as Questions['recording']['ask']
    const recording = this.#recordings.at(which)
    if (recording === undefined) throw new Error(`there is no recording ${which}`)
    const { base, from, events, violations, story, name: called, traffic, first, earlier } = recording
    const about = { name: called, violations, story, first, beside: this.#recordings.length - 1 }
    const more = { ...(traffic === undefined ? {} : { traffic }), ...(earlier === undefined ? {} : { earlier }) }
    return { base, from, events, more: false, about, ...more } as Questions[Name]['answer']
  }
}
