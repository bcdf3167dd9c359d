// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';
import { closeBrowser, leave, look, openBrowser, visitor } from './lib/browser.mjs';
import * as holder from './lib/holder.mjs';
import { end, has, ok, part, same } from './lib/tap.mjs';
import { attempt, facts, quoted, sleep, until, world } from './lib/world.mjs';

const hello = 'F00000000101';
const bulk = 'F00000004101';
// A server that goes away, or refuses a ticket, is told by the browser too.
const refusal = /Failed to load resource: the server responded with a status of (404|429)/;
const goneAway = /Failed to load resource: net::ERR_|ERR_CONNECTION|status of 50/;

await openBrowser();

await part('the whole way', async () => {
  const name = 'invitation';
  const who = await visitor();
  const { invitation, id } = await holder.order({ app: 'bulk', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await same(`${name}: what for`, 'Put Season ticket onto your card', await page.locator('h1').innerText());
  await holder.says(name, page, 'Example Transit', 'Staff badge');
  await ok(`${name}: the ticket is not in the address any more`, !page.url().includes('#'), page.url());
  await look('invitation', page);
  await world('fresh first --fault slow:40');
  await holder.press(page);
  const words = await holder.question();
  for (const part of ['localhost:8443', 'Season ticket']) await has(`${name}: the client's question names ${part}`, words, part);
  await same(`${name}: before the answer the card hears nothing, the server no session`, '0', await world(`api GET "sessions?order=${id}" | jq '.items | length'`));
  await world('answer yes');
  await holder.delivered(page, 3);
  await look('running', page);
  await same(`${name}: it ends`, 'confirmed/none', await holder.outcome(page));
  await holder.wentInOrder(name, page);
  const heard = await holder.heard(page);
  await ok(`${name}: what happens is announced, in few words and each once`,
    heard.some((text) => /Put onto the card: under way, \d+ percent/.test(text)) && new Set(heard).size === heard.length && heard.length < 12,
    heard.join('\n'));
  await holder.says(name, page, 'Done: it is on your card.', 'The card itself has proved it.');
  await look('confirmed', page);
  await holder.answers(`${name}: the application answers`, 'first', bulk);
  await leave(name, who);
  await world('pull first');
});

await part('keyboard only, in German, on a dark phone', async () => {
  const name = 'Einladung';
  const who = await visitor({ locale: 'de-DE', colorScheme: 'dark', size: 'phone' });
  const { invitation } = await holder.order({ app: 'hello', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await same(`${name}: wofür`, 'Grüßer auf Ihre Karte bringen', await page.locator('h1').innerText());
  await holder.says(name, page, 'Dienstausweis', 'Grüßt am Tor.');
  await same(`${name}: the page says which language it is in`, 'de', await page.getAttribute('html', 'lang'));
  await look('Einladung', page);
  await world('fresh german');
  let focused = '';
  for (let n = 0; n < 12 && focused !== 'Starten'; n += 1) {
    await page.keyboard.press('Tab');
    focused = await page.evaluate(() => document.activeElement.textContent.trim());
  }
  await same(`${name}: Tab leads to the button`, 'Starten', focused);
  const ring = await page.evaluate(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; });
  await ok(`${name}: where the focus is can be seen`, ring);
  await page.keyboard.press('Enter');
  await holder.consent('yes');
  await same(`${name}: it ends`, 'confirmed/none', await holder.outcome(page));
  await holder.says(name, page, 'Fertig: Es ist auf Ihrer Karte.');
  await same(`${name}: what ended has the focus, so that it is read`, 'Fertig: Es ist auf Ihrer Karte.', await page.evaluate(() => document.activeElement.textContent));
  await has(`${name}: what happened before was announced`, (await holder.heard(page))[0] ?? '', /Karte|Programm|Fenster/);
  await look('Fertig', page);
  await leave(name, who);
  await world('pull german');
});

await part('no reader, then no card', async () => {
  const name = 'no reader';
  const who = await visitor();
  const { invitation } = await holder.order({ app: 'hello', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await world('stop_pcscd');
  await holder.press(page);
  await holder.consent('yes');
  await holder.hurdle(page, 'no-reader');
  await holder.says(name, page, 'No card reader was found.', 'Connect a card reader. It goes on by itself.');
  await look('no-reader', page, { only: ['phone'] });
  await world('start_pcscd');
  await holder.hurdle(page, 'no-card');
  await holder.says('no card', page, 'There is no card in the reader.', 'Put your card into the reader, chip first. It goes on by itself.');
  await world('fresh late');
  await same('no card: it goes on by itself when there is one', 'confirmed/none', await holder.outcome(page));
  await leave(name, who);
});

await part('another card than the order is for', async () => {
  const name = 'wrong card';
  const number = await world('number_of late');
  await world('pull late');
  await world('fresh mistaken');
  const who = await visitor();
  const { invitation } = await holder.order({ app: 'bulk', type: 'badge', card: number });
  const page = await holder.openInvitation(name, who, invitation);
  await holder.says(name, page, `only card ${number}`);
  const { ended } = await holder.journey(page);
  await same(`${name}: it is refused`, 'failed/wrong-card', ended);
  await holder.says(name, page, 'This is not the card that the order is for.', 'Put the right card into the reader and start again.');
  await look('wrong-card', page, { only: ['phone'] });
  await has(`${name}: the client's window says it too`, await holder.failureWindow(), 'order');
  await world('pull mistaken');
  await world('insert late');
  await holder.tryAgain(page);
  await same(`${name}: with the right one it works`, 'confirmed/none', (await holder.journey(page)).ended);
  await leave(name, who);
  await world('pull late');
});

await part('the card is pulled in the middle', async () => {
  const name = 'pulled';
  const who = await visitor({ size: 'phone' });
  await world('fresh torn --fault slow:40');
  const { invitation } = await holder.order({ app: 'bulk', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await holder.press(page);
  await holder.consent('yes');
  await holder.delivered(page, 5);
  await world('pull torn KILL');
  await page.locator('.verdict').waitFor();
  await holder.says(name, page, 'The card was removed, or its contact was lost.', 'Put the card back');
  await holder.neverSaid(`${name}: it never said that it was done`, page, 'confirmed');
  await look('pulled', page, { only: ['phone'] });
  await has(`${name}: the client's window says it too`, await holder.failureWindow(), 'card');
  await world('insert torn');
  await holder.tryAgain(page);
  await same(`${name}: it ends`, 'confirmed/none', (await holder.journey(page)).ended);
  await holder.answers(`${name}: put back and started again, it is on the card`, 'torn', bulk);
  await leave(name, who);
  await world('pull torn');
});

await part('a card with another key', async () => {
  const name = 'wrong key';
  await world('new_card stranger "$other"');
  await world('insert stranger');
  const who = await visitor();
  const { invitation } = await holder.order({ app: 'hello', type: 'careful' });
  const page = await holder.openInvitation(name, who, invitation);
  const { ended } = await holder.journey(page);
  await same(`${name}: it is refused`, 'failed/wrong-key', ended);
  await holder.says(name, page, 'The card has another key than the server knows.', 'Do not try again. Tell the issuer');
  await same(`${name}: and whom to call`, 'tel:+49301234567', await page.locator('main a[href^="tel:"]').getAttribute('href'));
  await same(`${name}: trying again is not offered`, 0, await page.locator('main button', { hasText: 'Try again' }).count());
  await look('wrong-key', page, { only: ['phone'] });
  await has(`${name}: the client's window says it too`, await holder.failureWindow(), 'key');
  const second = await holder.order({ app: 'hello', type: 'careful' });
  const next = await holder.openInvitation('set aside', who, second.invitation);
  const aside = await holder.journey(next);
  await same('set aside: it is not tried again', 'failed/card-blocked', aside.ended);
  await holder.says('set aside', next, 'The card is set aside, to protect it.', 'Do not try again.', 'Call +49 30 1234567');
  await look('set-aside', next, { only: ['phone'] });
  await has('set aside: the client\'s window says it too', await holder.failureWindow(), 'set aside');
  await leave(name, who);
  await world('pull stranger');
});

await part('invitations that are none', async () => {
  const rows = [];
  const used = await holder.order({ app: 'hello', type: 'badge' });
  await world(`fresh spent; ticket=${quoted(used.link)}; run spent; pull spent`);
  rows.push(['used', used.invitation, 'This invitation has been used already.', 'ask for a new invitation']);
  const cancelled = await holder.order({ app: 'hello', type: 'badge' });
  await world(`"$ferry" order cancel ${quoted(cancelled.id)} --quiet`);
  rows.push(['cancelled', cancelled.invitation, 'This invitation was cancelled.', 'Ask the issuer']);
  const expired = await holder.order({ app: 'hello', type: 'badge', expires_s: 1 });
  await sleep(1100);
  rows.push(['expired', expired.invitation, 'This invitation has expired.', 'Ask for a new one.']);
  rows.push(['unknown', holder.invalidTicket, 'The server does not know this invitation.', 'Copy the whole link again']);
  for (const [name, url, what, todo] of rows) {
    const who = await visitor({ expected: [refusal] });
    const page = await holder.openInvitation(name, who, url);
    await page.locator('.verdict').waitFor();
    await holder.says(name, page, what, todo);
    await same(`${name}: there is nothing to start`, 0, await holder.startButton(page).count());
    await look(name, page, { only: ['phone'] });
    await leave(name, who);
  }
});

await part('the user says no', async () => {
  const name = 'declined';
  await world('fresh calm --log');
  const who = await visitor();
  const { invitation, id } = await holder.order({ app: 'hello', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await holder.press(page);
  await holder.consent('enter');
  await holder.hurdle(page, 'declined');
  await holder.says(name, page, 'You said no in the window of Cardferry. Nothing was done.');
  await same(`${name}: the card was only asked who it is`, '0', (await attempt('grep card.command "$work/card-calm.log" | grep -vc "header=..\\(A4\\|CA\\|C0\\)"')).output.trim());
  await same(`${name}: and the server was not called`, '[]', await world(`api GET "sessions?order=${id}" | jq -c .items`));
  await look('declined', page, { only: ['phone'] });
  await holder.tryAgain(page);
  const { ended } = await holder.journey(page);
  await same(`${name}: saying yes the next time works`, 'confirmed/none', ended);
  await leave(name, who);
  await world('pull calm');
});

await part('two people with one invitation', async () => {
  const name = 'two';
  await world('fresh mine --fault slow:20');
  const { invitation } = await holder.order({ app: 'bulk', type: 'badge', cards: 2 });
  const mine = await visitor();
  const theirs = await visitor();
  const page = await holder.openInvitation(`${name}, mine`, mine, invitation);
  const watching = await holder.openInvitation(`${name}, theirs`, theirs, invitation);
  const { ended } = await holder.journey(page);
  await same(`${name}: mine ends`, 'confirmed/none', ended);
  await same(`${name}: theirs shows nothing of it`, ['todo', 'todo', 'todo', 'todo', 'todo', 'todo'], await holder.stepsOf(watching));
  const entries = await holder.journal(watching);
  await ok(`${name}: at no moment`, entries.every((entry) => entry.steps.every((state) => state === 'todo')), JSON.stringify(entries));
  await leave(`${name}, mine`, mine);
  await leave(`${name}, theirs`, theirs);
  await world('pull mine');
});

await part('a client that lies', async () => {
  const name = 'lies';
  const who = await visitor();
  const { invitation } = await holder.order({ app: 'hello', type: 'badge' });
  let visit;
  who.context.on('response', async (answer) => { if (answer.url().endsWith('/page/v1/visits')) visit = await answer.json(); });
  const page = await holder.openInvitation(name, who, invitation);
  await until(() => visit);
  const ticket = decodeURIComponent(visit.url).split('t=').pop();
  const lies = [
    { stage: 'deliver', reader: 'None', card: '42', done: 40, total: 40 },
    { stage: 'settle', reader: 'None', card: '42', done: 40, total: 40 },
    { stage: 'ended', reader: 'None', card: '42', done: 40, total: 40 },
  ];
  for (const lie of lies) {
    await same(`${name}: “${lie.stage}” is taken`, '204', await world(`report ${quoted(ticket)} ${quoted(JSON.stringify(lie))}`));
    await sleep(300);
  }
  await until(async () => (await holder.journal(page)).length > 1);
  await ok(`${name}: the page shows that a client speaks`, (await holder.journal(page)).some((entry) => entry.steps[0] === 'done'));
  await holder.neverSaid(`${name}: it never says that it is done`, page, 'confirmed');
  const entries = await holder.journal(page);
  await ok(`${name}: nor that card and server have proved themselves`, entries.every((entry) => entry.steps[3] !== 'done' && entry.steps[4] !== 'done'), JSON.stringify(entries));
  for (const [what, lie] of [['a stage that is none', { ...lies[0], stage: 'confirmed' }], ['a field too many', { ...lies[0], outcome: 'confirmed' }]])
    await same(`${name}: ${what} is refused`, '400', await world(`report ${quoted(ticket)} ${quoted(JSON.stringify(lie))}`));
  await world('fresh honest');
  await same(`${name}: the order is as good as before`, 0, (await attempt(`env FERRY_PROFILE="$work/holder.conf" ferry run ${quoted(visit.url)}`)).status);
  await same(`${name}: what the server says ends it`, 'confirmed/none', await holder.outcome(page));
  await world('pull honest');
  await same(`${name}: no visit, no report`, '404', await world(`report ${quoted(`${ticket.split('.')[0]}.${'A'.repeat(22)}`)} ${quoted(JSON.stringify(lies[0]))}`));
  await leave(name, who);
});

await part('nothing opens the link', async () => {
  const name = 'no handler';
  await world('fresh hand');
  await world('handler no');
  const who = await visitor();
  await who.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: facts.origin });
  const { invitation } = await holder.order({ app: 'hello', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await holder.press(page);
  await page.getByText('Nothing has opened so far.').waitFor();
  const command = await page.locator('.command code').innerText();
  await has(`${name}: the command is shown`, command, /^ferry run 'https:\/\/localhost:8443\//);
  await page.getByRole('button', { name: /^Copy/ }).click();
  await same(`${name}: and can be copied`, command, await page.evaluate(() => navigator.clipboard.readText()));
  await look('no-handler', page);
  const arrives = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download Cardferry' }).click();
  const download = await arrives;
  const same_bytes = fs.readFileSync(await download.path()).equals(fs.readFileSync(`${facts.work}/cardferry.deb`));
  await ok(`${name}: the package arrives as it is`, same_bytes);
  await has(`${name}: under its name`, download.suggestedFilename(), 'cardferry.deb');
  const ran = await attempt(`env FERRY_PROFILE="$work/holder.conf" sh -c ${quoted(command)}`);
  await same(`${name}: the command works as it stands there`, 0, ran.status);
  await same(`${name}: and the page has followed`, 'confirmed/none', await holder.outcome(page));
  await leave(name, who);
  await world('handler yes');
  await world('pull hand');
});

await part('the server is killed in the middle', async () => {
  const name = 'server killed';
  await world('fresh steady --fault slow:40');
  const who = await visitor({ expected: [goneAway] });
  const { invitation } = await holder.order({ app: 'bulk', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await holder.press(page);
  await holder.consent('yes');
  await holder.delivered(page, 5);
  await world('kill_front');
  const ended = await holder.outcome(page);
  await same(`${name}: the page goes on and ends right`, 'confirmed/none', ended);
  await holder.answers(`${name}: the application answers`, 'steady', bulk);
  await leave(name, who);
  await world('pull steady');
});

await part('the server is away for a while', async () => {
  const name = 'server away';
  await world('fresh patient');
  const who = await visitor({ expected: [goneAway] });
  const { invitation } = await holder.order({ app: 'hello', type: 'badge' });
  const page = await holder.openInvitation(name, who, invitation);
  await world('stop_server');
  await page.locator('[data-away]').waitFor();
  await holder.says(name, page, 'The server does not answer at the moment. This page keeps trying.');
  await look(name, page, { only: ['phone'] });
  await world('start_server');
  await page.locator('[data-away]').waitFor({ state: 'detached' });
  await same(`${name}: when it is back, everything works`, 'confirmed/none', (await holder.journey(page)).ended);
  await leave(name, who);
  await world('pull patient');
});

await part('what is offered to everybody', async () => {
  const name = 'catalogue';
  await world('fresh chosen');
  await holder.order({ app: 'hello', type: 'badge', offer: true, cards: 100 });
  const who = await visitor();
  const page = await holder.openInvitation(name, who, `${facts.origin}/`);
  const offer = page.getByRole('link', { name: 'Put Greeter onto your card' });
  await offer.waitFor();
  await look('catalogue', page);
  await offer.click();
  await holder.startButton(page).waitFor();
  const { ended } = await holder.journey(page);
  await same(`${name}: it ends as an invitation does`, 'confirmed/none', ended);
  await holder.answers(`${name}: the application answers`, 'chosen', hello);
  await leave(name, who);
  await world('pull chosen');
});

await closeBrowser();
end();
