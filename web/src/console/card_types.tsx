// SPDX-License-Identifier: Apache-2.0
//
// Card types.
import { titleOf, useLanguage, useWords } from '../shared/i18n'
import { methodOf } from './cards'
import { usePages } from './load'
import { Heading, Mark } from './parts'
import { ADD, to, usePlace } from './router'
import type { CardType } from './shapes'
import { Filters, PagedTable, SearchFilter } from './table'
import { words } from './words'

export function CardTypesView() {
  const language = useLanguage()
  const { types: t, common, nav } = useWords(words)
  const match = usePlace().query.get('match') ?? ''
  const pages = usePages<CardType>('types', { match })
  return (
    <>
      <Heading title={nav.types}>
        <a class="button" href={to('types', ADD)}>
          {t.add}
        </a>
      </Heading>
      <Filters>
        <SearchFilter name="match" label={common.beginsWith(common.name)} value={match} />
      </Filters>
      <PagedTable
        caption={t.caption}
        pages={pages}
        keyOf={(type) => type.name}
        columns={[
          {
            name: common.name,
            cell: (type) => (
              <>
                <a href={to('types', type.name)}>{type.name}</a>{' '}
                <small>{titleOf(type, language) === type.name ? '' : titleOf(type, language)}</small>
              </>
            ),
          },
          { name: t.method, cell: methodOf },
          { name: t.key, cell: (type) => [type.key, type.kdf].filter(Boolean).join(', ') },
          {
            name: t.warnings,
            cell: (type) => type.warnings?.length > 0 && <Mark kind="doubt">{type.warnings.length}</Mark>,
          },
        ]}
      />
    </>
  )
}
