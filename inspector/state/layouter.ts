/**
 * Layouts of charts, from a worker that is started when the first chart is shown.
 *
 * O1  There is always a layout: our own one while the worker starts, where there is none, and if it fails.
 * O2  A chart is laid out once: layouts are kept by what the chart is.
 */
import type { ChartState } from '../../src/inspector/protocol.ts'
import { type Direction, type ElkNode, fromElk, toElk } from '../layout/elk.ts'
import { type Graph, graphOf, type Layout, type Measure } from '../layout/graph.ts'
import { layOut } from '../layout/simple.ts'

/** A graph and where everything of it goes: one layout for each way that it may read. */
export interface Laid {
  readonly graph: Graph
  readonly layouts: readonly Layout[]
}

/** How many charts are kept. */
const KEPT = 60
/** Milliseconds after which the worker is not waited for any more. */
const PATIENCE = 20_000

const kept = new Map<string, { now: Laid; readonly later: Promise<Laid> }>()

let canvas: CanvasRenderingContext2D | null | undefined

/** Widths as they will be drawn. */
const measure: Measure = (text, isTitle) => {
  canvas ??= document.createElement('canvas').getContext('2d')
  if (canvas === null) return text.length * (isTitle ? 7.6 : 6.8)
  canvas.font = `${isTitle ? '700 13px' : '12px'} system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`
  return canvas.measureText(text).width
}

/** The layout that there is now, and the one that there will be. */
export function layoutOf(chart: ChartState): { readonly now: Laid; readonly later: Promise<Laid> } {
  const definition = JSON.stringify(chart)
  const known = kept.get(definition)
  if (known !== undefined) return known
  const graph = graphOf(chart, measure)
  const now: Laid = { graph, layouts: [layOut(graph)] }
  const entry: { now: Laid; readonly later: Promise<Laid> } = {
    now,
    later: layOutWithElk(definition, graph)
      .then((layouts) => (entry.now = { graph, layouts }))
      .catch(() => now),
  }
  const oldest = kept.keys().next().value
  if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest)
  kept.set(definition, entry)
  return entry
}

let saved: Readonly<Record<string, readonly ElkNode[]>> | undefined

/** Layouts that a saved page brings along: those of lifecycles, and it shows no other charts. */
function savedLayouts(definition: string): readonly ElkNode[] | undefined {
  saved ??= JSON.parse(document.getElementById('layouts')?.textContent ?? '{}') as NonNullable<typeof saved>
  return Object.hasOwn(saved, definition) ? saved[definition] : undefined
}

async function layOutWithElk(definition: string, graph: Graph): Promise<Layout[]> {
  const stored = savedLayouts(definition)
  if (stored !== undefined) return stored.map(fromElk)
  const ways: Direction[] = ['DOWN', 'RIGHT']
  return (await Promise.all(ways.map((direction) => ask(toElk(graph, direction))))).map(fromElk)
}

// --- the worker ------------------------------------------------------------------------------

interface Policy {
  createScriptURL(url: string): string
}

declare const trustedTypes: { createPolicy(name: string, rules: Policy): Policy } | undefined

/** Lets one address through, and no other, whatever is injected into the page. */
function trusted(url: string): string {
  const check = (given: string): string => {
    if (given !== url) throw new TypeError('this page runs no other script')
    return given
  }
  if (typeof trustedTypes === 'undefined') return check(url)
  return trustedTypes.createPolicy('curtaincall', { createScriptURL: check }).createScriptURL(url)
}

const pending = new Map<number, { resolve: (graph: ElkNode) => void; reject: (error: Error) => void }>()
let worker: Worker | undefined | null
let asked = 0

/** Starts ELK's own worker, which is sent messages directly: ELK's client for it would only be more to load. */
function start(): Worker | null {
  // A page that was saved is one file, and has no worker beside it.
  if (location.protocol === 'file:') return null
  const started = new Worker(trusted(new URL('./elk.js', location.href).href))
  started.addEventListener('message', ({ data }: MessageEvent<{ id: number; data?: ElkNode; error?: { message?: string } }>) => {
    const request = pending.get(data.id)
    pending.delete(data.id)
    if (data.data === undefined) request?.reject(new Error(data.error?.message ?? 'the layouter failed'))
    else request?.resolve(data.data)
  })
  started.addEventListener('error', () => {
    worker = null
    for (const { reject } of pending.values()) reject(new Error('the layouter could not be started'))
    pending.clear()
  })
  post(started, { id: 0, cmd: 'register', algorithms: ['layered'] })
  return started
}

const post = (to: Worker, message: object): void => to.postMessage(message, { transfer: [] })

function ask(graph: ElkNode): Promise<ElkNode> {
  worker ??= worker === null ? null : start()
  const id = ++asked
  return new Promise((resolve, reject) => {
    if (worker === null || worker === undefined) return reject(new Error('there is no layouter'))
    pending.set(id, { resolve, reject })
    setTimeout(() => pending.delete(id) && reject(new Error('the layouter takes too long')), PATIENCE)
    post(worker, { id, cmd: 'layout', graph, layoutOptions: {}, options: {} })
  })
}
