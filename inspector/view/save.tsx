/** Saving what was recorded: as a trace, as a page that opens from disk, and for Chrome's trace viewers. */
import { useState } from 'react'
import type { Recording } from '../../src/inspector/protocol.ts'
import { toChromeTrace, toTraceLines } from '../../src/inspector/recording.ts'
import { useSession } from '../state/hooks.ts'
import { pack } from '../state/standalone.ts'

interface Format {
  readonly label: string
  readonly ending: string
  readonly type: string
  /** True if the page has to be fetched from where it came from. */
  readonly needsServer?: true
  readonly make: (recording: Recording, beside: Recording | undefined) => string | Promise<string>
}

const FORMATS: readonly Format[] = [
  {
    label: 'Trace (*.cct.jsonl)',
    ending: 'cct.jsonl',
    type: 'application/jsonl',
    make: (recording) => toTraceLines(recording, { curtaincall: VERSION, xstate: '5', node: '' }),
  },
  {
    label: 'Page (*.html), opens from disk',
    ending: 'html',
    type: 'text/html',
    needsServer: true,
    make: async (recording, beside) => pack(await template(), beside === undefined ? [recording] : [recording, beside]),
  },
  { label: 'Chrome trace (*.json)', ending: 'trace.json', type: 'application/json', make: (recording) => toChromeTrace(recording) },
]

/** The template of saved pages. Beside a page that was saved there is none; whoever has that has the file already. */
async function template(): Promise<string> {
  const response = await fetch('./standalone.html')
  if (!response.ok) throw new Error('the page that recordings are saved in is not there')
  return response.text()
}

function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  // By then the download has begun, and does not need it any more.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

export function SaveMenu() {
  const session = useSession()
  const [said, setSaid] = useState('')
  const save = async ({ ending, type, make }: Format): Promise<void> => {
    setSaid('saving…')
    try {
      const recording = await session.recording()
      download(`${recording.name}.${ending}`, type, await make(recording, session.beside))
      setSaid('')
    } catch (error) {
      setSaid((error as Error).message)
    }
  }
  return (
    <details
      className="menu"
      onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || event.currentTarget.removeAttribute('open')}
    >
      <summary>Save</summary>
      <div>
        {FORMATS.filter(({ needsServer }) => needsServer === undefined || !session.isSaved).map((format) => (
          <button key={format.ending} type="button" onClick={() => void save(format)}>
            {format.label}
          </button>
        ))}
        <span role="status">{said}</span>
      </div>
    </details>
  )
}
