// SPDX-License-Identifier: Apache-2.0
//
// For when Start opens nothing: the command for a terminal, and how to get the program.
import { useWords } from '../shared/i18n'
import { CopyButton } from '../shared/parts'
import type { Site, Visit } from './server'
import { words } from './words'

interface Props {
  visit: Visit
  site: Site
  open: boolean
  onToggle: (open: boolean) => void
  nothing: boolean
}

export function Without({ visit, site, open, onToggle, nothing }: Props) {
  const t = useWords(words)
  const command = `ferry run '${visit.url}'`
  return (
    <details open={open} onToggle={(e) => onToggle(e.currentTarget.open)} class="without">
      <summary>{t.notOpening}</summary>
      {nothing && (
        <p>
          <strong>{t.nothing}</strong>
        </p>
      )}
      <p>{t.command}</p>
      <p class="command">
        <code>{command}</code>
      </p>
      <CopyButton text={command} label={t.commandLabel} />
      <p>{site.package ? t.installHint : t.noPackage}</p>
      {site.package && (
        <p>
          <a href={site.package} download="">
            {t.download}
          </a>
        </p>
      )}
    </details>
  )
}
