// SPDX-License-Identifier: Apache-2.0
//
// How far a card is, from the events of one visit. The client's word moves the first steps and the count; that a card
// was recognised, authenticated or served is the server's to say.

export interface ClientEvent {
  stage: string
  reader: string
  card: string
  done: number
  total: number
}

export interface SessionEvent {
  session: string
  step: string
  commands: number
}

export interface EndEvent {
  session: string
  outcome: string
  reason: string
  detail: string
}

export interface Journey {
  client: ClientEvent | null
  session: SessionEvent | null
  end: EndEvent | null
}

export const NOWHERE: Journey = { client: null, session: null, end: null }

export const STEPS = ['client', 'reader', 'card', 'authenticate', 'deliver', 'verify'] as const
export type Step = (typeof STEPS)[number]
/** doubt: it may have happened, nothing shows it. */
export type StepState = 'todo' | 'active' | 'done' | 'failed' | 'doubt'

const CLIENT = 0
const CARD = 2
const DELIVER = 4
const VERIFY = 5

// The step that is under way when a client, or the server, is at this stage.
const CLIENT_AT: Record<string, number> = {
  client: 1,
  declined: CLIENT,
  'no-reader': 1,
  'no-card': CARD,
  reader: CARD,
  identify: CARD,
  authenticate: 3,
  deliver: DELIVER,
  settle: VERIFY,
  lost: CARD,
  error: 1,
  ended: 1,
}
const SERVER_AT: Record<string, number> = { identify: CARD, authenticate: 3, deliver: DELIVER }

/** What a client may say that stands in the way until somebody does something. */
export const HURDLES = ['declined', 'no-reader', 'no-card', 'lost', 'error'] as const
export type Hurdle = (typeof HURDLES)[number]

export function hurdleOf(j: Journey): Hurdle | null {
  return j.end === null ? (HURDLES.find((h) => h === j.client?.stage) ?? null) : null
}

function underWay(j: Journey): number {
  const server = SERVER_AT[j.session?.step ?? ''] ?? CLIENT
  const client = CLIENT_AT[j.client?.stage ?? ''] ?? CLIENT
  // Beyond the card a client is believed only where the server has gone already.
  return Math.max(server, Math.min(client, server === DELIVER ? VERIFY : CARD))
}

const AT_END: Record<string, StepState> = { confirmed: 'done', reported: 'doubt', failed: 'failed', unknown: 'doubt' }

function stateAt(j: Journey, index: number, at: number): StepState {
  if (j.end !== null && (j.end.outcome === 'confirmed' || j.end.outcome === 'reported'))
    return index < VERIFY ? 'done' : (AT_END[j.end.outcome] ?? 'todo')
  if (index !== at) return index < at ? 'done' : 'todo'
  if (j.end !== null) return AT_END[j.end.outcome] ?? 'failed'
  const hurdle = hurdleOf(j)
  return hurdle === null || hurdle === 'no-card' || hurdle === 'no-reader' ? 'active' : 'failed'
}

/** Of every step, in order. started: somebody pressed Start, so the first step is under way. */
export function stepStates(j: Journey, started: boolean): Record<Step, StepState> {
  const idle = !started && j.client === null && j.session === null && j.end === null
  const at = underWay(j)
  const states = STEPS.map((step, index) => [step, idle ? 'todo' : stateAt(j, index, at)])
  return Object.fromEntries(states) as Record<Step, StepState>
}

/** Commands of the packet that is on its way: 0 of 0 when that is not known. */
export function counted(j: Journey): { done: number; total: number } {
  // What a client counted before is of a packet before: the server's word comes sooner than the client's next.
  const client = (CLIENT_AT[j.client?.stage ?? ''] ?? DELIVER) < DELIVER ? null : j.client
  const total = client?.total || j.session?.commands || 0
  const done = client?.stage === 'settle' ? total : (client?.done ?? 0)
  return { done: Math.min(done, total), total }
}

/** Somebody answered: the client, or the server because of one. */
export function answered(j: Journey): boolean {
  return j.client !== null || j.session !== null || j.end !== null
}

/** Nothing more comes by itself: Start has to be pressed again. */
export function over(j: Journey): boolean {
  const hurdle = hurdleOf(j)
  return j.end !== null || hurdle === 'declined' || hurdle === 'lost' || hurdle === 'error'
}
