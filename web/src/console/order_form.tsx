// SPDX-License-Identifier: Apache-2.0
//
// A new order. What is left empty is not sent, so that the server's own defaults hold.
import { useState } from 'preact/hooks'
import { titleOf, useLanguage, useWords } from '../shared/i18n'
import { post } from './api'
import { InvitationShown } from './invitation_shown'
import { useAll, useChange } from './load'
import { ErrorNote, Field, Heading } from './parts'
import { to, usePlace } from './router'
import type { App, CardType, Ticketed } from './shapes'
import { words } from './words'

const PURPOSES = ['install', 'remove', 'inspect'] as const
const DAY_S = 24 * 3600

interface Form {
  purpose: (typeof PURPOSES)[number]
  app: string
  card: string
  type: string
  level: string
  cards: string
  openings: string
  days: string
  offer: boolean
}

const EMPTY: Form = {
  purpose: 'install',
  app: '',
  card: '',
  type: '',
  level: '',
  cards: '1',
  openings: '',
  days: '',
  offer: false,
}

/** The body of the request: numbers as numbers, nothing that is empty. */
export function orderBody(form: Form): Record<string, string | number | boolean> {
  const given = {
    app: form.purpose === 'inspect' ? '' : form.app,
    card: form.card.trim(),
    type: form.type,
    level: form.level.trim().toUpperCase(),
    cards: Number(form.cards),
    openings: Number(form.openings),
    expires_s: Math.round(Number(form.days) * DAY_S),
    offer: form.offer,
  }
  return { purpose: form.purpose, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) }
}

function Fields({ form, set }: { form: Form; set: (part: Partial<Form>) => void }) {
  const language = useLanguage()
  const { orders: t, common } = useWords(words)
  const apps = useAll<App>('apps')
  const types = useAll<CardType>('types')
  const input = (field: 'card' | 'level' | 'cards' | 'openings' | 'days', more: object = {}) => (
    <input value={form[field]} onInput={(e) => set({ [field]: e.currentTarget.value })} {...more} />
  )
  const count = { type: 'number', min: 1, step: 1, inputMode: 'numeric' }
  return (
    <>
      <fieldset>
        <legend>{t.purpose}</legend>
        {PURPOSES.map((purpose) => (
          <label key={purpose}>
            <input
              type="radio"
              name="purpose"
              checked={form.purpose === purpose}
              onChange={() => set({ purpose })}
            />
            {t.purposes[purpose]}
          </label>
        ))}
      </fieldset>
      {form.purpose !== 'inspect' && (
        <Field label={common.app}>
          <select required value={form.app} onChange={(e) => set({ app: e.currentTarget.value })}>
            <option value="" />
            {apps
              .filter((app) => app.approved !== null || app.name === form.app)
              .map((app) => (
                <option key={app.name} value={app.name}>
                  {titleOf(app, language) === app.name ? app.name : `${app.name} – ${titleOf(app, language)}`}
                </option>
              ))}
          </select>
        </Field>
      )}
      <div class="pairs">
        <Field label={common.type} hint={t.typeHint}>
          <select value={form.type} onChange={(e) => set({ type: e.currentTarget.value })}>
            <option value="">{common.any}</option>
            {types.map((type) => (
              <option key={type.name} value={type.name}>
                {type.name}
              </option>
            ))}
          </select>
        </Field>
        <Field label={common.card} hint={t.cardHint}>
          {input('card', { autocomplete: 'off' })}
        </Field>
        <Field label={t.cards}>{input('cards', { ...count, required: true })}</Field>
        <Field label={t.days}>{input('days', { ...count, max: 366 })}</Field>
        <Field label={t.openings} hint={t.openingsHint}>
          {input('openings', count)}
        </Field>
        <Field label={t.level} hint={t.levelHint}>
          {input('level', { pattern: '[0-9A-Fa-f]{2}' })}
        </Field>
      </div>
      <label>
        <input type="checkbox" checked={form.offer} onChange={(e) => set({ offer: e.currentTarget.checked })} />
        {t.offer}
      </label>
    </>
  )
}

export function NewOrderView() {
  const t = useWords(words).orders
  const { query } = usePlace()
  const [form, setForm] = useState<Form>({
    ...EMPTY,
    app: query.get('app') ?? '',
    card: query.get('card') ?? '',
  })
  const [made, setMade] = useState<Ticketed | null>(null)
  const { busy, error, run } = useChange()
  const submit = (e: Event) => {
    e.preventDefault()
    run(async () => setMade(await post<Ticketed>('orders', orderBody(form))))
  }
  return (
    <>
      <Heading title={t.add} />
      {made ? (
        <>
          <InvitationShown order={made} />
          <p>
            <a href={to('orders', made.id)}>{t.toOrder}</a>
          </p>
        </>
      ) : (
        <form onSubmit={submit} aria-label={t.add}>
          <Fields form={form} set={(part) => setForm({ ...form, ...part })} />
          <ErrorNote error={error} />
          <button type="submit" aria-busy={busy} disabled={busy}>
            {t.create}
          </button>
        </form>
      )}
    </>
  )
}
