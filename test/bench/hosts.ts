import { chromium } from 'playwright';
import { CHROMIUM_FLAGS, findChromium } from '../browser/chromium.ts';
import { servePages } from '../browser/serve.ts';
import { report } from './harness.ts';
import { NONE, caseNames, timeCase } from './hosts/cases.ts';
import { startWorker } from '../support/workerd.ts';

/** A round takes so long in Node: more than a request to a Worker does, which is taken off. The best of many counts. */
const ROUND_SECONDS = 0.012;
const ROUNDS = 61;
/** Of Node's speed, at least: issue 4. */
const BAR = 0.6;

/** Seconds for so many calls of a case. */
interface Host {
  name: string;
  time(bench: string, calls: number): Promise<number>;
  close(): Promise<void>;
}

const node: Host = { name: 'Node', time: timeCase, close: async () => {} };

/** The same kernels in workerd and in Chromium, beside Node. */
export async function run(): Promise<void> {
  const others = [await startWorkerd(), await startChromium()];
  try {
    for (const bench of await caseNames()) await compareHosts(bench, others);
  } finally {
    for (const host of others) await host.close();
  }
}

async function compareHosts(bench: string, others: readonly Host[]): Promise<void> {
  const calls = await callsARound(bench);
  const hosts = [node, ...others];
  for (const host of hosts) await host.time(bench, calls);
  const best = new Map(hosts.map((host) => [host, { idle: Infinity, busy: Infinity }]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [host, seconds] of best) {
      seconds.idle = Math.min(seconds.idle, await host.time(NONE, 1));
      seconds.busy = Math.min(seconds.busy, await host.time(bench, calls));
    }
  }
  const secondsACall = (host: Host) => (best.get(host)!.busy - best.get(host)!.idle) / calls;
  for (const host of others) {
    const ratio = secondsACall(node) / secondsACall(host);
    const value = secondsACall(host) * 1e6;
    const figure = { bench: `${bench}, in ${host.name}`, value, unit: 'µs', peer: 'Node', ratio };
    // Those with copies allocate their results, which is the engine's business: they have no bar.
    report(bench.endsWith('with copies') ? figure : { ...figure, bar: { ratio: BAR } });
  }
}

/** As often as a warm Node does in a round. */
async function callsARound(bench: string): Promise<number> {
  for (let calls = 64; ; calls *= 2) {
    await node.time(bench, calls);
    if ((await node.time(bench, calls)) > ROUND_SECONDS) return calls;
  }
}

async function startWorkerd(): Promise<Host> {
  const worker = await startWorker('test/bench/hosts/worker.ts', {
    config: 'test/bench/hosts/wrangler.toml',
  });
  const ask = async (name: string, calls: number): Promise<number> => {
    const query = new URLSearchParams({ name, calls: String(calls) });
    const startedAtMs = performance.now();
    const response = await worker.fetch(`http://worker/?${query}`);
    if ((await response.text()) !== 'done') throw new Error(`workerd: ${response.status}`);
    return (performance.now() - startedAtMs) / 1000;
  };
  return {
    name: 'workerd',
    time: ask,
    close: () => worker.stop(),
  };
}

async function startChromium(): Promise<Host> {
  const server = await servePages([]);
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    headless: true,
    chromiumSandbox: false,
    args: CHROMIUM_FLAGS,
  });
  const page = await browser.newPage();
  await page.goto(server.url);
  return {
    name: 'Chromium',
    time: (bench, calls) =>
      page.evaluate(
        async ([path, name, times]) => {
          const cases = (await import(path)) as { timeCase(name: string, calls: number): Promise<number> };
          return cases.timeCase(name, times);
        },
        ['/test/bench/hosts/cases.ts', bench, calls] as const,
      ),
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
