// SPDX-License-Identifier: Apache-2.0
//
// Numbers, sizes and times as people of a language write them. What is not known is a dash.
import type { Language } from './i18n'

const LOCALE = { en: 'en-GB', de: 'de-DE' }

export function time(text: string | null | undefined, language: Language): string {
  const date = new Date(text ?? '')
  if (Number.isNaN(date.getTime())) return '–'
  return date.toLocaleString(LOCALE[language], { dateStyle: 'medium', timeStyle: 'short' })
}

export function day(text: string, language: Language): string {
  const date = new Date(`${text}T00:00:00Z`)
  return date.toLocaleDateString(LOCALE[language], { day: 'numeric', month: 'short', timeZone: 'UTC' })
}

export function number(value: number, language: Language): string {
  return value.toLocaleString(LOCALE[language])
}

export function bytes(value: number, language: Language): string {
  return `${number(value, language)} ${language === 'de' ? 'Byte' : value === 1 ? 'byte' : 'bytes'}`
}

/** Whole percent, 0 to 100; 0 when nothing is to be done. */
export function percent(done: number, total: number): number {
  return total > 0 ? Math.min(100, Math.max(0, Math.floor((100 * done) / total))) : 0
}
