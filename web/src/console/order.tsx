// SPDX-License-Identifier: Apache-2.0
//
// One order: how many cards were served, by which sessions, and what can still be done with it.
import { useState } from 'preact/hooks'
import { number, percent, time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { post } from './api'
import { InvitationShown } from './invitation_shown'
import { useLoad } from './load'
import { OrderState, useServed } from './orders'
import { Confirm, Facts, Heading, Loading } from './parts'
import { to } from './router'
import { SessionTable } from './sessions'
import type { Order, Ticketed } from './shapes'
import { words } from './words'

const EVERY_MS = 5000

function OrderFacts({ order }: { order: Order }) {
  const language = useLanguage()
  const { orders: t, common } = useWords(words)
  const served = useServed(order)
  return (
    <Facts
      facts={[
        [common.state, <OrderState order={order} />],
        [t.purpose, t.purposes[order.purpose]],
        [common.app, order.app && <a href={to('apps', order.app)}>{order.app}</a>],
        [common.card, order.card ? <a href={to('cards', order.card)}>{order.card}</a> : common.any],
        [common.type, order.type ? <a href={to('types', order.type)}>{order.type}</a> : common.any],
        [t.level, order.level],
        [
          t.served,
          <>
            {served}{' '}
            <progress max={100} value={percent(order.cards - order.cards_left, order.cards)} aria-label={t.served} />
          </>,
        ],
        [t.openingsLeft, number(order.openings_left, language)],
        [t.offered, order.offer ? common.yes : common.no],
        [common.created, time(order.created, language)],
        [t.expires, time(order.expires, language)],
      ]}
    />
  )
}

export function OrderView({ id }: { id: string }) {
  const { orders: t, common } = useWords(words)
  const path = `orders/${encodeURIComponent(id)}`
  const { data: order, error, set } = useLoad<Order>(path, EVERY_MS)
  const [ticket, setTicket] = useState<Ticketed | null>(null)
  const renew = async () => {
    const made = await post<Ticketed>(`${path}/ticket`)
    set(made)
    setTicket(made)
  }
  return (
    <>
      <Heading title={`${common.order} ${id}`} />
      {!order ? (
        <Loading error={error} />
      ) : (
        <>
          {ticket && <InvitationShown order={ticket} />}
          <OrderFacts order={order} />
          {order.state === 'open' && (
            <div class="buttons">
              <Confirm name={t.newTicket} warning={<p>{t.newTicketWarning}</p>} change={renew} />
              <Confirm
                name={t.cancel}
                warning={<p>{t.cancelWarning}</p>}
                change={async () => set(await post<Order>(`${path}/cancel`))}
              />
            </div>
          )}
          <h2>{t.sessions}</h2>
          <SessionTable filter={{ order: id }} caption={t.sessions} />
        </>
      )}
    </>
  )
}
