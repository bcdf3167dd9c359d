// SPDX-License-Identifier: Apache-2.0
//
// Somebody else's pages: a second origin over HTTPS, whose certificate the browser trusts too, and which says
// whatever a test wants it to say. It remembers what it was asked.
import fs from 'node:fs';
import https from 'node:https';

export async function foreignSite({ key, cert, host = 'foreign.test', port = 8444 }) {
  const pages = new Map();
  const asked = [];
  const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const page = pages.get(request.url.split('?')[0]);
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(page ?? '');
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const origin = `https://${host}:${port}`;
  let count = 0;
  return {
    origin,
    asked,
    /** Its address, from now on. */
    page(html) {
      count += 1;
      const path = `/page${count}`;
      pages.set(path, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Foreign</title>${html}</html>`);
      return origin + path;
    },
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}
