// SPDX-License-Identifier: Apache-2.0
//
// The visit of this page and how far its card is, as state of a component.
import { useEffect, useState } from 'preact/hooks'
import { follow } from './follow'
import { NOWHERE, type Journey } from './journey'
import type { Visit } from './server'
import { keepSession, keepTicket, knownSession } from './ticket'

export interface Watched {
  visit: Visit | null
  refused: string | null
  away: boolean
  journey: Journey
  /** A session is known, and the server may still tell how it ended. */
  expecting: boolean
}

const NOTHING: Watched = { visit: null, refused: null, away: false, journey: NOWHERE, expecting: false }
const EXPECT_MS = 2000

/** again(): forgets what was seen and makes another visit. */
export function useVisit(ticket: string): Watched & { again: () => void } {
  const [attempt, setAttempt] = useState(0)
  const [watched, setWatched] = useState(NOTHING)
  useEffect(() => {
    const update = (part: Partial<Watched>) => setWatched((was) => ({ ...was, ...part }))
    const move = (part: Partial<Journey>) =>
      setWatched((was) => ({ ...was, journey: { ...was.journey, ...part } }))
    const known = knownSession(ticket)
    update({ expecting: known !== '' })
    const patience = setTimeout(() => update({ expecting: false }), EXPECT_MS)
    const stop = follow(ticket, known, {
      visit: (visit) => {
        keepTicket(ticket)
        update({ visit })
      },
      refused: (refused) => update({ refused }),
      away: (away) => update({ away }),
      client: (client) => move({ client }),
      // Another session than before begins from its own beginning.
      session: (session) => {
        keepSession(session.session)
        setWatched((was) => ({ ...was, journey: { client: was.journey.client, session, end: null } }))
      },
      end: (end) => move({ end }),
    })
    return () => {
      clearTimeout(patience)
      stop()
    }
  }, [ticket, attempt])
  const again = () => {
    keepSession(null)
    setWatched((was) => ({ ...was, journey: NOWHERE }))
    setAttempt(attempt + 1)
  }
  return { ...watched, again }
}
