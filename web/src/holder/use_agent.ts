// SPDX-License-Identifier: Apache-2.0
//
// Looks for the card service of this computer, no sooner than the browser's permission and the user allow.
import { useEffect, useState } from 'preact/hooks'
import { Agent, permission } from './agent'

/** off: not to be looked for, or not there. ask: a click is needed first. */
export type AgentState = 'off' | 'looking' | 'ask' | 'denied' | Agent

const WITHOUT = { granted: 'off', prompt: 'ask', denied: 'denied' } as const

export function useAgent(port: number): { agent: AgentState; look: () => void; leave: () => void } {
  const [agent, setAgent] = useState<AgentState>('off')
  const look = () => {
    setAgent('looking')
    // What the user said to the browser meanwhile explains why nobody was found.
    void Agent.find(port).then(async (found) => setAgent(found ?? WITHOUT[await permission()]))
  }
  useEffect(() => {
    if (port === 0) return
    void permission().then((now) => (now === 'granted' ? look() : setAgent(now === 'prompt' ? 'ask' : 'denied')))
  }, [port])
  return { agent, look, leave: () => setAgent('off') }
}
