// SPDX-License-Identifier: Apache-2.0
//
// What is around every view, and which view an address names.
import type { ComponentChildren } from 'preact'
import { useWords } from '../shared/i18n'
import { LanguageSwitch } from '../shared/parts'
import { post, type Me } from './api'
import { AppView } from './app'
import { AppsView } from './apps'
import { AuditView } from './audit'
import { CardView } from './card'
import { CardTypeView, NewCardTypeView } from './card_type'
import { CardTypesView } from './card_types'
import { CardsView } from './cards'
import { KeysView } from './keys'
import { OrderView } from './order'
import { NewOrderView } from './order_form'
import { OrdersView } from './orders'
import { OverviewView } from './overview'
import { Heading } from './parts'
import { ADD, to, usePlace } from './router'
import { SessionView } from './session'
import { SessionsView } from './sessions'
import { words } from './words'

// By the first part of the path: the listing, one of it, and the form for a new one.
interface Views {
  list: () => ComponentChildren
  one?: (name: string) => ComponentChildren
  add?: () => ComponentChildren
}

const VIEWS: Record<string, Views> = {
  cards: { list: () => <CardsView />, one: (n) => <CardView key={n} number={n} /> },
  apps: { list: () => <AppsView />, one: (n) => <AppView key={n} name={n} /> },
  orders: {
    list: () => <OrdersView />,
    one: (id) => <OrderView key={id} id={id} />,
    add: () => <NewOrderView />,
  },
  sessions: { list: () => <SessionsView />, one: (id) => <SessionView key={id} id={id} /> },
  types: {
    list: () => <CardTypesView />,
    one: (n) => <CardTypeView key={n} name={n} />,
    add: () => <NewCardTypeView />,
  },
  keys: { list: () => <KeysView /> },
  audit: { list: () => <AuditView /> },
}

function viewOf(parts: string[]): ComponentChildren | null {
  const [kind, name, more] = parts
  if (kind === undefined) return <OverviewView />
  const views = Object.hasOwn(VIEWS, kind) ? VIEWS[kind] : undefined
  if (views === undefined || more !== undefined) return null
  if (name === undefined) return views.list()
  return (name === ADD ? views.add?.() : views.one?.(name)) ?? null
}

function Navigation({ at }: { at: string }) {
  const t = useWords(words).nav
  const entries = ['', 'cards', 'apps', 'orders', 'sessions', 'types', 'keys', 'audit'] as const
  return (
    <nav class="views" aria-label={t.label}>
      <ul>
        {entries.map((entry) => (
          <li key={entry}>
            <a href={entry ? to(entry) : '/console'} aria-current={entry === at ? 'page' : undefined}>
              {t[entry || 'overview']}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

export function Frame({ me, onLeave }: { me: Me; onLeave: () => void }) {
  const t = useWords(words)
  const { parts } = usePlace()
  const leave = () => void post('sign-out').then(onLeave, onLeave)
  return (
    <div class="container frame">
      <a class="skip" href="#content">
        {t.nav.skip}
      </a>
      <header>
        <strong>{t.title}</strong>
        <LanguageSwitch />
        <span class="who">{me.who}</span>
        <button type="button" class="secondary outline" onClick={leave}>
          {t.nav.signOut}
        </button>
      </header>
      <Navigation at={parts[0] ?? ''} />
      <main id="content" tabIndex={-1}>
        {viewOf(parts) ?? <Heading title={t.common.unknownView} />}
      </main>
    </div>
  )
}
