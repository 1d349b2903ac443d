/** Where the command prints: standard output, or standard error once that takes nothing more. */
import type { Screen } from './live-line.ts'
import { codeOf, harmless, messageOf } from './words.ts'

/** What an output fails of that nobody reads any more: a pipe whose reader has gone, as `head` soon has, a terminal that was closed. */
const UNREAD = new Set(['EPIPE', 'EIO', 'ENXIO'])

const NEWLINE = 10

/**
 * One for the process, which it listens to.
 *
 * N1  No failure of an output ends the process. Where nobody reads, nothing more is said; a full disk loses no line: all go to standard error.
 */
export class Output implements Screen {
  /** True once standard output has failed though somebody may read it. */
  failed = false
  readonly #unread = new AbortController()
  /** As it was before anybody else's writing was heard of. */
  readonly #out = process.stdout.write.bind(process.stdout) as (text: string, done?: (error?: Error | null) => void) => boolean

  constructor() {
    process.stdout.on('error', (error) => this.#fail(error))
    // There is nowhere left to say it.
    process.stderr.on('error', () => undefined)
  }

  /** Aborted when nobody reads any more what is printed: that is no failure, and nobody is left to be told. */
  get unread(): AbortSignal {
    return this.#unread.signal
  }

  get isTTY(): boolean {
    return process.stdout.isTTY
  }

  get columns(): number | undefined {
    return process.stdout.columns
  }

  /** Writes a text as it is. */
  write(text: string): void {
    if (this.unread.aborted) return
    if (this.failed) process.stderr.write(text)
    else
      this.#out(text, (error) => {
        if (error === undefined || error === null) return
        this.#fail(error)
        // It was lost.
        this.write(text)
      })
  }

  /** Prints lines; a terminal obeys nothing in them. */
  say(text: string): void {
    this.write(`${harmless(text)}\n`)
  }

  /** Prints lines of what went wrong; a terminal obeys nothing in them. */
  complain(text: string): void {
    process.stderr.write(`${harmless(text)}\n`)
  }

  /**
   * Hears of what others write to the terminal: `before` is called first, `after` with whether it ended with its line.
   *
   * @returns A function that ends it.
   */
  hear(before: () => void, after: (isWhole: boolean) => void): () => void {
    const undo = [process.stdout, process.stderr].map((stream) => {
      const { write } = stream as { write: (this: unknown, ...args: unknown[]) => boolean }
      const heard = (...args: unknown[]): boolean => {
        before()
        const result = write.apply(stream, args)
        const [chunk] = args
        after(typeof chunk === 'string' ? chunk.endsWith('\n') : (chunk as Uint8Array).at(-1) === NEWLINE)
        return result
      }
      stream.write = heard as typeof stream.write
      // Whoever has taken its place since keeps it.
      return () => void (stream.write === (heard as typeof stream.write) && (stream.write = write as typeof stream.write))
    })
    return () => {
      for (const each of undo) each()
    }
  }

  /** Resolves when all that was said has been written, or can't be. */
  async flush(): Promise<void> {
    for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve))
  }

  #fail(error: unknown): void {
    if (this.failed || this.unread.aborted) return
    if (UNREAD.has(codeOf(error))) this.#unread.abort()
    else {
      this.failed = true
      this.complain(`Standard output takes nothing more, so this goes on here: ${messageOf(error)}`)
    }
  }
}
