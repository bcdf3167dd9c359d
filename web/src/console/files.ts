// SPDX-License-Identifier: Apache-2.0
//
// A file that the user chose, as the administration takes it: base64, and a name.

/** Letters, digits, '.', '_' and '-', not beginning with '.', at most 64: what is left of the file's own name. */
export function nameOfFile(file: string): string {
  const stem = file.replace(/^.*[\\/]/, '').replace(/\.(cap|ijc)$/i, '')
  return stem
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[.-]+|-+$/g, '')
    .slice(0, 64)
}

const CHUNK = 0x8000

export function base64(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += CHUNK) parts.push(String.fromCharCode(...bytes.subarray(i, i + CHUNK)))
  return btoa(parts.join(''))
}
