// SPDX-License-Identifier: Apache-2.0
//
// Signing in: by a link that was made for it, by the certificate of this browser, or by being told how to get a link.
import { useEffect, useState } from 'preact/hooks'
import { HttpError } from '../shared/http'
import { useWords } from '../shared/i18n'
import { CopyButton, LanguageSwitch } from '../shared/parts'
import { post, type Me } from './api'
import { words } from './words'

const COMMAND = 'ferry console'

/** The code behind "#login=": good once, so it is taken out at once. */
export function takeCode(): string {
  const code = /^#login=([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1] ?? ''
  if (code) history.replaceState(null, '', location.pathname)
  return code
}

function sentence(e: unknown, t: (typeof words)['en']['signIn'], byCode: boolean): string {
  if (!(e instanceof HttpError) || e.status === 0) return t.offline
  if (e.status === 401 || e.status === 403) return byCode ? t.badCode : t.noCertificate
  return `${t.failed} ${e.message}`
}

interface Props {
  asking: boolean
  /** Why the code of the address did not do, or null. */
  failed: unknown
  onSignedIn: (me: Me) => void
}

export function SignIn({ asking, failed, onSignedIn }: Props) {
  const all = useWords(words)
  const t = all.signIn
  const [refused, setRefused] = useState<unknown>(null)
  useEffect(() => void (document.title = `${t.heading} – ${all.title}`), [all])
  const byCertificate = () => {
    setRefused(null)
    post<Me>('sign-in', {}).then(onSignedIn, setRefused)
  }
  const problem = refused ? sentence(refused, t, false) : failed ? sentence(failed, t, true) : ''
  return (
    <div class="container sign-in">
      <header>
        <strong>{all.title}</strong>
        <LanguageSwitch />
      </header>
      <main>
        <h1>{t.heading}</h1>
        {asking ? (
          <p aria-busy="true">{t.trying}</p>
        ) : (
          <>
            <div role="alert">{problem && <p class="error">{problem}</p>}</div>
            <button type="button" onClick={byCertificate}>
              {t.certificate}
            </button>
            <p>{t.link}</p>
            <p>
              <code>{COMMAND}</code> <CopyButton text={COMMAND} label={COMMAND} />
            </p>
          </>
        )}
      </main>
    </div>
  )
}
