// SPDX-License-Identifier: Apache-2.0
//
// All cards, searched by the beginning of their number.
import { time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { useAll, usePages } from './load'
import { Heading, Mark } from './parts'
import { setFilter, to, usePlace } from './router'
import type { Card, CardType } from './shapes'
import { CheckFilter, Filters, PagedTable, SearchFilter } from './table'
import { words } from './words'

function TypeFilter({ value }: { value: string }) {
  const t = useWords(words).common
  const types = useAll<CardType>('types')
  return (
    <label>
      {t.type}
      <select value={value} onChange={(e) => setFilter('type', e.currentTarget.value)}>
        <option value="">{t.all}</option>
        {types.map((type) => (
          <option key={type.name} value={type.name}>
            {type.name}
          </option>
        ))}
      </select>
    </label>
  )
}

export function methodOf(card: { scp: string; i: string; kvn: string }): string {
  return card.scp ? `SCP${card.scp} i=${card.i} kvn=${card.kvn}` : '–'
}

export function CardsView() {
  const language = useLanguage()
  const { cards: t, common, nav } = useWords(words)
  const { query } = usePlace()
  const filter = {
    match: query.get('match') ?? '',
    type: query.get('type') ?? '',
    set_aside: query.get('set_aside') ?? '',
  }
  const pages = usePages<Card>('cards', filter)
  return (
    <>
      <Heading title={nav.cards} />
      <Filters>
        <SearchFilter name="match" label={common.beginsWith(t.number)} value={filter.match} />
        <TypeFilter value={filter.type} />
        <CheckFilter name="set_aside" value="true" label={t.onlySetAside} checked={filter.set_aside === 'true'} />
      </Filters>
      <PagedTable
        caption={t.caption}
        pages={pages}
        keyOf={(card) => card.number}
        columns={[
          { name: t.number, cell: (card) => <a href={to('cards', card.number)}>{card.number}</a> },
          { name: common.type, cell: (card) => card.type && <a href={to('types', card.type)}>{card.type}</a> },
          { name: t.method, cell: methodOf },
          { name: t.setAside, cell: (card) => card.quarantined && <Mark kind="bad">{common.yes}</Mark> },
          { name: t.seen, cell: (card) => time(card.seen, language) },
        ]}
      />
    </>
  )
}
