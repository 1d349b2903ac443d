/** What a run prints: on a terminal with colours, columns, and a line that is redrawn; in a pipe, or in CI, plain lines. */
import { basename } from 'node:path'
import type { GlobalManager, LifecycleEvent, ShutdownReport } from '../index.ts'
import type { Awaited, ShutdownAccount } from '../inspector/index.ts'
import { LiveLine, type Screen } from './live-line.ts'
import { type Colour, type Paint, paintFor } from './paint.ts'
import { summaryLines, summaryRows } from './summary.ts'

/** Faults that are printed in one second; what is beyond them is counted. */
const A_SECOND = 10
/** Names that are said in one line, and different names of which refusals are counted. */
const NAMED = 8
const COUNTED = 1_000
/** Milliseconds from which on a shutdown is accounted for, though nobody was killed. */
const NOTICED = 1_000
/** Columns of a label, and of what precedes it. */
const LABEL = 13
const INDENT = ' '.repeat(LABEL + 3)

interface Sign {
  readonly glyph: string
  readonly colour: Colour
  readonly word: string
}

const SIGNS: Readonly<Record<string, Sign>> = {
  'routine.failed': { glyph: '✗', colour: 'red', word: 'failed' },
  'routine.killed': { glyph: '■', colour: 'magenta', word: 'killed' },
  'routine.hung': { glyph: '⧗', colour: 'yellow', word: 'hung' },
  'routine.revived': { glyph: '✓', colour: 'green', word: 'revived' },
  'routine.refused': { glyph: '⊘', colour: 'yellow', word: 'refused' },
  'manager.gaveUp': { glyph: '▲', colour: 'red', word: 'gave up' },
  'loop.blocked': { glyph: '⧗', colour: 'yellow', word: 'blocked' },
  'store.failed': { glyph: '✗', colour: 'red', word: 'store failed' },
}

/** Milliseconds for people, to a tenth of a second. */
const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/(.)#.*/, '$1')

export class Reporter {
  readonly live: LiveLine
  readonly #paint: Paint
  readonly #global: GlobalManager
  /** The faults of the present second, printed or not. */
  #second = { at: 0, many: 0 }
  readonly #unsaid = new Map<string, number>()
  readonly #refused = new Map<string, number>()
  #account: readonly string[] = []

