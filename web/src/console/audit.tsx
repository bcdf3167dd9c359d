// SPDX-License-Identifier: Apache-2.0
//
// What happened, and who did it.
import { time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { usePages } from './load'
import { Heading } from './parts'
import { usePlace } from './router'
import type { Audit } from './shapes'
import { Filters, PagedTable, SearchFilter } from './table'
import { words } from './words'

export function AuditTable({ filter, caption }: { filter: Record<string, string>; caption: string }) {
  const language = useLanguage()
  const t = useWords(words).audit
  const pages = usePages<Audit>('audit', filter)
  return (
    <PagedTable
      caption={caption}
      pages={pages}
      keyOf={(a) => a.number}
      columns={[
        { name: t.time, cell: (a) => time(a.time, language) },
        { name: t.who, cell: (a) => a.who },
        { name: t.what, cell: (a) => <code>{a.what}</code> },
        { name: t.object, cell: (a) => a.object },
        { name: t.detail, cell: (a) => a.detail },
      ]}
    />
  )
}

export function AuditView() {
  const { audit: t, common, nav } = useWords(words)
  const { query } = usePlace()
  const filter = {
    match: query.get('match') ?? '',
    order: query.get('order') ?? '',
    card: query.get('card') ?? '',
  }
  return (
    <>
      <Heading title={nav.audit} />
      <Filters>
        <SearchFilter name="match" label={common.beginsWith(t.what)} value={filter.match} />
        <SearchFilter name="order" label={common.order} value={filter.order} />
        <SearchFilter name="card" label={common.card} value={filter.card} />
      </Filters>
      <AuditTable filter={filter} caption={t.caption} />
    </>
  )
}
