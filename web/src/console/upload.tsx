// SPDX-License-Identifier: Apache-2.0
//
// A CAP file, dropped or chosen, becomes an application. What is in it is shown afterwards; nothing is approved here.
import { useRef, useState } from 'preact/hooks'
import { bytes } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { post } from './api'
import { base64, nameOfFile } from './files'
import { useChange } from './load'
import { ErrorNote, Field } from './parts'
import type { App } from './shapes'
import { words } from './words'

export function Upload({ onAdded }: { onAdded: (app: App) => void }) {
  const language = useLanguage()
  const { apps: t, common } = useWords(words)
  const [file, setFile] = useState<File | null>(null)
  const [name, setName] = useState('')
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const { busy, error, run } = useChange()

  const take = (chosen: File | undefined) => {
    setOver(false)
    if (!chosen) return
    setFile(chosen)
    setName(nameOfFile(chosen.name))
  }
  const drop = (e: DragEvent) => {
    e.preventDefault()
    take(e.dataTransfer?.files[0])
  }
  const hover = (e: DragEvent) => {
    e.preventDefault()
    setOver(true)
  }
  const submit = (e: Event) => {
    e.preventDefault()
    if (!file) return
    run(async () => {
      const cap = base64(new Uint8Array(await file.arrayBuffer()))
      onAdded(await post<App>('apps', { name, cap }))
    })
  }
  return (
    <form class="upload" onSubmit={submit} aria-label={t.add}>
      <div class="drop" data-over={over} onDragOver={hover} onDragLeave={() => setOver(false)} onDrop={drop}>
        <Field label={t.drop} hint={file ? t.fileName(file.name, bytes(file.size, language)) : undefined}>
          <input
            ref={input}
            type="file"
            accept=".cap,.ijc"
            onChange={(e) => take(e.currentTarget.files?.[0])}
          />
        </Field>
      </div>
      {file && (
        <>
          <Field label={common.name} hint={t.nameHint}>
            <input
              required
              pattern="[A-Za-z0-9_\-][A-Za-z0-9._\-]*"
              maxLength={64}
              value={name}
              onInput={(e) => setName(e.currentTarget.value)}
            />
          </Field>
          <button type="submit" aria-busy={busy} disabled={busy}>
            {t.upload}
          </button>
        </>
      )}
      <ErrorNote error={error} />
    </form>
  )
}