  constructor(screen: Screen, global: GlobalManager) {
    this.#global = global
    this.#paint = paintFor({ isTTY: screen.isTTY === true, env: process.env })
    this.live = new LiveLine(screen, () => global.metrics(), this.#paint)
  }

  /** What is run, and where it can be looked at. */
  begin(file: string, url: string | undefined, hasKeys: boolean): void {
    const { live } = this
    if (!live.isTerminal) {
      if (url !== undefined) live.print(`inspector: ${url}`)
      return
    }
    const paint = this.#paint
    live.put(`\n  ${paint('bold', 'curtaincall')} ${paint('dim', basename(file))}\n`)
    if (url !== undefined) live.put(`  ${paint('green', '➜')}  ${paint('bold', 'inspector')}  ${paint('cyan', url)}`)
    const keys = hasKeys ? 'press o + enter to open it, Ctrl-C to shut down' : 'press Ctrl-C to shut down'
    live.put(`  ${paint('dim', `➜  ${keys}`)}\n`)
  }

  /** Something went wrong. What a shutdown does is accounted for at its end. */
  fault(event: LifecycleEvent, sentence: string): void {
    const { type, path } = event
    const sign = SIGNS[type]
    if (type === 'routine.refused') this.#countRefusal(event.name)
    if (sign === undefined || (type === 'routine.killed' && this.#global.state !== 'running')) return
    const now = Math.floor(performance.now() / 1_000)
    if (now !== this.#second.at) {
      this.#sayUnsaid()
      this.#second = { at: now, many: 0 }
    }
    // The same one is refused again and again, by whoever retries.
    const isAgain = type === 'routine.refused' && (this.#refused.get(event.name) ?? 0) > 1
    if (isAgain || ++this.#second.many > A_SECOND) this.#unsaid.set(sign.word, (this.#unsaid.get(sign.word) ?? 0) + 1)
    else this.#sayFault(sign, sentence, path, type === 'routine.failed' && event.willRestart)
  }

  #sayFault({ glyph, colour, word }: Sign, sentence: string, path: string, isRestarted: boolean): void {
    const paint = this.#paint
    if (!this.live.isTerminal) return this.live.print(`${word}: ${path}: ${sentence}`)
    const mark = isRestarted ? paint('yellow', '↻') : paint(colour, glyph)
    const [first = '', ...rest] = sentence.split(' ')
    const above = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    const said = [mark, paint('bold', first), this.#words(rest), this.#words(above === '' ? [] : [`(${above})`], 'dim')]
    this.live.put(`  ${said.join(' ')}`.trimEnd(), '    ')
    return undefined
  }

  /** Words one by one, so that lines can be broken between them. */
  #words(words: readonly string[], colour?: Colour): string {
    return words.map((word) => (colour === undefined ? this.#plain(word) : this.#paint(colour, word))).join(' ')
  }

  #plain(text: string): string {
    // Whatever the colour, nothing in it is obeyed.
    return paintFor({ isTTY: false, env: {} })('dim', text)
  }

  #countRefusal(name: string): void {
    if (this.#refused.size < COUNTED || this.#refused.has(name)) this.#refused.set(name, (this.#refused.get(name) ?? 0) + 1)
  }

  #sayUnsaid(): void {
    if (this.#unsaid.size === 0) return
    const said = [...this.#unsaid].map(([word, many]) => `${many} ${word}`).join(', ')
    this.#unsaid.clear()
    this.live.put(
      this.live.isTerminal ? `  ${this.#paint('dim', `… and within that second ${said} more`)}` : `and within that second ${said} more`,
    )
  }

  /** The root has entered a phase. */
  phase(phase: string): void {
    if (!this.live.isTerminal) this.live.print(`phase ${phase}`)
    else if (phase === 'closing') this.live.put(`  ${this.#paint('yellow', '■')} ${this.#paint('bold', 'shutting down')}`)
  }

  /** From here on the live line says who is waited for, and counts down. */
  countDown(awaited: () => readonly Awaited[]): void {
    this.live.start()
    this.live.instead = () => {
      const [first, ...others] = awaited()
      if (first === undefined) return undefined
      const more = others.length === 0 ? '' : ` and ${others.length === 1 ? 'one other' : `${others.length} others`}`
      const left = first.left === undefined ? `for ${seconds(first.waited)}` : `${seconds(first.left)} left`
      if (!this.live.isTerminal) return [`waiting for ${this.#plain(nameOf(first.path))}${more}`, left]
      const who = this.#paint('bold', nameOf(first.path))
      return [
        `  ${this.#paint('yellow', '■')} waiting for ${who}${more}`,
        this.#paint((first.left ?? Infinity) < 2_000 ? 'red' : 'yellow', left),
        this.#paint('dim', `told to stop ${seconds(first.waited)} ago`),
      ]
    }
  }

  /** A post-mortem was written. */
  written(file: string, sentence: string): void {
    if (this.live.isTerminal) this.#row('post-mortem', `${file}: ${sentence}`, 'cyan')
    else this.live.print(`post-mortem: ${file}: ${sentence}`)
  }

  /** A shutdown is over. */
  closed({ path }: ShutdownAccount, lines: readonly string[]): void {
    if (path === this.#global.path) this.#account = lines
  }

  /** What it has come to. */
  end(report: ShutdownReport, elapsed: number): void {
    const { live } = this
    this.#sayUnsaid()
    live.instead = () => undefined
    const refused = this.#refusals()
    // One that nobody had to wait for needs no account.
    const isWorth = report.timedOut || report.killed > 0 || report.duration >= NOTICED
    const held = isWorth ? this.#account : []
    if (!live.isTerminal) {
      const said = held.map((line, k) => (k === 0 ? `held up: ${line}` : line))
      for (const line of [...summaryLines(this.#global, report, elapsed), ...said, ...(refused === '' ? [] : [`refused: ${refused}`])])
        live.print(line)
      return
    }
    live.put('')
    if (held[0] !== undefined) this.#row('held up', held[0], 'bold')
    for (const line of held.slice(1)) {
      const [label = '', ...rest] = line.split(': ')
      this.#row(LABELS[label] ?? label, rest.join(': '), COLOURED[label])
    }
    if (refused !== '') this.#row('refused', refused, 'yellow')
    for (const { label, text, colour } of summaryRows(this.#global, report, elapsed)) this.#row(label, text, colour)
    live.put('')
  }

  #row(label: string, text: string, colour?: Colour): void {
    const said = text.split(' ').map((word) => (colour === undefined ? this.#plain(word) : this.#paint(colour, word)))
    this.live.put(`  ${this.#paint('dim', label.padEnd(LABEL))} ${said.join(' ')}`, INDENT)
  }

  #refusals(): string {
    const all = [...this.#refused].toSorted((a, b) => b[1] - a[1])
    const said = all.slice(0, NAMED).map(([name, many]) => (many === 1 ? name : `${name} ${many} times`))
    return `${said.join(', ')}${all.length > NAMED ? ` and ${all.length - NAMED} more` : ''}`
  }
}

const LABELS: Readonly<Record<string, string>> = { 'abandoned, still at work': 'abandoned' }
const COLOURED: Readonly<Record<string, Colour>> = { killed: 'magenta', 'abandoned, still at work': 'red', 'got 0 ms': 'yellow' }
