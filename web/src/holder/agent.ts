// SPDX-License-Identifier: Apache-2.0
//
// The card service of this computer (ferry agent), if there is one and the server says that pages look for it. It is
// given a ticket and nothing else; what it answers says whether it took it, never how a card is.
import { HttpError } from '../shared/http'
import { recall, remember } from '../shared/storage'

const PAIRING = 'ferry-pairing'

export type Permission = 'granted' | 'prompt' | 'denied'

// Chromium has renamed it twice; a browser that knows none of the names asks nobody.
const PERMISSION_NAMES = ['loopback-network', 'local-network-access', 'local-network']

export async function permission(): Promise<Permission> {
  for (const name of PERMISSION_NAMES) {
    try {
      return (await navigator.permissions.query({ name: name as PermissionName })).state
    } catch {
      // Not this name.
    }
  }
  return 'granted'
}

// Where a browser knows the option it has to be told that loopback is meant; others ignore it, or know another word.
function addressSpace(): object {
  for (const targetAddressSpace of ['loopback', 'local']) {
    try {
      new Request('http://127.0.0.1/', { targetAddressSpace } as RequestInit)
      return { targetAddressSpace }
    } catch {
      // Not this word.
    }
  }
  return {}
}

interface Hello {
  agent: string
  version: string
  paired: boolean
}

async function errorOf(answer: Response): Promise<HttpError> {
  const said = await answer.json().catch(() => ({}))
  return new HttpError(answer.status, String(said.error ?? ''), String(said.message ?? ''))
}

// Somebody who is there answers at once; but before, a browser may ask its user.
const HELLO_MS = 2000
const USER_MS = 120_000

export class Agent {
  private constructor(
    private readonly origin: string,
    private paired: boolean,
  ) {}

  /** null when nobody answers as an agent does. */
  static async find(port: number): Promise<Agent | null> {
    const patience = (await permission()) === 'prompt' ? USER_MS : HELLO_MS
    // 127.0.0.1 only: the agent is on ::1 too, but no page policy can name an IPv6 address.
    const agent = new Agent(`http://127.0.0.1:${port}`, false)
    try {
      const hello = await agent.post<Hello>('hello', {}, AbortSignal.timeout(patience))
      agent.paired = hello.paired && recall('localStorage', PAIRING) !== null
      return hello.agent === 'ferry' ? agent : null
    } catch {
      return null
    }
  }

  private async post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    const pairing = recall('localStorage', PAIRING)
    const answer = await fetch(`${this.origin}/v1/${path}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/vnd.cardferry.agent+json',
        'X-Ferry-Agent': '1',
        ...(pairing !== null && (path === 'run' || path === 'state') ? { 'X-Ferry-Pairing': pairing } : {}),
      },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
      signal,
      ...addressSpace(),
    }).catch(() => {
      throw new HttpError(0, 'gone', '')
    })
    if (!answer.ok) throw await errorOf(answer)
    return (await answer.json()) as T
  }

  get isPaired(): boolean {
    return this.paired
  }

  /** The user is asked, in a window of the agent; it takes as long as they do. */
  async pair(): Promise<void> {
    const { pairing } = await this.post<{ pairing: string }>('pair', {})
    remember('localStorage', PAIRING, pairing)
    this.paired = true
  }

  async run(ticket: string): Promise<void> {
    try {
      await this.post('run', { ticket })
    } catch (e) {
      if (e instanceof HttpError && e.word === 'not-paired') this.forget()
      throw e
    }
  }

  private forget() {
    remember('localStorage', PAIRING, null)
    this.paired = false
  }

  /** Of the last run. */
  state(): Promise<{ running: boolean; outcome: string; reason: string; detail: string }> {
    return this.post('state', {})
  }
}

/** What an agent may answer to a start; anything else is 'other'. */
export const TROUBLES = ['busy', 'same-card', 'declined', 'nobody-to-ask', 'too-many', 'gone', 'other'] as const
export type Trouble = (typeof TROUBLES)[number]

export function troubleOf(e: unknown): Trouble {
  const word = e instanceof HttpError ? (e.status === 429 ? 'too-many' : e.word) : 'other'
  return TROUBLES.find((t) => t === word) ?? 'other'
}
