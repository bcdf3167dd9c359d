// SPDX-License-Identifier: Apache-2.0
//
// The holder's page: an invitation when there is a ticket, the catalogue otherwise.
import '@picocss/pico/css/pico.min.css'
import '../shared/base.css'
import './holder.css'
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { startLanguage, useWords } from '../shared/i18n'
import { LanguageSwitch } from '../shared/parts'
import { Catalogue } from './catalogue'
import { Invitation } from './invitation'
import { getSite, type Site } from './server'
import { findTicket, ticketIn } from './ticket'
import { words } from './words'

const NO_SITE: Site = {
  issuer: '',
  help_phone: '',
  help_url: '',
  agent_port: 0,
  package: '',
  catalogue: false,
  version: '',
}

// null: not answered yet. A server that is away is told by the invitation; the site's texts come when it is back.
function useSite(): Site | null {
  const [site, setSite] = useState<Site | null>(null)
  useEffect(() => void getSite().then(setSite, () => setSite(NO_SITE)), [])
  return site
}

// Another invitation that is opened in this tab changes only what stands behind '#'.
function useTicket(): string {
  const [ticket, setTicket] = useState(findTicket)
  useEffect(() => {
    const look = () => ticketIn(location.hash) && setTicket(ticketIn(location.hash))
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  return ticket
}

function Help({ site }: { site: Site }) {
  const t = useWords(words)
  return (
    <>
      {site.help_phone && <a href={`tel:${site.help_phone.replace(/[^+0-9]/g, '')}`}>{t.call(site.help_phone)}</a>}
      {site.help_url && <a href={site.help_url}>{t.helpPage}</a>}
    </>
  )
}

function Page() {
  const site = useSite()
  const ticket = useTicket()
  return (
    <div class="container">
      <header>
        <strong class="issuer">{site?.issuer || 'Cardferry'}</strong>
        <LanguageSwitch />
      </header>
      <main>{site && (ticket ? <Invitation key={ticket} ticket={ticket} site={site} /> : <Catalogue />)}</main>
      <footer>{site && <Help site={site} />}</footer>
    </div>
  )
}

startLanguage()
const root = document.getElementById('page')
if (root !== null) render(<Page />, root)
