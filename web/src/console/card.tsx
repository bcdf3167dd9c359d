// SPDX-License-Identifier: Apache-2.0
//
// One card: who it is, what is on it and how full it is, its attempts, and what happened with it.
import { time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { post } from './api'
import { AuditTable } from './audit'
import { methodOf } from './cards'
import { useLoad } from './load'
import { MemoryPicture } from './memory_picture'
import { Confirm, Facts, Heading, Loading, Mark } from './parts'
import { ADD, to } from './router'
import { SessionTable } from './sessions'
import type { Card, Identity } from './shapes'
import { Table } from './table'
import { words } from './words'

function IdentityFacts({ identity }: { identity: Identity }) {
  const t = useWords(words).cards
  return (
    <Facts
      facts={[
        ['ATR', identity.atr && <code>{identity.atr}</code>],
        ['CPLC', identity.cplc && <code>{identity.cplc}</code>],
        [t.issuerNumber, identity.iin && <code>{identity.iin}</code>],
        [t.cardNumber, identity.cin && <code>{identity.cin}</code>],
        [t.manager, identity.isd && <code>{identity.isd}</code>],
        [t.offered, identity.scps?.map((s) => `SCP${s.scp} i=${s.i}`).join(', ')],
        [
          t.keys,
          identity.keys && identity.keys.length > 0 && (
            <ul>
              {identity.keys.map((k) => (
                <li key={`${k.id} ${k.version}`}>{t.key(k.id, k.version, k.type, k.bytes)}</li>
              ))}
            </ul>
          ),
        ],
      ]}
    />
  )
}

function Registry({ card }: { card: Card }) {
  const language = useLanguage()
  const { cards: t, common } = useWords(words)
  if (card.registry === null) return <p>{t.registryUnknown}</p>
  return (
    <>
      <p>
        {card.registry_proven ? <Mark kind="good">{t.proven}</Mark> : <Mark kind="doubt">{t.unproven}</Mark>},{' '}
        {time(card.registry_time, language)}
      </p>
      <Table
        caption={t.registry}
        quiet
        rows={card.registry}
        keyOf={(e) => `${e.kind} ${e.aid}`}
        columns={[
          { name: 'AID', cell: (e) => <code>{e.aid}</code> },
          { name: t.kind, cell: (e) => t.kinds[e.kind] },
          { name: common.state, cell: (e) => e.state },
          { name: t.package, cell: (e) => e.package && <code>{e.package}</code> },
          { name: t.version, cell: (e) => e.version },
        ]}
      />
    </>
  )
}

function Attempts({ card, onChange }: { card: Card; onChange: () => void }) {
  const language = useLanguage()
  const { cards: t } = useWords(words)
  return (
    <>
      <p>{t.ledgerIntro}</p>
      {card.ledger.length === 0 ? (
        <p>{t.ledgerNone}</p>
      ) : (
        <Table
          caption={t.ledger}
          quiet
          rows={card.ledger}
          keyOf={(l) => l.kvn}
          columns={[
            { name: t.keyVersion, cell: (l) => l.kvn },
            { name: t.openings, cell: (l) => l.openings, number: true },
            { name: t.wrong, cell: (l) => l.wrong_cryptograms, number: true },
            { name: t.failedLoads, cell: (l) => l.failed_loads, number: true },
            { name: t.last, cell: (l) => time(l.last, language) },
          ]}
        />
      )}
      {(card.quarantined || card.ledger.some((l) => l.openings + l.wrong_cryptograms + l.failed_loads > 0)) && (
        <Confirm
          name={t.release}
          warning={<p>{t.releaseWarning}</p>}
          reason={t.releaseReason}
          change={async (reason) => {
            await post(`cards/${encodeURIComponent(card.number)}/release`, { reason })
            onChange()
          }}
        />
      )}
    </>
  )
}

export function CardView({ number }: { number: string }) {
  const language = useLanguage()
  const { cards: t, common, nav } = useWords(words)
  const { data: card, error, reload } = useLoad<Card>(`cards/${encodeURIComponent(number)}`)
  return (
    <>
      <Heading title={`${common.card} ${number}`} />
      {!card ? (
        <Loading error={error} />
      ) : (
        <>
          {card.quarantined && (
            <p class="error" data-set-aside>
              <strong>{t.setAside}:</strong> {card.reason}
            </p>
          )}
          <Facts
            facts={[
              [common.type, card.type && <a href={to('types', card.type)}>{card.type}</a>],
              [t.method, methodOf(card)],
              [t.seen, time(card.seen, language)],
            ]}
          />
          <p>
            <a href={`${to('orders', ADD)}?${new URLSearchParams({ card: number })}`}>{t.orderFor}</a>
          </p>
          <h2>{t.memory}</h2>
          <MemoryPicture card={card} />
          <h2>{t.registry}</h2>
          <Registry card={card} />
          <h2>{t.ledger}</h2>
          <Attempts card={card} onChange={reload} />
          <h2>{t.identity}</h2>
          <IdentityFacts identity={card.identity} />
          <h2>{t.history}</h2>
          <SessionTable filter={{ card: number }} caption={nav.sessions} />
          <AuditTable filter={{ card: number }} caption={nav.audit} />
        </>
      )}
    </>
  )
}
