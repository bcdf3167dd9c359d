// SPDX-License-Identifier: Apache-2.0
//
// Which language the page speaks: what was chosen on it, otherwise what the browser prefers. A dictionary is an
// object per language; a sentence with something in it is a function, so that a missing part does not compile.
import { useEffect, useState } from 'preact/hooks'
import { recall, remember } from './storage'

export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]
export type Dictionary<T> = Record<Language, T>

const STORED_AS = 'ferry-language'
const listeners = new Set<(language: Language) => void>()

function known(text: string | null): Language | undefined {
  return LANGUAGES.find((language) => language === text)
}

/** The first that we speak, English when there is none. */
export function chooseLanguage(stored: string | null, preferred: readonly string[]): Language {
  const spoken = preferred.map((tag) => known(tag.slice(0, 2).toLowerCase())).find((l) => l !== undefined)
  return known(stored) ?? spoken ?? 'en'
}

let current: Language = 'en'

export function startLanguage(): void {
  current = chooseLanguage(recall('localStorage', STORED_AS), navigator.languages)
  document.documentElement.lang = current
}

export function setLanguage(language: Language): void {
  current = language
  document.documentElement.lang = language
  remember('localStorage', STORED_AS, language)
  listeners.forEach((tell) => tell(language))
}

export function useLanguage(): Language {
  const [language, tell] = useState(current)
  useEffect(() => {
    listeners.add(tell)
    return () => void listeners.delete(tell)
  }, [])
  return language
}

export function useWords<T>(dictionary: Dictionary<T>): T {
  return dictionary[useLanguage()]
}

/** What was named in two languages: this one first, then the other, then the plain name. */
export function titleOf(
  named: { name: string; title?: string; title_de?: string },
  language: Language,
): string {
  const [first, second] = language === 'de' ? [named.title_de, named.title] : [named.title, named.title_de]
  return first || second || named.name
}

export function descriptionOf(app: { description: string; description_de: string }, language: Language): string {
  return language === 'de' ? app.description_de || app.description : app.description || app.description_de
}
