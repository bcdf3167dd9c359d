// SPDX-License-Identifier: Apache-2.0
//
// What the administration answers, as docs/api.md has it.

export interface App {
  name: string
  title: string
  description: string
  title_de: string
  description_de: string
  package: string
  version: string
  applets: string[]
  imports: { aid: string; version: string; name: string }[]
  components: { tag: number; name: string; bytes: number }[]
  load_bytes: number
  sha256: string
  approved: { by: string; time: string } | null
  created: string
  warnings?: string[]
}

export interface Key {
  name: string
  version: string | number
  use: string
  type: string
  card: string
  check_values: string[]
  retired: boolean
  created: string
}

export interface CardType {
  name: string
  title?: string
  title_de?: string
  scp: string
  i: string
  kvn: string
  key?: string
  kdf?: string
  level?: string
  virgin?: boolean
  created: string
  warnings: string[]
  [field: string]: unknown
}

export interface Order {
  id: string
  purpose: 'install' | 'remove' | 'inspect'
  app: string
  card: string
  type: string
  level: string
  state: 'open' | 'done' | 'cancelled' | 'expired'
  offer: boolean
  cards: number
  cards_left: number
  openings_left: number
  created: string
  expires: string
}

export interface Ticketed extends Order {
  ticket: string
  url: string
  link: string
  invitation: string
  warnings?: string[]
}

export interface Session {
  id: string
  order: string
  card: string
  step: string
  outcome: string
  reason: string
  detail: string
  posts: number
  commands: number
  bytes: number
  created: string
  updated: string
}

export interface Command {
  header: string
  bytes: number
  aid: string
  sw: string
}

export interface Turn {
  time: string
  step: string
  commands: Command[]
}

export interface Entry {
  aid: string
  kind: 'card manager' | 'application' | 'package'
  state: string
  privileges: string
  package: string
  version: string
  modules: string[]
}

export interface Ledger {
  kvn: string
  openings: number
  wrong_cryptograms: number
  failed_loads: number
  last: string | null
}

export interface Identity {
  atr?: string
  isd?: string
  cplc?: string
  iin?: string
  cin?: string
  scps?: { scp: string; i: string }[]
  keys?: { id: string; version: string; type: string; bytes: number }[]
}

export interface Card {
  number: string
  type: string
  scp: string
  i: string
  kvn: string
  quarantined: boolean
  reason: string
  seen: string | null
  identity: Identity
  registry: Entry[] | null
  free_memory: { nonvolatile?: number; transient?: number } | null
  registry_proven: boolean
  registry_time: string | null
  ledger: Ledger[]
}

export interface Audit {
  number: number
  time: string
  who: string
  what: string
  object: string
  detail: string
}

export interface Day {
  day: string
  confirmed: number
  reported: number
  failed: number
  unknown: number
}

export interface Running {
  id: string
  order: string
  card: string
  step: string
  created: string
  done: number
  total: number
}

export interface Overview {
  sessions_now: number
  sessions: Running[]
  days: Day[]
  reasons: { reason: string; count: number }[]
  cards: number
  set_aside: number
  orders_open: number
  apps_waiting: number
}

export interface Listing<T> {
  items: T[]
  next?: string
}
