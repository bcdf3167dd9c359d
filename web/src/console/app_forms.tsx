// SPDX-License-Identifier: Apache-2.0
//
// What of an application can be changed: its texts, and its sequence.
import { useEffect, useState } from 'preact/hooks'
import { useWords } from '../shared/i18n'
import { getText, put, putText } from './api'
import { useChange } from './load'
import { ErrorNote, Field } from './parts'
import type { App } from './shapes'
import { words } from './words'

function SaveButton({ busy, saved }: { busy: boolean; saved: boolean }) {
  const t = useWords(words).common
  return (
    <div class="buttons">
      <button type="submit" aria-busy={busy} disabled={busy}>
        {t.save}
      </button>
      <span role="status">{saved ? t.saved : ''}</span>
    </div>
  )
}

const TEXTS = ['title', 'title_de', 'description', 'description_de'] as const
type Texts = Record<(typeof TEXTS)[number], string>

function textsOf(app: App): Texts {
  return {
    title: app.title ?? '',
    title_de: app.title_de ?? '',
    description: app.description ?? '',
    description_de: app.description_de ?? '',
  }
}

export function TextsForm({ app, onSaved }: { app: App; onSaved: (app: App) => void }) {
  const t = useWords(words).apps
  const [texts, setTexts] = useState(textsOf(app))
  const [saved, setSaved] = useState(false)
  const { busy, error, run } = useChange()
  const labels: Texts = {
    title: t.titleEn,
    title_de: t.titleDe,
    description: t.descriptionEn,
    description_de: t.descriptionDe,
  }
  const change = (field: keyof Texts, value: string) => {
    setSaved(false)
    setTexts({ ...texts, [field]: value })
  }
  const submit = (e: Event) => {
    e.preventDefault()
    run(async () => {
      onSaved(await put<App>(`apps/${encodeURIComponent(app.name)}/texts`, texts))
      setSaved(true)
    })
  }
  return (
    <form onSubmit={submit}>
      <div class="pairs">
        {TEXTS.map((field) => (
          <Field key={field} label={labels[field]}>
            <input value={texts[field]} onInput={(e) => change(field, e.currentTarget.value)} />
          </Field>
        ))}
      </div>
      <ErrorNote error={error} />
      <SaveButton busy={busy} saved={saved} />
    </form>
  )
}

export function SequenceForm({ path, onSaved }: { path: string; onSaved: () => void }) {
  const t = useWords(words).apps
  const [text, setText] = useState<string | null>(null)
  const [saved, setSaved] = useState(false)
  const { busy, error, run } = useChange()
  useEffect(() => run(async () => setText(await getText(`${path}/sequence`))), [path])
  const submit = (e: Event) => {
    e.preventDefault()
    run(async () => {
      await putText<App>(`${path}/sequence`, text ?? '')
      setSaved(true)
      onSaved()
    })
  }
  const change = (value: string) => {
    setSaved(false)
    setText(value)
  }
  return (
    <form onSubmit={submit}>
      <Field label={t.sequence} hint={t.sequenceHint}>
        <textarea
          class="code"
          rows={12}
          spellcheck={false}
          value={text ?? ''}
          disabled={text === null}
          onInput={(e) => change(e.currentTarget.value)}
        />
      </Field>
      <ErrorNote error={error} />
      <SaveButton busy={busy} saved={saved} />
    </form>
  )
}
