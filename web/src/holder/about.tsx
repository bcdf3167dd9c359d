// SPDX-License-Identifier: Apache-2.0
//
// What an invitation is for: what happens to which kind of card, who asks for it, and until when.
import { time } from '../shared/format'
import { descriptionOf, titleOf, useLanguage, useWords } from '../shared/i18n'
import type { Site, Visit } from './server'
import { words, type HolderWords } from './words'

export function headingOf(t: HolderWords, visit: Visit, language: 'en' | 'de'): string {
  return t.heading[visit.purpose](visit.app ? titleOf(visit.app, language) : '')
}

export function About({ visit, site }: { visit: Visit; site: Site }) {
  const language = useLanguage()
  const t = useWords(words)
  const text = visit.app ? descriptionOf(visit.app, language) : ''
  return (
    <>
      {visit.purpose === 'inspect' ? <p>{t.lookedAt}</p> : text && <p>{text}</p>}
      <dl class="facts">
        {site.issuer && (
          <div>
            <dt>{t.from}</dt>
            <dd>{site.issuer}</dd>
          </div>
        )}
        <div>
          <dt>{t.card}</dt>
          <dd>
            {visit.type ? titleOf(visit.type, language) : t.anyCard}
            {visit.card && <>, {t.onlyCard(visit.card)}</>}
          </dd>
        </div>
        {visit.expires && (
          <div>
            <dt>{t.until}</dt>
            <dd>
              <time dateTime={visit.expires}>{time(visit.expires, language)}</time>
            </dd>
          </div>
        )}
      </dl>
    </>
  )
}
