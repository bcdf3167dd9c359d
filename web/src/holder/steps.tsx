// SPDX-License-Identifier: Apache-2.0
//
// The steps as a list, each with its state as a sign and a word, and the count of the packet as a bar.
import { percent } from '../shared/format'
import { useWords } from '../shared/i18n'
import { counted, STEPS, stepStates, type Journey, type Step, type StepState } from './journey'
import type { Purpose } from './server'
import { words, type HolderWords } from './words'

const SIGNS: Record<StepState, string> = { todo: '○', active: '◔', done: '✓', failed: '✕', doubt: '?' }

export function stepName(t: HolderWords, step: Step, purpose: Purpose): string {
  if (step === 'deliver' && purpose === 'remove') return t.removes
  if (step === 'deliver' && purpose === 'inspect') return t.inspects
  return t.steps[step]
}

function Progress({ journey, state }: { journey: Journey; state: StepState }) {
  const t = useWords(words)
  const { done, total } = counted(journey)
  const shown = total > 0 && state !== 'todo'
  const now = state === 'done' ? total : done
  return (
    <span class="count" data-shown={shown}>
      <progress max={100} value={percent(now, total)} aria-label={t.steps.deliver} />
      <span>{t.count(now, total)}</span>
    </span>
  )
}

export function Steps({ journey, started, purpose }: { journey: Journey; started: boolean; purpose: Purpose }) {
  const t = useWords(words)
  const states = stepStates(journey, started)
  return (
    <ol class="steps" aria-label={t.stepsHeading}>
      {STEPS.map((step) => (
        <li
          key={step}
          data-step={step}
          data-state={states[step]}
          aria-current={states[step] === 'active' ? 'step' : undefined}
        >
          <span class="sign" aria-hidden="true">
            {SIGNS[states[step]]}
          </span>
          <span>
            {stepName(t, step, purpose)} <small class="state">{t.states[states[step]]}</small>
            {step === 'reader' && journey.client?.reader && <small class="fact">{journey.client.reader}</small>}
            {step === 'card' && journey.client?.card && <small class="fact">{journey.client.card}</small>}
            {step === 'deliver' && <Progress journey={journey} state={states[step]} />}
          </span>
        </li>
      ))}
    </ol>
  )
}
