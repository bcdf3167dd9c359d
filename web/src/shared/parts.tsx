// SPDX-License-Identifier: Apache-2.0
//
// Small parts that both pages have: the choice of language, a button that copies, sentences that are read aloud.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { LANGUAGES, setLanguage, useLanguage, useWords } from './i18n'

const words = {
  en: { language: 'Language', copy: 'Copy', copied: 'Copied' },
  de: { language: 'Sprache', copy: 'Kopieren', copied: 'Kopiert' },
}
const NAMES = { en: 'English', de: 'Deutsch' }

export function LanguageSwitch() {
  const language = useLanguage()
  const t = useWords(words)
  return (
    <div class="languages" role="group" aria-label={t.language}>
      {LANGUAGES.map((l) => (
        <button type="button" class="plain" lang={l} aria-pressed={l === language} onClick={() => setLanguage(l)}>
          {NAMES[l]}
        </button>
      ))}
    </div>
  )
}

const COPIED_FOR_MS = 2000

/** label: what is copied, for those who don't see where the button stands. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const t = useWords(words)
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), COPIED_FOR_MS)
    return () => clearTimeout(timer)
  }, [done])
  const copy = () => void navigator.clipboard.writeText(text).then(() => setDone(true))
  return (
    <span class="copy">
      <button type="button" class="secondary outline" onClick={copy} aria-label={`${t.copy}: ${label}`}>
        {t.copy}
      </button>
      <span role="status">{done ? t.copied : ''}</span>
    </span>
  )
}

const COALESCE_MS = 400

/** Read aloud when it changes, each change once; what changes within 400 ms is said as its last. */
export function Announcer({ text }: { text: string }) {
  const [said, say] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => say(text), COALESCE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <p class="heard" role="status" aria-live="polite">
      {said}
    </p>
  )
}

/** A heading that takes the focus when it appears, so that it is read and keys go on from here. */
export function FocusHeading({ children, level = 2 }: { children: ComponentChildren; level?: 1 | 2 }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  const Tag = level === 1 ? 'h1' : 'h2'
  return (
    <Tag ref={heading} tabIndex={-1}>
      {children}
    </Tag>
  )
}
