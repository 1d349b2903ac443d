/** What is wrong at this moment: it is said of the present state, so that it is known whatever of the events is held no more. */
import { shortName } from '../../machines/path.ts'
import type { Forest } from './forest.ts'
import type { HeldEvents } from './held.ts'
import type { KeptEvent, Questions, StateNow, WhyView } from './protocol.ts'
import { adviceOn, type WorkKind } from './story.ts'

/** Those that an answer names. */
export const NAMED = 5

/** Milliseconds as one says them. */
const said = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`

/** What is wrong with one, in words. */
function sentenceOf({ path, state, since }: StateNow, now: number): string {
  const who = shortName(path)
  if (state === 'down') return `${who} does not run: it waits to be restarted`
  return since === undefined ? `${who} hangs` : `${who} hangs: nothing has been heard of it for ${said(now - since)}`
}

/**
 * An explanation, and what is wrong at this moment where that was asked about. It says so though no event of it is held.
 *
 * @param ask An event that is asked about by its number is explained by itself.
 */
export function withPresent(
  story: WhyView | undefined,
  wrong: readonly Omit<StateNow, 'sentence'>[],
  { seq, path }: Questions['why']['ask'],
  now: number,
  workOf: (path: string) => WorkKind | undefined,
): WhyView | undefined {
  const [first] = wrong
  if (seq !== undefined || first === undefined) return story
  const told = wrong.map((each): StateNow => ({ ...each, sentence: sentenceOf(each as StateNow, now) }))
  const [{ sentence } = { sentence: '' }] = told
  const advice = adviceOn([{ type: first.state === 'hung' ? 'routine.hung' : '', path: first.path } as KeptEvent], workOf)
  if (story === undefined) return { headline: sentence, steps: [], advice, cut: true, now: told }
  const asked = story.steps.find((step) => step.asked)
  // Of who hangs it says since when by now; of who waits to be restarted its failure says more.
  const isToldOf = first.path !== path || (first.state === 'down' && asked?.type === 'routine.failed')
  return isToldOf ? { ...story, now: told } : { ...story, headline: sentence, advice: advice ?? story.advice, now: told }
}

/**
 * Who hangs at a moment of a recording, at a path and below it.
 *
 * @param before Events with this `seq` or a later one have not happened by then.
 */
export function hungIn(
  forest: Forest,
  ledger: HeldEvents,
  path: string | undefined,
  before: number,
): readonly Omit<StateNow, 'sentence'>[] {
  const isHere = (at: string): boolean => path === undefined || at === path || at.startsWith(`${path}/`)
  const hung = forest.hung.filter(isHere).slice(0, NAMED)
  return hung.map((at) => ({ path: at, state: 'hung', since: lastHeard(ledger, at, before) }))
}

/** When one that hangs was last heard; undefined if that is not recorded. */
function lastHeard(ledger: HeldEvents, path: string, before: number): number | undefined {
  for (let k = ledger.firstFrom(before) - 1; k >= 0; k--) {
    const event = ledger.at(k) as KeptEvent
    if (event.path === path && event.type === 'routine.hung') return event.at - Number(event['silence'] ?? 0)
  }
  return undefined
}
