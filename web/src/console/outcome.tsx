// SPDX-License-Identifier: Apache-2.0
//
// The outcome of a session as a word with a colour, and why.
import { useWords } from '../shared/i18n'
import { reasonOf, reasons } from '../shared/reasons'
import { Mark } from './parts'
import type { Session } from './shapes'
import { words } from './words'

const KINDS = { confirmed: 'good', reported: 'doubt', failed: 'bad', unknown: 'doubt', running: 'quiet' } as const
type Word = keyof typeof KINDS

function wordOf(outcome: string): Word {
  return outcome in KINDS ? (outcome as Word) : 'running'
}

export function OutcomeMark({ outcome }: { outcome: string }) {
  const word = wordOf(outcome)
  return <Mark kind={KINDS[word]}>{useWords(words).outcomes[word]}</Mark>
}

/** '' when there is nothing to be said. */
export function useWhy(session: Session): string {
  const t = useWords(reasons)
  return session.reason === '' || session.reason === 'none' ? '' : reasonOf(t, session.reason).what
}

export function Why({ session }: { session: Session }) {
  return <>{useWhy(session)}</>
}
