// SPDX-License-Identifier: Apache-2.0
//
// What the page asks its server, as docs/web.md has it.
import { askJson } from '../shared/http'

export interface Site {
  issuer: string
  help_phone: string
  help_url: string
  agent_port: number
  package: string
  catalogue: boolean
  version: string
}

export type Purpose = 'install' | 'remove' | 'inspect'

export interface App {
  name: string
  title: string
  description: string
  title_de: string
  description_de: string
}

export interface CardType {
  name: string
  title: string
  title_de: string
}

export interface Visit {
  visit: string
  purpose: Purpose
  app: App | null
  type: CardType | null
  card: string
  state: 'open' | 'done' | 'cancelled' | 'expired'
  expires: string | null
  link: string
  url: string
  events: string
}

export interface Offer {
  ticket: string
  purpose: Purpose
  app: App | null
  type: CardType | null
  expires: string | null
}

export const getSite = () => askJson<Site>('/page/v1/site')
export const getCatalogue = () => askJson<{ items: Offer[] }>('/page/v1/catalogue')

export function makeVisit(ticket: string, session: string): Promise<Visit> {
  return askJson<Visit>('/page/v1/visits', { method: 'POST', json: session ? { ticket, session } : { ticket } })
}
