// SPDX-License-Identifier: Apache-2.0
//
// Sessions, newest first.
import { time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { usePages } from './load'
import { OutcomeMark, Why } from './outcome'
import { Heading } from './parts'
import { to, usePlace } from './router'
import type { Session } from './shapes'
import { CheckFilter, Filters, PagedTable, SearchFilter } from './table'
import { words } from './words'

export function SessionTable({ filter, caption }: { filter: Record<string, string>; caption: string }) {
  const language = useLanguage()
  const { sessions: t, common, steps } = useWords(words)
  const pages = usePages<Session>('sessions', filter)
  return (
    <PagedTable
      caption={caption}
      pages={pages}
      keyOf={(s) => s.id}
      columns={[
        { name: common.created, cell: (s) => <a href={to('sessions', s.id)}>{time(s.created, language)}</a> },
        { name: common.card, cell: (s) => s.card && <a href={to('cards', s.card)}>{s.card}</a> },
        { name: t.step, cell: (s) => steps[s.step] ?? s.step },
        { name: common.outcome, cell: (s) => <OutcomeMark outcome={s.outcome} /> },
        { name: common.reason, cell: (s) => <Why session={s} /> },
      ]}
    />
  )
}

export function SessionsView() {
  const { sessions: t, common, nav } = useWords(words)
  const { query } = usePlace()
  const filter = {
    order: query.get('order') ?? '',
    card: query.get('card') ?? '',
    state: query.get('state') ?? '',
  }
  return (
    <>
      <Heading title={nav.sessions} />
      <Filters>
        <SearchFilter name="order" label={common.order} value={filter.order} />
        <SearchFilter name="card" label={common.card} value={filter.card} />
        <CheckFilter name="state" value="running" label={t.onlyRunning} checked={filter.state === 'running'} />
      </Filters>
      <SessionTable filter={filter} caption={t.caption} />
    </>
  )
}
