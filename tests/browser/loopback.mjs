// SPDX-License-Identifier: Apache-2.0
import { closeBrowser, drop, leave, look, openBrowser, visitor } from './lib/browser.mjs';
import { foreignSite } from './lib/foreign.mjs';
import * as holder from './lib/holder.mjs';
import { statusesOf } from './lib/statuses.mjs';
import { end, has, ok, part, same } from './lib/tap.mjs';
import { attempt, facts, until, world } from './lib/world.mjs';

const port = 28573;
const loopback = `http://127.0.0.1:${port}`;
const rebound = `http://rebind.test:${port}`;
const ticket = `${'A'.repeat(43)}.${'B'.repeat(22)}`;
const rightHeaders = { 'Content-Type': 'application/vnd.cardferry.agent+json', 'X-Ferry-Agent': '1', 'X-Ferry-Pairing': 'C'.repeat(43) };
const heard = async () => Number((await attempt('heard good')).output);
const foreign = await foreignSite({ key: `${facts.work}/foreign.key`, cert: `${facts.work}/foreign.pem` });

// What a page can send; each runs in the page, with the address and what goes with it.
const post = (page, url, { headers = rightHeaders, body = '{}', method = 'POST', mode = 'cors' } = {}) =>
  page.evaluate(async ([address, options]) => {
    const answer = await fetch(address, options).catch((e) => ({ status: String(e) }));
    return answer.status;
  }, [url, { method, headers, body: method === 'GET' ? undefined : body, mode, credentials: 'omit' }]);

const element = (tag, attribute) => (page, url) => page.evaluate(([name, key, address]) => new Promise((resolve) => {
  const e = document.createElement(name);
  e.onload = e.onerror = resolve;
  e[key] = address;
  document.body.append(e);
}), [tag, attribute, url]);

const form = (enctype) => (page, url) => page.evaluate(([address, type]) => new Promise((resolve) => {
  const frame = document.createElement('iframe');
  frame.name = `answer${document.forms.length}`;
  const e = document.createElement('form');
  Object.assign(e, { action: address, method: 'post', enctype: type, target: frame.name });
  const field = document.createElement('input');
  Object.assign(field, { name: '{"ticket":"', value: '"}' });
  e.append(field);
  document.body.append(frame, e);
  frame.onload = resolve;
  e.submit();
}), [url, enctype]);

const socket = (page, url) => page.evaluate((address) => new Promise((resolve) => {
  const s = new WebSocket(address);
  s.onopen = () => { s.send('{"ticket":""}'); };
  s.onmessage = s.onerror = s.onclose = resolve;
}), url.replace('http:', 'ws:'));

const run = `${loopback}/v1/run`;
const body = JSON.stringify({ ticket });
// NAME, WHAT IS SENT, STATUSES that come back on the wire: of a preflight (which may be remembered), and of what follows.
const fromAnywhere = [
  ['GET', (page) => post(page, run, { method: 'GET', headers: {}, mode: 'no-cors' }), /^(403|405)$/],
  ['a simple POST', (page) => post(page, run, { headers: { 'Content-Type': 'text/plain' }, body, mode: 'no-cors' }), /^(403|415)$/],
  ['a beacon', (page) => page.evaluate(([address, text]) => navigator.sendBeacon(address, text), [run, body]), /^(403|415)$/],
  ['a form, urlencoded', (page) => form('application/x-www-form-urlencoded')(page, run), /^(403|415)$/],
  ['a form, plain text', (page) => form('text/plain')(page, run), /^(403|415)$/],
  ['a form with parts', (page) => form('multipart/form-data')(page, run), /^(403|415)$/],
  ['an image', (page) => element('img', 'src')(page, `${run}?ticket=${ticket}`), /^(403|404|405)$/],
  ['a script', (page) => element('script', 'src')(page, run), /^(403|405)$/],
  ['a frame', (page) => element('iframe', 'src')(page, run), /^(403|405)$/],
  ['a WebSocket', (page) => socket(page, run), /^(403|405)$/],
];
const fromStrangers = [
  ['POST with every header', (page) => post(page, run, { body }), /^403$/],
  ['hello', (page) => post(page, `${loopback}/v1/hello`), /^403$/],
  ['pairing', (page) => post(page, `${loopback}/v1/pair`), /^403$/],
  ['PUT', (page) => post(page, run, { method: 'PUT', body }), /^(403|405)$/],
];
const fromAllowed = [
  ['another method', (page) => post(page, run, { method: 'PUT', body }), /^405$/],
  ['without our header', (page) => post(page, run, { headers: { ...rightHeaders, 'X-Ferry-Agent': '0' }, body }), /(^|204 )403$/],
  ['another content type', (page) => post(page, run, { headers: { ...rightHeaders, 'Content-Type': 'application/json' }, body }), /(^|204 )415$/],
  ['a pairing that is none', (page) => post(page, run, { body }), /(^|204 )403$/],
  ['a path that is none', (page) => post(page, `${loopback}/v1/apdu`, { body }), /(^|204 )404$/],
  ['a query', (page) => post(page, `${run}?ticket=${ticket}`, { body }), /^(403|404)$/],
  ['another name of this machine', (page) => post(page, `http://localhost:${port}/v1/hello`), /^403$/],
  ['a name that leads here', (page) => post(page, `${rebound}/v1/hello`), /^403$/],
];

