// SPDX-License-Identifier: Apache-2.0
//
// The dialogue as a ladder: three upright lines for server, client and card, an arrow for whatever crosses. Commands
// stand on their way to the card, answers on the way back.
import { useLanguage, useWords } from '../shared/i18n'
import { exchanges, statusInWords, statusIsGood } from './apdu'
import type { Turn } from './shapes'
import { words } from './words'

const WIDTH = 900
const LINES = { server: 60, client: 290, card: 840 }
const STEP = 30
const TOP = 40

interface Arrow {
  from: keyof typeof LINES
  to: keyof typeof LINES
  text: string
  kind: 'plain' | 'good' | 'bad'
}

function useArrows(turns: Turn[]): Arrow[] {
  const language = useLanguage()
  const { sessions: t, steps } = useWords(words)
  return turns.flatMap((turn) => {
    const crossings = exchanges(turn.commands, language).flatMap((x): Arrow[] => [
      { from: 'client', to: 'card', text: x.what ? `${x.name}: ${x.what}` : x.name, kind: 'plain' },
      {
        from: 'card',
        to: 'client',
        text: `${x.sw} ${statusInWords(x.sw, language)}`.trim(),
        kind: statusIsGood(x.sw) ? 'good' : 'bad',
      },
    ])
    const step = steps[turn.step] ?? turn.step
    return [
      { from: 'server', to: 'client', text: `${step}: ${t.packet(turn.commands.length)}`, kind: 'plain' } as Arrow,
      ...crossings,
      { from: 'client', to: 'server', text: t.answers, kind: 'plain' } as Arrow,
    ]
  })
}

const HEAD = 7

function ArrowLine({ arrow, y }: { arrow: Arrow; y: number }) {
  const [from, to] = [LINES[arrow.from], LINES[arrow.to]]
  const back = to > from ? -HEAD : HEAD
  return (
    <g class={`arrow ${arrow.kind}`}>
      <text x={(from + to) / 2} y={y - 5} text-anchor="middle">
        {arrow.text}
      </text>
      <path d={`M${from} ${y}H${to}M${to + back} ${y - HEAD / 2}L${to} ${y}L${to + back} ${y + HEAD / 2}`} />
    </g>
  )
}

export function Ladder({ turns }: { turns: Turn[] }) {
  const { sessions: t, common } = useWords(words)
  const arrows = useArrows(turns)
  const height = TOP + STEP * (arrows.length + 1)
  const names = { server: t.server, client: t.client, card: common.card }
  return (
    <div class="scroll ladder" tabIndex={0} role="region" aria-label={t.dialogue}>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} width={WIDTH} height={height} role="img" aria-label={t.ladder}>
        {Object.entries(LINES).map(([who, x]) => (
          <g key={who} class="line">
            <text x={x} y={18} text-anchor="middle">
              {names[who as keyof typeof LINES]}
            </text>
            <path d={`M${x} ${TOP - 12}V${height}`} />
          </g>
        ))}
        {arrows.map((arrow, i) => (
          <ArrowLine key={i} arrow={arrow} y={TOP + STEP * (i + 1)} />
        ))}
      </svg>
    </div>
  )
}
