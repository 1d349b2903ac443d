/** How long nothing has been heard of somebody who should say something every second. */

/** Milliseconds between two looks. */
const LOOK = 500
/** Looks with nothing heard between them that are silence: three seconds. */
const MOST = 6

/**
 * Looks are counted, and not milliseconds: a page that was busy or asleep itself for a minute has heard nothing meanwhile, and that
 * says nothing of the process. A tab that nobody sees takes up no pictures, so that it may be owed nothing: it does not count.
 *
 * @param tell Called at every look that finds silence.
 * @returns To be called whenever anything is heard.
 */
export function watchSilence(tell: () => void): () => void {
  let looks = 0
  setInterval(() => {
    looks = document.hidden ? 0 : looks + 1
    if (looks > MOST) tell()
  }, LOOK)
  return () => {
    looks = 0
  }
}
