// SPDX-License-Identifier: Apache-2.0
//
// Which view the address names. Links are plain links; a click on one below /console is answered here instead of by
// the server, which would send the same page.
import { useEffect, useState } from 'preact/hooks'

const listeners = new Set<() => void>()
let moves = 0

function changed() {
  moves++
  listeners.forEach((tell) => tell())
}

export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', to)
  else history.replaceState(null, '', to)
  changed()
  if (how === 'push') scrollTo(0, 0)
}

/** Whether the view was reached from another one: then its heading takes the focus. */
export function moved(): boolean {
  return moves > 0
}

function follow(e: MouseEvent) {
  const link = (e.target as Element).closest?.('a')
  const ours = link?.getAttribute('href')?.startsWith('/console') && !link.hasAttribute('download')
  if (!link || !ours || e.defaultPrevented || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return
  e.preventDefault()
  navigate(link.getAttribute('href') ?? '/console')
}

export function startRouter(): void {
  addEventListener('popstate', changed)
  document.addEventListener('click', follow)
}

export interface Place {
  /** The parts behind /console, decoded. */
  parts: string[]
  query: URLSearchParams
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function placeOf(path: string, search: string): Place {
  const parts = path.split('/').slice(2).filter((part) => part !== '').map(decoded)
  return { parts, query: new URLSearchParams(search) }
}

export function usePlace(): Place {
  const [, tell] = useState(0)
  useEffect(() => {
    const again = () => tell(moves)
    listeners.add(again)
    return () => void listeners.delete(again)
  }, [])
  return placeOf(location.pathname, location.search)
}

/** A filter is part of the address, so that it can be shown to others and going back works. */
export function setFilter(name: string, value: string): void {
  const query = new URLSearchParams(location.search)
  if (value === '') query.delete(name)
  else query.set(name, value)
  const text = query.toString()
  navigate(text === '' ? location.pathname : `${location.pathname}?${text}`, 'replace')
}

/** In place of a name: the form for a new one. No name begins with '.', and identifiers have letters and digits only. */
export const ADD = '.new'

/** The address of a view: to('cards', number). */
export function to(...parts: string[]): string {
  return ['/console', ...parts.map(encodeURIComponent)].join('/')
}
