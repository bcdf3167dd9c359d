// SPDX-License-Identifier: Apache-2.0
//
// What every view is made of: its heading, facts, errors, and the question before a change that can't be undone.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useWords } from '../shared/i18n'
import type { HttpError } from '../shared/http'
import { useChange } from './load'
import { moved } from './router'
import { words } from './words'

/** Names the view for the window and, when it was reached from another view, for whoever listens. */
export function Heading({ title, children }: { title: string; children?: ComponentChildren }) {
  const t = useWords(words)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => void (moved() && heading.current?.focus()), [])
  useEffect(() => void (document.title = `${title} – ${t.title}`), [title, t])
  return (
    <div class="heading">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </div>
  )
}

export function ErrorNote({ error }: { error: HttpError | null }) {
  const t = useWords(words).common
  return (
    <div role="alert">
      {error && (
        <p class="error">
          {t.error} {error.status === 0 ? t.offline : error.message}
        </p>
      )}
    </div>
  )
}

export function Loading({ error }: { error: HttpError | null }) {
  const t = useWords(words).common
  return error ? <ErrorNote error={error} /> : <p aria-busy="true">{t.loading}</p>
}

/** Pairs of name and value; a value of null, '' or undefined is left out. */
export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

export function Mark({ kind, children }: { kind: 'good' | 'bad' | 'doubt' | 'quiet'; children: ComponentChildren }) {
  return <span class={`mark ${kind}`}>{children}</span>
}

interface ConfirmProps {
  /** On the button and as the heading of the question; label says of what, where that is not clear. */
  name: string
  label?: string
  warning: ComponentChildren
  /** Asked for in words, when given. */
  reason?: string
  strong?: boolean
  disabled?: boolean
  change: (reason: string) => Promise<void>
}

export function Confirm({ name, label, warning, reason, strong, disabled, change }: ConfirmProps) {
  const t = useWords(words).common
  const dialog = useRef<HTMLDialogElement>(null)
  const [text, setText] = useState('')
  const { busy, error, run } = useChange()
  const submit = (e: Event) => {
    e.preventDefault()
    run(async () => {
      await change(text)
      dialog.current?.close()
      setText('')
    })
  }
  return (
    <>
      <button
        type="button"
        class={strong ? '' : 'secondary'}
        aria-label={label}
        disabled={disabled}
        onClick={() => dialog.current?.showModal()}
      >
        {name}
      </button>
      <dialog ref={dialog} aria-label={label ?? name}>
        <article>
          <h2>{label ?? name}</h2>
          <div>{warning}</div>
          <form onSubmit={submit}>
            {reason && (
              <label>
                {reason}
                <input required value={text} onInput={(e) => setText(e.currentTarget.value)} maxLength={200} />
              </label>
            )}
            <ErrorNote error={error} />
            <div class="buttons">
              <button type="button" class="secondary" onClick={() => dialog.current?.close()}>
                {t.cancel}
              </button>
              <button type="submit" aria-busy={busy} disabled={busy}>
                {name}
              </button>
            </div>
          </form>
        </article>
      </dialog>
    </>
  )
}

export function Field(props: { label: string; hint?: string; children: ComponentChildren }) {
  return (
    <label>
      {props.label}
      {props.children}
      {props.hint && <small>{props.hint}</small>}
    </label>
  )
}
