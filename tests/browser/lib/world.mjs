// SPDX-License-Identifier: Apache-2.0
//
// The world around the browser: the shell that started this program does what it is asked (browser.sh), so that
// cards, servers and readers are handled by the functions that all end-to-end tests use.
import { createRequire } from 'node:module';
import net from 'node:net';

export const facts = Object.fromEntries(
  ['WORK', 'SHOTS', 'MODULES', 'ORIGIN', 'ROOT', 'BUILD'].map((name) => [name.toLowerCase(), process.env[`FERRY_${name}`]]),
);

/** Packages are under the build folder: nothing is installed in the tree. */
export const packages = createRequire(`${facts.modules}/`);

// As sockets: a file that is read in the background keeps a program from ending that has failed.
const asks = new net.Socket({ fd: 3, readable: false, writable: true });
const answers = new net.Socket({ fd: 4, readable: true, writable: false }).setEncoding('utf8');
const waiting = [];
let text = '';
answers.on('data', (part) => {
  text += part;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
    const [status, output = ''] = text.slice(0, end).split(' ');
    text = text.slice(end + 1);
    waiting.shift()({ status: Number(status), output: Buffer.from(output, 'base64').toString() });
  }
});

/** Has the shell do it; what it printed, and its exit status. One after the other. */
export function attempt(command) {
  return new Promise((resolve) => {
    waiting.push(resolve);
    asks.write(`${command.replaceAll('\n', ' ')}\n`);
  });
}

/** The same, where only success makes sense: what it printed. */
export async function world(command) {
  const { status, output } = await attempt(command);
  if (status !== 0) throw new Error(`exit code ${status} of: ${command}\n${output}`);
  return output.trimEnd();
}

export function leaveWorld() {
  asks.end();
  answers.destroy();
}

export const quoted = (value) => `'${String(value).replaceAll("'", "'\\''")}'`;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** How long what must come may take, in milliseconds: nothing is expected to, on a machine that is not overloaded. */
export const patience = 60000;

/** Until it is true, or patience is over: the last value. */
export async function until(what) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await what();
    if (value || Date.now() > end) return value;
    await sleep(50);
  }
}
