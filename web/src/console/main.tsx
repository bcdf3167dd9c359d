// SPDX-License-Identifier: Apache-2.0
//
// The operator's page: whoever is signed in sees the view that the address names, anybody else the sign-in.
import '@picocss/pico/css/pico.min.css'
import '../shared/base.css'
import './console.css'
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { HttpError } from '../shared/http'
import { startLanguage } from '../shared/i18n'
import { get, post, signedIn, whenSignedOut, type Me } from './api'
import { Frame } from './frame'
import { startRouter } from './router'
import { SignIn, takeCode } from './sign_in'

type State = { me: Me } | { failed: unknown } | 'asking'

async function begin(code: string): Promise<State> {
  try {
    return { me: signedIn(code ? await post<Me>('sign-in', { code }) : await get<Me>('me')) }
  } catch (e) {
    // Not being signed in is nothing to be told of.
    const usual = !code && e instanceof HttpError && e.status === 401
    return { failed: usual ? null : e }
  }
}

function Console({ code }: { code: string }) {
  const [state, setState] = useState<State>('asking')
  useEffect(() => {
    void begin(code).then((next) => {
      setState(next)
      whenSignedOut(() => setState({ failed: null }))
    })
    // A link that is opened in the window that is there already changes only what stands behind '#'.
    const again = () => {
      const another = takeCode()
      if (another) void begin(another).then(setState)
    }
    addEventListener('hashchange', again)
    return () => removeEventListener('hashchange', again)
  }, [])
  if (state !== 'asking' && 'me' in state) return <Frame me={state.me} onLeave={() => setState({ failed: null })} />
  return (
    <SignIn
      asking={state === 'asking'}
      failed={state === 'asking' ? null : state.failed}
      onSignedIn={(me) => setState({ me: signedIn(me) })}
    />
  )
}

startLanguage()
startRouter()
const root = document.getElementById('page')
// The code is out of the address before anything else happens.
const code = takeCode()
if (root !== null) render(<Console code={code} />, root)
