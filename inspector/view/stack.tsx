/** A failure: what was thrown, where in the user's code, what caused it, and what the routine had been given. */
import { useState, useSyncExternalStore } from 'react'
import type { FailureView, StackFrame, Thrown } from '../../src/inspector/problem-views.ts'
import { addressIn, chooseEditor, chosenEditor, type Editor, onEditor } from '../state/editor.ts'
import { useAnswer } from '../state/hooks.ts'
import { count } from './shared.tsx'
import './stack.css'

/** What has happened does not change. */
const SELDOM = 60_000

const useEditor = (): Editor => useSyncExternalStore(onEditor, chosenEditor)

/** A place in a file, `file:line:column`: opens it in the chosen editor, or copies it. */
export function PlaceLink({ place }: { readonly place: string }) {
  const editor = useEditor()
  const [copied, setCopied] = useState(false)
  const short = place.split('/').slice(-2).join('/')
  const address = addressIn(editor, place)
  if (address !== undefined)
    return (
      <a className="place" href={address} title={`Open ${place} in the editor`}>
        {short}
      </a>
    )
  const copy = (): void => {
    void navigator.clipboard.writeText(place).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
  return (
    <button type="button" className="link place" title={`Copy ${place}`} onClick={copy}>
      {short}
      {copied ? <span className="copied"> copied</span> : null}
    </button>
  )
}

const WORDS: Readonly<Record<Editor, string>> = {
  copy: 'copies its path',
  vscode: 'opens it in VS Code',
  'vscode-insiders': 'opens it in VS Code Insiders',
  cursor: 'opens it in Cursor',
}

/** What a click on a place does. */
function EditorChoice() {
  const editor = useEditor()
  return (
    <label className="editor-choice note">
      A click on a place{' '}
      <select value={editor} onChange={({ target }) => chooseEditor(target.value as Editor)}>
        {(Object.keys(WORDS) as Editor[]).map((each) => (
          <option key={each} value={each}>
            {WORDS[each]}
          </option>
        ))}
      </select>
    </label>
  )
}

const placeIn = ({ file, line, column }: StackFrame): string => `${file}:${line}:${column}`

function Frame({ frame }: { readonly frame: StackFrame }) {
  const { name, file } = frame
  return (
    <li className={frame.own ? 'own' : ''}>
      <code>{name === '' ? '(no name)' : name}</code> {file === '' ? null : <PlaceLink place={placeIn(frame)} />}
    </li>
  )
}

/** The frames of the user's own code; the whole stack is a click away. */
function Frames({ frames }: { readonly frames: readonly StackFrame[] }) {
  if (frames.length === 0) return <p className="note">It has no stack.</p>
  const own = frames.filter((frame) => frame.own)
  const others = frames.length - own.length
  return (
    <>
      {own.length === 0 ? <p className="note">No line of your own code is on its stack.</p> : null}
      <ol className="frames">
        {own.map((frame, k) => (
          <Frame key={k} frame={frame} />
        ))}
      </ol>
      {others === 0 ? null : (
        <details className="folded">
          <summary>
            {count(others)} {others === 1 ? 'frame' : 'frames'} of libraries: the whole stack
          </summary>
          <ol className="frames">
            {frames.map((frame, k) => (
              <Frame key={k} frame={frame} />
            ))}
          </ol>
        </details>
      )}
    </>
  )
}

function What({ thrown: { name, message } }: { readonly thrown: Thrown }) {
  return (
    <p className="thrown">
      {name === '' ? null : <strong>{name}</strong>} {message}
    </p>
  )
}

function Failure({ failure }: { readonly failure: FailureView }) {
  const { causes } = failure
  return (
    <div className="failure">
      <What thrown={failure} />
      <Frames frames={failure.frames} />
      {causes.map((cause, k) => (
        <div key={k} className="cause">
          <h4>caused by</h4>
          <What thrown={cause} />
          <Frames frames={cause.frames} />
        </div>
      ))}
      <Input failure={failure} />
      <EditorChoice />
    </div>
  )
}

function Input({ failure }: { readonly failure: FailureView }) {
  if (!('input' in failure)) return <p className="note">Its input is not held.</p>
  if (failure.input === 'undefined') return <p className="note">It was given no input.</p>
  const { input } = failure
  return (
    <>
      <h4>Input</h4>
      <pre className="input" tabIndex={0} role="region" aria-label="Input">
        {typeof input === 'string' ? input : JSON.stringify(input, null, 2)}
      </pre>
    </>
  )
}

/** The failure that an event tells of. */
export function FailureOf({ seq }: { readonly seq: number }) {
  const { answer, isLoading } = useAnswer('failure', { seq }, SELDOM)
  if (answer === undefined) return <p className="note">{isLoading ? 'Looking for the stack…' : 'Its stack is not held any more.'}</p>
  return <Failure failure={answer} />
}

/** The same, once somebody opens it. */
export function FailureFolded({ seq }: { readonly seq: number }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details className="failure-folded" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>stack and input</summary>
      {isOpen ? <FailureOf seq={seq} /> : null}
    </details>
  )
}
