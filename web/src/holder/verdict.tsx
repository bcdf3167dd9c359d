// SPDX-License-Identifier: Apache-2.0
//
// How it ended, or what stands in the way: one plain sentence, and what to do now. Whether something is proved, only
// said, failed or not known is never blurred.
import type { ComponentChildren } from 'preact'
import { useWords } from '../shared/i18n'
import { FocusHeading } from '../shared/parts'
import { reasonOf, reasons } from '../shared/reasons'
import type { EndEvent, Hurdle } from './journey'
import type { Purpose, Site } from './server'
import { words, type HolderWords } from './words'

// With these nothing can be done but to ask somebody.
const NEEDS_ISSUER = new Set([
  'wrong-key', 'no-key', 'unknown-card', 'downgrade', 'policy', 'not-approved', 'card-blocked', 'missing-dependency',
  'not-enough-memory', 'bad-cap', 'refused', 'server-full', 'server-fault', 'not-allowed',
])
// Trying again would be refused, or do harm.
const FINAL = new Set([
  'wrong-key', 'card-blocked', 'no-key', 'policy', 'not-approved', 'bad-cap', 'not-allowed',
  'wrong-ticket', 'expired-ticket', 'ticket-used', 'cancelled',
])

export function Phone({ site }: { site: Site }) {
  const t = useWords(words)
  if (!site.help_phone) return null
  return (
    <p>
      <a class="button secondary" href={`tel:${site.help_phone.replace(/[^+0-9]/g, '')}`}>
        {t.call(site.help_phone)}
      </a>
    </p>
  )
}

export function mayTryAgain(end: EndEvent | null): boolean {
  return end === null || (end.outcome !== 'confirmed' && end.outcome !== 'reported' && !FINAL.has(end.reason))
}

type Outcome = keyof HolderWords['outcomes']

function outcomeOf(end: EndEvent): Outcome {
  return end.outcome === 'confirmed' || end.outcome === 'reported' || end.outcome === 'unknown' ? end.outcome : 'failed'
}

function headline(t: HolderWords, outcome: Outcome, purpose: Purpose): string {
  if (outcome === 'confirmed' && purpose === 'remove') return t.removedConfirmed
  if (outcome === 'confirmed' && purpose === 'inspect') return t.inspectedConfirmed
  return t.outcomes[outcome].what
}

/** children: what can be pressed now. */
export function Outcome(props: { end: EndEvent; purpose: Purpose; site: Site; children: ComponentChildren }) {
  const { end, purpose, site, children } = props
  const t = useWords(words)
  const reason = reasonOf(useWords(reasons), end.reason)
  const outcome = outcomeOf(end)
  const says = end.reason !== 'none' && end.reason !== ''
  return (
    <section class="verdict" data-outcome={outcome} data-reason={end.reason}>
      <FocusHeading>{headline(t, outcome, purpose)}</FocusHeading>
      {says && (
        <p>
          {reason.what} {outcome === 'failed' && <strong>{reason.todo}</strong>}
        </p>
      )}
      {t.outcomes[outcome].todo && <p>{t.outcomes[outcome].todo}</p>}
      {outcome !== 'confirmed' && end.detail && (
        <p>
          <small>
            {t.detail} {end.detail} ({end.session})
          </small>
        </p>
      )}
      {outcome === 'failed' && NEEDS_ISSUER.has(end.reason) && <Phone site={site} />}
      {children}
    </section>
  )
}

export function HurdleNote({ hurdle, children }: { hurdle: Hurdle; children: ComponentChildren }) {
  const { what, todo } = useWords(words).hurdles[hurdle]
  return (
    <section class="verdict" data-hurdle={hurdle}>
      <p>
        <strong>{what}</strong> {todo}
      </p>
      {children}
    </section>
  )
}

/** The ticket itself is refused: word as the server gave it. */
export function Refused({ word, site }: { word: string; site: Site }) {
  const t = useWords(words)
  const reason = reasonOf(useWords(reasons), word)
  return (
    <section class="verdict" data-outcome="refused" data-reason={word}>
      <FocusHeading level={1}>{t.refusedHeading}</FocusHeading>
      <p>
        {reason.what} <strong>{reason.todo}</strong>
      </p>
      <Phone site={site} />
    </section>
  )
}
