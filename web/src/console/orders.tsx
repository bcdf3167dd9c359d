// SPDX-License-Identifier: Apache-2.0
//
// Orders, newest first.
import { number, time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { usePages } from './load'
import { Heading, Mark } from './parts'
import { ADD, to, usePlace } from './router'
import type { Order } from './shapes'
import { CheckFilter, Filters, PagedTable, SearchFilter } from './table'
import { words } from './words'

const KINDS = { open: 'good', done: 'quiet', cancelled: 'bad', expired: 'doubt' } as const

export function OrderState({ order }: { order: Order }) {
  return <Mark kind={KINDS[order.state]}>{useWords(words).orders.states[order.state]}</Mark>
}

export function useServed(order: Order): string {
  const language = useLanguage()
  const t = useWords(words).orders
  return t.of(number(order.cards - order.cards_left, language), number(order.cards, language))
}

function Served({ order }: { order: Order }) {
  return <>{useServed(order)}</>
}

export function OrdersView() {
  const language = useLanguage()
  const { orders: t, common, nav } = useWords(words)
  const { query } = usePlace()
  const filter = {
    state: query.get('state') ?? '',
    app: query.get('app') ?? '',
    card: query.get('card') ?? '',
  }
  const pages = usePages<Order>('orders', filter)
  return (
    <>
      <Heading title={nav.orders}>
        <a class="button" href={to('orders', ADD)}>
          {t.add}
        </a>
      </Heading>
      <Filters>
        <SearchFilter name="app" label={common.app} value={filter.app} />
        <SearchFilter name="card" label={common.card} value={filter.card} />
        <CheckFilter name="state" value="open" label={t.onlyOpen} checked={filter.state === 'open'} />
      </Filters>
      <PagedTable
        caption={t.caption}
        pages={pages}
        keyOf={(o) => o.id}
        columns={[
          { name: common.created, cell: (o) => <a href={to('orders', o.id)}>{time(o.created, language)}</a> },
          { name: t.purpose, cell: (o) => t.purposes[o.purpose] },
          { name: common.app, cell: (o) => o.app && <a href={to('apps', o.app)}>{o.app}</a> },
          { name: common.card, cell: (o) => (o.card ? <a href={to('cards', o.card)}>{o.card}</a> : common.any) },
          { name: common.state, cell: (o) => <OrderState order={o} /> },
          { name: t.served, cell: (o) => <Served order={o} /> },
          { name: t.expires, cell: (o) => time(o.expires, language) },
        ]}
      />
    </>
  )
}
