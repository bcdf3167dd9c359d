// SPDX-License-Identifier: Apache-2.0
//
// What a card holder does and sees: an invitation is opened, Start is pressed, the client's question is answered, and
// the steps are watched. The page keeps a journal of what it shows, so that nothing between two looks is missed.
import { open } from './browser.mjs';
import { has, ok, same } from './tap.mjs';
import { facts, quoted, world } from './world.mjs';

export const STEPS = ['client', 'reader', 'card', 'authenticate', 'deliver', 'verify'];

/** Makes an order (fields of docs/api.md); `invitation` is what its holder gets. */
export async function order(fields) {
  return JSON.parse(await world(`api POST orders ${quoted(JSON.stringify({ purpose: 'install', ...fields }))}`));
}

// Runs in the page from its first moment: each change of the steps, the count and the verdict is one entry.
function keepJournal() {
  const journal = [];
  const heard = [];
  globalThis.ferryTestJournal = journal;
  globalThis.ferryTestHeard = heard;
  let last = '';
  let said = '';
  const listen = () => {
    const now = document.querySelector('[aria-live=polite]')?.textContent ?? '';
    if (now !== said && now !== '') heard.push(now);
    said = now;
  };
  const look = () => {
    listen();
    const steps = [...document.querySelectorAll('[data-step]')].map((e) => e.dataset.state);
    if (steps.length === 0) return;
    const count = document.querySelector('[data-shown=true] progress + span')?.textContent ?? '';
    const verdict = document.querySelector('.verdict');
    const entry = { steps, count, outcome: verdict?.dataset.outcome ?? '', hurdle: verdict?.dataset.hurdle ?? '' };
    const text = JSON.stringify(entry);
    if (text !== last) journal.push(entry);
    last = text;
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
}

/** Opens what a link in a mail or a QR code opens. */
export async function openInvitation(name, who, url) {
  await who.context.addInitScript(keepJournal);
  return open(name, who, url, (page) => page.locator('.start .main, .verdict, .offers').first());
}

export const startButton = (page) => page.locator('.start .main');

export const press = (page) => startButton(page).click();

/** After something went wrong: back to where Start is. */
export async function tryAgain(page) {
  await page.getByRole('button', { name: /^(Try again|Noch einmal versuchen)$/ }).click();
  await startButton(page).waitFor();
}

/** The client asks its user; the words of the question. */
export async function question() {
  return world('dialogue question');
}

/** Answers the client's question, and gives its words. */
export async function consent(answer = 'yes') {
  const words = await question();
  await world(`answer ${answer}`);
  return words;
}

/** The client's window says why it ended; it is read and closed. */
export async function failureWindow() {
  const words = await world('dialogue error');
  await world('answer enter');
  return words;
}

export const journal = (page) => page.evaluate(() => globalThis.ferryTestJournal);

/** What a screen reader was given to say, one after the other. */
export const heard = (page) => page.evaluate(() => globalThis.ferryTestHeard);

/** Until the server's outcome is on the page: "confirmed", "failed/wrong-key", ... */
export async function outcome(page) {
  const verdict = page.locator('.verdict[data-outcome]');
  await verdict.waitFor();
  return `${await verdict.getAttribute('data-outcome')}/${await verdict.getAttribute('data-reason')}`;
}

export async function hurdle(page, name) {
  await page.locator(`.verdict[data-hurdle=${name}]`).waitFor();
}

/** Waits until the count is at least n; for what shall happen in the middle. */
export const delivered = (page, n) => page.waitForFunction((least) =>
  Number.parseInt(document.querySelector('[data-shown=true] progress + span')?.textContent ?? '0', 10) >= least, n);

export const stepsOf = (page) => page.locator('[data-step]').evaluateAll((all) => all.map((e) => e.dataset.state));

/** The sentence and what to do, as the page has them. */
export async function says(name, page, ...sentences) {
  const text = (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');
  for (const sentence of sentences) await has(`${name}: it says “${sentence}”`, text, sentence);
}

/** The whole way went in order: each step done before the next, the count rising. */
export async function wentInOrder(name, page) {
  const entries = await journal(page);
  const reached = entries.map((entry) => entry.steps.filter((state) => state === 'done').length);
  await ok(`${name}: steps are done one after the other, never undone`,
    reached.every((n, i) => i === 0 || n >= reached[i - 1]) &&
      entries.every((entry) => entry.steps.lastIndexOf('done') === entry.steps.filter((s) => s === 'done').length - 1),
    entries.map((entry) => entry.steps.join(' ')).join('\n'));
  const active = STEPS.filter((_, i) => entries.some((entry) => entry.steps[i] === 'active'));
  await ok(`${name}: most of them were seen under way`, active.length >= 4, active.join(' '));
  const counts = entries.map((entry) => entry.count).filter((text) => text !== '').map((text) => text.split(/ of | von /).map(Number));
  const rising = counts.every(([n], i) => i === 0 || n >= counts[i - 1][0]);
  await ok(`${name}: n of m rises (${new Set(counts.map(([n]) => n)).size} values)`,
    rising && new Set(counts.map(([n]) => n)).size >= 4 && new Set(counts.map(([, m]) => m)).size === 1, JSON.stringify(counts));
}

/** Never on the page, at no moment. */
export async function neverSaid(name, page, what) {
  const entries = await journal(page);
  await ok(name, entries.every((entry) => entry.outcome !== what && (what !== 'confirmed' || entry.steps[5] !== 'done')), JSON.stringify(entries));
}

export async function answers(name, card, aid) {
  await same(name, '9000', await world(`select_app ${quoted(card)} ${aid}`));
}

/** Start, yes, and to the end. */
export async function journey(page) {
  await press(page);
  const words = await consent('yes');
  return { words, ended: await outcome(page) };
}

export const invalidTicket = `${facts.origin}/i#${'A'.repeat(43)}`;
