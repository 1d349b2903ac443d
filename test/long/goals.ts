/** What a campaign about shutdown has to have seen before it may say that all is well. */
import { type Goal, type Run, sometimes } from 'curtaincall/testing'

const step = ({ events }: Run, text: RegExp): number => events.findIndex((event) => event.type === 'step' && text.test(String(event.text)))

/** True if one comes after the other, both there. */
const inOrder = (...places: readonly number[]): boolean =>
  places.every((place, k) => place >= 0 && (k === 0 || place > (places[k - 1] as number)))

const began = (run: Run, path: string): number => run.events.findIndex(({ type, actor }) => type === 'manager.phase' && actor === path)

export const goals: readonly Goal[] = [
  ...['closing', 'waiting'].map((phase) =>
    sometimes(
      `phase ${phase} takes time`,
      ({ report }) => report?.phases.some((each) => each.phase === phase && each.duration > 0) === true,
    ),
  ),
  ...['closing', 'waiting'].map((phase) =>
    sometimes(`phase ${phase} is cut short`, ({ report }) => report?.phases.some((each) => each.phase === phase && each.exceeded) === true),
  ),
  sometimes('somebody is killed', ({ report }) => (report?.killed ?? 0) > 0),
  sometimes('a shutdown is out of time', ({ report }) => report?.timedOut === true),
  sometimes('work ends by itself in a drain', ({ report }) => (report?.completed ?? 0) > 0),
  sometimes('the root gives up', ({ events }) => events.some(({ type, actor }) => type === 'manager.gaveUp' && actor === 'g')),
  sometimes('a manager is restarted', ({ events }) => events.some(({ type }) => type === 'manager.restarted')),
  sometimes('a restart waits when all is closed', (run) => {
    const { events } = run
    const waits = events.findIndex(({ type, delay }) => type === 'routine.restarted' && Number(delay) > 0)
    const actor = events[waits]?.actor
    const over = events.findIndex((event, i) => i > waits && event.actor === actor)
    return inOrder(waits, began(run, 'g'), over) && events[over]?.type === 'routine.cancelled'
  }),
  sometimes('somebody is queued when all is closed', (run) => {
    const { events } = run
    return events.some(({ type, actor, i }) => {
      if (type !== 'routine.queued') return false
      const next = events.findIndex((event) => event.i > i && event.actor === actor)
      return inOrder(i, began(run, 'g'), next) && events[next]?.type === 'routine.cancelled'
    })
  }),
  sometimes('immediate during graceful', (run) => {
    const { requests } = run
    return requests.some(
      ({ mode, path }, k) => mode === 'immediate' && requests.slice(0, k).some((each) => each.mode === 'graceful' && each.path === path),
    )
  }),
  sometimes('two signals', (run) => {
    const first = step(run, /^SIGTERM/)
    return first >= 0 && run.events.slice(first + 1).some(({ text }) => text === 'SIGTERM')
  }),
  sometimes('a tighter deadline from above', ({ requests }) =>
    requests.some(({ path, deadline }, k) =>
      requests.slice(0, k).some((below) => below.path.startsWith(`${path}/`) && below.deadline > deadline && (below.endedAt ?? 0) > 0),
    ),
  ),
  sometimes('a shutdown inside a shutdown', (run) => {
    const at = run.requests.findIndex(({ path }) => path === 'g')
    return at >= 0 && run.requests.slice(at + 1).some(({ path }) => path !== 'g')
  }),
  sometimes('a routine shuts its own manager down', ({ routines, requests, events }) =>
    [...routines].some(([path, { hurries }]) => {
      const manager = path.slice(0, path.lastIndexOf('/'))
      return (
        hurries &&
        !requests.some((each) => each.path === manager) &&
        events.some(({ type, actor, trigger }) => type === 'manager.stopped' && actor === manager && trigger === 'request')
      )
    }),
  ),
  sometimes('a spawn is refused while closing', ({ events }) =>
    events.some(({ type, code }) => type === 'routine.refused' && code === 'ERR_NOT_ACCEPTING'),
  ),
  sometimes('a start fails and is tried again', ({ events }) =>
    events.some(
      ({ type, error, willRestart }) => type === 'routine.failed' && willRestart === true && String(error).startsWith('StartFailedError'),
    ),
  ),
  sometimes('a body ends after it was given up on', ({ events }) => events.some(({ type }) => type === 'routine.settled')),
]
