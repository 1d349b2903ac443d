/** What is wrong in a living tree at this moment: who hangs, and who waits to be restarted. */
import { type GlobalManager, Manager } from '../manager/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { find } from './describe.ts'
import { NAMED } from './present.ts'
import type { StateNow } from './protocol.ts'

type Wrong = Omit<StateNow, 'sentence'>

/** The first few at a path and below it; those that hang first. */
export function describeNow(global: GlobalManager, path: string | undefined): readonly Wrong[] {
  const found = path === undefined ? global : find(global, path)
  if (found === undefined) return []
  if (!(found instanceof Manager)) {
    const one = hangs(found) ?? waits(global, found.path)
    return one === undefined ? [] : [one]
  }
  const wrong: Wrong[] = []
  hanging(found, wrong)
  down(found, wrong)
  return wrong.slice(0, NAMED)
}

/** Those that hang are counted everywhere above, so that it is looked for only where there are some. */
function hanging(manager: Manager, wrong: Wrong[]): void {
  if (manager.place.hung === 0 || wrong.length >= NAMED) return
  for (const routine of manager.registry.living.values()) {
    const one = hangs(routine)
    if (one !== undefined && wrong.push(one) >= NAMED) return
  }
  for (const below of manager.below()) hanging(below, wrong)
}

function down(manager: Manager, wrong: Wrong[]): void {
  if (wrong.length >= NAMED) return
  for (const path of manager.life.supervisor.down.paths()) if (wrong.push({ path, state: 'down', since: undefined }) >= NAMED) return
  for (const below of manager.below()) down(below, wrong)
}

function hangs(routine: SupervisedRoutine): Wrong | undefined {
  const { path, ticket } = routine
  // A queued routine has no incarnation yet, and to read `current` would make it.
  if (ticket > 0) return undefined
  const { heartbeat } = routine.current
  return heartbeat?.hung === true ? { path, state: 'hung', since: heartbeat.last } : undefined
}

function waits(global: GlobalManager, path: string): Wrong | undefined {
  const above = find(global, path.slice(0, path.lastIndexOf('/')))
  const isDown = above instanceof Manager && above.life.supervisor.down.paths().includes(path)
  return isDown ? { path, state: 'down', since: undefined } : undefined
}
