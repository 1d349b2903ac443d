/** Why somebody was killed in a shutdown: the one who used up the time is named, and nobody who obeyed is blamed. */
import { shortened, type ShutdownAccount } from '../../machines/shutdown-account.ts'
import { shortName } from '../../machines/path.ts'
import { endOf, excuseOf, holderOf, nameOfStretch, sentenceOfAccount, spell } from '../../machines/shutdown-words.ts'
import type { WhyStep, WhyView } from './questions.ts'

/** Accounts that one answer holds, and what each of them names. */
const TOLD = 12
const NAMED = 40

/** The accounts that a page is told of: the latest. */
export function accountsFor(all: readonly ShutdownAccount[], now = Infinity): readonly ShutdownAccount[] {
  return all
    .filter(({ endedAt }) => endedAt <= now)
    .slice(-TOLD)
    .map((account) => shortened(account, NAMED))
}

interface Asked {
  readonly seq?: number | undefined
  readonly path?: string | undefined
}

/**
 * What explains an event, or the latest that went wrong, with what the accounts of shutdowns say of it.
 *
 * @param explain Gives the chain of causes of an event, or of the latest that went wrong at the path.
 */
export function blame(
  explain: (seq: number | undefined) => WhyView | undefined,
  accounts: readonly ShutdownAccount[],
  { seq, path }: Asked,
): WhyView | undefined {
  const view = explain(seq)
  const step = view?.steps.find(({ asked }) => asked)
  if (view === undefined || step === undefined || !/^routine\.(killed|cancelled|orphaned)$/.test(step.type)) return view
  const account = accounts.findLast((each) => each.seq < step.seq && step.path.startsWith(`${each.path}/`) && step.at <= each.endedAt)
  const holder = account === undefined ? undefined : holderOf(account)
  if (account === undefined || holder === undefined) return view
  const said = `${nameOfStretch(holder)} held up the shutdown of ${shortName(account.path)} for ${spell(holder.to - holder.from)}`
  const excuse = excuseOf(account, step.path)
  if (excuse === undefined)
    return holder.phase === undefined && holder.path === step.path ? { ...view, headline: sentenceOfAccount(account) } : view
  const victims = new Set(account.none.first.map((share) => share.path))
  const isVictim = ({ type, path: at }: WhyStep): boolean => type === 'routine.killed' && victims.has(at)
  const end = endOf(account, holder)
  const isInside = path === undefined || holder.path === path || holder.path.startsWith(`${path}/`)
  // Asked for whatever went wrong last, that is the one who held it up, and not the last of those who suffered from it.
  const other = seq === undefined && end !== undefined && isInside ? explain(end.seq) : undefined
  if (other !== undefined) return { ...other, headline: sentenceOfAccount(account) }
  return {
    ...view,
    headline: excuse,
    steps: view.steps.map((each) => (isVictim(each) ? { ...each, sentence: tooLate(each.path) } : each)),
    advice: `Nothing is wrong with ${shortName(step.path)}: it was asked to stop only when the time was up. ${adviceOn(holder.phase === undefined, nameOfStretch(holder))}`,
    holder: { path: holder.path, said, ...(end === undefined ? {} : { seq: end.seq }) },
  }
}

const tooLate = (path: string): string => `${shortName(path)} was asked to stop only when the time was up, and was given up on`

function adviceOn(isRoutine: boolean, name: string): string {
  return isRoutine
    ? `Let ${name} end when its context.signal is aborted, or give it a shutdown time that leaves some for the others.`
    : `What took the time is ${name}: a listener of manager.phase, or work that may end by itself.`
}
