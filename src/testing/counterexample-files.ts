/** Counterexamples as files: what they are called, and what can be done with them. */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { laws as allLaws } from './laws.ts'
import type { Trace } from './trace.ts'
import { writeTrace } from './trace-file.ts'

/** Characters of the name of a law that the name of a file takes over. */
const LONGEST = 60

/**
 * Writes the smallest run that breaks a law, and beside it the one that it was made of.
 *
 * @returns The commands that use them; or why they could not be written, which must not hide the counterexample itself.
 */
export function keepBoth(trace: Trace, original: Trace | undefined, folder: string, law: string): string {
  const name = nameOf(trace, law)
  try {
    mkdirSync(folder, { recursive: true })
    return instructions(trace, keep(trace, folder, name), original && keep(original, folder, `${name}.original`), law)
  } catch (error) {
    return `the trace could not be written: ${(error as Error).message}`
  }
}

function instructions(trace: Trace, smallest: string, original: string | undefined, law: string): string {
  const exported = [
    ...(trace.header.tree === undefined ? ['its default export is the tree'] : []),
    ...(allLaws.some((each) => each.name === law) ? [] : [`its export laws has ${law}`]),
  ]
  const module = exported.length === 0 ? '' : ` MODULE, where ${exported.join(' and ')}`
  const replay = `replay: npx curtaincall replay ${smallest}${module}`
  if (original === undefined) return `${replay}\nlook: npx curtaincall inspect ${smallest}`
  return `${replay}\nlook, beside what it was before it was made smaller: npx curtaincall inspect ${smallest} ${original}`
}

/** Writes a trace. Returns the name of its file, quoted for a shell where necessary. */
function keep(trace: Trace, folder: string, name: string): string {
  const file = join(folder, `${name}.cct.jsonl`)
  writeTrace(file, trace)
  return /^[\p{L}\p{N}\\/:._+@,-]+$/u.test(file) ? file : `"${file.replaceAll(/["$`]/g, String.raw`\$&`)}"`
}

/**
 * A name that any file system takes. The hash keeps apart laws whose names differ only in what is left out, and the many trees that
 * break one law with one seed. The same counterexample always has the same name.
 */
function nameOf({ header, events }: Trace, law: string): string {
  const { on: _on, found, ...made } = header
  const hash = createHash('sha256').update(JSON.stringify([law, made, events]))
  const words = law.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, '')
  return `${words.slice(0, LONGEST) || 'law'}-${found?.seed}-${hash.digest('hex').slice(0, 8)}`
}
