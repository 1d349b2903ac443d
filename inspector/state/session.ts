/**
 * Carries out what page-machine.ts decides: connects, fetches recordings and plays them; gives the tree and all answers to the views.
 */
import { type ActorRefFrom, createActor } from 'xstate'
import { appManagerMachine, globalManagerMachine, localManagerMachine, routineMachine } from '../../machines/statecharts.ts'
import { chartOf } from '../../src/inspector/chart.ts'
import { Player } from '../../src/inspector/player.ts'
import { ENDS } from '../../src/inspector/protocol.ts'
import type { Control, Done, Frame, KeptEvent, Last, Question, Questions, Recording, RecordingPart } from '../../src/inspector/protocol.ts'
import { Gathering, type RecordedTraffic, type TrafficPlace, withTraffic } from '../../src/inspector/traffic-record.ts'
import { onNewKey } from './key.ts'
import { Link } from './link.ts'
import { numberIn } from './number.ts'
import { pageMachine } from './page-machine.ts'
import { asMoment, type Place, placeOfFault, readPlace, writePlace } from './place.ts'
import { watchSilence } from './silence.ts'
import { TreeTable } from './table.ts'

/** The most events that a page holds at once. */
const HELD = 100_000

/** The way to so many that pass a filter is opened at once; if there are more, it is left to the reader. */
const REVEALED = 200

export class Session {
  readonly table = new TreeTable()
  readonly page: ActorRefFrom<typeof pageMachine>
  player: Player | undefined
  /** A recording to compare with, such as a counterexample before it was shrunk. */
  beside: Recording | undefined
  /** How many times faster than it was. */
  speed = 1
  place: Place
  /** Changes whenever anything does that views show. */
  version = 0
  #link: Link | undefined
  #clock: number | undefined
  /** What the process said when its tree had ended: it may be gone by now. */
  #last: Last['last'] | undefined
  #heard = (): void => undefined
  readonly #listeners = new Set<() => void>()
  /** Of a page that was saved: what it was saved with. */
  readonly #embedded: readonly Recording[] | Error
  /** The player that is shown once the machine enters `replay`. */
  #loaded: Player | undefined

