// SPDX-License-Identifier: Apache-2.0
//
// A ticket, the only time that it is shown: as an invitation, as a picture of it, and for those who need no page.
import { useEffect, useState } from 'preact/hooks'
import { useWords } from '../shared/i18n'
import { CopyButton, FocusHeading } from '../shared/parts'
import type { Ticketed } from './shapes'
import { words } from './words'

interface Picture {
  size: number
  path: string
}

// The code that makes the picture is fetched when there is one to make.
async function draw(text: string): Promise<Picture> {
  const { default: qrcode } = await import('qrcode-generator')
  const code = qrcode(0, 'M')
  code.addData(text)
  code.make()
  const size = code.getModuleCount()
  const dark: string[] = []
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) if (code.isDark(y, x)) dark.push(`M${x} ${y}h1v1h-1z`)
  return { size, path: dark.join('') }
}

// Around the code there must be four modules of nothing (ISO/IEC 18004).
const QUIET = 4

function Qr({ text, name }: { text: string; name: string }) {
  const [picture, setPicture] = useState<Picture | null>(null)
  useEffect(() => void draw(text).then(setPicture), [text])
  const side = (picture?.size ?? 0) + 2 * QUIET
  return (
    <svg class="qr" role="img" aria-label={name} viewBox={`${-QUIET} ${-QUIET} ${side} ${side}`}>
      <rect x={-QUIET} y={-QUIET} width={side} height={side} fill="#fff" />
      {picture && <path d={picture.path} fill="#000" shape-rendering="crispEdges" />}
    </svg>
  )
}

function Copyable({ name, text }: { name: string; text: string }) {
  return (
    <div class="copyable">
      <h3>{name}</h3>
      <p>
        <code>{text}</code>
      </p>
      <CopyButton text={text} label={name} />
    </div>
  )
}

export function InvitationShown({ order }: { order: Ticketed }) {
  const t = useWords(words).orders
  return (
    <section class="ticket" aria-label={t.ticketHeading}>
      <FocusHeading>{t.ticketHeading}</FocusHeading>
      {!order.offer && <p>{t.ticketOnce}</p>}
      {order.warnings && order.warnings.length > 0 && (
        <div class="error">
          <strong>{t.warnings}</strong>
          <ul>
            {order.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </div>
      )}
      <div class="columns">
        <Qr text={order.invitation} name={t.qr} />
        <div>
          <Copyable name={t.invitation} text={order.invitation} />
          <Copyable name={t.link} text={order.link} />
          <Copyable name={t.command} text={`ferry run '${order.url}'`} />
        </div>
      </div>
    </section>
  )
}
