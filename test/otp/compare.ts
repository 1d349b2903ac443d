/** Holds what was played beside what OTP did. */
import { deviations } from './deviations.ts'
import { play } from './play.ts'
import type { Event, Heard, Scenario, Trace } from './scenario.ts'

/** One difference, readable. */
export interface Mismatch {
  readonly scenario: Scenario
  readonly at: string
  readonly expected: unknown
  readonly actual: unknown
}

/** The instances of one template stop all at once: a run of stops is a set. */
function normalised({ r, ev }: Heard, instances: ReadonlySet<string>): Heard {
  const events: Event[] = []
  let run: Event[] = []
  const flush = (): void => {
    events.push(...run.toSorted((a, b) => (a[1] < b[1] ? -1 : 1)))
    run = []
  }
  for (const event of ev) {
    if (event[0] === 'stop' && instances.has(event[1])) run.push(event)
    else {
      flush()
      events.push(event)
    }
  }
  flush()
  return { r, ev: events }
}

function instancesOf({ steps }: Scenario): Set<string> {
  const ops = steps.flatMap<object>((step) => (step.op === 'batch' ? step.ops : [step]))
  return new Set(ops.flatMap((op) => ('instance' in op ? [op.instance as string] : [])))
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function firstDifference(scenario: Scenario, actual: Trace): Mismatch | undefined {
  const expect = scenario.quirk === undefined ? scenario.expect : (deviations[scenario.name]?.expect ?? scenario.expect)
  const instances = instancesOf(scenario)
  const heard = (each: Heard | undefined): Heard | undefined => (each === undefined ? undefined : normalised(each, instances))
  const pairs: [string, unknown, unknown][] = [['start', heard(expect.start), heard(actual.start)]]
  for (let i = 0; i < Math.max(expect.steps.length, actual.steps.length); i++)
    pairs.push([`step ${i + 1} ${JSON.stringify(scenario.steps[i])}`, heard(expect.steps[i]), heard(actual.steps[i])])
  pairs.push(['end', sorted(expect.end), sorted(actual.end)])
  const wrong = pairs.find(([, a, b]) => !same(a, b))
  return wrong === undefined ? undefined : { scenario, at: wrong[0], expected: wrong[1], actual: wrong[2] }
}

function sorted(end: Trace['end']): unknown {
  if (!end.alive) return { alive: false, why: end.why }
  return {
    alive: true,
    sups: Object.entries(end.sups)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { which, count }]) => [id, which, count]),
  }
}

/** Plays a scenario; undefined if everything was as expected. */
export async function compare(scenario: Scenario, strict = false): Promise<Mismatch | undefined> {
  return firstDifference(scenario, await play(scenario, strict))
}

/** A mismatch as a person reads it. */
export function show({ scenario, at, expected, actual }: Mismatch): string {
  return [
    `${scenario.name}, at ${at}`,
    `  supervisor ${JSON.stringify(scenario.sup)}`,
    `  expected   ${JSON.stringify(expected)}`,
    `  actual     ${JSON.stringify(actual)}`,
  ].join('\n')
}
