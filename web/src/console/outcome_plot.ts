// SPDX-License-Identifier: Apache-2.0
//
// Draws outcomes by day into an element with uPlot: bars that stand on each other, the sum of all behind.
import type uPlot from 'uplot'
import { day as dayText } from '../shared/format'
import type { Language } from '../shared/i18n'
import type { Day } from './shapes'

const HEIGHT = 260
// From the bottom to the top of a bar.
export const STACK = ['confirmed', 'reported', 'unknown', 'failed'] as const
type Outcome = (typeof STACK)[number]

/** For each outcome the height of its upper edge, by day. */
export function stacked(days: Pick<Day, Outcome>[]): number[][] {
  const sums = days.map(() => 0)
  return STACK.map((outcome) => days.map((d, i) => (sums[i] = (sums[i] ?? 0) + d[outcome])))
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

function options(Plot: typeof uPlot, width: number, days: Day[], names: Record<Outcome, string>, language: Language) {
  const ink = colour('--pico-color')
  const bars = Plot.paths.bars?.({ size: [0.7, 40] })
  const colours = STACK.map((outcome) => colour(`--chart-${outcome}`))
  // The highest is drawn first, so that the lower ones stand before it.
  const series = STACK.map((outcome, i) => ({
    label: names[outcome],
    fill: colours[i],
    stroke: colours[i],
    width: 0,
    paths: bars,
    points: { show: false },
  })).reverse()
  const axis = { stroke: ink, grid: { stroke: colour('--pico-muted-border-color'), width: 1 } }
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.5, days.length - 0.5] as [number, number] }, y: { range: upTo } },
    series: [{}, ...series],
    axes: [
      { ...axis, grid: { show: false }, values: (_: uPlot, at: number[]) => at.map((i) => label(days[i], language)) },
      { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000], size: 60 },
    ],
  }
}

function label(day: Day | undefined, language: Language): string {
  return day ? dayText(day.day, language) : ''
}

// From 0, with a little air; days without anything have an axis too.
function upTo(_: uPlot, __: number | null, max: number | null): [number, number] {
  return [0, Math.max(1, Math.ceil((max ?? 1) * 1.1))]
}

/** Gives what takes it away again. It is drawn anew when its place or the colours change. */
export function draw(box: HTMLElement, days: Day[], names: Record<Outcome, string>, language: Language): () => void {
  let plot: uPlot | null = null
  let gone = false
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const heights = stacked(days)
  const again = async () => {
    const [{ default: Plot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')])
    if (gone || box.clientWidth === 0) return
    plot?.destroy()
    const data = [days.map((_, i) => i), ...heights.slice().reverse()] as uPlot.AlignedData
    plot = new Plot(options(Plot, box.clientWidth, days, names, language), data, box)
  }
  const sized = new ResizeObserver(() => plot?.width !== box.clientWidth && void again())
  sized.observe(box)
  dark.addEventListener('change', again)
  return () => {
    gone = true
    sized.disconnect()
    dark.removeEventListener('change', again)
    plot?.destroy()
  }
}
