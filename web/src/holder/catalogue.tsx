// SPDX-License-Identifier: Apache-2.0
//
// What is offered to everybody. Each offer is an invitation.
import { useEffect, useState } from 'preact/hooks'
import { descriptionOf, titleOf, useLanguage, useWords } from '../shared/i18n'
import { getCatalogue, type Offer } from './server'
import { words } from './words'

function Item({ offer }: { offer: Offer }) {
  const language = useLanguage()
  const t = useWords(words)
  const title = t.heading[offer.purpose](offer.app ? titleOf(offer.app, language) : '')
  return (
    <li>
      <article>
        <h2>
          <a href={`/i#${offer.ticket}`}>{title}</a>
        </h2>
        {offer.app && <p>{descriptionOf(offer.app, language)}</p>}
        <p>
          {t.card}: {offer.type ? titleOf(offer.type, language) : t.anyCard}
        </p>
      </article>
    </li>
  )
}

export function Catalogue() {
  const t = useWords(words)
  const [items, setItems] = useState<Offer[] | null>(null)
  const [away, setAway] = useState(false)
  useEffect(() => {
    getCatalogue().then(
      (answer) => setItems(answer.items),
      () => setAway(true),
    )
  }, [])
  useEffect(() => void (document.title = t.catalogue), [t])
  return (
    <>
      <h1>{t.catalogue}</h1>
      {away && <p role="alert">{t.away}</p>}
      {items && <p>{items.length > 0 ? t.catalogueIntro : `${t.catalogueEmpty} ${t.noTicket}`}</p>}
      {items && items.length > 0 && (
        <ul class="offers">
          {items.map((offer) => (
            <Item key={offer.ticket} offer={offer} />
          ))}
        </ul>
      )}
    </>
  )
}
