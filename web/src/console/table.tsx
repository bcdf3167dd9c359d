// SPDX-License-Identifier: Apache-2.0
//
// A table whose pages come from the server, and the filters above it.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useWords } from '../shared/i18n'
import type { Pages } from './load'
import { ErrorNote } from './parts'
import { setFilter } from './router'
import { words } from './words'

export interface Column<T> {
  name: string
  cell: (row: T) => ComponentChildren
  number?: boolean
}

interface TableProps<T> {
  caption: string
  columns: Column<T>[]
  rows: T[]
  keyOf: (row: T) => string | number
  /** The caption is said elsewhere already. */
  quiet?: boolean
}

export function Table<T>({ caption, columns, rows, keyOf, quiet }: TableProps<T>) {
  return (
    // Wider than a phone: it scrolls by itself, also with keys.
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class={quiet ? 'heard' : ''}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.name} scope="col" class={c.number ? 'number' : ''}>
                {c.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((c, i) =>
                i === 0 ? (
                  <th key={c.name} scope="row">
                    {c.cell(row)}
                  </th>
                ) : (
                  <td key={c.name} class={c.number ? 'number' : ''}>
                    {c.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Pager<T>({ pages }: { pages: Pages<T> }) {
  const t = useWords(words).common
  if (!pages.back && !pages.forth) return null
  return (
    <nav class="pager" aria-label={t.pages}>
      <button type="button" class="secondary" disabled={!pages.back} onClick={() => pages.back?.()}>
        {t.back}
      </button>
      <span role="status">{t.page(pages.number)}</span>
      <button type="button" class="secondary" disabled={!pages.forth} onClick={() => pages.forth?.()}>
        {t.next}
      </button>
    </nav>
  )
}

export function PagedTable<T>(props: Omit<TableProps<T>, 'rows'> & { pages: Pages<T> }) {
  const { pages, ...table } = props
  const t = useWords(words).common
  const rows = pages.data?.items
  return (
    <div aria-busy={rows === undefined && pages.error === null}>
      <ErrorNote error={pages.error} />
      {rows === undefined ? (
        <p>{pages.error ? '' : t.loading}</p>
      ) : (
        <Table {...table} rows={rows} />
      )}
      {rows?.length === 0 && <p>{t.nothing}</p>}
      <Pager pages={pages} />
    </div>
  )
}

const TYPING_MS = 250

/** A filter that is typed: the server is asked when typing pauses. */
export function SearchFilter({ name, label, value }: { name: string; label: string; value: string }) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useEffect(() => {
    if (text === value) return
    const timer = setTimeout(() => setFilter(name, text.trim()), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label>
      {label}
      <input type="search" value={text} onInput={(e) => setText(e.currentTarget.value)} autocomplete="off" />
    </label>
  )
}

export function CheckFilter(props: { name: string; label: string; value: string; checked: boolean }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(e) => setFilter(props.name, e.currentTarget.checked ? props.value : '')}
      />
      {props.label}
    </label>
  )
}

export function Filters({ children }: { children: ComponentChildren }) {
  const t = useWords(words).common
  return (
    <form class="filters" aria-label={t.filters} onSubmit={(e) => e.preventDefault()}>
      {children}
    </form>
  )
}
