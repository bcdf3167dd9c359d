// SPDX-License-Identifier: Apache-2.0
//
// The one thing to press. It is a link that opens the client, or, where the card service of this computer was found, a
// button that hands it the ticket.
import { useEffect, useState } from 'preact/hooks'
import { useWords } from '../shared/i18n'
import { Agent, troubleOf, type Trouble } from './agent'
import { useAgent, type AgentState } from './use_agent'
import { words } from './words'

interface Props {
  link: string
  /** TICKET.VISIT */
  ticket: string
  agentPort: number
  /** Nobody has answered since Start. */
  silent: boolean
  started: boolean
  onStart: () => void
  onTrouble: () => void
}

const POLL_MS = 2000

// While the server has heard nothing, the agent may know that it came to an end already.
function useAgentEnd(agent: AgentState, watching: boolean, onEnd: () => void) {
  useEffect(() => {
    if (!watching || !(agent instanceof Agent)) return
    const timer = setInterval(() => void agent.state().then((s) => !s.running && onEnd(), onEnd), POLL_MS)
    return () => clearInterval(timer)
  }, [agent, watching])
}

function AgentNote({ agent, look }: { agent: AgentState; look: () => void }) {
  const t = useWords(words)
  if (agent === 'ask')
    return (
      <p>
        <button type="button" class="secondary" onClick={look}>
          {t.agentAsk}
        </button>
        <small>{t.agentAskHint}</small>
      </p>
    )
  if (agent === 'denied') return <p data-agent="denied">{t.agentDenied}</p>
  return <small data-agent={agent instanceof Agent ? 'found' : agent}>{agent instanceof Agent ? t.agentFound : t.startHint}</small>
}

export function Start({ link, ticket, agentPort, silent, started, onStart, onTrouble }: Props) {
  const t = useWords(words)
  const { agent, look, leave } = useAgent(agentPort)
  const [pairing, setPairing] = useState(false)
  const [trouble, setTrouble] = useState<Trouble | null>(null)

  function stumble(what: Trouble) {
    setTrouble(what)
    setPairing(false)
    if (what === 'gone') leave()
    onTrouble()
  }
  useAgentEnd(agent, started && silent, () => stumble('other'))

  // An agent that has forgotten us says so when it is to run: then the user is asked once more.
  async function runPaired(found: Agent, mayAskAgain: boolean): Promise<void> {
    setPairing(!found.isPaired)
    if (!found.isPaired) await found.pair()
    setPairing(false)
    await found.run(ticket).catch((e: unknown) => {
      if (found.isPaired || !mayAskAgain) throw e
      return runPaired(found, false)
    })
  }

  async function byAgent(found: Agent) {
    setTrouble(null)
    try {
      await runPaired(found, true)
      onStart()
    } catch (e) {
      stumble(troubleOf(e))
    }
  }

  return (
    <div class="start">
      {agent instanceof Agent ? (
        <button type="button" class="main" disabled={pairing} onClick={() => void byAgent(agent)}>
          {t.start}
        </button>
      ) : (
        <a class="button main" href={link} onClick={onStart}>
          {t.start}
        </a>
      )}
      <AgentNote agent={agent} look={look} />
      <p role="alert" data-trouble={trouble}>
        {pairing ? t.agentPairing : trouble && t.agentTroubles[trouble]}
      </p>
    </div>
  )
}
