// SPDX-License-Identifier: Apache-2.0
//
// One card type, as the JSON that docs/api.md describes: the server says what is wrong with it.
import { useState } from 'preact/hooks'
import { HttpError } from '../shared/http'
import { useWords } from '../shared/i18n'
import { post, put, remove } from './api'
import { useChange, useLoad } from './load'
import { Confirm, ErrorNote, Field, Heading, Loading } from './parts'
import { navigate, to } from './router'
import type { CardType } from './shapes'
import { words } from './words'

const NEW = `{
  "name": "",
  "match": { "atr": [""] },
  "isd": "",
  "scp": "03", "i": "70", "kvn": "30",
  "key": "", "kdf": "kdf3"
}`

/** What the server makes itself is not part of the definition. */
export function definitionOf(type: CardType): string {
  const { created: _, warnings: __, ...definition } = type
  return JSON.stringify(definition, null, 2)
}

function parsed(text: string, notJson: string): CardType {
  try {
    return JSON.parse(text) as CardType
  } catch (e) {
    throw new HttpError(400, 'malformed', `${notJson} ${e instanceof Error ? e.message : ''}`)
  }
}

function Editor(props: { text: string; save: (type: CardType) => Promise<void> }) {
  const { types: t, common } = useWords(words)
  const [text, setText] = useState(props.text)
  const [saved, setSaved] = useState(false)
  const { busy, error, run } = useChange()
  const submit = (e: Event) => {
    e.preventDefault()
    setSaved(false)
    run(async () => {
      await props.save(parsed(text, t.notJson))
      setSaved(true)
    })
  }
  return (
    <form onSubmit={submit}>
      <Field label={t.edit} hint={t.editHint}>
        <textarea
          class="code"
          rows={20}
          spellcheck={false}
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
        />
      </Field>
      <ErrorNote error={error} />
      <div class="buttons">
        <button type="submit" aria-busy={busy} disabled={busy}>
          {common.save}
        </button>
        <span role="status">{saved ? common.saved : ''}</span>
      </div>
    </form>
  )
}

export function NewCardTypeView() {
  const t = useWords(words).types
  const save = async (type: CardType) => {
    const made = await post<CardType>('types', type)
    navigate(to('types', made.name))
  }
  return (
    <>
      <Heading title={t.add} />
      <Editor text={NEW} save={save} />
    </>
  )
}

export function CardTypeView({ name }: { name: string }) {
  const { types: t, common } = useWords(words)
  const path = `types/${encodeURIComponent(name)}`
  const { data: type, error, set } = useLoad<CardType>(path)
  return (
    <>
      <Heading title={`${common.type} ${name}`} />
      {!type ? (
        <Loading error={error} />
      ) : (
        <>
          {type.warnings?.length > 0 && (
            <div class="error">
              <strong>{t.warnings}</strong>
              <ul>
                {type.warnings.map((warning) => (
                  <li key={warning}>{warning}</li>
                ))}
              </ul>
            </div>
          )}
          <Editor text={definitionOf(type)} save={async (changed) => set(await put<CardType>(path, changed))} />
          <Confirm
            name={common.remove}
            label={`${common.remove}: ${name}`}
            warning={<p>{t.removeWarning}</p>}
            change={async () => {
              await remove(path)
              navigate(to('types'))
            }}
          />
        </>
      )}
    </>
  )
}
