/** Where frames of a stack lead: to an editor, or to the clipboard. Kept by the browser, for this origin. */

/** What may be chosen, and the scheme of its links. */
export const EDITORS = { copy: '', vscode: 'vscode://file', 'vscode-insiders': 'vscode-insiders://file', cursor: 'cursor://file' } as const
/** One of them. */
export type Editor = keyof typeof EDITORS

const KEY = 'curtaincall.editor'
const listeners = new Set<() => void>()

/** The one that is chosen. */
export function chosenEditor(): Editor {
  const found = localStorage.getItem(KEY) ?? ''
  return Object.hasOwn(EDITORS, found) ? (found as Editor) : 'copy'
}

/** Chooses one, for all stacks that are shown. */
export function chooseEditor(editor: Editor): void {
  localStorage.setItem(KEY, editor)
  for (const listener of listeners) listener()
}

/** Tells of each choice; returns what ends that. */
export function onEditor(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** The address that opens a place, such as `/shop/a.ts:3:7`; undefined if it is only to be copied. */
export function addressIn(editor: Editor, place: string): string | undefined {
  const scheme = EDITORS[editor]
  return scheme === '' ? undefined : `${scheme}${encodeURI(place.startsWith('/') ? place : `/${place}`)}`
}
