// SPDX-License-Identifier: Apache-2.0
//
// One visit, followed until somebody stops it. When the server has forgotten the visit (it was restarted) another one
// is made, with the session that is known; when the server is away it is asked again, ever more rarely.
import { HttpError } from '../shared/http'
import type { ClientEvent, EndEvent, SessionEvent } from './journey'
import { makeVisit, type Visit } from './server'

export interface Follower {
  visit(visit: Visit): void
  /** A word of lib/session/outcome.h or of docs/web.md: following has ended. */
  refused(word: string): void
  /** The server does not answer; or it does again. */
  away(away: boolean): void
  client(event: ClientEvent): void
  session(event: SessionEvent): void
  end(event: EndEvent): void
}

const LONGEST_S = 30
const AWAY_AFTER_MS = 3000

/** Seconds to wait before the next try, after so many that failed. */
export function backoff(failures: number): number {
  return Math.min(LONGEST_S, 2 ** Math.min(failures, 10))
}

// What the server says about a ticket stays so; anything else may pass.
function final(e: unknown): string | null {
  if (!(e instanceof HttpError)) return null
  return e.status >= 400 && e.status < 500 && e.status !== 429 ? e.word || 'wrong-ticket' : null
}

export function follow(ticket: string, known: string, tell: Follower): () => void {
  let session = known
  let failures = 0
  let stopped = false
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined

  function later() {
    source?.close()
    if (stopped) return
    if (failures > 0) tell.away(true)
    timer = setTimeout(() => void begin(), backoff(failures++) * 1000)
  }

  function listen<T>(name: string, then: (event: T) => void) {
    source?.addEventListener(name, (message) => then(JSON.parse((message as MessageEvent<string>).data) as T))
  }

  function watch(visit: Visit) {
    source = new EventSource(visit.events)
    source.onopen = () => {
      failures = 0
      clearTimeout(silence)
      tell.away(false)
    }
    // The browser connects again by itself, unless it was told that there is nothing (204) or gave up.
    source.onerror = () => {
      clearTimeout(silence)
      if (source?.readyState === EventSource.CLOSED) later()
      else silence = setTimeout(() => tell.away(true), AWAY_AFTER_MS)
    }
    listen<ClientEvent>('client', tell.client)
    listen<SessionEvent>('session', (event) => {
      session = event.session
      tell.session(event)
    })
    listen<EndEvent>('end', tell.end)
  }

  async function begin() {
    try {
      const visit = await makeVisit(ticket, session)
      if (stopped) return
      tell.away(false)
      tell.visit(visit)
      watch(visit)
    } catch (e) {
      if (stopped) return
      const word = final(e)
      if (word !== null) tell.refused(word)
      else later()
    }
  }

  void begin()
  return () => {
    stopped = true
    clearTimeout(timer)
    clearTimeout(silence)
    source?.close()
  }
}
