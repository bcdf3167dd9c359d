// SPDX-License-Identifier: Apache-2.0
//
// Where the ticket of this page is: in the address behind '#' when it is opened, later in this tab's storage, so that
// the address can be shown to others and the page can be loaded again.
import { recall, remember } from '../shared/storage'

const TICKET = 'ferry-ticket'
const SESSION = 'ferry-session'

/** From "#TICKET", also percent-encoded or with what a mail put behind it; '' when it is no ticket. */
export function ticketIn(hash: string): string {
  let text = hash.replace(/^#/, '')
  try {
    text = decodeURIComponent(text)
  } catch {
    return ''
  }
  text = text.trim().replace(/[.,;:)>\]}"']+$/, '')
  return /^[A-Za-z0-9_-]{16,128}$/.test(text) ? text : ''
}

/** '' when this page was opened without one. Only /i goes on with what it had: / is the catalogue. */
export function findTicket(): string {
  return ticketIn(location.hash) || (location.pathname === '/i' ? (recall('sessionStorage', TICKET) ?? '') : '')
}

/** Once there is a visit the address needs the ticket no longer. */
export function keepTicket(ticket: string): void {
  if (location.hash !== '') keepSession(null)
  remember('sessionStorage', TICKET, ticket)
  if (location.hash !== '' && recall('sessionStorage', TICKET) === ticket) history.replaceState(null, '', '/i')
}

export function keepSession(session: string | null): void {
  remember('sessionStorage', SESSION, session)
}

/** The session that this tab watched last with this ticket. Who opens the invitation anew begins anew. */
export function knownSession(ticket: string): string {
  if (ticketIn(location.hash) === ticket) return ''
  return recall('sessionStorage', TICKET) === ticket ? (recall('sessionStorage', SESSION) ?? '') : ''
}
