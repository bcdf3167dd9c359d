// SPDX-License-Identifier: Apache-2.0
//
// The operator's page: APDUs in words, what fills a card, what is sent of a form.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withQuery } from '../src/console/api'
import { commandInWords, exchanges, statusInWords, statusIsGood } from '../src/console/apdu'
import { definitionOf } from '../src/console/card_type'
import { base64, nameOfFile } from '../src/console/files'
import { memoryOf } from '../src/console/memory'
import { orderBody } from '../src/console/order_form'
import { stacked } from '../src/console/outcome_plot'
import { placeOf, to } from '../src/console/router'
import type { App, CardType, Entry } from '../src/console/shapes'

const AID = 'A000000151000000'
const command = (header: string, bytes = 0, aid = '', sw = '9000') => ({ header, bytes, aid, sw })

for (const [header, bytes, aid, name, what] of [
  ['00A40400', 8, AID, 'SELECT', AID],
  ['00A40400', 0, '', 'SELECT', 'the card manager'],
  ['80503000', 8, '', 'INITIALIZE UPDATE', 'random number, keys of version 30'],
  ['80823300', 16, '', 'EXTERNAL AUTHENTICATE', 'the server proves itself, security level 33'],
  ['80820113', 90, '', 'MUTUAL AUTHENTICATE', 'card and server prove themselves'],
  ['80880113', 90, '', 'INTERNAL AUTHENTICATE', 'the card proves itself'],
  ['802A0110', 200, '', 'PERFORM SECURITY OPERATION', 'the card checks a certificate'],
  ['80E60200', 20, AID, 'INSTALL [for load]', AID],
  ['80E60400', 20, AID, 'INSTALL [for install]', AID],
  ['80E60800', 20, AID, 'INSTALL [for make selectable]', AID],
  ['80E60C00', 20, AID, 'INSTALL [for install and make selectable]', AID],
  ['80E61000', 20, AID, 'INSTALL [for extradition]', AID],
  ['80E62000', 20, AID, 'INSTALL [for personalization]', AID],
  ['80E64000', 20, AID, 'INSTALL [for registry update]', AID],
  ['80E80000', 239, '', 'LOAD', 'block 1, 239 bytes'],
  ['80E88017', 1, '', 'LOAD', 'block 24 (the last), 1 bytes'],
  ['80E40000', 10, AID, 'DELETE', AID],
  ['80CA9F7F', 0, '', 'GET DATA', 'production data (CPLC)'],
  ['80CA00E0', 0, '', 'GET DATA', 'which keys there are'],
  ['80CA1234', 0, '', 'GET DATA', '1234'],
  ['80F22002', 2, '', 'GET STATUS', 'packages'],
  ['80D80081', 70, '', 'PUT KEY', 'put in a key'],
  ['80E28000', 5, '', 'STORE DATA', 'personal data, block 1'],
  ['80EE0000', 0, '', '80EE0000', 'command'],
  ['', 0, '', '', 'command'],
] as const)
  test(`${header} with ${bytes} bytes is ${name}`, () => {
    assert.deepEqual(commandInWords(command(header, bytes, aid), 'en'), { name, what })
  })

test('commands in German', () => {
  assert.equal(commandInWords(command('80E80000', 1234), 'de').what, 'Block 1, 1.234 Byte')
})

for (const [sw, text, good] of [
  ['9000', 'done', true],
  ['6110', 'more data follows', true],
  ['6310', 'there is more', true],
  ['63C2', '2 tries are left', true],
  ['6300', 'the proof is wrong', false],
  ['62F1', 'refused', false],
  ['6A84', 'not enough memory', false],
  ['6C10', 'another length is expected', false],
  ['6A99', 'refused', false],
  ['', 'nothing came back', false],
] as const)
  test(`status word '${sw}'`, () => {
    assert.equal(statusInWords(sw, 'en'), text)
    assert.equal(statusIsGood(sw), good)
  })

const load = (n: number, sw = '9000') => command(`80E800${n.toString(16).padStart(2, '0').toUpperCase()}`, 100, '', sw)

