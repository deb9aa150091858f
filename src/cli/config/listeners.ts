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

/** The one address to listen on, and the controller listeners that stay closed. @throws Error for people. */
export function listenersOf({ listeners, controllerNames, protocols }: ListenerSettings): {
  kafka: Endpoint;
  closed: string[];
} {
  const all = parseListeners(listeners);
  const open = all.filter(({ name }) => !controllerNames.includes(name));
  const [kafka, second] = open;
  if (kafka === undefined) throw new Error(`"${listeners}" names no listener for clients`);
  if (second !== undefined)
    throw new Error(`one listener is served, not ${open.map(({ name }) => name).join(' and ')}`);
  const protocol = protocols.get(kafka.name) ?? kafka.name;
  if (protocol !== 'PLAINTEXT')
    throw new Error(`${kafka.name} speaks ${protocol}: only PLAINTEXT is served. Keep the port private`);
  const closed = all.filter((listener) => !open.includes(listener));
  const { host, port } = kafka;
  return {
    kafka: { host, port },
    closed: closed.map((other) => `${other.name}://${other.host}:${other.port}`),
  };
}

/** What clients are told; undefined tells each the address it came in on. @throws Error for people. */
export function advertisedOf({ advertised, controllerNames }: ListenerSettings): Endpoint | undefined {
  if (advertised === undefined || advertised.trim() === '') return undefined;
  const [first, second] = parseListeners(advertised).filter(({ name }) => !controllerNames.includes(name));
  if (first === undefined || second !== undefined)
    throw new Error(`one address is advertised, not "${advertised}"`);
  const { host, port } = first;
  if (host === '' || host === '0.0.0.0' || host === '::')
    throw new Error(`clients cannot connect to "${host}": give a name or address they can reach`);
  if (port === 0) throw new Error('port 0 is no address: give the port clients connect to');
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
