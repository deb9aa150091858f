import { json } from 'node:stream/consumers';
import { type BrowserSpec, startBrowser } from './process.ts';
import { servePages } from './serve.ts';

interface Found {
  endOffset: number;
  problem?: string;
}

/** What one browser was killed for. */
export interface KillRound {
  /** All below was acknowledged before the kill, as the page could still say. */
  ackedEndOffset: number;
  /** What the next browser found. */
  found: Found;
}

/**
 * Kills a browser under load, again and again, once so many commits were acknowledged as `killAfterAcks` says for
 * each. @returns what was promised and found, kill by kill.
 */
export async function killRounds(
  browser: BrowserSpec,
  durability: 'strict' | 'relaxed',
  killAfterAcks: readonly number[],
): Promise<KillRound[]> {
  let found = Promise.withResolvers<Found>();
  let acked = { count: 0, endOffset: 0 };
  let enough = () => {};
  const server = await servePages(['idb'], (request, response) => {
    if (request.url === '/survivor') {
      response.setHeader('content-type', 'text/html');
      response.end(
        `<!doctype html><script type="module">
           import { survive } from '/test/browser/indexed-db/survivor.ts';
           survive('${durability}').catch((error) =>
             fetch('/found', { method: 'POST', body: JSON.stringify({ endOffset: -1, problem: String(error) }) }));
         </script>`,
      );
      return true;
    }
    if (request.method !== 'POST') return false;
    void json(request).then((body) => {
      const { endOffset } = body as Found;
      if (request.url === '/found') found.resolve(body as Found);
      else acked = { count: acked.count + 1, endOffset: Math.max(acked.endOffset, endOffset) };
      enough();
      response.end();
    });
    return true;
  });
  const rounds: KillRound[] = [];
  try {
    for (const acks of [...killAfterAcks, 0]) {
      found = Promise.withResolvers();
      const ackedEndOffset = acked.endOffset;
      const due = Promise.withResolvers<void>();
      acked = { count: 0, endOffset: ackedEndOffset };
      enough = () => {
        if (acked.count >= acks) due.resolve();
      };
      const process = startBrowser(browser, `${server.url}survivor`);
      try {
        rounds.push({ ackedEndOffset, found: await found.promise });
        await due.promise;
      } finally {
        await process.kill();
      }
    }
  } finally {
    await server.close();
  }
  return rounds.slice(1);
}
