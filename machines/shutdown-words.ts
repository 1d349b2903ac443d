/** The account of a shutdown in sentences: the same ones for the page, the terminal, the story of a trace, and a post-mortem. */
import type { Phase } from './lifecycle-event.ts'
import { shortName } from './path.ts'
import type { Share, ShutdownAccount, Stretch } from './shutdown-account.ts'

/** Milliseconds below which nobody is said to have held anything up. */
const NOTICED = 50
/** Names in one sentence. */
const SAID = 2
/** A stretch of this share of the whole is all of it. */
const ALL = 0.9

/** Milliseconds for people. */
export function spell(milliseconds: number): string {
  const whole = Math.max(0, Math.round(milliseconds))
  if (whole < 1_000) return `${whole} ms`
  // 59,960 ms are a minute, and not 60.0 s.
  if (whole < 59_950) return `${(whole / 1_000).toFixed(1)} s`
  const seconds = Math.round(whole / 1_000)
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  if (minutes < 60) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Some names, and how many more there are: `pricing and 3 others`. */
function list(names: readonly string[], many: number): string {
  const said = [...new Set(names)].slice(0, many > SAID ? SAID - 1 : SAID)
  const left = many - said.length
  if (left <= 0 || names.length === 0) return said.join(' and ')
  return `${said.join(', ')} and ${left === 1 ? 'one other' : `${left} others`}`
}

/** Who held up a shutdown for longest; undefined if nobody did for long. */
export function holderOf({ critical }: ShutdownAccount): Stretch | undefined {
  let found: Stretch | undefined
  for (const each of critical) if (found === undefined || each.to - each.from > found.to - found.from) found = each
  return found !== undefined && found.to - found.from >= NOTICED ? found : undefined
}

/** Its end, if the one that held it up was a routine. */
export function endOf({ takers }: ShutdownAccount, { path, phase }: Stretch): Share | undefined {
  return phase === undefined ? takers.first.find((share) => share.path === path) : undefined
}

/** What took a stretch: a routine, or a phase of a manager. */
export function nameOfStretch({ path, phase }: Pick<Stretch, 'path'> & { readonly phase?: Phase | undefined }): string {
  if (phase === undefined) return shortName(path)
  return phase === 'closing' ? `${shortName(path)} while it was closing` : `${shortName(path)} in its phase ${phase}`
}

/** Who held it up, and who got none of the time: one sentence, without a full stop. */
export function sentenceOfAccount(account: ShutdownAccount): string {
  const { startedAt, endedAt, none } = account
  const whole = endedAt - startedAt
  const holder = holderOf(account)
  if (holder === undefined) return `nobody held up the shutdown of ${shortName(account.path)}: over after ${spell(whole)}`
  const took = holder.to - holder.from
  const end = endOf(account, holder)
  // They were asked together, and none of them obeyed.
  const equals = end?.outcome === 'killed' ? account.takers.first.filter((each) => isBeside(each, end)).map(({ path }) => path) : []
  const who = equals.length > 1 ? list(equals.map(shortName), equals.length) : nameOfStretch(holder)
  const held = took >= whole * ALL ? `held all for ${spell(took)}` : `held it up for ${spell(took)} of ${spell(whole)}`
  const next = took >= whole * ALL ? '' : alsoHeld(account, holder)
  const victims =
    none.many === 0
      ? ''
      : `; ${list(
          none.first.map(({ path }) => shortName(path)),
          none.many,
        )} got 0 ms`
  return `${who} ${held}${next}${victims}`
}

/** They were asked together and ended together, as far as a clock tells. */
function isBeside(one: Share, other: Share): boolean {
  const near = (other.to - other.asked) / 20
  const parent = ({ path }: Share): string => path.slice(0, path.lastIndexOf('/'))
  const isTogether = Math.abs(one.asked - other.asked) <= near && Math.abs(one.to - other.to) <= near
  return isTogether && one.outcome === other.outcome && parent(one) === parent(other)
}

/** The next that took a good part of it. */
function alsoHeld({ critical, startedAt, endedAt }: ShutdownAccount, holder: Stretch): string {
  const others = critical.filter((each) => each !== holder && each.to - each.from >= NOTICED)
  const next = others.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0]
  if (next === undefined || next.to - next.from < (endedAt - startedAt) / 10) return ''
  return `, ${nameOfStretch(next)} for ${spell(next.to - next.from)}`
}

/** The critical path in one line, without what took less than a hundredth: `legacy-export 10.0 s → pricing 200 ms`. */
export function pathInWords({ critical, shorter, startedAt, endedAt }: ShutdownAccount, most = 8): string {
  const worth = critical.filter(({ from, to }) => to - from >= (endedAt - startedAt) / 100)
  const kept = new Set(worth.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, most))
  const said = critical.filter((each) => kept.has(each)).map((each) => `${nameOfStretch(each)} ${spell(each.to - each.from)}`)
  const left = worth.length - kept.size + shorter.many
  return `${said.join(' → ')}${left === 0 ? '' : ` and ${left} shorter`}`
}

/** What there is to say of one who got none of the time, and was killed for it; undefined of anybody else. */
export function excuseOf(account: ShutdownAccount, path: string): string | undefined {
  if (!account.none.first.some((share) => share.path === path)) return undefined
  const holder = holderOf(account)
  const name = shortName(path)
  if (holder === undefined) return `${name} was asked to stop only when the time was up`
  const took = spell(holder.to - holder.from)
  return `${name} got 0 ms to stop: ${nameOfStretch(holder)} had held up the shutdown of ${shortName(account.path)} for ${took} before its turn came`
}

/** All there is to say of a shutdown, in lines. */
export function linesOfAccount(account: ShutdownAccount, most = 10): string[] {
  const { killed, none, abandoned, takers } = account
  const names = (shares: readonly Share[], many: number): string => {
    const said = shares.slice(0, most).map(({ path }) => shortName(path))
    return `${said.join(', ')}${many > said.length ? ` and ${many - said.length} more` : ''}`
  }
  const held = takers.first.filter(({ asked, to }) => to - asked >= NOTICED).slice(0, most)
  return [
    sentenceOfAccount(account),
    ...(holderOf(account) === undefined ? [] : [`critical path: ${pathInWords(account)}`]),
    ...(held.length < 2 ? [] : [`took: ${held.map(({ path, asked, to }) => `${shortName(path)} ${spell(to - asked)}`).join(', ')}`]),
    ...(none.many === 0 ? [] : [`got 0 ms: ${names(none.first, none.many)}`]),
    ...(killed.many === 0 ? [] : [`killed: ${names(killed.first, killed.many)}`]),
    ...(abandoned.many === 0
      ? []
      : [
          `abandoned, still at work: ${abandoned.first.slice(0, most).map(shortName).join(', ')}${abandoned.many > most ? ` and ${abandoned.many - most} more` : ''}`,
        ]),
  ]
}
