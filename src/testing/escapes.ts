/** Notices real input and output, which virtual time cannot wait for. */
import { CurtaincallError } from '../contract/index.ts'
import { hearResources, namedImportsFollow, platformName, whatHooksTell } from './platform.ts'
import { lineOf } from './virtual-clock.ts'

/** Types of the platform's asynchronous operations that no virtual clock can move. */
const REAL =
  /^(FSREQ|FILEHANDLE|FSEVENTWRAP|STATWATCHER|TCP|UDP|PIPE|TTY|PROCESSWRAP|GETADDRINFO|GETNAMEINFO|QUERYWRAP|HTTP|WORKER|ZLIB|TLSWRAP|CRYPTO|RANDOMBYTES|RANDOMPRIME|CHECKPRIME|PBKDF2|SCRYPT|DERIVEBITS|SIGNREQUEST|CIPHERREQUEST|SECRETKEYGEN|KEYPAIRGEN|HASHREQUEST)/

/** Calls that are over when they return, such as `randomUUID`, `pbkdf2Sync` or `gzipSync`: nothing has to be waited for. */
const AT_ONCE = /\w+Sync \(node:|\bsyncBufferWrapper /

const OPENS_CONSOLE = /getStd(out|err|in)|node:internal\/console/

/** Real timers, where those that are imported by name stay so. */
const TIMERS = /^(Timeout|Immediate)$/

/** What comes of the code inside alone: whatever else there is may be real, and come to an end by itself. */
const OF_THE_CODE = /^(PROMISE|TickObject|Microtask|bound-|Timeout|Immediate|CURTAINCALL)/

/** Notices what escapes from one virtual time. */
export class EscapeWatch {
  readonly #found: string[] = []
  readonly #isOurs: () => boolean
  readonly #stop: () => void
  /** How many want it to go on. */
  #holders = 1
  /** True once something was started inside of which nobody knows what it is. */
  #hasCompany = false

  /** Watches from now on for what `isOurs` says was started inside. Timers have to be replaced already. */
  constructor(isOurs: () => boolean) {
    this.#isOurs = isOurs
    const timersStay = !namedImportsFollow()
    this.#stop = hearResources({
      init: (_id, type) => {
        if (REAL.test(type)) this.#note(type, '')
        else if (timersStay && TIMERS.test(type)) this.#note(type, `: here, what is imported from node:timers by name stays real`)
        else if (!this.#hasCompany && !OF_THE_CODE.test(type)) this.#hasCompany = isOurs()
      },
    })
  }

  #note(type: string, why: string): void {
    if (!this.#isOurs()) return
    const { stack = '' } = new Error('escaped')
    // The first line that is written to the console opens it.
    if (OPENS_CONSOLE.test(stack) || AT_ONCE.test(stack)) return
    const where = lineOf(stack)
    this.#found.push(`${type}${where === undefined ? '' : `, started at ${where}`}${why}`)
  }

  /** True if nothing was started inside that may come to an end by itself and is not known to be real. */
  get isAlone(): boolean {
    return !this.#hasCompany
  }

  /** How many escapes there were so far. */
  get count(): number {
    return this.#found.length
  }

  /** What has escaped as an error, unless there were not more than so many. */
  error(cause?: { readonly error: unknown }, known = 0): CurtaincallError | undefined {
    const escaped = this.#found[known]
    if (escaped === undefined) return undefined
    const message = `virtual time does not reach ${escaped}`
    if (cause === undefined) return new CurtaincallError('ERR_ESCAPED', message)
    const { error } = cause
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return new CurtaincallError('ERR_ESCAPED', `${message}\nmeanwhile this was thrown: ${said}`, { cause: error })
  }

  /** Goes on until this holder stops it, too. */
  hold(): void {
    this.#holders++
  }

  stop(): void {
    if (--this.#holders === 0) this.#stop()
  }
}

/** Throws where nothing would be noticed. */
export function refuseUnwatched(): void {
  if (whatHooksTell().inputAndOutput) return
  throw new CurtaincallError(
    'ERR_TEST',
    `${platformName()} does not show what escapes from virtual time: its async hooks tell nothing of real input and output. With allowEscapes: true it is not looked for`,
  )
}
