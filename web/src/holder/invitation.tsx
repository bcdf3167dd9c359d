// SPDX-License-Identifier: Apache-2.0
//
// One invitation, from what it is for to how it ended.
import { useEffect, useRef, useState } from 'preact/hooks'
import { percent } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { Announcer } from '../shared/parts'
import { About, headingOf } from './about'
import { answered, counted, hurdleOf, over, STEPS, stepStates, type Journey } from './journey'
import { makeVisit, type Purpose, type Site, type Visit } from './server'
import { Start } from './start'
import { stepName, Steps } from './steps'
import { useVisit } from './use_visit'
import { HurdleNote, mayTryAgain, Outcome, Refused } from './verdict'
import { Without } from './without'
import { words, type HolderWords } from './words'

const SILENT_MS = 4000
const READ_EVERY_PERCENT = 25

// What is read aloud: what stands in the way, or the step that is under way, with every fourth of the count. The end is
// read with its heading.
function spoken(t: HolderWords, journey: Journey, started: boolean, purpose: Purpose): string {
  const hurdle = hurdleOf(journey)
  if (journey.end !== null) return ''
  if (hurdle !== null) return `${t.hurdles[hurdle].what} ${t.hurdles[hurdle].todo}`
  const states = stepStates(journey, started)
  const at = STEPS.find((step) => states[step] === 'active')
  if (at === undefined || !answered(journey)) return started ? t.waiting : ''
  const { done, total } = counted(journey)
  const part = Math.floor(percent(done, total) / READ_EVERY_PERCENT) * READ_EVERY_PERCENT
  const count = at === 'deliver' && part > 0 ? `, ${t.percent(part)}` : ''
  return `${stepName(t, at, purpose)}: ${t.states.active}${count}`
}

// True when Start was pressed and nobody has answered for a while.
function useSilence(started: boolean, silent: boolean): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (!started || !silent) return
    const timer = setTimeout(() => setLate(true), SILENT_MS)
    return () => clearTimeout(timer)
  }, [started, silent])
  return late
}

// After a card was served: whether the invitation is for more of them.
function useNextCard(ticket: string, journey: Journey): boolean {
  const [more, setMore] = useState(false)
  const served = journey.end !== null && (journey.end.outcome === 'confirmed' || journey.end.outcome === 'reported')
  useEffect(() => {
    setMore(false)
    if (served) void makeVisit(ticket, '').then((visit) => setMore(visit.state === 'open'), () => {})
  }, [ticket, served])
  return served && more
}

function wordOfState(visit: Visit): string {
  return { done: 'ticket-used', cancelled: 'cancelled', expired: 'expired-ticket', open: '' }[visit.state]
}

interface OpenProps {
  ticket: string
  visit: Visit
  site: Site
  journey: Journey
  again: () => void
}

// What takes turns in the one place: Start, that it runs, what stands in the way, how it ended.
function Now(props: OpenProps & { started: boolean; setStarted: (started: boolean) => void }) {
  const { ticket, visit, site, journey, again, started, setStarted } = props
  const t = useWords(words)
  const next = useNextCard(ticket, journey)
  const hurdle = hurdleOf(journey)
  const silent = !answered(journey)
  const againButton = over(journey) && (next || mayTryAgain(journey.end)) && (
    <button type="button" class="main" onClick={again}>
      {next ? t.nextCard : t.again}
    </button>
  )
  if (journey.end)
    return (
      <Outcome end={journey.end} purpose={visit.purpose} site={site}>
        {againButton}
      </Outcome>
    )
  if (hurdle) return <HurdleNote hurdle={hurdle}>{againButton}</HurdleNote>
  if (!silent) return <p data-running>{t.running}</p>
  return (
    <Start
      link={visit.link}
      ticket={`${ticket}.${visit.visit}`}
      agentPort={site.agent_port}
      silent={silent}
      started={started}
      onStart={() => setStarted(true)}
      onTrouble={() => setStarted(false)}
    />
  )
}

function Open(props: OpenProps) {
  const { visit, site, journey } = props
  const t = useWords(words)
  const [started, setStarted] = useState(false)
  const [helpOpen, setHelpOpen] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const silent = !answered(journey)
  const late = useSilence(started, silent)
  useEffect(() => setHelpOpen(late), [late])
  // Start is gone, and the focus with it: keys go on from the steps.
  useEffect(() => {
    if (!silent && document.activeElement === document.body) heading.current?.focus({ preventScroll: true })
  }, [silent])
  const again = () => {
    setStarted(false)
    props.again()
  }
  return (
    <>
      <div class="now">
        <Now {...props} again={again} started={started} setStarted={setStarted} />
      </div>
      <h2 ref={heading} tabIndex={-1}>
        {t.stepsHeading}
      </h2>
      <Steps journey={journey} started={started} purpose={visit.purpose} />
      <Announcer text={spoken(t, journey, started, visit.purpose)} />
      {!journey.end && <Without visit={visit} site={site} open={helpOpen} onToggle={setHelpOpen} nothing={late} />}
    </>
  )
}

export function Invitation({ ticket, site }: { ticket: string; site: Site }) {
  const language = useLanguage()
  const t = useWords(words)
  const { visit, refused, away, journey, expecting, again } = useVisit(ticket)
  const heading = useRef<HTMLHeadingElement>(null)
  const title = visit ? headingOf(t, visit, language) : 'Cardferry'
  useEffect(() => void (document.title = title), [title])
  // An order that ends while its card is shown is told by that card's own end.
  const closed = visit && !expecting && !answered(journey) ? wordOfState(visit) : ''

  if (refused || closed) return <Refused word={refused || closed} site={site} />
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {visit ? title : t.loading}
      </h1>
      {away && (
        <p role="alert" data-away>
          {t.away}
        </p>
      )}
      {visit && (
        <>
          <About visit={visit} site={site} />
          {!journey.end && <p>{t.before}</p>}
          <Open
            ticket={ticket}
            visit={visit}
            site={site}
            journey={journey}
            again={() => {
              again()
              heading.current?.focus()
            }}
          />
        </>
      )}
    </>
  )
}
