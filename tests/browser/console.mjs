// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';
import { closeBrowser, drop, leave, look, open, openBrowser, visitor } from './lib/browser.mjs';
import { ask, confirm, cookieOf, dropFile, goTo, me, rowsOf, settled, signIn, textOf } from './lib/console.mjs';
import { foreignSite } from './lib/foreign.mjs';
import * as holder from './lib/holder.mjs';
import { end, has, ok, part, same } from './lib/tap.mjs';
import { facts, packages, quoted, until, world } from './lib/world.mjs';

const unauthorized = /status of 40[13]/;
const foreign = await foreignSite({ key: `${facts.work}/foreign.key`, cert: `${facts.work}/foreign.pem` });
await openBrowser('--host-resolver-rules=MAP foreign.test 127.0.0.1');

await part('only requests of the page, signed in, count', async () => {
  const who = await visitor({ expected: [unauthorized] });
  const page = await who.context.newPage();
  await page.goto(`${facts.origin}/health`);
  await same('a certificate alone is no sign-in', 401, await ask(page, 'GET', '/api/v1/apps'));
  await same('nor does it change anything', 401, await ask(page, 'POST', '/api/v1/apps/hello/approve', { body: {} }));
  const code = new URL(await world('sign_in_link')).hash.slice('#login='.length);
  await same('the code signs in', 200, await ask(page, 'POST', '/api/v1/sign-in', { body: { code } }));
  const { csrf, who: name } = await me(page);
  await same('as whoever asked for it', 'admin token', name);
  const cookie = await cookieOf(who);
  await same('the cookie is out of reach of scripts, other sites and plain HTTP', [true, true, 'Strict', '/', 'localhost'],
    [cookie?.secure, cookie?.httpOnly, cookie?.sameSite, cookie?.path, cookie?.domain]);
  await same('scripts do not see it', '', await page.evaluate(() => document.cookie));
  await same('signed in, it may read', 200, await ask(page, 'GET', '/api/v1/apps'));
  const texts = { body: { title: 'Changed' } };
  const before = await world('changes');
  await same('a change without the CSRF token is refused', 403, await ask(page, 'PUT', '/api/v1/apps/hello/texts', texts));
  await same('with another too', 403, await ask(page, 'PUT', '/api/v1/apps/hello/texts', { ...texts, headers: { 'X-Ferry-CSRF': 'A'.repeat(43) } }));
  await same('and nothing was changed', before, await world('changes'));
  await same('with it, it is done', 200, await ask(page, 'PUT', '/api/v1/apps/hello/texts', { body: { title: 'Greeter' }, headers: { 'X-Ferry-CSRF': csrf } }));

  const jar = `-H ${quoted(`Cookie: __Host-ferry=${cookie.value}`)} -H ${quoted(`X-Ferry-CSRF: ${csrf}`)}`;
  await same('by hand: with cookie and token, from the page\'s origin', '200', await world(`by_hand GET /api/v1/apps ${jar} -H 'Origin: ${facts.origin}'`));
  for (const [what, header] of [['another origin', `Origin: ${foreign.origin}`], ['no origin', 'Origin: null'], ['another site', 'Sec-Fetch-Site: cross-site'], ['the same site', 'Sec-Fetch-Site: same-site']])
    await ok(`by hand: from ${what} it is refused`, ['401', '403'].includes(await world(`by_hand PUT /api/v1/apps/hello/texts ${jar} -H ${quoted(header)} --data '{"title":"Stolen"}'`)));

  const stay = await world('changes');
  const other = await who.context.newPage();
  await other.goto(foreign.page('<body></body>'));
  const attacks = {
    'a request without CORS': (p) => p.evaluate((url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'content-type': 'text/plain' }, body: '{"purpose":"inspect","type":"badge"}' }), `${facts.origin}/api/v1/orders`),
    'a request with CORS': (p) => p.evaluate((url) => fetch(url, { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json', 'x-ferry-csrf': 'x' }, body: '{"purpose":"inspect"}' }).catch(() => 0), `${facts.origin}/api/v1/orders`),
    'a form': (p) => Promise.all([p.waitForURL(`${facts.origin}/**`), p.evaluate((url) => {
      const f = document.createElement('form');
      Object.assign(f, { method: 'post', action: url, enctype: 'text/plain' });
      const i = document.createElement('input');
      Object.assign(i, { name: '{"purpose":"inspect","type":"badge","x":"', value: '"}' });
      f.append(i);
      document.body.append(f);
      f.submit();
    }, `${facts.origin}/api/v1/orders`)]),
  };
  for (const [what, attack] of Object.entries(attacks)) {
    await other.goto(foreign.page('<body></body>'));
    const answer = other.waitForResponse((r) => r.url() === `${facts.origin}/api/v1/orders`, { timeout: 3000 }).catch(() => null);
    await attack(other);
    const status = (await answer)?.status() ?? 0;
    await ok(`a foreign page, ${what}: refused (${status})`, [0, 401, 403, 405].includes(status));
    await same(`a foreign page, ${what}: nothing was changed`, stay, await world('changes'));
  }
  await same('signing out', 204, await ask(page, 'POST', '/api/v1/sign-out', { headers: { 'X-Ferry-CSRF': csrf } }));
  await same('ends it', 401, await ask(page, 'GET', '/api/v1/apps'));
  await same('for whoever kept the cookie, too', '401', await world(`by_hand GET /api/v1/apps ${jar} -H 'Origin: ${facts.origin}'`));
  await drop(who);
});

await part('nobody is signed in', async () => {
  const who = await visitor({ expected: [unauthorized] });
  const page = await open('sign-in', who, `${facts.origin}/console`, (p) => p.getByRole('heading', { name: 'Sign in' }));
  await page.getByRole('button', { name: 'Sign in with the certificate of this browser' }).waitFor();
  await look('sign-in', page);
  const deep = await open('sign-in, a view', who, `${facts.origin}/console/keys`, (p) => p.getByRole('heading', { name: 'Sign in' }));
  await same('sign-in: of a view nothing is shown', 0, await deep.locator('table').count());
  await page.getByRole('button', { name: 'Sign in with the certificate of this browser' }).click();
  await page.locator('nav.views').waitFor();
  await same('sign-in: the certificate signs in', 'certificate olga', await page.locator('.who').innerText());
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await ok('sign-in: and out again', (await me(page)) === 401);
  await leave('sign-in', who);

  const link = await world('sign_in_link');
  const first = await visitor({ expected: [unauthorized] });
  const signed = await open('link', first, link, (p) => p.locator('nav.views'));
  await ok('link: the code is in the address no more', !signed.url().includes('login'), signed.url());
  const second = await visitor({ expected: [unauthorized] });
  const refused = await open('link again', second, link, (p) => p.locator('p.error'));
  await has('link again: it is good once only', await refused.locator('p.error').innerText(), 'This link was used already');
  await leave('link', first);
  await leave('link again', second);
});

await part('every view', async () => {
  const who = await visitor();
  const page = await signIn('console', who);
  for (const entry of ['Cards', 'Applications', 'Orders', 'Sessions', 'Card types', 'Keys', 'Audit', 'Overview']) {
    await goTo(page, entry);
    await look(`console ${entry}`, page);
  }
  await same('overview: how many cards', '100,002 Cards', (await page.locator('.tiles a[href="/console/cards"]').innerText()).replaceAll(/\s+/g, ' '));
  const drawn = () => page.locator('.chart canvas').evaluateAll((all) => all.length === 1 && all[0].clientWidth > 200);
  await ok('overview: outcomes are drawn', await until(drawn));
  await page.getByText('As a table').click();
  await has('overview: and told', await textOf(page), /confirmed.*failed/);
  await leave('console', who);

  const german = await visitor({ locale: 'de-DE', size: 'phone', colorScheme: 'dark' });
  const seite = await signIn('Konsole', german);
  await settled(seite);
  await same('Konsole: it speaks German', 'Übersicht', await seite.locator('main h1').innerText());
  await look('Konsole', seite, { only: ['phone'] });
  await goTo(seite, 'Karten');
  await look('Konsole Karten', seite, { only: ['phone'] });
  await leave('Konsole', german);
});

await part('a hundred thousand cards', async () => {
  const who = await visitor();
  const page = await signIn('cards', who);
  const shows = async (name, act, first) => {
    await act();
    const there = page.locator('main tbody tr:first-child th', { hasText: first }).waitFor();
    await ok(`cards: ${name}`, await there.then(() => true, () => false));
  };
  await shows('the first of them', () => goTo(page, 'Cards'), /^42030000000001$/);
  await same('cards: a page at a time', 50, await rowsOf(page).count());
  await shows('the next page', () => page.getByRole('button', { name: 'Next page' }).click(), /^42030000000051$/);
  await shows('and back', () => page.getByRole('button', { name: 'Previous page' }).click(), /^42030000000001$/);
  await shows('one by its number', () => page.getByRole('searchbox').fill('42030000099999'), /^42030000099999$/);
  await until(async () => (await rowsOf(page).count()) === 1);
  await same('cards: and no other', 1, await rowsOf(page).count());
  await page.getByRole('searchbox').fill('');
  const types = page.locator('main select option');
  await until(async () => (await types.count()) === 203);
  await same('cards: every type can be chosen', 203, await types.count());
  await shows('those of a type', () => page.locator('select').selectOption('badge'), /^42030000000001$/);
  await page.locator('select').selectOption('');
  await shows('those that are set aside', () => page.getByRole('checkbox').check(), /^999999/);
  await until(async () => (await rowsOf(page).count()) === 1);
  await same('cards: only that one', [await world('echo "$aside"')], await page.locator('main tbody th').allInnerTexts());
  await leave('cards', who);
});

await part('an application from the file to the card', async () => {
  const who = await visitor({ expected: [/status of 422/] });
  const page = await signIn('upload', who);
  await goTo(page, 'Applications');
  await dropFile(page, 'truncated.cap', fs.readFileSync(`${facts.root}/tests/data/caps/bad/truncated.cap`));
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.locator('p.error').waitFor();
  await has('upload: of a file that is none it is said why', await page.locator('p.error').innerText(), 'ZIP');
  await look('upload bad', page, { only: ['desktop'] });
  await dropFile(page, 'bulk24-jc222.cap', fs.readFileSync(`${facts.root}/tests/data/caps/bulk24-jc222.cap`));
  await has('upload: the file that was dropped', await page.locator('.drop').innerText(), 'bulk24-jc222.cap');
  await same('upload: gives the name', 'bulk24-jc222', await page.locator('form.upload input[required]').inputValue());
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.locator('main h1', { hasText: 'bulk24-jc222' }).waitFor();
  await settled(page);
  const inside = await textOf(page);
  for (const what of ['waits for approval', 'F00000004101', 'Components', 'Method', 'the platform']) await has(`upload: what is inside: ${what}`, inside, what);
  await look('application', page);
  await page.getByLabel('Title, English').fill('Season ticket');
  await page.locator('form', { has: page.getByLabel('Title, English') }).getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').first().waitFor();
  await confirm(page, 'Approve');
  await page.locator('[data-approved=true]').waitFor();
  await has('approval: by whom', await page.locator('[data-approved]').innerText(), 'admin token');

  await page.getByRole('link', { name: 'Make an order' }).click();
  await page.getByRole('button', { name: 'Make the order' }).waitFor();
  await page.locator('select').nth(1).selectOption('spare299');
  await page.locator('select').nth(1).selectOption('badge');
  await look('new order', page);
  await page.getByRole('button', { name: 'Make the order' }).click();
  await page.locator('svg.qr path').waitFor();
  const invitation = await page.locator('.copyable code').first().innerText();
  await has('order: the invitation', invitation, /^https:\/\/localhost:8443\/i#[A-Za-z0-9_-]{43}$/);
  await look('order made', page);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const picture = packages('pngjs').PNG.sync.read(await page.locator('svg.qr').screenshot());
    const code = packages('jsqr')(new Uint8ClampedArray(picture.data), picture.width, picture.height);
    await same(`order: a camera reads the invitation from the picture, ${colorScheme}`, invitation, code?.data ?? null);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.getByRole('link', { name: 'To the order' }).click();
  await page.locator('main h1', { hasText: /^Order / }).waitFor();
  await settled(page);
  await has('order: nobody was served', await textOf(page), '0 of 1');
  await ok('order: the ticket is shown only once', !(await textOf(page)).includes(invitation.split('#')[1]));
  const orderPage = page.url();

  await world('fresh bearer --fault slow:50');
  const holderOf = await visitor();
  const holders = await holder.openInvitation('its holder', holderOf, invitation);
  await holder.press(holders);
  await holder.consent('yes');
  await holder.delivered(holders, 10);
  await goTo(page, 'Overview');
  await page.locator('main td progress').waitFor();
  await has('progress: the overview shows it', await textOf(page), /Sessions now: 1 .* \d+ of 1\d\d /);
  await look('overview running', page, { only: ['desktop'] });
  await same('its holder: it ends', 'confirmed/none', await holder.outcome(holders));
  await leave('its holder', holderOf);
  await page.goto(orderPage);
  await settled(page);
  await page.getByText('1 of 1').first().waitFor();
  await has('progress: the order shows how it ended', await textOf(page), /done.*confirmed/);
  await look('order', page);

  await page.locator('main tbody th a').first().click();
  await page.locator('.ladder svg').waitFor();
  await settled(page);
  const ladder = await page.locator('.ladder svg').textContent();
  for (const words of ['SELECT', 'INSTALL', 'LOAD', '9000']) await has(`session: the ladder has ${words}`, ladder, words);
  await page.getByText('As a table').click();
  await has('session: and as a table', await textOf(page), /INSTALL.*LOAD.*9000/);
  await look('session', page, { only: ['desktop'] });

  await page.locator('main dl a[href^="/console/cards/"]').click();
  await page.locator('main h1', { hasText: /^Card / }).waitFor();
  await page.locator('.memory svg').first().waitFor();
  await settled(page);
  const card = await textOf(page);
  for (const what of ['Proved by the card', 'F00000004101', 'session.', 'confirmed', 'Free for values']) await has(`card: ${what}`, card, what);
  await look('card', page);
  await leave('upload', who);
  await world('pull bearer');
});

await part('a card that was set aside', async () => {
  const who = await visitor();
  const page = await signIn('release', who);
  const number = await world('echo "$aside"');
  await goTo(page, 'Cards');
  await page.getByRole('checkbox').check();
  await page.getByRole('link', { name: number }).click();
  await page.locator('[data-set-aside]').waitFor();
  await settled(page);
  await has('release: its attempts', await textOf(page), /Wrong cryptograms/);
  await look('card set aside', page);
  await confirm(page, 'Release this card', 'The key was corrected.');
  await page.locator('[data-set-aside]').waitFor({ state: 'detached' });
  await same('release: the server knows', 'false', await world('api GET "cards/$aside" | jq .quarantined'));
  await goTo(page, 'Audit');
  const audit = await textOf(page);
  for (const what of ['card.released', 'The key was corrected.', 'app.approve', 'app.texts', 'app.add', 'order.add', 'operator.signed-in', 'admin token', 'certificate olga'])
    await has(`audit: ${what}`, audit, what);
  await leave('release', who);
});

await part('keys', async () => {
  const who = await visitor();
  const page = await signIn('keys', who);
  await goTo(page, 'Keys');
  const text = await textOf(page);
  const [key] = JSON.parse(await world('api GET keys')).items;
  await has('keys: the name', text, 'master');
  for (const value of key.check_values) await has('keys: a check value', text, value);
  const secret = (await world('echo "$key"')).toLowerCase();
  const everything = `${await page.content()} ${await page.evaluate(async () => (await fetch('/api/v1/keys')).text())}`.toLowerCase();
  await ok('keys: no value, on the page or in what it got', !everything.includes(secret) && !everything.includes(secret.slice(0, 16)));
  await ok('keys: none can be typed in', (await page.locator('main input:not([type=search])').count()) === 0);
  await leave('keys', who);
});

await closeBrowser();
await foreign.close();
end();
