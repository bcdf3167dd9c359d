// SPDX-License-Identifier: Apache-2.0
//
// Keys: names, versions and check values. Values never come here, and none is put in here.
import { time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { CopyButton } from '../shared/parts'
import { post } from './api'
import { usePages } from './load'
import { Confirm, Heading, Mark } from './parts'
import { to, usePlace } from './router'
import type { Key } from './shapes'
import { Filters, PagedTable, SearchFilter } from './table'
import { words } from './words'

const COMMAND = 'ferry key add NAME'

function Retire({ sort, onRetired }: { sort: Key; onRetired: () => void }) {
  const t = useWords(words).keys
  if (sort.retired) return <Mark kind="quiet">{t.retired}</Mark>
  return (
    <Confirm
      name={t.retire}
      label={t.retireLabel(sort.name, String(sort.version))}
      warning={<p>{t.retireWarning}</p>}
      change={async () => {
        await post(`keys/${encodeURIComponent(sort.name)}/${encodeURIComponent(sort.version)}/retire`)
        onRetired()
      }}
    />
  )
}

export function KeysView() {
  const language = useLanguage()
  const { keys: t, common, nav } = useWords(words)
  const match = usePlace().query.get('match') ?? ''
  const pages = usePages<Key>('keys', { match })
  return (
    <>
      <Heading title={nav.keys} />
      <p>{t.howTo}</p>
      <p>
        <code>{COMMAND}</code> <CopyButton text={COMMAND} label={COMMAND} />
      </p>
      <Filters>
        <SearchFilter name="match" label={common.beginsWith(common.name)} value={match} />
      </Filters>
      <PagedTable
        caption={t.caption}
        pages={pages}
        keyOf={(key) => `${key.name} ${key.version} ${key.card}`}
        columns={[
          { name: common.name, cell: (key) => key.name },
          { name: t.version, cell: (key) => key.version },
          { name: t.use, cell: (key) => key.use },
          { name: t.keyType, cell: (key) => key.type },
          { name: common.card, cell: (key) => key.card && <a href={to('cards', key.card)}>{key.card}</a> },
          { name: t.checkValues, cell: (key) => <code>{key.check_values.join(' ')}</code> },
          { name: common.created, cell: (key) => time(key.created, language) },
          { name: t.retired, cell: (key) => <Retire sort={key} onRetired={pages.reload} /> },
        ]}
      />
    </>
  )
}
