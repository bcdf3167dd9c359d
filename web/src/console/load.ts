// SPDX-License-Identifier: Apache-2.0
//
// What a view asks the server for when it appears: one thing, or one page of a listing after the other.
import { useEffect, useState } from 'preact/hooks'
import { HttpError } from '../shared/http'
import { get, withQuery } from './api'
import type { Listing } from './shapes'

export interface Loaded<T> {
  data: T | null
  error: HttpError | null
  reload: () => void
  /** What an answer to a change already told. */
  set: (data: T) => void
}

function asHttpError(e: unknown): HttpError {
  return e instanceof HttpError ? e : new HttpError(0, 'offline', String(e))
}

/** everyMs: asks again so often while the view is seen; 0 for once. */
export function useLoad<T>(path: string, everyMs = 0): Loaded<T> {
  const [data, set] = useState<T | null>(null)
  const [error, setError] = useState<HttpError | null>(null)
  const [again, setAgain] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    const load = () =>
      get<T>(path, stop.signal).then(
        (loaded) => {
          set(loaded)
          setError(null)
        },
        (e: unknown) => stop.signal.aborted || setError(asHttpError(e)),
      )
    void load()
    const timer = everyMs > 0 ? setInterval(() => document.hidden || void load(), everyMs) : undefined
    return () => {
      stop.abort()
      clearInterval(timer)
    }
  }, [path, everyMs, again])
  return { data, error, set, reload: () => setAgain((n) => n + 1) }
}

export interface Pages<T> extends Loaded<Listing<T>> {
  number: number
  forth: (() => void) | null
  back: (() => void) | null
}

/** The server pages: each page's `next` is kept to go back. Another filter begins at the front. */
export function usePages<T>(path: string, filter: Record<string, string>, limit = 50): Pages<T> {
  const base = withQuery(path, { ...filter, limit: String(limit) })
  const [position, setPosition] = useState({ base, after: [] as string[] })
  const after = position.base === base ? position.after : []
  const last = after[after.length - 1] ?? ''
  const loaded = useLoad<Listing<T>>(last === '' ? base : `${base}&${new URLSearchParams({ after: last })}`)
  const next = loaded.data?.next
  return {
    ...loaded,
    number: after.length + 1,
    forth: next ? () => setPosition({ base, after: [...after, next] }) : null,
    back: after.length > 0 ? () => setPosition({ base, after: after.slice(0, -1) }) : null,
  }
}

/** All of a listing, for a choice: page after page, and what has come is there at once. */
export function useAll<T>(path: string): T[] {
  const [items, set] = useState<T[]>([])
  useEffect(() => {
    const stop = new AbortController()
    const load = async (after: string): Promise<void> => {
      const page = await get<Listing<T>>(withQuery(path, { limit: '200', after }), stop.signal)
      set((before) => (after === '' ? page.items : [...before, ...page.items]))
      if (page.next) await load(page.next)
    }
    load('').catch(() => {}) // the choice is the shorter for it; what is asked for next will say why
    return () => stop.abort()
  }, [path])
  return items
}

/** A change that a button starts: what it is doing, and what went wrong. */
export function useChange(): { busy: boolean; error: HttpError | null; run: (change: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<HttpError | null>(null)
  const run = (change: () => Promise<void>) => {
    setBusy(true)
    setError(null)
    void change()
      .catch((e: unknown) => setError(asHttpError(e)))
      .finally(() => setBusy(false))
  }
  return { busy, error, run }
}
