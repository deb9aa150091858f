import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Endpoint } from '../config/listeners.ts';
import { processOnPort } from '../process-on-port.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

export interface PortCheck extends Endpoint {
  check: string;
  /** How to choose another. */
  option: string;
  /** The process that runs on our data directory: it may have our ports. */
  holder: number | undefined;
}

/** Whether a node could listen there. */
export async function checkPort({ check, host, port, option, holder }: PortCheck): Promise<Finding> {
  const where = `${host === '' ? 'all interfaces' : host}, port ${port}`;
  if (port === 0) return ok(check, `${where}: a free one`);
  const error = await listenOnce({ host, port });
  if (error === undefined) return ok(check, `${where}: free`);
  switch (error.code) {
    case 'EADDRINUSE': {
      const by = processOnPort(port);
      if (holder !== undefined && by?.startsWith(`process ${holder} `))
        return ok(check, `${where}: this node has it`);
      return fail(
        check,
        `${where}: taken${by === undefined ? '' : ` by ${by}`}`,
        `choose another with ${option}`,
      );
    }
    case 'EACCES':
      return fail(check, `${where}: not allowed`, 'take a port above 1023');
    default:
      return fail(check, `${where}: ${error.message}`, `choose an address of this machine with ${option}`);
  }
}

function listenOnce({ host, port }: Endpoint): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

export interface AdvertisedCheck {
  listener: Endpoint;
  advertised: Endpoint | undefined;
}

/** Whether clients elsewhere can use the address they are told. */
export async function checkAdvertised({ listener, advertised }: AdvertisedCheck): Promise<Finding> {
  const check = 'advertised';
  if (advertised === undefined) return ok(check, 'each client is told the address it came in on');
  const { host, port } = advertised;
  const said = `${host}:${port}`;
  const addresses = await lookup(host, { all: true }).catch(() => []);
  const fix = 'set advertised.listeners to a name or address that clients can reach';
  if (addresses.length === 0) return fail(check, `${said}: the name has no address here`, fix);
  const names = addresses.map(({ address }) => address);
  const isElsewhere = !isLoopback(listener.host);
  if (isElsewhere && names.every(isLoopback))
    return fail(check, `${said} is this machine alone, and the node listens for others`, fix);
  if (!isElsewhere && !names.every(isLoopback))
    return fail(
      check,
      `${said}, but the node listens on ${listener.host} alone`,
      'listen on all: listeners=PLAINTEXT://:9092',
    );
  if (names.some((name) => ownAddresses().has(name)))
    return ok(check, `${said} is ${names.join(', ')}, of this machine`);
  const behind = 'right behind a proxy or a port mapping; try from a client: milena doctor --broker';
  return warn(check, `${said} is ${names.join(', ')}, not of this machine`, behind);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((some) => some?.map(({ address }) => address) ?? []),
  );
}
