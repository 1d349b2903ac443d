/** Who held up a shutdown that is over: the critical path, who took how much of the time, and who got none of it. */
import type { Named, Share, ShutdownAccount, Stretch } from '../../machines/shutdown-account.ts'
import { holderOf, nameOfStretch, sentenceOfAccount, spell } from '../../machines/shutdown-words.ts'
import { useAnswer, useSession } from '../state/hooks.ts'
import type { Episode } from '../state/waterfall.ts'
import { count, Glyph, PathLink } from './shared.tsx'
import './account.css'

/** Those that are named at once; the others are counted. */
const SHOWN = 12
/** Milliseconds that are worth a row. */
const NOTICED = 1
/** Percent of the whole below which a stretch has no room for its name. */
const BRIEF = 3

/** The account of what is shown. */
export function accountOf(accounts: readonly ShutdownAccount[], { root, endedAt }: Episode): ShutdownAccount | undefined {
  if (endedAt === undefined) return undefined
  return accounts.findLast(({ path, startedAt, endedAt: to }) => path === root.path && startedAt <= endedAt && to >= root.startedAt)
}

export function AccountBox({ account }: { readonly account: ShutdownAccount }) {
  const { takers, none, killed, abandoned, critical, shorter } = account
  const isHeld = holderOf(account) !== undefined
  const rows = takers.first.filter(({ asked, to }) => to - asked >= NOTICED).slice(0, SHOWN)
  return (
    <section className="account" aria-label="Who held it up">
      <h3>Who held it up</h3>
      <p className="said">{sentenceOfAccount(account)}</p>
      {isHeld ? <CriticalPath account={account} /> : null}
      {isHeld && rows.length > 0 ? <Takers rows={rows} account={account} /> : null}
      {takers.many > rows.length && isHeld ? (
        <p className="note">
          {takers.many - rows.length === 1 ? 'One further routine was' : `${count(takers.many - rows.length)} further routines were`} asked
          in turn, and took less.
        </p>
      ) : null}
      {critical.length > 0 && shorter.many > 0 ? (
        <p className="note">
          {count(shorter.many)} further stretches of the critical path, {spell(shorter.duration)} in all.
        </p>
      ) : null}
      <Some title="Got 0 ms: asked to stop only when the time was up" some={none} />
      <Some title="Killed" some={killed} />
      {abandoned.many === 0 ? null : (
        <Some
          title="Abandoned: given up on, and still at work"
          some={{ many: abandoned.many, first: abandoned.first.map((path) => ({ path })) }}
        />
      )}
    </section>
  )
}

/** The whole time as a bar, cut where somebody else was waited for. */
function CriticalPath({ account }: { readonly account: ShutdownAccount }) {
  const session = useSession()
  const { critical, startedAt, endedAt } = account
  const whole = Math.max(1, endedAt - startedAt)
  const holder = holderOf(account)
  const percent = ({ from, to }: Stretch): number => ((to - from) / whole) * 100
  return (
    <>
      <h4>Critical path: who was waited for, from the beginning to the end</h4>
      <ol className="critical">
        {critical.map((each) => {
          const isBrief = percent(each) < BRIEF
          const said = `${nameOfStretch(each)} ${spell(each.to - each.from)}`
          const where = `${each.path}${each.phase === undefined ? '' : `, phase ${each.phase}`}: ${spell(each.to - each.from)}, from ${spell(each.from - startedAt)} on`
          return (
            <li
              key={`${each.from} ${each.path}`}
              className={`${each === holder ? 'holder' : each.phase === undefined ? 'routine' : 'own'} ${isBrief ? 'brief' : ''}`}
              style={{ flexGrow: Math.max(0.5, percent(each)) }}
            >
              {isBrief ? (
                // Too narrow for a name, and to be pressed.
                <span role="img" aria-label={said} title={where} />
              ) : (
                <button type="button" title={where} onClick={() => session.go({ view: 'actor', path: each.path })}>
                  {nameOfStretch(each)} <small>{spell(each.to - each.from)}</small>
                </button>
              )}
            </li>
          )
        })}
      </ol>
      <p className="note">
        {spell(endedAt - startedAt)} in all{allowance(account)}. Managers stop one after the other, the latest first, so that all others
        wait meanwhile.
      </p>
    </>
  )
}

/** The time that it had, and whether that was up. */
function allowance({ startedAt, endedAt, deadline }: ShutdownAccount): string {
  if (deadline === undefined) return ''
  const had = spell(deadline - startedAt)
  return endedAt < deadline ? ` of the ${had} that it had` : `; its time was up after ${had}`
}

function Takers({ rows, account: { startedAt, endedAt } }: { readonly rows: readonly Share[]; readonly account: ShutdownAccount }) {
  const whole = Math.max(1, endedAt - startedAt)
  return (
    <table className="takers">
      <thead>
        <tr>
          <th scope="col">routine</th>
          <th scope="col">asked after</th>
          <th scope="col">took</th>
          <th scope="col">
            <span className="wide">of the whole</span>
          </th>
          <th scope="col">ended</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ path, asked, to, outcome }) => (
          <tr key={path}>
            <td>
              <PathLink path={path} />
            </td>
            <td>{spell(asked - startedAt)}</td>
            <td>{spell(to - asked)}</td>
            <td>
              <span className="share" role="img" aria-label={`${Math.round(((to - asked) / whole) * 100)} %`}>
                <span
                  style={{
                    marginInlineStart: `${Math.max(0, (asked - startedAt) / whole) * 100}%`,
                    width: `${Math.min(1, (to - asked) / whole) * 100}%`,
                  }}
                />
              </span>
            </td>
            <td>
              <Glyph state={outcome} quiet /> {outcome}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Some({
  title,
  some,
}: {
  readonly title: string
  readonly some: Omit<Named, 'first'> & { readonly first: readonly { readonly path: string }[] }
}) {
  if (some.many === 0) return null
  const shown = some.first.slice(0, SHOWN)
  return (
    <p className="some">
      <strong>{title}:</strong>{' '}
      {shown.map(({ path }, k) => (
        <span key={path}>
          {k === 0 ? '' : ', '}
          <PathLink path={path} />
        </span>
      ))}
      {some.many > shown.length ? ` and ${count(some.many - shown.length)} more` : ''}
    </p>
  )
}

/** Shown once the whole tree has ended: who held that up, in one sentence. */
export function HeldUp() {
  const session = useSession()
  const { answer } = useAnswer('shutdown', {}, 1_000)
  const account = answer?.accounts.findLast(({ path }) => path === session.table.pathOf(session.table.root))
  if (account === undefined || holderOf(account) === undefined) return null
  return (
    <p className="held-up">
      {sentenceOfAccount(account)}{' '}
      <button type="button" className="link" onClick={() => session.go({ view: 'shutdown' })}>
        who held up the shutdown
      </button>
    </p>
  )
}
