#!/usr/bin/env node
/** The command. What one of its commands needs is loaded when that is asked for: the first line comes four times as soon. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Output } from './output.ts'
import { helpOf, ProgramError, UsageError } from './program.ts'
import { codeOf, isOf, messageOf, shown, stackOf } from './words.ts'

const HELP = `curtaincall: supervised actors, from the first cue to the curtain call

Usage:
  curtaincall run [options] FILE [arguments…]
  curtaincall explain FILE.cct.jsonl
  curtaincall replay FILE.cct.jsonl [MODULE]
  curtaincall inspect [--port N] FILE.cct.jsonl [OTHER.cct.jsonl]
  curtaincall --help | --version

run loads FILE (JavaScript, or TypeScript that Node can strip), whose default export
is a function of a global manager and {args, signal, refuse}, async allowed. It builds
a tree of managers and routines and resolves when the job is done; lines that it
returns are printed in the summary. Meanwhile one line shows how many routines are
done, running, queued, failed and restarted, and during the shutdown who is waited
for, and how long at most; on a terminal it is redrawn in place, in a pipe it comes
once a second. What fails, hangs, gives up or is refused is said above it as it comes.
An inspector is opened beside it, at the address that is printed (on a terminal, o and
Enter open it in a browser); with one, the tree stays up when the job is done, until
Ctrl-C. At the end everything is shut down in five phases (closing, cancelling, waiting,
killing, cleaning) and accounted for: who held that up, who got none of the time, and
who was killed or abandoned.

explain prints the story of a trace that the test kit has written, with the events
that show what went wrong. replay plays it again in virtual time and says whether it
goes the same way. MODULE brings what the trace does not hold: its default export is the
tree, its exports laws and script are arrays, of laws that are held beside the kit's
own, and of steps that are functions. inspect opens a local page on a trace, or on what the inspector has
saved, prints its address and stays until Ctrl-C; OTHER stands beside FILE, such as a
counterexample before it was made smaller.

Options of run, before FILE; those about the inspector, and --help, behind it, too, up to
a --:
  --timeout MS   the whole time of the shutdown            (default 10000)
  --drain MS     how long work may end by itself first     (default 0)
  --no-inspect   open no inspector, and end with the job
  --once         end with the job, though an inspector is open
  --port N       the inspector's port                      (default: a free one)
  --post-mortem DIR  write a page there of what went wrong, if the tree gives up,
                 the shutdown runs out of time, or the process crashes
  --controls     let the inspector cancel, kill, restart, shut down and send
  -h, --help     this text, after what FILE exports as help, if that is a text
  -v, --version  the version

Signals: the first SIGINT (Ctrl-C), SIGTERM or SIGHUP begins the shutdown, the second makes
it immediate, and leaves a program behind that does not return. Until then, or until it
returns, a program is kept awake. Where nobody reads any more what is printed, as behind
a pipe to head, the shutdown begins as well. What can't be printed otherwise, as on a full
disk, goes to standard error, and the job goes on. Of what is printed a terminal obeys
nothing: control characters in names, errors, files and returned lines are written out.

NO_COLOR takes the colours away. In pipes, in CI, and on a dumb terminal lines are plain.
BROWSER names the program that opens the page.

Exit codes: 0 done; 1 the program threw, never ended to load, or returned anything but
lines, or the tree gave up, or standard output failed; 2 wrong usage; 130 after SIGINT, 143
after SIGTERM, 129 after SIGHUP, 141 where nobody read any more, unless the job was done or
the tree had ended before. Of inspect: 0 after any of these signals.
Of replay: 0 the same, and every law holds; 1 a law is broken, or was and is not known;
3 every law holds, but it went another way.
`

function version(): string {
  for (const up of ['../../', '../../../']) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8')) as Record<
        string,
        string
      >
      if (name === 'curtaincall' && found !== undefined) return found
    } catch {
      // Built, the package's root is one level further up than in the sources.
    }
  }
  return 'unknown'
}

/** Milliseconds that the platform can wait for at most. */
const LONGEST = 2 ** 31 - 1

function milliseconds(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= LONGEST))
    throw new UsageError(`--${option} must be a number of milliseconds from 0 to ${LONGEST}; received ${text}.`)
  return value
}

