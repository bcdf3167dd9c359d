// SPDX-License-Identifier: Apache-2.0
//
// Both languages say the same things, and every reason of the server has its sentence.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { apduWords } from '../src/console/apdu'
import { words as console_ } from '../src/console/words'
import { words as holder } from '../src/holder/words'
import { chooseLanguage, descriptionOf, titleOf } from '../src/shared/i18n'
import { percent } from '../src/shared/format'
import { reasonOf, reasons } from '../src/shared/reasons'

// Every leaf as "path: kind and number of places".
function shape(value: unknown, path = ''): string[] {
  if (typeof value === 'function') return [`${path}: ${value.length}`]
  if (typeof value !== 'object' || value === null) return [`${path}: ${typeof value}`]
  return Object.entries(value).flatMap(([key, part]) => shape(part, `${path}.${key}`))
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : []
}

const ALL = { holder, console: console_, apdu: apduWords, reasons }
for (const [name, dictionary] of Object.entries(ALL)) {
  test(`${name}: both languages have the same words`, () => {
    assert.deepEqual(shape(dictionary.de).sort(), shape(dictionary.en).sort())
  })
  test(`${name}: no two languages share a whole sentence`, () => {
    const english = new Set(leaves(dictionary.en).filter((text) => text.includes(' ')))
    assert.deepEqual(leaves(dictionary.de).filter((text) => english.has(text)), [])
  })
}

test('every reason of the server has a sentence, and no other', () => {
  const header = readFileSync(process.env.OUTCOME_H ?? '', 'utf8')
  const listed = [...header.matchAll(/X\(REASON_[A-Z_]+,\s*"([a-z-]+)"/g)].map((m) => m[1])
  assert.ok(listed.length > 20)
  assert.deepEqual(Object.keys(reasons.en).sort(), listed.sort())
})

test('a reason of a newer server is a refusal', () => {
  assert.equal(reasonOf(reasons.en, 'never-heard').what, reasons.en.refused.what)
})

test('the language: chosen, preferred, or English', () => {
  assert.equal(chooseLanguage('de', ['en']), 'de')
  assert.equal(chooseLanguage(null, ['fr-FR', 'de-AT', 'en']), 'de')
  assert.equal(chooseLanguage('fr', ['fr']), 'en')
  assert.equal(chooseLanguage(null, []), 'en')
})

test('titles: this language, the other, the name', () => {
  assert.equal(titleOf({ name: 'n', title: 'e', title_de: 'd' }, 'de'), 'd')
  assert.equal(titleOf({ name: 'n', title: 'e', title_de: '' }, 'de'), 'e')
  assert.equal(titleOf({ name: 'n', title: '', title_de: 'd' }, 'en'), 'd')
  assert.equal(titleOf({ name: 'n', title: '', title_de: '' }, 'en'), 'n')
  assert.equal(descriptionOf({ description: 'e', description_de: '' }, 'de'), 'e')
})

test('percent is whole and stays between 0 and 100', () => {
  for (const [done, total, want] of [[0, 0, 0], [1, 3, 33], [3, 3, 100], [4, 3, 100], [-1, 3, 0]] as const)
    assert.equal(percent(done, total), want)
})
