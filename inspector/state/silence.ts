/** Notices when nothing is heard of a process that should say something every second. */

/** Milliseconds between two looks. */
const LOOK = 500
/** Looks with nothing heard between them that are silence: three seconds. */
const MOST = 6

/**
 * Looks are counted, and not milliseconds: a page that was busy or asleep itself for a minute has heard nothing meanwhile, and that
 * says nothing of the process. A hidden tab paints nothing, and so may be sent nothing: it does not count.
 *
 * @param onSilence Called at every look that finds silence.
 * @returns To be called whenever anything is heard.
 */
export function watchSilence(onSilence: () => void): () => void {
  let looks = 0
  setInterval(() => {
    looks = document.hidden ? 0 : looks + 1
    if (looks > MOST) onSilence()
  }, LOOK)
  return () => {
    looks = 0
  }
}
