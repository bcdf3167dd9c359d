// SPDX-License-Identifier: Apache-2.0
//
// Checks of journeys: the lines that tests/harness/tap.sh prints. A check that fails shows the pages that are open:
// where their pictures are, and what stood on their consoles.
import fs from 'node:fs';
import { facts, leaveWorld } from './world.mjs';

let number = Number(process.env.FERRY_TAP_N ?? 0);
let bad = 0;
let witnesses = async () => [];

/** Who tells what there is to see when a check fails: a function that gives lines. */
export function setWitnesses(tell) {
  witnesses = tell;
}

export function comment(text) {
  for (const line of String(text).split('\n')) console.log(`#   ${line}`);
}

export async function ok(name, good, why = '') {
  number += 1;
  if (good) {
    console.log(`ok ${number} ${name}`);
    return true;
  }
  bad += 1;
  console.log(`not ok ${number} ${name}`);
  if (why !== '') comment(why);
  for (const line of await witnesses(`failed-${process.env.FERRY_JOURNEYS}-${number}`)) comment(line);
  return false;
}

export function same(name, expected, got) {
  const [e, g] = [JSON.stringify(expected), JSON.stringify(got)];
  return ok(name, e === g, `expected ${e}, got ${g}`);
}

export const has = (name, text, part) =>
  ok(name, part instanceof RegExp ? part.test(text) : String(text).includes(part), `expected ${part} in: ${text}`);

let tidyUp = async () => {};

/** What puts everything away that a part has left, which did not come to its end. */
export function setTidyUp(tidy) {
  tidyUp = tidy;
}

/** A part of the journeys: what it throws is one failed check, and the next part runs. FERRY_ONLY, a pattern, is for
 * who works on one of them. */
export async function part(name, run) {
  if (!new RegExp(process.env.FERRY_ONLY ?? '').test(name)) return;
  const begun = Date.now();
  try {
    await run();
  } catch (error) {
    await ok(`${name}: goes through`, false, error.stack ?? error);
    await tidyUp();
  }
  console.log(`# ${name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/** The last call: leaves the sum for the script that started us. */
export function end() {
  fs.writeFileSync(`${facts.work}/tally`, `${number} ${bad}\n`);
  leaveWorld();
}
