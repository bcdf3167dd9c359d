// SPDX-License-Identifier: Apache-2.0
//
// One session: how it ended, and every command that went to the card, as a picture and as a table.
import { useEffect, useState } from 'preact/hooks'
import { number, time } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { exchanges, statusInWords } from './apdu'
import { Ladder } from './ladder'
import { useLoad } from './load'
import { OutcomeMark, useWhy } from './outcome'
import { Facts, Heading, Loading } from './parts'
import { to } from './router'
import type { Session, Turn } from './shapes'
import { Table } from './table'
import { words } from './words'

const RUNNING_MS = 2000

function Dialogue({ turns }: { turns: Turn[] }) {
  const language = useLanguage()
  const { sessions: t, common, steps } = useWords(words)
  if (turns.length === 0) return <p>{t.dialogueNone}</p>
  const rows = turns.flatMap((turn, at) =>
    exchanges(turn.commands, language).map((x, n) => ({ ...x, key: `${at}.${n}`, time: turn.time, step: turn.step })),
  )
  return (
    <>
      <Ladder turns={turns} />
      <details>
        <summary>{common.asTable}</summary>
        <Table
          caption={t.dialogue}
          quiet
          rows={rows}
          keyOf={(row) => row.key}
          columns={[
            { name: t.command, cell: (row) => row.name },
            { name: t.meaning, cell: (row) => row.what },
            { name: t.answer, cell: (row) => `${row.sw} ${statusInWords(row.sw, language)}` },
            { name: t.bytes, cell: (row) => number(row.bytes, language), number: true },
            { name: t.step, cell: (row) => steps[row.step] ?? row.step },
            { name: t.time, cell: (row) => time(row.time, language) },
          ]}
        />
      </details>
    </>
  )
}

function SessionFacts({ session }: { session: Session }) {
  const language = useLanguage()
  const { sessions: t, common, steps } = useWords(words)
  return (
    <Facts
      facts={[
        [common.outcome, <OutcomeMark outcome={session.outcome} />],
        [common.reason, useWhy(session)],
        [t.detail, session.detail],
        [t.step, steps[session.step] ?? session.step],
        [common.order, <a href={to('orders', session.order)}>{session.order}</a>],
        [common.card, session.card && <a href={to('cards', session.card)}>{session.card}</a>],
        [common.created, time(session.created, language)],
        [common.updated, time(session.updated, language)],
        [t.posts, number(session.posts, language)],
        [t.commands, number(session.commands, language)],
        [t.bytes, number(session.bytes, language)],
      ]}
    />
  )
}

export function SessionView({ id }: { id: string }) {
  const { sessions: t, common } = useWords(words)
  const path = `sessions/${encodeURIComponent(id)}`
  const [everyMs, setEveryMs] = useState(RUNNING_MS)
  const session = useLoad<Session>(path, everyMs)
  const dialogue = useLoad<{ turns: Turn[] }>(`${path}/dialogue`, everyMs)
  // Looked at once more when it has ended, and then no more.
  const ended = Boolean(session.data?.outcome)
  useEffect(() => setEveryMs(ended ? 0 : RUNNING_MS), [ended])
  return (
    <>
      <Heading title={`${common.session} ${id}`} />
      {!session.data ? <Loading error={session.error} /> : <SessionFacts session={session.data} />}
      <h2>{t.dialogue}</h2>
      {!dialogue.data ? <Loading error={dialogue.error} /> : <Dialogue turns={dialogue.data.turns} />}
    </>
  )
}