test('blocks that the card took are one line, the one that it refused another', () => {
  const lines = exchanges([command('80E60200', 9, AID), load(0), load(1), load(2), load(3, '6A84')], 'en')
  assert.deepEqual(
    lines.map((x) => `${x.name} ${x.what} ${x.sw}`),
    [`INSTALL [for load] ${AID} 9000`, 'LOAD blocks 1 to 3, 300 bytes 9000', 'LOAD block 4, 100 bytes 6A84'],
  )
})

test('one block alone stays as it is', () => {
  assert.deepEqual(exchanges([load(0)], 'en').map((x) => x.what), ['block 1, 100 bytes'])
  assert.deepEqual(exchanges([], 'en'), [])
})

const entry = (kind: Entry['kind'], aid: string) => ({ kind, aid }) as Entry

test('what fills a card', () => {
  const apps = [{ name: 'a', package: 'A1', load_bytes: 500 } as App]
  const registry = [
    entry('card manager', 'A0'), entry('package', 'A1'), entry('package', 'B1'), entry('application', 'A101'),
  ]
  assert.deepEqual(memoryOf({ registry, free_memory: { nonvolatile: 7, transient: 3 } }, apps), {
    known: [{ name: 'a', bytes: 500 }],
    unknownPackages: 1,
    applications: 1,
    free: 7,
    transient: 3,
  })
  const nothing = memoryOf({ registry: null, free_memory: null }, apps)
  assert.deepEqual([nothing.known, nothing.free, nothing.transient], [[], null, null])
})

for (const [file, name] of [
  ['Loyalty Points.cap', 'loyalty-points'],
  ['C:\\caps\\x.CAP', 'x'],
  ['dir/.hidden.cap', 'hidden'],
  ['ümläut.ijc', 'ml-ut'],
  [`${'a'.repeat(80)}.cap`, 'a'.repeat(64)],
] as const)
  test(`the name that follows from ${file}`, () => assert.equal(nameOfFile(file), name))

test('base64 of more than one piece', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i)
  assert.equal(base64(bytes), Buffer.from(bytes).toString('base64'))
})

const FORM = {
  purpose: 'install', app: 'a', card: '', type: '', level: '', cards: '1', openings: '', days: '', offer: false,
} as const

test('of an order only what was filled in is sent', () => {
  assert.deepEqual(orderBody(FORM), { purpose: 'install', app: 'a', cards: 1 })
  assert.deepEqual(orderBody({ ...FORM, purpose: 'inspect' }), { purpose: 'inspect', cards: 1 })
  assert.deepEqual(
    orderBody({ ...FORM, card: ' 12 ', type: 't', level: '3f', cards: '5', openings: '9', days: '2', offer: true }),
    { purpose: 'install', app: 'a', card: '12', type: 't', level: '3F', cards: 5, openings: 9, expires_s: 172800, offer: true },
  )
})

test('a definition has nothing that the server makes', () => {
  const type = { name: 't', scp: '03', i: '70', kvn: '30', created: 'x', warnings: ['w'] } as CardType
  assert.deepEqual(JSON.parse(definitionOf(type)), { name: 't', scp: '03', i: '70', kvn: '30' })
})

test('bars stand on each other', () => {
  const days = [{ confirmed: 1, reported: 2, failed: 4, unknown: 3 }, { confirmed: 0, reported: 0, failed: 1, unknown: 0 }]
  assert.deepEqual(stacked(days), [[1, 0], [3, 0], [6, 0], [10, 1]])
})

test('addresses name views', () => {
  assert.deepEqual(placeOf('/console', '').parts, [])
  assert.deepEqual(placeOf('/console/', '').parts, [])
  assert.deepEqual(placeOf(to('cards', 'a/b c'), '').parts, ['cards', 'a/b c'])
  assert.deepEqual(placeOf('/console/cards/%', '').parts, ['cards', '%'])
  assert.equal(placeOf('/console', '?match=x').query.get('match'), 'x')
})

test('an empty filter is not sent', () => {
  assert.equal(withQuery('cards', { match: '', type: 'a b' }), 'cards?type=a+b')
  assert.equal(withQuery('cards', { match: '' }), 'cards')
})
