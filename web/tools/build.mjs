// SPDX-License-Identifier: Apache-2.0
//
// Builds the pages: build.mjs SOURCE WORK. Works on a copy of SOURCE in WORK/src, so that nothing lands among the
// sources, and ends with WORK/web_assets.c. Every preset asks for it; it is done once for the same input.
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { embed } from './embed.mjs'

const [source, work] = process.argv.slice(2).map((path) => resolve(path))
const copy = join(work, 'src')
const dist = join(work, 'dist')
const output = join(work, 'web_assets.c')

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesBelow(path) : [path]
    })
}

function digest(files, root) {
  const hash = createHash('sha256').update(process.version)
  for (const file of files) {
    const bytes = readFileSync(file)
    hash.update(`\n${relative(root, file)} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

// Packages are what the lock file says, and run no code when they are installed.
function install() {
  const stamp = join(work, 'installed')
  const wanted = digest([join(source, 'package.json'), join(source, 'package-lock.json')], source)
  if (read(stamp) === wanted && existsSync(join(copy, 'node_modules'))) return
  rmSync(stamp, { force: true })
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: copy,
    stdio: 'inherit',
  })
  writeFileSync(stamp, wanted)
}

// What was removed from the sources goes from the copy too.
function copySources() {
  mkdirSync(copy, { recursive: true })
  for (const name of readdirSync(copy))
    if (name !== 'node_modules') rmSync(join(copy, name), { recursive: true })
  cpSync(source, copy, { recursive: true, filter: (path) => !path.includes('node_modules') })
}

// What of others goes to browsers: its licence, or, where a package has no such file, what its code says at its head.
function licence(name) {
  const folder = join(copy, 'node_modules', name)
  const about = JSON.parse(read(join(folder, 'package.json')))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  const code = read(join(folder, about.module ?? about.main))
  const head = code.match(/^(\s*\/\/.*\n)+|^\s*\/\*[^]*?\*\//)?.[0] ?? ''
  const text = file !== undefined ? read(join(folder, file)) : head
  if (!/MIT|copyright/i.test(text)) throw new Error(`${name}: its licence is not found`)
  return `${name} ${about.version} (${about.license})\n\n${text.trim()}\n`
}

function licences() {
  const names = Object.keys(JSON.parse(read(join(source, 'package.json'))).dependencies)
  return names.map(licence).join(`\n${'-'.repeat(72)}\n\n`)
}

function main() {
  const stamp = join(work, 'built')
  const wanted = digest(filesBelow(source), source)
  if (read(stamp) === wanted && existsSync(output)) return
  rmSync(stamp, { force: true })
  copySources()
  install()
  execFileSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--outDir', dist, '--emptyOutDir'], {
    cwd: copy,
    stdio: 'inherit',
  })
  writeFileSync(join(dist, 'licenses.txt'), licences())
  writeFileSync(output, embed(dist))
  writeFileSync(stamp, wanted)
}

main()