function portNumber(text: string): number {
  const port = Number(text)
  if (text.trim() === '' || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port must be a whole number from 0 to 65535; received ${text}.`)
  return port
}

const TAKE_VALUE = new Set(['--timeout', '--drain', '--port', '--post-mortem'])
/** What is about the inspector is ours behind FILE, too: `npm start -- --port 3000` puts it there; and the call for help. After `--` nothing is. */
const OURS_ANYWHERE = new Set(['--once', '--no-inspect', '--controls', '--port', '--help', '-h'])

/** Options stand before FILE; what follows it belongs to the program, except {@link OURS_ANYWHERE}. */
function split(argv: readonly string[]): { own: string[]; file: string | undefined; args: string[] } {
  let at = 0
  while (at < argv.length && (argv[at] as string).startsWith('-')) at += TAKE_VALUE.has(argv[at] as string) ? 2 : 1
  const own = argv.slice(0, at)
  const args: string[] = []
  for (let k = at + 1; k < argv.length; k++) {
    const arg = argv[k] as string
    if (arg === '--') {
      args.push(...argv.slice(k + 1))
      break
    }
    if (!OURS_ANYWHERE.has(arg.split('=', 1)[0] as string)) args.push(arg)
    else own.push(arg, ...(TAKE_VALUE.has(arg) ? argv.slice(++k, k + 1) : []))
  }
  return { own, file: argv[at], args }
}

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    out.write(HELP)
    return command === undefined ? 2 : 0
  }
  if (command === '--version' || command === '-v') {
    out.write(`${version()}\n`)
    return 0
  }
  if (command === 'explain' || command === 'replay') {
    const { values, positionals } = parseArgs({ args: rest, allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } })
    if (values.help === true) {
      out.write(HELP)
      return 0
    }
    const [file, tree] = positionals
    if (file === undefined) throw new UsageError(`${command} needs a FILE; try curtaincall --help.`)
    if (positionals.length > (command === 'explain' ? 1 : 2))
      throw new UsageError(
        `${command} takes no more than ${command === 'explain' ? 'a FILE' : 'a FILE and a MODULE'}; try curtaincall --help.`,
      )
    const { explain, replay } = await import('./trace.ts')
    return command === 'explain' ? explain(file, out) : replay(file, tree, out)
  }
  if (command === 'inspect') {
    const { values, positionals: files } = parseArgs({
      args: rest,
      allowPositionals: true,
      options: { port: { type: 'string', default: '0' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help === true) {
      out.write(HELP)
      return 0
    }
    if (files.length === 0 || files.length > 2) throw new UsageError('inspect needs a FILE, and at most one more; try curtaincall --help.')
    const { inspectTraces } = await import('./inspect.ts')
    return inspectTraces({ files, port: portNumber(values.port) }, out)
  }
  if (command !== 'run') throw new UsageError(`There is no command ${command}; try curtaincall --help.`)
  const { own, file, args } = split(rest)
  const { values } = parseArgs({
    args: own,
    options: {
      timeout: { type: 'string', default: '10000' },
      drain: { type: 'string', default: '0' },
      once: { type: 'boolean' },
      'no-inspect': { type: 'boolean' },
      controls: { type: 'boolean' },
      'post-mortem': { type: 'string' },
      port: { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) {
    if (file !== undefined) out.say(`${await helpOf(file)}\n`)
    out.write(HELP)
    return 0
  }
  if (file === undefined) throw new UsageError('run needs a FILE; try curtaincall --help.')
  const { timeout, drain, once = false, controls = false } = values
  const inspect = values['no-inspect'] === true ? undefined : { port: portNumber(values.port), controls }
  const whole = { timeout: milliseconds('timeout', timeout), drain: milliseconds('drain', drain) }
  const { run } = await import('./run.ts')
  return run({ file, args, ...whole, once, inspect, postMortem: values['post-mortem'] }, out)
}

const out = new Output()
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const mistake = isOf(error, UsageError) || codeOf(error).startsWith('ERR_PARSE_ARGS')
  const isSaid = mistake || isOf(error, ProgramError)
  out.complain(isSaid ? messageOf(error) : (stackOf(error) ?? shown(error)))
  process.exitCode = mistake ? 2 : 1
}
await out.flush()
if (out.failed && process.exitCode === 0) process.exitCode = 1
// Work that was abandoned may hold the process open for ever; everything that counts has been said.
process.exit()
