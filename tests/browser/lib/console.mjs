// SPDX-License-Identifier: Apache-2.0
//
// What an operator does at the page: being signed in, and going to a view.
import { open } from './browser.mjs';
import { facts, world } from './world.mjs';

/** Opens the page by a one-time link; signed in when it is there. */
export async function signIn(name, who) {
  const url = await world('sign_in_link');
  const page = await open(name, who, url, (p) => p.locator('nav a').first());
  return page;
}

export const cookieOf = async (who) => (await who.context.cookies(facts.origin)).find((cookie) => cookie.name === '__Host-ferry');

/** A request from within the page, as the page itself could make it; the status. */
export const ask = (page, method, path, { headers = {}, body } = {}) => page.evaluate(async ([m, p, h, b]) => {
  const answer = await fetch(p, { method: m, headers: h, body: b });
  return answer.status;
}, [method, path, headers, body === undefined ? undefined : JSON.stringify(body)]);

export const me = (page) => page.evaluate(async () => {
  const answer = await fetch('/api/v1/me');
  return answer.ok ? answer.json() : answer.status;
});

/** Nothing of the view is still on its way. */
export const settled = (page) => page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('main [aria-busy=true]'));

/** To a view by its entry in the navigation. */
export async function goTo(page, entry) {
  await page.locator('nav.views').getByRole('link', { name: entry, exact: true }).click();
  await page.locator('main h1', { hasText: new RegExp(`^${entry}$`) }).waitFor();
  await settled(page);
}

/** Presses what asks before it does something, and says yes; `reason` where one is asked for. */
export async function confirm(page, name, reason) {
  await page.locator('main').getByRole('button', { name, exact: true }).click();
  const dialog = page.locator('dialog[open]');
  if (reason !== undefined) await dialog.getByRole('textbox').fill(reason);
  await dialog.locator('button[type=submit]').click();
  await dialog.waitFor({ state: 'detached' }).catch(() => dialog.waitFor({ state: 'hidden' }));
}

/** Drops a file where it is to be dropped, as from the desktop. */
export async function dropFile(page, name, bytes) {
  const data = await page.evaluateHandle(([file, content]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], file));
    return transfer;
  }, [name, bytes.toString('base64')]);
  for (const event of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('.drop', event, { dataTransfer: data });
}

export const rowsOf = (page) => page.locator('main tbody tr');

export const textOf = async (page) => (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');
