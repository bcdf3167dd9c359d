// SPDX-License-Identifier: Apache-2.0
//
// How full a card is, as a bar with its parts, and the same in words.
import { bytes } from '../shared/format'
import { useLanguage, useWords } from '../shared/i18n'
import { useAll } from './load'
import { memoryOf, type Memory, type Part } from './memory'
import type { App, Card } from './shapes'
import { words } from './words'

const WIDTH = 600
const HEIGHT = 32

interface Shown extends Part {
  x: number
  width: number
  kind: string
}

const PATTERNS = 4

// Free memory is often a hundred times what is used: every part is at least wide enough to be seen.
function place(memory: Memory, free: string): Shown[] {
  const parts = [
    ...memory.known.map((p, i) => ({ ...p, kind: `part-${i % PATTERNS}` })),
    ...(memory.free === null ? [] : [{ name: free, bytes: memory.free, kind: 'free' }]),
  ]
  const total = parts.reduce((sum, p) => sum + p.bytes, 0)
  const wide = parts.map((p) => Math.max(4, (WIDTH * p.bytes) / Math.max(1, total)))
  const scale = WIDTH / wide.reduce((sum, w) => sum + w, 0)
  let x = 0
  return parts.map((p, i) => {
    const width = (wide[i] ?? 0) * scale
    const shown = { ...p, x, width }
    x += width
    return shown
  })
}

export function MemoryPicture({ card }: { card: Card }) {
  const language = useLanguage()
  const t = useWords(words).cards
  const apps = useAll<App>('apps')
  if (card.registry === null && card.free_memory === null) return <p>{t.registryUnknown}</p>
  const memory = memoryOf(card, apps)
  const parts = place(memory, t.free)
  const text = parts.map((p) => `${p.name}: ${bytes(p.bytes, language)}`).join(', ')
  return (
    <div class="memory">
      {parts.length > 0 && (
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${t.memoryLabel}: ${text}`}>
          {parts.map((p) => (
            <rect key={p.name} x={p.x} y={0} width={Math.max(1, p.width - 1)} height={HEIGHT} class={p.kind} />
          ))}
        </svg>
      )}
      <ul class="legend">
        {parts.map((p) => (
          <li key={p.name}>
            <svg class="swatch" viewBox="0 0 16 16" aria-hidden="true">
              <rect width="16" height="16" class={p.kind} />
            </svg>
            {p.name}: {bytes(p.bytes, language)}
          </li>
        ))}
      </ul>
      {memory.free === null && <p>{t.freeUnknown}</p>}
      <p>{t.others(memory.unknownPackages, memory.applications)}</p>
      {memory.transient !== null && <p>{t.transient(bytes(memory.transient, language))}</p>}
    </div>
  )
}
