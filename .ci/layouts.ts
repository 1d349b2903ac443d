/** Layouts of the lifecycles' own charts, made ahead for pages that are saved: they have no layouter beside them. */
import ELK from 'elkjs/lib/elk.bundled.js'
import { type ElkNode, toElk } from '../inspector/layout/elk.ts'
import { graphOf, type Measure } from '../inspector/layout/graph.ts'
import { appManagerMachine, globalManagerMachine, localManagerMachine, routineMachine } from '../machines/statecharts.ts'
import { chartOf } from '../src/inspector/chart.ts'

/** About as wide as a page will find it: rather too wide than too narrow. */
const measure: Measure = (text, isTitle) => text.length * (isTitle ? 7.9 : 6.9)

/** By what each chart is: what ELK has answered, as JSON. */
export async function layoutsAhead(): Promise<string> {
  const elk = new (ELK as unknown as new () => { layout(graph: ElkNode): Promise<ElkNode> })()
  const made: Record<string, readonly ElkNode[]> = {}
  for (const machine of [routineMachine, globalManagerMachine, appManagerMachine, localManagerMachine]) {
    const chart = chartOf(machine)
    const graph = graphOf(chart, measure)
    made[JSON.stringify(chart)] = [await elk.layout(toElk(graph, 'DOWN')), await elk.layout(toElk(graph, 'RIGHT'))]
  }
  // What it was told is of no use to a page, and no pixel has that many digits.
  return JSON.stringify(made, (key, value: unknown) =>
    key === 'layoutOptions' || key === '$H' ? undefined : typeof value === 'number' ? Math.round(value * 10) / 10 : value,
  ).replaceAll('</', '<\\/')
}
