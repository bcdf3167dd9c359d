// SPDX-License-Identifier: Apache-2.0
//
// Applications, and how another one comes in.
import { bytes, time } from '../shared/format'
import { titleOf, useLanguage, useWords } from '../shared/i18n'
import { usePages } from './load'
import { Heading, Mark } from './parts'
import { navigate, to, usePlace } from './router'
import type { App } from './shapes'
import { Filters, PagedTable, SearchFilter } from './table'
import { Upload } from './upload'
import { words } from './words'

export function Approval({ app }: { app: App }) {
  const language = useLanguage()
  const t = useWords(words).apps
  if (!app.approved) return <Mark kind="doubt">{t.notApproved}</Mark>
  return (
    <>
      <Mark kind="good">{t.approved}</Mark> {t.approvedBy(app.approved.by, time(app.approved.time, language))}
    </>
  )
}

export function AppsView() {
  const language = useLanguage()
  const { apps: t, common, nav } = useWords(words)
  const match = usePlace().query.get('match') ?? ''
  const pages = usePages<App>('apps', { match })
  return (
    <>
      <Heading title={nav.apps} />
      <Upload onAdded={(app) => navigate(to('apps', app.name))} />
      <Filters>
        <SearchFilter name="match" label={common.beginsWith(common.name)} value={match} />
      </Filters>
      <PagedTable
        caption={t.caption}
        pages={pages}
        keyOf={(app) => app.name}
        columns={[
          {
            name: common.name,
            cell: (app) => (
              <>
                <a href={to('apps', app.name)}>{app.name}</a> <small>{app.title ? titleOf(app, language) : ''}</small>
              </>
            ),
          },
          { name: t.version, cell: (app) => app.version },
          { name: t.package, cell: (app) => <code>{app.package}</code> },
          { name: t.size, cell: (app) => bytes(app.load_bytes, language), number: true },
          { name: t.approved, cell: (app) => <Approval app={app} /> },
        ]}
      />
    </>
  )
}