/** What the browser says when a page of ours wants to speak with this machine. */
async function permit(who, setting) {
  const page = await who.context.newPage();
  const wire = await page.context().newCDPSession(page);
  const { browserContextId } = await wire.send('Target.getTargetInfo').then((r) => r.targetInfo);
  // Chromium has one for both, and one for each.
  for (const name of ['local-network-access', 'loopback-network', 'local-network'])
    await browserWire.send('Browser.setPermission', { permission: { name }, setting, origin: facts.origin, browserContextId });
  await page.close();
}

async function sendAll(from, page, rows) {
  const statuses = await statusesOf(page, (url) => new URL(url).port === String(port));
  for (const [name, send, expected] of rows) {
    const before = await heard();
    await Promise.race([send(page), page.waitForTimeout(1000)]);
    const got = (await statuses.take()).join(' ');
    await ok(`${from}, ${name}: refused (${got})`, expected.test(got), `expected ${expected}, got '${got}'`);
    await same(`${from}, ${name}: the card hears nothing`, before, await heard());
  }
}

// A browser that asks nobody before pages reach this machine: all that stands in the way is the agent.
await openBrowser('--host-resolver-rules=MAP foreign.test 127.0.0.1,MAP rebind.test 127.0.0.1',
  `--unsafely-treat-insecure-origin-as-secure=${rebound}`,
  '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,LocalNetworkAccessForNavigations');

await part('the agent is there, and the allowed origin speaks with it', async () => {
  const who = await visitor({ bypassCSP: true });
  const page = await who.context.newPage();
  await page.goto(`${facts.origin}/health`);
  await same('the allowed origin is answered', 200, await post(page, `${loopback}/v1/hello`));
  await same('by its IPv6 address too', 200, await post(page, `http://[::1]:${port}/v1/hello`));
  await sendAll('the allowed origin', page, [...fromAnywhere, ...fromAllowed]);
  await drop(who);
});

await part('a foreign origin', async () => {
  const who = await visitor();
  const page = await who.context.newPage();
  await page.goto(foreign.page('<body></body>'));
  await sendAll('a foreign origin', page, [...fromAnywhere, ...fromStrangers]);
  await drop(who);
});

await part('no origin', async () => {
  const who = await visitor();
  const page = await who.context.newPage();
  await page.goto('data:text/html,<body></body>');
  await sendAll('a data: page', page, [...fromAnywhere, ...fromStrangers]);
  await page.goto(foreign.page(''));
  const before = await heard();
  for (const mode of ['no-cors', 'cors']) {
    const options = mode === 'cors' ? { method: 'POST', headers: rightHeaders, body } : { method: 'POST', mode, body };
    // The frame has a process of its own, which tells what came back on the console only.
    const told = mode === 'cors' ? /'http:\/\/127.0.0.1:28573\/v1\/run' from origin 'null' has been blocked by CORS policy/ : /status of 403/;
    const answer = page.waitForEvent('console', { predicate: (message) => told.test(message.text()) }).then(() => true, () => false);
    await page.evaluate(([script]) => {
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      frame.srcdoc = `<script>${script}</script>`;
      document.body.append(frame);
    }, [`fetch('${run}', ${JSON.stringify(options)})`]);
    await ok(`a sandboxed frame, ${mode}: refused`, await answer);
  }
  await same('a sandboxed frame: the card hears nothing', before, await heard());
  await drop(who);
});

await part('a name that was bound again', async () => {
  const who = await visitor();
  const page = await who.context.newPage();
  // Its page came from elsewhere, before the name led here.
  await page.route(`${rebound}/`, (route) => route.fulfill({ contentType: 'text/html', body: '<title>Bait</title><body></body>' }));
  await page.goto(`${rebound}/`);
  const before = await heard();
  for (const path of ['hello', 'pair', 'run', 'state'])
    await same(`a rebound name, ${path}: refused`, 403, await post(page, `${rebound}/v1/${path}`, { body }));
  await same('a rebound name, GET: refused', 403, await post(page, `${rebound}/v1/run`, { method: 'GET', headers: {} }));
  await same('a rebound name: the card hears nothing', before, await heard());
  await drop(who);
});
await closeBrowser();
await foreign.close();

