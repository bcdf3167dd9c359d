// SPDX-License-Identifier: Apache-2.0
//
// JSON to and from the server that the page came from, and its errors (docs/api.md).

export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly word: string,
    message: string,
  ) {
    super(message)
  }
}

export interface Ask {
  method?: string
  json?: unknown
  text?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

const OFFLINE = 0

async function errorOf(answer: Response): Promise<HttpError> {
  const said = await answer.json().catch(() => ({}))
  return new HttpError(answer.status, String(said.error ?? ''), String(said.message ?? answer.statusText))
}

/** Status 0: the server can't be reached. Answers that are no success are thrown as HttpError. */
export async function ask(path: string, what: Ask = {}): Promise<Response> {
  const headers = { ...what.headers }
  if (what.json !== undefined) headers['Content-Type'] = 'application/json'
  if (what.text !== undefined) headers['Content-Type'] = 'text/plain; charset=utf-8'
  const answer = await fetch(path, {
    method: what.method ?? 'GET',
    headers,
    body: what.json !== undefined ? JSON.stringify(what.json) : what.text,
    signal: what.signal,
    cache: 'no-store',
  }).catch((e: unknown) => {
    throw e instanceof DOMException ? e : new HttpError(OFFLINE, 'offline', String(e))
  })
  if (!answer.ok) throw await errorOf(answer)
  return answer
}

export async function askJson<T>(path: string, what: Ask = {}): Promise<T> {
  const answer = await ask(path, what)
  return (answer.status === 204 ? null : await answer.json()) as T
}
