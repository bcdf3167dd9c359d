// SPDX-License-Identifier: Apache-2.0
//
// Outcomes by day as stacked bars, and the same numbers as a table. The library that draws is fetched when something
// is drawn.
import { useEffect, useRef } from 'preact/hooks'
import { day as dayText, number } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { draw, STACK } from './outcome_plot'
import type { Day } from './shapes'
import { Table } from './table'
import { words } from './words'

export function OutcomeChart({ days }: { days: Day[] }) {
  const language = useLanguage()
  const { overview: t, outcomes, common } = useWords(words)
  const box = useRef<HTMLDivElement>(null)
  // What is drawn changes with the numbers only, not with each answer that repeats them.
  const numbers = JSON.stringify(days)
  useEffect(() => {
    if (box.current === null || days.length === 0) return
    return draw(box.current, days, outcomes, language)
  }, [numbers, outcomes, language])
  return (
    <>
      <div ref={box} class="chart" role="img" aria-label={t.chartLabel} />
      <ul class="legend">
        {STACK.map((outcome) => (
          <li key={outcome}>
            <svg class="swatch" viewBox="0 0 16 16" aria-hidden="true">
              <rect width="16" height="16" class={`outcome-${outcome}`} />
            </svg>
            {outcomes[outcome]}
          </li>
        ))}
      </ul>
      <details>
        <summary>{common.asTable}</summary>
        <Table
          caption={t.chart}
          quiet
          rows={[...days].reverse()}
          keyOf={(d) => d.day}
          columns={[
            { name: t.day, cell: (d) => dayText(d.day, language) },
            ...(['confirmed', 'reported', 'failed', 'unknown'] as const).map((outcome) => ({
              name: outcomes[outcome],
              cell: (d: Day) => number(d[outcome], language),
              number: true,
            })),
          ]}
        />
      </details>
    </>
  )
}
