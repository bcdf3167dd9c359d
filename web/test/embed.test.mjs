// SPDX-License-Identifier: Apache-2.0
//
// Files become one C file: the same bytes each time, and each file whole.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { embed } from '../tools/embed.mjs'

const LONG = 'const x = 1;\n'.repeat(100)

function withFolder(files, run) {
  const folder = mkdtempSync(join(tmpdir(), 'ferry-embed.'))
  try {
    mkdirSync(join(folder, 'assets'))
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text)
    return run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function bytesOf(c, name) {
  const numbers = new RegExp(`${name}\\[\\] = \\{([^}]*)\\}`).exec(c)?.[1] ?? ''
  return Buffer.from(numbers.split(',').map(Number))
}

const FILES = { 'index.html': '<!doctype html>', 'assets/a-1.js': LONG }

test('each file is there, whole, plain and packed', () => {
  const c = withFolder(FILES, embed)
  assert.equal(bytesOf(c, 'plain_0').toString(), LONG)
  assert.equal(gunzipSync(bytesOf(c, 'gzip_0')).toString(), LONG)
  assert.equal(bytesOf(c, 'plain_1').toString(), '<!doctype html>')
})

test('a row says type, tag, and whether the name changes with the content', () => {
  const c = withFolder(FILES, embed)
  assert.match(c, /\{"\/assets\/a-1\.js", "text\/javascript; charset=utf-8", "\\"[0-9a-f]{32}\\"", .*VIEW_INIT\(gzip_0\), true\}/)
  assert.match(c, /\{"\/index\.html", "text\/html; charset=utf-8", "\\"[0-9a-f]{32}\\"", .*false\}/)
})

test('what does not get smaller is not packed', () => {
  assert.match(withFolder(FILES, embed), /VIEW_INIT\(plain_1\), \{NULL, 0\}/)
})

test('the same files give the same bytes, other files another tag', () => {
  assert.equal(withFolder(FILES, embed), withFolder(FILES, embed))
  const tags = (c) => [...c.matchAll(/\\"([0-9a-f]{32})\\"/g)].map((m) => m[1])
  const [before, after] = [FILES, { ...FILES, 'index.html': '<!doctype html>x' }].map((f) => tags(withFolder(f, embed)))
  assert.equal(before[0], after[0])
  assert.notEqual(before[1], after[1])
})

test('a kind of file that nobody has named is refused, and so is a name that is not plain', () => {
  assert.throws(() => withFolder({ 'x.exe': '1' }, embed), /x\.exe/)
  assert.throws(() => withFolder({ 'a b.js': '1' }, embed), /a b\.js/)
})
