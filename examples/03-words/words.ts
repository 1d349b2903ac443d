/**
 * Counts the words of pages on threads. One page sends the counter round in circles for ever: it is found by its silence, its thread is ended, and
 * all others are counted meanwhile.
 *
 *     npm run build && npx curtaincall run examples/03-words/words.ts
 */
import type { GlobalManager, Program } from 'curtaincall'
import { thread } from 'curtaincall/thread'
import { BUG, type Page } from './count.ts'

/** Milliseconds without a heartbeat after which a page is given up. */
const SILENCE = 500

const PAGES: readonly Page[] = [
  { name: 'tea', text: 'tea first and tea last and tea between' },
  { name: 'snake', text: `a snake that bites its tail is an ${BUG} they say` },
  { name: 'stage', text: 'the curtain falls the curtain rises' },
]

/** Counts them all, two at a time, and says what became of each. */
export async function countAll(global: GlobalManager, pages: readonly Page[]): Promise<string[]> {
  const count = thread<typeof import('./count.ts'), 'count'>(new URL('./count.ts', import.meta.url), 'count', { maxThreads: 2 })
  const local = global.createApp('words').createLocal('pages')
  const story: string[] = []
  using _ = local.on('routine.hung', ({ id, blocked }) => story.push(`${id} is silent: ${blocked ?? 'nothing blocks it'}`))
  const counting = pages.map((input) => local.spawn('count', count, { id: input.name, input, hungAfter: SILENCE, onHung: 'kill' }))
  for (const routine of counting) {
    const outcome = await routine.outcome
    story.push(
      outcome.status === 'completed'
        ? `${routine.id}: ${outcome.output.words} words, most of them "${outcome.output.top}"`
        : `${routine.id}: ${outcome.status}`,
    )
  }
  return story
}

const program: Program = (global) => countAll(global, PAGES)

export default program