  constructor(embedded: readonly Recording[] | Error) {
    this.#embedded = embedded
    const [saved] = embedded instanceof Error ? [] : embedded
    // Written for a fault, it opens with that; an address that says more has the last word.
    if (saved?.fault !== undefined && location.hash === '') history.replaceState(null, '', writePlace(placeOfFault(saved.fault)))
    this.place = readPlace(location.hash)
    this.page = createActor(
      pageMachine.provide({
        actions: {
          connect: () => this.#connect(),
          fetchRecording: () => void this.#fetchRecording(),
          load: ({ event }) => event.type === 'recorded' && this.#load(event.recording),
          unload: () => this.#unload(),
          startClock: () => this.#startClock(),
          stopClock: () => this.#stopClock(),
        },
      }),
      { input: { standalone: this.isSaved } },
    )
    window.addEventListener('hashchange', () => this.#moved())
    this.#filter()
  }

  start(): void {
    this.page.start()
    this.page.subscribe(() => this.#changed())
    if (this.isSaved) return
    this.#heard = watchSilence(() => this.page.send({ type: 'silent' }))
    onNewKey(() => this.page.send({ type: 'retry' }))
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Something that only the page knows of has changed, such as what is opened. */
  redraw(): void {
    this.#changed()
  }

  #changed(): void {
    this.version++
    for (const listener of this.#listeners) listener()
  }

  // --- what is shown -------------------------------------------------------------------------

  /** Goes somewhere. */
  go(change: Partial<Place>): void {
    // While it plays, the address is of where that began; the next one is of where it is now.
    const here = this.#clock === undefined || this.player === undefined ? {} : { at: asMoment(this.player.at) }
    const next = { ...this.place, ...here, ...change }
    const address = writePlace(next)
    if (address === location.hash) return
    // What is typed or scrubbed is no step that the Back button should go through one by one.
    const isStep = next.view !== this.place.view || next.path !== this.place.path || next.seq !== this.place.seq
    if (isStep) history.pushState(null, '', address)
    else history.replaceState(null, '', address)
    this.#moved()
  }

  #moved(): void {
    const before = this.place.at
    this.place = readPlace(location.hash)
    this.#filter()
    const { at } = this.place
    if (at !== undefined && at !== before) {
      // In a living page an address with a moment asks for what was.
      if (this.player === undefined) this.page.send({ type: 'record' })
      else if (at !== this.player.at) this.seek(at)
    }
    this.#changed()
  }

  #filtered = ''

  #filter(): void {
    const { find, only } = this.place
    const wanted = JSON.stringify([find, only])
    if (wanted === this.#filtered) return
    this.#filtered = wanted
    this.table.setFilter({ text: find, only: new Set(only) })
    this.table.revealMatches(REVEALED)
  }

  // --- the process ---------------------------------------------------------------------------

  #connect(): void {
    this.#link?.close()
    this.#link = new Link({
      hello: (hello) => {
        document.title = `${hello.name} · curtaincall`
        this.page.send({ type: 'hello', hello })
        if (this.place.at !== undefined && hello.source === 'live') this.page.send({ type: 'record' })
      },
      frame: (frame) => this.player === undefined && this.#apply(frame),
      last: (answers) => {
        this.#last = answers
        this.#changed()
      },
      heard: () => {
        this.#heard()
        if (this.page.getSnapshot().matches({ live: 'silent' })) this.page.send({ type: 'heard' })
      },
      lost: () => this.page.send({ type: 'lost' }),
      replaced: (why) => this.page.send({ type: 'replaced', why }),
      refused: (why) => this.page.send({ type: 'refused', why }),
    })
  }

  #apply(frame: Frame): void {
    const isFirst = this.table.size === 0
    this.table.apply(frame)
    // What is new is found, too; a whole tree that comes again is opened as the reader has left it.
    if (isFirst || !frame.whole) this.table.revealMatches(REVEALED, frame.born)
    this.#changed()
  }

  /** Asks whatever is shown: the process, or a recording. */
  ask<Name extends Question>(name: Name, what: Questions[Name]['ask']): Promise<Questions[Name]['answer']> {
    const { player } = this
    if (player !== undefined) return new Promise((resolve) => resolve(player.answer(name, what)))
    const last = name === 'shutdown' ? (this.#last?.shutdown as Questions[Name]['answer'] | undefined) : undefined
    return this.#request(name, what).catch((error: Error) => last ?? Promise.reject(error))
  }

  /** Sends an order to actors. */
  order(control: Control, paths: readonly string[], event?: unknown): Promise<Done> {
    if (this.player !== undefined) return Promise.reject(new Error('this is a recording: nobody is there to be told anything'))
    return this.#link?.order(control, paths, event) ?? Promise.reject(new Error('there is no connection'))
  }

  /** True for a page that was saved: there is no process, and nobody to fetch anything from. */
  get isSaved(): boolean {
    return this.#embedded instanceof Error || this.#embedded.length > 0
  }

  /** How the whole tree has ended, as far as it is shown; nothing while it lives. */
  get end(): (typeof ENDS)[number] | undefined {
    const { root } = this.table
    return root === 0 ? undefined : ENDS.find((end) => end === this.table.item(root).state)
  }

  /** True where a law is broken: then it has not gone well, however it has ended. */
  get isLawBroken(): boolean {
    return (this.player?.recording.violations.length ?? 0) > 0
  }

  get mayOrder(): boolean {
    const snapshot = this.page.getSnapshot()
    return snapshot.matches('live') && snapshot.context.hello?.controls === true
  }

  /** True of a file, in which events have numbers that others call them by, too. */
  get isNumbered(): boolean {
    return this.player?.recording.first !== undefined
  }

  /** What an event of what is shown is called. */
  numberOf(seq: number): number {
    return numberIn(this.player?.recording, seq)
  }

  // --- recordings ----------------------------------------------------------------------------

  /** Everything that is held of what happened. */
  async recording(): Promise<Recording> {
    return this.player?.recording ?? this.#whole(0, await this.#part({ which: 0 }))
  }

  /** A recording, of which the first part is there. */
  async #whole(which: number, first: RecordingPart): Promise<Recording> {
    const events: KeptEvent[] = [...first.events]
    const { earlier = 0 } = first
    for (let part = first; part.more && events.length < HELD + earlier; ) {
      part = await this.#part({ which, after: (events.at(-1) as KeptEvent).seq })
      for (const event of part.events) events.push(event)
    }
    const { about, from, base = [] } = first
    const name = about?.name ?? this.page.getSnapshot().context.hello?.name ?? 'recording'
    // A file holds all of it, or nothing.
    const traffic = about === undefined ? await this.#traffic() : first.traffic
    const known = { ...(earlier === 0 ? {} : { earlier }), ...(about?.first === undefined ? {} : { first: about.first }) }
    const all = { name, from, base, events, violations: about?.violations ?? [], story: about?.story ?? '', ...known }
    return traffic === undefined ? all : withTraffic(all, traffic)
  }

  /** Messages, snapshots and charts that the process holds. */
  async #traffic(): Promise<RecordedTraffic> {
    const gathering = new Gathering()
    for (let place: TrafficPlace | undefined = { from: 'living', at: 0 }; place !== undefined; ) {
      const { from } = place
      place = gathering.add(await this.#request('traffic', { ...place, charts: gathering.known }), from)
    }
    return gathering.result
  }

  #part(ask: Questions['recording']['ask']): Promise<RecordingPart> {
    return this.#request('recording', ask)
  }

  /** Asks the process, whatever is shown. */
  #request<Name extends Question>(name: Name, what: Questions[Name]['ask']): Promise<Questions[Name]['answer']> {
    return this.#link?.ask(name, what) ?? Promise.reject(new Error('there is no connection'))
  }

  async #fetchRecording(): Promise<void> {
    try {
      // Not within the transition that asked for it.
      await Promise.resolve()
      if (this.#embedded instanceof Error) throw this.#embedded
      const [embedded, beside] = this.#embedded
      if (embedded !== undefined) {
        this.beside = beside
        this.#loaded = playerOf(embedded, this.place.at)
        this.page.send({ type: 'recorded', recording: embedded })
        return
      }
      const first = await this.#part({ which: 0 })
      const recording = await this.#whole(0, first)
      const others = first.about?.beside ?? 0
      if (others > 0) this.beside = await this.#whole(1, await this.#part({ which: 1 })).catch(() => undefined)
      // A recording that can't be played throws here, so that the page is told.
      this.#loaded = playerOf(recording, this.place.at)
      this.page.send({ type: 'recorded', recording })
    } catch (error) {
      this.page.send({ type: 'failed', why: (error as Error).message })
    }
  }

  #load(recording: Recording): void {
    this.player = this.#loaded ?? playerOf(recording, this.place.at)
    this.#loaded = undefined
    this.table.apply(this.player.whole())
    this.#changed()
  }

  #unload(): void {
    this.player = undefined
    this.beside = undefined
    this.go({ at: undefined })
  }

  /** Goes to a moment of the recording. */
  seek(at: number): void {
    const { player } = this
    if (player === undefined) return
    this.#apply(player.seek(Math.max(player.from, Math.min(player.to, at))))
  }

  /** Goes to a moment, and says so in the address. */
  scrub(at: number): void {
    this.seek(at)
    if (this.player !== undefined) this.go({ at: asMoment(this.player.at) })
  }

  /** Moments to come back to. */
  marks: readonly number[] = []

  /** Remembers the present moment of the recording. */
  mark(): void {
    if (this.player === undefined) return
    this.marks = [...new Set([...this.marks, asMoment(this.player.at)])].toSorted((a, b) => a - b)
    this.#changed()
  }

  /** To the next event, or the one before. */
  step(direction: 1 | -1): void {
    const { player } = this
    if (player === undefined) return
    if (direction === 1) this.scrub(Math.ceil(player.nextAt ?? player.to))
    else {
      const before = player.recording.events.findLast(({ at }) => at < player.at)
      this.scrub(Math.floor(before?.at ?? player.from))
    }
  }

  #startClock(): void {
    const { player } = this
    if (player === undefined) return
    if (player.at >= player.to) this.seek(player.from)
    let last = performance.now()
    const tick = (now: number): void => {
      const passed = now - last
      last = now
      this.seek(player.at + passed * this.speed)
      if (player.at >= player.to) this.page.send({ type: 'pause' })
      else this.#clock = requestAnimationFrame(tick)
    }
    this.#clock = requestAnimationFrame(tick)
  }

  #stopClock(): void {
    if (this.#clock === undefined) return
    cancelAnimationFrame(this.#clock)
    this.#clock = undefined
    if (this.player !== undefined) this.go({ at: asMoment(this.player.at) })
  }
}

/** A recording, at a moment, or at its end. */
function playerOf(recording: Recording, at: number | undefined): Player {
  const charts = {
    routine: chartOf(routineMachine),
    global: chartOf(globalManagerMachine),
    app: chartOf(appManagerMachine),
    local: chartOf(localManagerMachine),
  }
  const player = new Player(recording, charts)
  player.seek(at ?? player.to)
  return player
}
