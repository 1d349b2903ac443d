/** Notices real input and output. */
import { createHook } from 'node:async_hooks'
import { lineOf } from './virtual-clock.ts'

/** What the platform calls its own doings that no virtual clock can move. */
const REAL =
  /^(FSREQ|FILEHANDLE|FSEVENTWRAP|STATWATCHER|TCP|UDP|PIPE|TTY|PROCESSWRAP|GETADDRINFO|GETNAMEINFO|QUERYWRAP|HTTP|WORKER|ZLIB|TLSWRAP|CRYPTO|RANDOMBYTES|RANDOMPRIME|CHECKPRIME|PBKDF2|SCRYPT|DERIVEBITS|SIGNREQUEST|CIPHERREQUEST|SECRETKEYGEN|KEYPAIRGEN|HASHREQUEST)/

/** What is over when the call returns, such as `randomUUID`, `pbkdf2Sync` or `gzipSync`: nobody waits for it. */
const AT_ONCE = /\w+Sync \(node:|\bsyncBufferWrapper /

const OPENS_CONSOLE = /getStd(out|err|in)|node:internal\/console/

/** Watches from now on for what `isOurs` says was started inside. */
export function watchEscapes(isOurs: () => boolean): { readonly found: readonly string[]; stop(): void } {
  const found: string[] = []
  const hook = createHook({
    init(_id, type) {
      if (!REAL.test(type) || !isOurs()) return
      const { stack = '' } = new Error('escaped')
      // The first line that is ever written to the console opens it.
      if (OPENS_CONSOLE.test(stack) || AT_ONCE.test(stack)) return
      const where = lineOf(stack)
      found.push(`${type}${where === undefined ? '' : `, started at ${where}`}`)
    },
    // Following promises would make each of them three times as dear.
    trackPromises: false,
  } as Parameters<typeof createHook>[0]).enable()
  return { found, stop: () => void hook.disable() }
}
