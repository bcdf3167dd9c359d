// SPDX-License-Identifier: Apache-2.0
//
// Runs the unit tests of the pages, test/*.test.*, in plain node: test.mjs OUTCOME_H. They become one program
// first, because not every node reads TypeScript.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const tests = readdirSync(join(root, 'test')).filter((name) => /\.test\.(ts|mjs)$/.test(name))
const outfile = join(root, 'tests.mjs')

await build({
  stdin: { contents: tests.map((name) => `import './test/${name}'`).join('\n'), resolveDir: root },
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'error',
})
const run = spawnSync(process.execPath, ['--test-reporter=tap', outfile], {
  stdio: 'inherit',
  env: { ...process.env, OUTCOME_H: process.argv[2] },
})
process.exit(run.status ?? 1)
