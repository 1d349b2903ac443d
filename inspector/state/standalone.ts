/** Recordings that are saved inside a page: compressed, as text in a script element that is never run. */
import type { Recording } from '../../src/inspector/protocol.ts'
import { checkedRecording } from '../../src/inspector/recording.ts'
import { SAVED_ID, savedPage } from '../../src/inspector/saved.ts'

const PIECE = 32_768

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer())
}

/** What this page was saved with; nothing if it was opened from a process; an error if it has been broken since. */
export async function unpack(): Promise<readonly Recording[] | Error> {
  const text = document.getElementById(SAVED_ID)?.textContent
  if (text === undefined || text === null) return []
  try {
    const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0))
    const json = new TextDecoder().decode(await through(bytes, new DecompressionStream('gzip')))
    return (JSON.parse(json) as unknown[]).map(checkedRecording)
  } catch (cause) {
    return new Error(`The recording in this page is broken: ${(cause as Error).message}`, { cause })
  }
}

/** The text of a page that holds recordings. */
export async function pack(template: string, recordings: readonly Recording[]): Promise<string> {
  const bytes = await through(new TextEncoder().encode(JSON.stringify(recordings)), new CompressionStream('gzip'))
  let letters = ''
  for (let at = 0; at < bytes.length; at += PIECE) letters += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  return savedPage(template, btoa(letters))
}
