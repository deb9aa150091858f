import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'vite';
import { ROOT } from '../cli/milena.ts';
import { startChromium } from '../browser/start-chromium.ts';
import { MILENA } from '../support/broker-process.ts';
import { freePort } from '../support/free-port.ts';
import { isAsShown } from './page.ts';
import { startEdge } from '../support/edge.ts';
import { bundleEdge } from '../support/edge-bundle.ts';
import { startWorker } from '../support/workerd.ts';

/** What keeps running, once a page has started it. */
export interface Service {
  /** Where it listens, by the ports that the page names. */
  ports: readonly (readonly [named: number, port: number])[];
  stop(): Promise<unknown>;
}

/** Of this world, by those that the page names. */
export type Ports = Map<number, number>;

type Start = (folder: string, ports: Ports, env: Record<string, string>) => Promise<Service>;

const ADDRESS = /\b(?:localhost|127\.0\.0\.1):(\d+)/g;

/** The addresses of a page are those of this world. @throws for one where nothing listens. */
export function placed(text: string, ports: Ports): string {
  return text.replaceAll(ADDRESS, (address, named: string) => {
    const port = ports.get(Number(named));
    if (port === undefined) throw new Error(`the page has started nothing at ${address}`);
    return `127.0.0.1:${port}`;
  });
}

/** As `placed`, of what says where to listen, or of what comes later: where nothing listens yet, something will. */
export async function placedAhead(text: string, ports: Ports): Promise<string> {
  for (const [, named] of text.matchAll(ADDRESS))
    if (!ports.has(Number(named))) ports.set(Number(named), await freePort());
  return placed(text, ports);
}

/** How a line of a shell is run, if it does not end: on free ports. */
export function serviceOf(line: string): Start | undefined {
  const [words = ''] = line.split(/\s+#/);
  const [command, ...args] = words.trim().split(/\s+/);
  if (/^npm start\b/.test(words)) return broker(['dev']);
  if (/^npm run edge:workerd\b/.test(words)) return edge;
  if (command === 'milena' && args[0] === 'dev') return broker(args);
  if (command === 'milena' && args[0] === 'start' && !args.includes('--print-config')) return node(args);
  if (command === 'milena' && args[0] === 'bridge') return bridge(args);
  if (command === 'vite') return vite;
  if (command === 'wrangler' && args[0] === 'dev') return wrangler;
  return undefined;
}

function broker(args: readonly string[]): Start {
  return async (folder, named, env) => {
    const here = await placedAhead(args.join(' '), named);
    const words = [...here.split(' '), '--port', '0', '--http-port', '0'];
    const { said, stop } = await milena(words, folder, env);
    const { kafka, http } = said as { kafka: { port: number }; http: { port: number } };
    const ports = [
      [9092, kafka.port],
      [9094, http.port],
    ] as const;
    return { ports, stop };
  };
}

/** Where it listens its file says, which names ports of this world already. */
function node(args: readonly string[]): Start {
  return async (cwd, _, env) => {
    const child = spawn(process.execPath, [MILENA, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'exit');
    const said: string[] = [];
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        if (line.includes('"msg":"ready"')) resolve();
      });
    });
    const failed = ended.then(() => {
      throw new Error(`milena ${args.join(' ')} did not start:\n${said.join('\n')}`);
    });
    await Promise.race([ready, failed]);
    failed.catch(() => {});
    const stop = async () => {
      child.kill('SIGTERM');
      await ended;
    };
    return { ports: [], stop };
  };
}

/** The Worker and its objects, in workerd. */
async function edge(folder: string): Promise<Service> {
  const bundle = await bundleEdge(join(folder, 'bundle'));
  const running = await startEdge(bundle, { directory: join(folder, 'milena-edge'), tcp: '127.0.0.1:0' });
  const ports = [
    [9092, running.tcpPort ?? 0],
    [8787, Number(running.host.split(':')[1])],
  ] as const;
  return { ports, stop: () => running.kill() };
}

/** Its own port is the one behind `--listen`. */
function bridge(args: readonly string[]): Start {
  return async (folder, ports, env) => {
    const listen = Number(args[args.indexOf('--listen') + 1]);
    const here = placed(args.join(' '), ports);
    const { said, stop } = await milena([...here.split(' '), '--listen', '0'], folder, env);
    return { ports: [[listen, (said as { kafka: { port: number } }).kafka.port]], stop };
  };
}

/** @returns what it says once it is ready. */
async function milena(args: readonly string[], cwd: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [MILENA, ...args, '--json'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [
    unknown,
  ];
  if (typeof line !== 'string') throw new Error(`milena ${args.join(' ')} did not start`);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { said: JSON.parse(line) as unknown, stop };
}

async function vite(root: string, ports: Ports): Promise<Service> {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    clearScreen: false,
    // The package is a link to what is built here.
    server: {
      host: '127.0.0.1',
      port: ports.get(5173) ?? 0,
      strictPort: true,
      ws: false,
      fs: { allow: [ROOT] },
    },
  });
  await server.listen();
  const { port } = new URL(server.resolvedUrls?.local[0] ?? '');
  return { ports: [[5173, Number(port)]], stop: () => server.close() };
}

async function wrangler(folder: string): Promise<Service> {
  const settings = await readFile(join(folder, 'wrangler.toml'), 'utf8');
  const main = /^main = "(.*)"$/m.exec(settings)?.[1] ?? '';
  const worker = await startWorker(join(folder, main), {
    config: join(folder, 'wrangler.toml'),
  });
  return { ports: [[8787, worker.port]], stop: () => worker.stop() };
}

/** Opens a page in Chromium. @throws unless it comes to say what is shown. */
export async function openPage(url: string, shown: string, at: string): Promise<void> {
  const browser = await startChromium();
  try {
    const tab = await browser.newPage();
    const said: string[] = [];
    tab.on('console', (message) => said.push(message.text()));
    tab.on('pageerror', (error) => said.push(String(error)));
    await tab.goto(url);
    const text = () => tab.evaluate(() => document.body.innerText);
    const wanted = shown.trim().split('\n').at(-1)?.split('…')[0] ?? '';
    await tab
      .waitForFunction((last) => document.body.innerText.includes(last), wanted, { timeout: 20_000 })
      .catch(async (cause: unknown) => {
        throw new Error(`${at}: the page says\n${await text()}\n${said.join('\n')}`, { cause });
      });
    const printed = (await text()).replaceAll(/\n{2,}/g, '\n').trim();
    if (!isAsShown(shown, printed, { isWhole: true }))
      throw new Error(`${at}: shown is\n${shown}\nthe page says\n${printed}`);
  } finally {
    await browser.close();
  }
}
