// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite'

// CARDFERRY=https://127.0.0.1:8443 npx vite: the pages as they are written, before a server that runs.
const server = process.env.CARDFERRY ?? 'https://127.0.0.1:8443'
const toServer = { target: server, secure: false, changeOrigin: true }

export default defineConfig({
  appType: 'mpa',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    // Both would put code or pictures into the page itself, which its policy refuses.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: { input: { index: 'index.html', console: 'console.html' } },
  },
  server: { proxy: { '/page/v1': toServer, '/api/v1': toServer } },
})
