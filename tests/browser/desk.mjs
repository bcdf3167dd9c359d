// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { closeBrowser, drop, openBrowser, visitor } from './lib/browser.mjs';
import { foreignSite } from './lib/foreign.mjs';
import { end, ok, part, same } from './lib/tap.mjs';
import { facts, until } from './lib/world.mjs';

const file = (name) => fs.readFileSync(`${facts.work}/${name}`);
const agentPort = 28573;
const loopback = `http://127.0.0.1:${agentPort}/`;
const fetched = (page) => page.evaluate(async (url) => (await fetch(url, { method: 'POST' }).catch(() => ({ status: 0 }))).status, loopback);

// A server in the place of ours, with its certificate; says whose certificate it was shown.
const own = https.createServer({
  key: file('server/server.key'), cert: file('server/server.pem'), ca: file('server/ca.pem'), requestCert: true, rejectUnauthorized: false,
}, (request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(`<title>Own</title><p>${request.socket.getPeerCertificate().subject?.CN ?? 'nobody'}</p><a href="cardferry:A%20b-_">go</a>`);
});
await new Promise((resolve) => own.listen(8443, '127.0.0.1', resolve));
const strange = https.createServer({ key: file('strange.key'), cert: file('strange.pem') }, (_, response) => response.end());
await new Promise((resolve) => strange.listen(8445, '127.0.0.1', resolve));
const foreign = await foreignSite({ key: `${facts.work}/foreign.key`, cert: `${facts.work}/foreign.pem` });
let calls = 0;
const agent = http.createServer((_, response) => {
  calls += 1;
  response.writeHead(200, { 'access-control-allow-origin': '*' });
  response.end();
});
await new Promise((resolve) => agent.listen(agentPort, '127.0.0.1', resolve));
await openBrowser('--host-resolver-rules=MAP foreign.test 127.0.0.1', '--ip-address-space-overrides=127.0.0.1:8443=public,127.0.0.1:8444=public');

await part('certificates', async () => {
  const who = await visitor();
  const page = await who.context.newPage();
  await page.goto(facts.origin);
  await ok('a server of the authority is trusted', (await page.title()) === 'Own');
  await same("the operator's certificate is shown to the server that the policy names", 'olga', await page.locator('p').innerText());
  const refused = await page.goto('https://localhost:8445/').then(() => 'opened', (error) => error.message);
  await ok('a server of nobody is not', refused.includes('ERR_CERT_AUTHORITY_INVALID'), refused);
  const misnamed = await page.goto('https://localhost:8444/').then(() => 'opened', (error) => error.message);
  await ok('nor is one with the name of another', misnamed.includes('ERR_CERT_COMMON_NAME_INVALID'), misnamed);
  await drop(who);
});

await part('links', async () => {
  const who = await visitor();
  const page = await who.context.newPage();
  await page.goto(facts.origin);
  await page.click('a');
  const handled = await until(() => fs.existsSync(`${facts.work}/handled`) && file('handled').toString());
  await same('a click on a link starts the client, with the link as it stands there', 'open\ncardferry:A%20b-_\n', handled);
  await page.goto(foreign.page('<a href="cardferry:foreign">go</a>'));
  await page.click('a');
  await page.waitForTimeout(1500);
  await same('a page of another origin starts nothing without being allowed to', handled, file('handled').toString());
  await drop(who);
});

await part('loopback', async () => {
  const who = await visitor();
  const page = await who.context.newPage();
  await page.goto(facts.origin);
  await same('a page that is not allowed to reaches no port of this machine', 0, await fetched(page));
  await same('and not one call went out', 0, calls);
  await who.context.grantPermissions(['local-network-access'], { origin: facts.origin });
  await same('one that is allowed to does', 200, await fetched(page));
  await same('with one call', 1, calls);
  await page.goto(foreign.page(''));
  await same('which is no permission for another', 0, await fetched(page));
  await drop(who);
});

await closeBrowser();
await foreign.close();
for (const server of [own, strange, agent]) { server.closeAllConnections(); server.close(); }
end();
