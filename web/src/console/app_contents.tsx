// SPDX-License-Identifier: Apache-2.0
//
// What a CAP file consists of, and what it needs from a card.
import { number } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { useAll } from './load'
import { to } from './router'
import type { App } from './shapes'
import { Table } from './table'
import { words } from './words'

function Provider({ wanted, apps }: { wanted: App['imports'][number]; apps: App[] }) {
  const t = useWords(words).apps
  const stored = apps.find((app) => app.package === wanted.aid)
  if (wanted.name) return <>{t.platform(wanted.name)}</>
  if (!stored) return <>{t.providerNone}</>
  return (
    <>
      {t.storedApp} <a href={to('apps', stored.name)}>{stored.name}</a>
    </>
  )
}

function Imports({ app }: { app: App }) {
  const t = useWords(words).apps
  const apps = useAll<App>('apps')
  if (app.imports.length === 0) return <p>{t.importsNone}</p>
  return (
    <Table
      caption={t.imports}
      rows={app.imports}
      keyOf={(i) => i.aid}
      columns={[
        { name: t.package, cell: (i) => <code>{i.aid}</code> },
        { name: t.version, cell: (i) => i.version },
        { name: t.provider, cell: (i) => <Provider wanted={i} apps={apps} /> },
      ]}
    />
  )
}

function Components({ app }: { app: App }) {
  const language = useLanguage()
  const { apps: t, common } = useWords(words)
  const largest = Math.max(1, ...app.components.map((c) => c.bytes))
  return (
    <Table
      caption={t.components}
      rows={app.components}
      keyOf={(c) => c.tag}
      columns={[
        { name: t.component, cell: (c) => c.name || c.tag },
        { name: t.bytes, cell: (c) => number(c.bytes, language), number: true },
        {
          name: common.share,
          // The number stands beside it.
          cell: (c) => (
            <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect width={(100 * c.bytes) / largest} height="10" class="part-0" />
            </svg>
          ),
        },
      ]}
    />
  )
}

export function AppContents({ app }: { app: App }) {
  return (
    <div class="columns">
      {app.components && <Components app={app} />}
      <Imports app={app} />
    </div>
  )
}
