// SPDX-License-Identifier: Apache-2.0
//
// Chromium, visitors in it, and what is true of every page: it speaks with its own origin only, breaks no rule of its
// own policy, complains of nothing, is light, and is accessible.
import fs from 'node:fs';
import { attempt, facts, packages, patience, until } from './world.mjs';
import { ok, setTidyUp, setWitnesses } from './tap.mjs';

const { chromium } = packages('playwright-core');
const axeSource = fs.readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8');

export const sizes = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } };
const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const paintLimit = 100 * 1024;

let browser;
const visitors = new Set();

/** Certificates are verified; root has no sandbox. */
export async function openBrowser(...args) {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', ...args],
  });
  return browser;
}

export async function closeBrowser() {
  await browser.close();
}

setWitnesses(async (name) => {
  const lines = [];
  let n = 0;
  for (const visitor of visitors) {
    for (const page of visitor.context.pages()) {
      n += 1;
      const path = `${facts.shots}/${name}-${n}.png`;
      await page.screenshot({ path, timeout: 5000 }).catch(() => {});
      lines.push(`${page.url().split('#')[0]} looked so: ${path}`);
    }
    lines.push(...visitor.console.map((text) => `console: ${text}`), ...visitor.violations.map((text) => `policy: ${text}`));
  }
  return lines;
});

setTidyUp(async () => {
  for (const who of visitors) await who.context.close();
  visitors.clear();
  await attempt('tidy_up');
});

/** Somebody with a browser of their own: cookies, storage, language, colours, window. `expected` are patterns of
 * console lines that belong to what is tried. */
export async function visitor({ locale = 'en-GB', colorScheme = 'light', size = 'desktop', hosts = [], expected = [], ...more } = {}) {
  const context = await browser.newContext({
    viewport: sizes[size], locale, colorScheme, reducedMotion: 'reduce', acceptDownloads: true, ...more,
  });
  context.setDefaultTimeout(patience);
  const who = { context, console: [], violations: [], foreign: [], expected };
  const own = new Set([facts.origin, ...hosts]);
  await context.exposeBinding('ferryTestViolation', (_, text) => void who.violations.push(text));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) =>
      globalThis.ferryTestViolation(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
  });
  context.on('page', (page) => watch(who, page, own));
  visitors.add(who);
  return who;
}

function watch(who, page, own) {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) who.console.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => who.console.push(`exception: ${error.stack ?? error}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!own.has(url.origin) && !['data:', 'blob:', 'cardferry:'].includes(url.protocol)) who.foreign.push(request.url());
  });
}

/** What must be true of everything that the visitor did; closes the visitor's browser. */
export async function leave(name, who) {
  const complaints = who.console.filter((line) => !who.expected.some((pattern) => pattern.test(line)));
  await ok(`${name}: no request left the server`, who.foreign.length === 0, who.foreign.join('\n'));
  await ok(`${name}: no rule of the page's policy was broken`, who.violations.length === 0, who.violations.join('\n'));
  await ok(`${name}: nothing stands on the console`, complaints.length === 0, complaints.join('\n'));
  await drop(who);
}

/** Closes the visitor's browser, where what stands on the console is what is tried. */
export async function drop(who) {
  visitors.delete(who);
  await who.context.close();
}

/** Opens a page and waits until what it is for can be seen; bytes until then are bounded. */
export async function open(name, who, url, useful) {
  const page = await who.context.newPage();
  const wire = await who.context.newCDPSession(page);
  let bytes = 0;
  await wire.send('Network.enable');
  wire.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  await page.goto(url);
  await useful(page).waitFor();
  await page.waitForLoadState('load');
  await ok(`${name}: its first useful paint takes ${(bytes / 1024).toFixed(1)} KB`, bytes > 0 && bytes < paintLimit, `${bytes} bytes`);
  await wire.detach();
  return page;
}

async function inspect(page) {
  await page.evaluate(axeSource);
  const result = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }), wcag);
  return {
    rules: result.passes.length,
    violations: result.violations.flatMap((v) => v.nodes.map((node) => `${v.id}: ${node.target.join(' ')}: ${node.failureSummary}`)),
  };
}

// What is drawn is drawn anew for another width, in its own time.
async function narrow(page) {
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await until(async () => (await wide()) <= 0);
  return wide();
}

/** The page as it is now, light and dark: accessible, and kept as a picture, in each of the sizes. */
export async function look(name, page, { only = ['desktop', 'phone'] } = {}) {
  const before = page.viewportSize();
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    const { rules, violations } = await inspect(page);
    await ok(`${name}: accessible, ${colorScheme}`, violations.length === 0 && rules > 0, violations.join('\n'));
    for (const size of only) {
      await page.setViewportSize(sizes[size]);
      const wide = await narrow(page);
      await page.screenshot({ fullPage: true, path: `${facts.shots}/${name.replaceAll(/[^a-z0-9]+/gi, '-')}-${size}-${colorScheme}.png` });
      if (colorScheme === 'light') await ok(`${name}: fits the ${size}`, wide <= 0, `${wide} pixels too wide`);
    }
    await page.setViewportSize(before);
  }
}
