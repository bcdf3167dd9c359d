// SPDX-License-Identifier: Apache-2.0
//
// A folder of files as one C file: the table web_assets of src/ferryd/front/web_assets.h. The same files give the
// same bytes.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

function paths(folder, below = '') {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? paths(folder, `${below}/${e.name}`) : [`${below}/${e.name}`]))
    .sort()
}

function gzip(bytes) {
  const packed = gzipSync(bytes, { level: 9 })
  // Byte 9 of the head names the operating system that packed: always "unknown" (RFC 1952, 2.3.1).
  packed[9] = 255
  return packed.length < bytes.length ? packed : Buffer.alloc(0)
}

// At most 40 numbers a line: compilers and editors both like it.
function array(name, bytes) {
  const lines = []
  for (let i = 0; i < bytes.length; i += 40) lines.push([...bytes.subarray(i, i + 40)].join(','))
  return `static const uint8_t ${name}[] = {\n${lines.join(',\n')}};\n`
}

function row(asset) {
  const packed = asset.gzip.length > 0 ? `VIEW_INIT(gzip_${asset.index})` : '{NULL, 0}'
  return `    {"${asset.path}", "${asset.type}", "\\"${asset.etag}\\"", VIEW_INIT(plain_${asset.index}), ${packed}, ${asset.immutable}},\n`
}

function load(folder, path, index) {
  const type = TYPES[extname(path)]
  if (type === undefined) throw new Error(`${path}: what is served as '${extname(path)}' is not written in tools/embed.mjs`)
  if (!/^[\w./-]+$/.test(path)) throw new Error(`${path}: a name that does not go into C as it is`)
  const plain = readFileSync(join(folder, path))
  const etag = createHash('sha256').update(plain).digest('hex').slice(0, 32)
  return { index, path, type, etag, plain, gzip: gzip(plain), immutable: path.startsWith('/assets/') }
}

export function embed(folder) {
  const assets = paths(folder).map((path, index) => load(folder, path, index))
  return [
    '/* SPDX-License-Identifier: Apache-2.0\n *\n * Made from web/ by web/tools/embed.mjs. */\n',
    '#include "front/web_assets.h"\n\n#define VIEW_INIT(array) {(array), sizeof(array)}\n\n',
    ...assets.map((a) => array(`plain_${a.index}`, a.plain) + (a.gzip.length > 0 ? array(`gzip_${a.index}`, a.gzip) : '')),
    '\nconst struct web_asset web_assets[] = {\n',
    ...assets.map(row),
    '};\nconst size_t web_asset_count = sizeof(web_assets) / sizeof(web_assets[0]);\n',
  ].join('')
}
