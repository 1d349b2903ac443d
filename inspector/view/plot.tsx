/** Lines over time, by uPlot, in the page's own colours. */
import { useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

/** One line of a plot. */
export interface Curve {
  readonly label: string
  /** The name of a token of style.css, without its dashes. */
  readonly colour: string
  readonly values: readonly number[]
  /** Lines differ without their colours. */
  readonly dash?: readonly number[]
}

interface PlotProps {
  readonly title: string
  /** Milliseconds. */
  readonly at: readonly number[]
  readonly curves: readonly Curve[]
  readonly format: (value: number) => string
}

const HEIGHT = 116
/** Milliseconds that are shown at most, and at least. */
const LONGEST = 600_000
const SHORTEST = 60_000

/** The colours that tokens stand for now: a canvas can't use tokens. */
function colours(element: HTMLElement, names: readonly string[]): string[] {
  const probe = document.createElement('i')
  element.append(probe)
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  })
  probe.remove()
  return found
}

/** A number that changes with the theme: what has taken colours is to be made anew then. */
function useTheme(): number {
  const [version, setVersion] = useState(0)
  useEffect(() => {
    const changed = (): void => setVersion((before) => before + 1)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', changed)
    const observer = new MutationObserver(changed)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    return () => {
      dark.removeEventListener('change', changed)
      observer.disconnect()
    }
  }, [])
  return version
}

const ago = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1_000)
  if (seconds === 0) return 'now'
  return seconds % 60 === 0 ? `−${seconds / 60} min` : `−${seconds} s`
}

function optionsFor(element: HTMLElement, { curves, format }: PlotProps, hover: (index: number | undefined) => void): uPlot.Options {
  const [text = '', line = '', ...strokes] = colours(element, ['muted', 'line', ...curves.map(({ colour }) => colour)])
  const font = '11px system-ui, "DejaVu Sans", sans-serif'
  const axis = { stroke: text, font, grid: { stroke: line, width: 1 }, ticks: { show: false } }
  return {
    width: Math.max(120, element.clientWidth),
    height: HEIGHT,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: false, range: (_plot, min, max) => [max - Math.max(SHORTEST, Math.min(LONGEST, max - min)), max] },
      y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 1) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        space: 70,
        size: 22,
        incrs: [10_000, 20_000, 30_000, 60_000, 120_000, 300_000],
        splits: (_plot, _axis, min, max, step) => {
          const found: number[] = []
          for (let at = max; at >= min; at -= step) found.unshift(at)
          return found
        },
        values: (_plot, splits) => splits.map((each) => ago((splits.at(-1) as number) - each)),
      },
      { ...axis, size: 52, space: 28, values: (_plot, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...curves.map(({ label, dash }, k) => ({
        label,
        stroke: strokes[k] as string,
        width: 1.75,
        points: { show: false },
        ...(dash === undefined ? {} : { dash: [...dash] }),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => hover(cursor.idx ?? undefined)] },
  }
}

const aligned = ({ at, curves }: PlotProps): uPlot.AlignedData => [[...at], ...curves.map(({ values }) => [...values])]

export function Plot(props: PlotProps) {
  const { title, at, curves, format } = props
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef(props)
  const [hovered, setHovered] = useState<number>()
  const theme = useTheme()
  latest.current = props
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const made = new uPlot(optionsFor(element, latest.current, setHovered), aligned(latest.current), element)
    plot.current = made
    const observer = new ResizeObserver(() => {
      const width = Math.max(120, element.clientWidth)
      if (width !== made.width) made.setSize({ width, height: HEIGHT })
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [theme])
  const last = at.at(-1)
  useEffect(() => plot.current?.setData(aligned(latest.current)), [last, theme])
  const shown = hovered !== undefined && hovered < at.length ? hovered : at.length - 1
  const value = (values: readonly number[], k: number): string => (values[k] === undefined ? '–' : format(values[k]))
  const now = curves.map(({ label, values }) => `${label} ${value(values, at.length - 1)}`).join(', ')
  return (
    <figure className="plot">
      <figcaption>
        <strong>{title}</strong>
        {curves.map(({ label, colour, values, dash }) => (
          <span key={label}>
            <svg className={`key ${colour}`} width="18" height="6" aria-hidden>
              <path d="M0 3h18" stroke="currentColor" strokeWidth="2" strokeDasharray={dash?.join(' ')} />
            </svg>{' '}
            {label} <b>{value(values, shown)}</b>
          </span>
        ))}
        <small>{shown === at.length - 1 || last === undefined ? '' : ago(last - (at[shown] as number))}</small>
      </figcaption>
      <div ref={box} role="img" aria-label={`${title}, now: ${now}`} />
    </figure>
  )
}
