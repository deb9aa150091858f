import type { ListenerOptions } from '../../hosts/node/listeners.ts';
import { SECURITY_PROTOCOLS, type SecurityProtocol } from '../../hosts/node/security/doors.ts';

export interface Endpoint {
  /** Empty means all interfaces. */
  host: string;
  port: number;
}

interface Listener extends Endpoint {
  name: string;
}

export interface ListenerSettings {
  listeners: string;
  advertised: string | undefined;
  /** Names that only controllers use, which a single node does not open. */
  controllerNames: readonly string[];
  /** listener.security.protocol.map */
  protocols: ReadonlyMap<string, string>;
}

/** Where to listen and how, and the controller listeners that stay closed. @throws Error for people. */
export function listenersOf({ listeners, controllerNames, protocols }: ListenerSettings): {
  open: ListenerOptions[];
  closed: string[];
} {
  const all = parseListeners(listeners);
  const isController = ({ name }: Listener) => controllerNames.includes(name);
  const open = all.filter((listener) => !isController(listener));
  if (open.length === 0) throw new Error(`"${listeners}" names no listener for clients`);
  const names = open.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw new Error(`${twice} is there twice: listeners have names of their own`);
  return {
    open: open.map((listener) => ({ ...listener, protocol: protocolOf(listener, protocols) })),
    closed: all.filter(isController).map(({ name, host, port }) => `${name}://${host}:${port}`),
  };
}

function protocolOf({ name }: Listener, protocols: ReadonlyMap<string, string>): SecurityProtocol {
  const protocol = protocols.get(name) ?? name;
  if (isSecurityProtocol(protocol)) return protocol;
  const known = SECURITY_PROTOCOLS.join(', ');
  if (protocol !== name) throw new Error(`${name} speaks ${protocol}, which is none of ${known}`);
  throw new Error(`what does ${name} speak? Say it in listener.security.protocol.map: one of ${known}`);
}

export function isSecurityProtocol(text: string): text is SecurityProtocol {
  return (SECURITY_PROTOCOLS as readonly string[]).includes(text);
}

/**
 * What clients of each listener are told, by its name; of one that is not named, the address they came in on. Where one
 * listener is, its name does not matter. @throws Error for people.
 */
export function advertisedOf({
  listeners,
  advertised,
  controllerNames,
}: ListenerSettings): ReadonlyMap<string, Endpoint> {
  if (advertised === undefined || advertised.trim() === '') return new Map();
  const forClients = (text: string) =>
    parseListeners(text).filter(({ name }) => !controllerNames.includes(name));
  const opened = forClients(listeners).map(({ name }) => name);
  const given = forClients(advertised);
  for (const { host, port } of given) {
    if (host === '' || host === '0.0.0.0' || host === '::')
      throw new Error(`clients cannot connect to "${host}": give a name or address they can reach`);
    if (port === 0) throw new Error('port 0 is no address: give the port clients connect to');
  }
  const [only] = opened;
  const [first] = given;
  if (only !== undefined && first !== undefined && opened.length === 1 && given.length === 1)
    return new Map([[only, addressOf(first)]]);
  const strange = given.find(({ name }) => !opened.includes(name));
  if (strange !== undefined) throw new Error(`${strange.name} is no listener: ${opened.join(', ')} are`);
  const named = new Map(given.map((each) => [each.name, addressOf(each)]));
  if (named.size < given.length) throw new Error(`one address a listener is advertised, not "${advertised}"`);
  return named;
}

function addressOf({ host, port }: Endpoint): Endpoint {
  return { host, port };
}

function parseListeners(text: string): Listener[] {
  return text.split(',').map((each) => {
    const [, name = '', bracketed, plain = '', port = ''] =
      /^\s*([A-Za-z0-9_]+):\/\/(?:\[([0-9A-Fa-f:.]*)\]|([^[\]:/\s]*)):(\d{1,5})\s*$/.exec(each) ?? [];
    if (port === '' || Number(port) > 65_535)
      throw new Error(`"${each.trim()}" is no listener: write PLAINTEXT://host:port, port 0 to 65535`);
    return { name: name.toUpperCase(), host: bracketed ?? plain, port: Number(port) };
  });
}

/** `host:port`, `[ipv6]:port` or `:port`; undefined when it is none. */
export function parseAddress(text: string): Endpoint | undefined {
  const [, bracketed, plain = '', port = ''] =
    /^(?:\[([0-9A-Fa-f:.]*)\]|([^[\]:/\s]*)):(\d{1,5})$/.exec(text.trim()) ?? [];
  if (port === '' || Number(port) > 65_535) return undefined;
  return { host: bracketed ?? plain, port: Number(port) };
}