// From here on browser and page as they are: the page counts as one of the Internet, so that a permission is needed.
const browserWire = await (await openBrowser('--ip-address-space-overrides=127.0.0.1:8443=public')).newBrowserCDPSession();
const blocked = /blocked by CORS policy: Permission was denied|net::ERR_FAILED/;
const refusal = /status of 40[39] .*\/v1\/(pair|run)/;
const found = (page) => page.locator('[data-agent=found]');

await part('the page that may speak with the agent', async () => {
  const name = 'agent';
  const who = await visitor({ hosts: [loopback], expected: [refusal] });
  await who.context.grantPermissions(['local-network-access'], { origin: facts.origin });
  const { invitation } = await holder.order({ app: 'hello', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await found(page).waitFor();
  await look('agent', page);
  const before = await heard();
  await holder.press(page);
  const words = await holder.question();
  await has(`${name}: the user is asked whether the page may come in`, words, facts.origin);
  await same(`${name}: before the answer the card hears nothing`, before, await heard());
  await world('answer enter');
  await page.locator('[data-trouble=declined]').waitFor();
  await same(`${name}: after a no the card has heard nothing`, before, await heard());
  await holder.press(page);
  await holder.consent('yes');
  await same(`${name}: after a yes it runs, and ends`, 'confirmed/none', await holder.outcome(page));
  await ok(`${name}: the card has heard it`, (await heard()) > before);
  await holder.answers(`${name}: the application answers`, 'good', 'F00000000101');

  const second = await holder.order({ app: 'counter', type: 'badge' });
  const next = await holder.openInvitation('agent again', who, second.invitation);
  await found(next).waitFor();
  await holder.press(next);
  await next.locator('[data-trouble=same-card]').waitFor();
  await holder.says('agent again', next, 'This card has been served already.', 'Take it out');
  await world('swap');
  await holder.press(next);
  await same('agent again: one click, and it ends', 'confirmed/none', await holder.outcome(next));
  await same('agent again: without a question', 1, (await attempt('window_of question')).status);
  await leave(name, who);
});

for (const setting of ['prompt', 'denied'])
  await part(`the browser says ${setting}`, async () => {
    const name = `permission ${setting}`;
    const who = await visitor({ hosts: [loopback], expected: [blocked] });
    await permit(who, setting);
    const { invitation } = await holder.order({ app: 'hello', type: 'badge' });
    const page = await holder.openInvitation(name, who, invitation);
    if (setting === 'prompt') {
      // It asks for the permission only when somebody wants it to; nobody answers, which is a no.
      const ask = page.getByRole('button', { name: 'Use the card service of this computer' });
      await ask.waitFor();
      await same(`${name}: no question of the browser's before`, 0, who.console.length);
      await ask.click();
      await ok(`${name}: unanswered, nothing is sent`, await until(() => who.console.some((line) => blocked.test(line))), who.console.join('\n'));
    } else {
      await page.locator('[data-agent=denied]').waitFor();
      await holder.says(name, page, 'The browser does not let this page speak with the card service', 'Start works without it.');
      await look(name, page, { only: ['phone'] });
    }
    await has(`${name}: the page falls back to the link`, await holder.startButton(page).getAttribute('href'), /^cardferry:/);
    await world('swap');
    const { words, ended } = await holder.journey(page);
    await has(`${name}: the client asks, as it does for links`, words, 'Operation:');
    await ok(`${name}: and it ends`, ['confirmed/none', 'confirmed/already-there'].includes(ended), ended);
    await leave(name, who);
  });

await closeBrowser();

await part('a managed desk', async () => {
  await world('policies .');
  await openBrowser('--ip-address-space-overrides=127.0.0.1:8443=public');
  const who = await visitor({ hosts: [loopback] });
  const { invitation } = await holder.order({ app: 'counter', purpose: 'remove', type: 'badge' });
  const page = await holder.openInvitation('managed desk', who, invitation);
  const ready = await found(page).waitFor().then(() => true, () => false);
  await ok('managed desk: where the policy says so, the page needs no permission', ready);
  await world('swap');
  await holder.press(page);
  await holder.consent('yes');
  await same('managed desk: it ends', 'confirmed/none', await holder.outcome(page));
  await holder.says('managed desk', page, 'Done: it is no longer on your card.');
  await leave('managed desk', who);
  await closeBrowser();
});
end();
