// SPDX-License-Identifier: Apache-2.0
//
// One application: what is inside, what it needs, what card holders read, what is sent, and its approval.
import type { ComponentChildren } from 'preact'
import { bytes, time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { post, remove } from './api'
import { AppContents } from './app_contents'
import { SequenceForm, TextsForm } from './app_forms'
import { Approval } from './apps'
import { useLoad } from './load'
import { Confirm, Facts, Heading, Loading } from './parts'
import { ADD, navigate, to } from './router'
import type { App } from './shapes'
import { words } from './words'

function useFacts(app: App): [string, ComponentChildren][] {
  const language = useLanguage()
  const { apps: t, common } = useWords(words)
  return [
    [t.package, <code>{app.package}</code>],
    [t.version, app.version],
    [t.applets, app.applets.map((aid) => <code key={aid}>{aid} </code>)],
    [t.size, bytes(app.load_bytes, language)],
    [t.digest, <code>{app.sha256}</code>],
    [common.created, time(app.created, language)],
  ]
}

function AppFacts({ app }: { app: App }) {
  return <Facts facts={useFacts(app)} />
}

function Approve({ app, onApproved }: { app: App; onApproved: (app: App) => void }) {
  const t = useWords(words).apps
  const imports = app.imports.map((i) => i.name || i.aid).join(', ') || t.importsNone
  const summary = (
    <>
      <p>{t.approveSummary}</p>
      <Facts facts={[[t.titleEn, app.title], [t.titleDe, app.title_de], ...useFacts(app), [t.imports, imports]]} />
    </>
  )
  return (
    <Confirm
      name={t.approve}
      strong
      warning={summary}
      change={async () => onApproved(await post<App>(`apps/${encodeURIComponent(app.name)}/approve`))}
    />
  )
}

export function AppView({ name }: { name: string }) {
  const { apps: t, common } = useWords(words)
  const path = `apps/${encodeURIComponent(name)}`
  const { data: app, error, set, reload } = useLoad<App>(path)
  return (
    <>
      <Heading title={`${common.app} ${name}`} />
      {!app ? (
        <Loading error={error} />
      ) : (
        <>
          <p data-approved={app.approved !== null}>
            <Approval app={app} />
          </p>
          <div class="buttons">
            {!app.approved && <Approve app={app} onApproved={set} />}
            {app.approved && (
              <a class="button" href={`${to('orders', ADD)}?${new URLSearchParams({ app: name })}`}>
                {t.order}
              </a>
            )}
            <Confirm
              name={common.remove}
              label={`${common.remove}: ${name}`}
              warning={<p>{t.removeWarning}</p>}
              change={async () => {
                await remove(path)
                navigate(to('apps'))
              }}
            />
          </div>
          <h2>{t.inside}</h2>
          <AppFacts app={app} />
          <AppContents app={app} />
          <h2>{t.texts}</h2>
          <TextsForm app={app} onSaved={set} />
          <h2>{t.sequence}</h2>
          <SequenceForm path={path} onSaved={reload} />
        </>
      )}
    </>
  )
}
