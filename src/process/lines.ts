/** The lines of a stream of text, as they are complete; what is left at its end is one, too. */
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** So long a line may get before it is cut: a stream without an end of line is to fill no memory. */
const LONGEST = 64 * 1_024

export function eachLine(stream: Readable, tell: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) tell(line.endsWith('\r') ? line.slice(0, -1) : line)
    for (; rest.length > LONGEST; rest = rest.slice(LONGEST)) tell(rest.slice(0, LONGEST))
  })
  stream.on('end', () => {
    rest += decoder.end()
    if (rest !== '') tell(rest)
    rest = ''
  })
  // It ends with the process: what goes wrong with it then is no news.
  stream.on('error', () => undefined)
}
