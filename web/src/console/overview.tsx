// SPDX-License-Identifier: Apache-2.0
//
// What happens now, what happened today and in the last month, and what waits for somebody.
import { number, time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { reasonOf, reasons } from '../shared/reasons'
import { useLoad } from './load'
import { Heading, Loading } from './parts'
import { OutcomeChart } from './outcome_chart'
import { to } from './router'
import type { Day, Overview, Running } from './shapes'
import { Table } from './table'
import { words } from './words'

const EVERY_MS = 5000
export const OUTCOMES = ['confirmed', 'reported', 'failed', 'unknown'] as const

function Attention({ overview }: { overview: Overview }) {
  const language = useLanguage()
  const t = useWords(words).overview
  const tiles: [string, number, string, boolean][] = [
    [t.ordersOpen, overview.orders_open, `${to('orders')}?state=open`, false],
    [t.waiting, overview.apps_waiting, to('apps'), overview.apps_waiting > 0],
    [`${t.cards}: ${t.setAside}`, overview.set_aside, `${to('cards')}?set_aside=true`, overview.set_aside > 0],
    [t.cards, overview.cards, to('cards'), false],
  ]
  return (
    <ul class="tiles" aria-label={t.attention}>
      {tiles.map(([name, count, href, urgent]) => (
        <li key={name} data-urgent={urgent}>
          <a href={href}>
            <strong>{number(count, language)}</strong> {name}
          </a>
        </li>
      ))}
    </ul>
  )
}

function Today({ day }: { day: Day | undefined }) {
  const language = useLanguage()
  const t = useWords(words)
  return (
    <ul class="tiles" aria-label={t.overview.today}>
      {OUTCOMES.map((outcome) => (
        <li key={outcome} data-outcome={outcome}>
          <strong>{number(day?.[outcome] ?? 0, language)}</strong> {t.outcomes[outcome]}{' '}
          <small>{t.outcomeMeaning[outcome]}</small>
        </li>
      ))}
    </ul>
  )
}

function RunningTable({ sessions }: { sessions: Running[] }) {
  const language = useLanguage()
  const { overview: t, sessions: s, common, steps, orders } = useWords(words)
  return (
    <Table
      caption={t.now}
      quiet
      rows={sessions}
      keyOf={(r) => r.id}
      columns={[
        { name: common.created, cell: (r) => <a href={to('sessions', r.id)}>{time(r.created, language)}</a> },
        { name: common.card, cell: (r) => r.card && <a href={to('cards', r.card)}>{r.card}</a> },
        { name: s.step, cell: (r) => steps[r.step] ?? r.step },
        {
          name: t.progress,
          cell: (r) =>
            r.total > 0 && (
              <>
                <progress max={r.total} value={r.done} aria-label={t.progress} />{' '}
                {orders.of(number(r.done, language), number(r.total, language))}
              </>
            ),
        },
      ]}
    />
  )
}

function Reasons({ overview }: { overview: Overview }) {
  const language = useLanguage()
  const { overview: t, common } = useWords(words)
  const sentences = useWords(reasons)
  const most = Math.max(1, ...overview.reasons.map((r) => r.count))
  if (overview.reasons.length === 0) return <p>{t.reasonsNone}</p>
  return (
    <Table
      caption={t.reasons}
      quiet
      rows={overview.reasons}
      keyOf={(r) => r.reason}
      columns={[
        {
          name: common.reason,
          cell: (r) => (
            <>
              <code>{r.reason}</code> {reasonOf(sentences, r.reason).what}
            </>
          ),
        },
        { name: t.count, cell: (r) => number(r.count, language), number: true },
        {
          name: common.share,
          cell: (r) => (
            <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect width={(100 * r.count) / most} height="10" class="part-bad" />
            </svg>
          ),
        },
      ]}
    />
  )
}

export function OverviewView() {
  const language = useLanguage()
  const { overview: t, nav } = useWords(words)
  const { data: overview, error } = useLoad<Overview>('overview', EVERY_MS)
  return (
    <>
      <Heading title={nav.overview} />
      {!overview ? (
        <Loading error={error} />
      ) : (
        <>
          <Attention overview={overview} />
          <h2>
            {t.now}: {number(overview.sessions_now, language)}
          </h2>
          {overview.sessions.length === 0 ? <p>{t.nowNone}</p> : <RunningTable sessions={overview.sessions} />}
          <h2>{t.today}</h2>
          <Today day={overview.days[overview.days.length - 1]} />
          <h2>{t.chart}</h2>
          <OutcomeChart days={overview.days} />
          <h2>{t.reasons}</h2>
          <Reasons overview={overview} />
        </>
      )}
    </>
  )
}
