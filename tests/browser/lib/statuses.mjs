// SPDX-License-Identifier: Apache-2.0
//
// What came back on the wire for an address, also where the page is not told: opaque answers, preflights, frames.
// Without it a request that never left would pass for one that was refused.
import { sleep, until } from './world.mjs';

/** Of a page and what it loads: `take()` waits for an answer, and gives the statuses of all since the last time. */
export async function statusesOf(page, matches) {
  const wire = await page.context().newCDPSession(page);
  const urls = new Map();
  let got = [];
  const answers = () => got.filter(([id]) => matches(urls.get(id) ?? 'about:blank')).map(([, status]) => status);
  const note = (id, status) => void got.push([id, status]);
  await wire.send('Network.enable');
  // What is sent and what comes back are told in any order.
  wire.on('Network.requestWillBeSent', (event) => urls.set(event.requestId, event.request.url));
  wire.on('Network.responseReceivedExtraInfo', (event) => note(event.requestId, event.statusCode));
  wire.on('Network.webSocketCreated', (event) => urls.set(event.requestId, event.url));
  wire.on('Network.webSocketHandshakeResponseReceived', (event) => note(event.requestId, event.response.status));
  wire.on('Network.webSocketFrameError', (event) => {
    const code = /response code: (\d+)/.exec(event.errorMessage);
    if (code) note(event.requestId, Number(code[1]));
  });
  return {
    async take() {
      await until(() => answers().length > 0);
      await sleep(50);
      const taken = answers();
      got = [];
      return taken;
    },
  };
}
