/** Notices real input and output, which virtual time cannot wait for. */
import { createHook } from 'node:async_hooks'
import { lineOf } from './virtual-clock.ts'

/** Types of the platform's asynchronous operations that no virtual clock can move. */
const REAL =
  /^(FSREQ|FILEHANDLE|FSEVENTWRAP|STATWATCHER|TCP|UDP|PIPE|TTY|PROCESSWRAP|GETADDRINFO|GETNAMEINFO|QUERYWRAP|HTTP|WORKER|ZLIB|TLSWRAP|CRYPTO|RANDOMBYTES|RANDOMPRIME|CHECKPRIME|PBKDF2|SCRYPT|DERIVEBITS|SIGNREQUEST|CIPHERREQUEST|SECRETKEYGEN|KEYPAIRGEN|HASHREQUEST)/

/** Calls that are over when they return, such as `randomUUID`, `pbkdf2Sync` or `gzipSync`: nothing has to be waited for. */
const AT_ONCE = /\w+Sync \(node:|\bsyncBufferWrapper /

const OPENS_CONSOLE = /getStd(out|err|in)|node:internal\/console/

/** Watches from now on for what `isOurs` says was started inside. */
export function watchEscapes(isOurs: () => boolean): { readonly found: readonly string[]; stop(): void } {
  const found: string[] = []
  const hook = createHook({
    init(_id, type) {
      if (!REAL.test(type) || !isOurs()) return
      const { stack = '' } = new Error('escaped')
      // The first line that is written to the console opens it.
      if (OPENS_CONSOLE.test(stack) || AT_ONCE.test(stack)) return
      const where = lineOf(stack)
      found.push(`${type}${where === undefined ? '' : `, started at ${where}`}`)
    },
    // To track promises would make each of them cost three times as much.
    trackPromises: false,
  } as Parameters<typeof createHook>[0]).enable()
  return { found, stop: () => void hook.disable() }
}
