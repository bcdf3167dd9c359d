// SPDX-License-Identifier: Apache-2.0
//
// The administration (docs/api.md), as a signed-in browser asks it: what changes something carries the token against
// forged requests, and whoever is no longer signed in is told so once, here.
import { ask, HttpError, type Ask } from '../shared/http'

export interface Me {
  who: string
  role: string
  csrf: string
  expires: string
}

let csrf = ''
let onSignedOut = () => {}

export function whenSignedOut(then: () => void): void {
  onSignedOut = then
}

export function signedIn(me: Me): Me {
  csrf = me.csrf
  return me
}

async function send(path: string, what: Ask): Promise<Response> {
  const changes = what.method !== undefined && what.method !== 'GET'
  try {
    return await ask(`/api/v1/${path}`, changes ? { ...what, headers: { 'X-Ferry-CSRF': csrf } } : what)
  } catch (e) {
    if (e instanceof HttpError && e.status === 401) onSignedOut()
    throw e
  }
}

async function json<T>(path: string, what: Ask): Promise<T> {
  const answer = await send(path, what)
  return (answer.status === 204 ? null : await answer.json()) as T
}

export const get = <T>(path: string, signal?: AbortSignal) => json<T>(path, { signal })
export const getText = async (path: string) => (await send(path, {})).text()
export const post = <T>(path: string, body?: unknown) => json<T>(path, { method: 'POST', json: body })
export const put = <T>(path: string, body: unknown) => json<T>(path, { method: 'PUT', json: body })
export const putText = <T>(path: string, text: string) => json<T>(path, { method: 'PUT', text })
export const remove = (path: string) => json<null>(path, { method: 'DELETE' })

/** A path of the API with a query; what is '' is left out. */
export function withQuery(path: string, query: Record<string, string>): string {
  const given = Object.entries(query).filter(([, value]) => value !== '')
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path
}
