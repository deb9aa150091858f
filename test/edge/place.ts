import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { Bridge } from '../../src/hosts/node/bridge.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import type { Place } from '../clients/fixture.ts';
import type { Reach } from '../client/suite/reach.ts';
import { type Edge, startEdge } from '../support/edge.ts';
import { bundleEdge } from '../support/edge-bundle.ts';
import { noLog } from '../support/no-log.ts';

/** What real groups would take seconds for; and records of tests may be of any time. */
const QUICK = {
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.assignment.interval.ms': '0',
  'group.consumer.heartbeat.interval.ms': '100',
  'group.min.session.timeout.ms': '100',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
  'log.retention.ms': '-1',
  'auto.create.topics.enable': 'true',
};

/** The Worker and its objects in workerd itself, on a disk of their own: killed and started again as a test says. */
export class EdgePlace implements Place {
  readonly door = 'websocket';
  readonly #settings: Readonly<Record<string, string>>;
  readonly #vars: Readonly<Record<string, string>>;
  #folder: string | undefined;
  #bundle = '';
  #edge: Edge | undefined;
  #http = '127.0.0.1:0';
  #tcp = '127.0.0.1:0';
  #names = 0;

  constructor(settings: Readonly<Record<string, string>> = {}, vars: Readonly<Record<string, string>> = {}) {
    this.#settings = { ...QUICK, ...settings };
    this.#vars = vars;
  }

  async start(): Promise<void> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'milena-edge-'));
    if (this.#bundle === '') this.#bundle = await bundleEdge(join(this.#folder, 'bundle'));
    const settings = Object.entries(this.#settings).map(([name, value]) => `${name}=${value}`);
    this.#edge = await startEdge(this.#bundle, {
      http: this.#http,
      tcp: this.#tcp,
      directory: join(this.#folder, 'objects'),
      vars: { MILENA_SETTINGS: settings.join('\n'), ...this.#vars },
    });
    // Clients look for it where it was.
    this.#http = this.#edge.host;
    this.#tcp = `127.0.0.1:${this.#edge.tcpPort}`;
  }

  get edge(): Edge {
    if (this.#edge === undefined) throw new Error('the edge is not running');
    return this.#edge;
  }

  /** At once, as a power cut; what it left stays. */
  async kill(): Promise<void> {
    const edge = this.#edge;
    this.#edge = undefined;
    await edge?.kill();
  }

  async stop(): Promise<void> {
    await this.kill();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  get isRunning(): boolean {
    return this.#edge !== undefined;
  }

  get address(): string {
    return this.edge.host;
  }

  get port(): number {
    return Number(this.address.split(':')[1]);
  }

  get kafka(): Place['kafka'] {
    return { host: '127.0.0.1', port: this.edge.tcpPort ?? 0 };
  }

  get url(): string {
    return `ws://${this.address}/kafka`;
  }

  private get directory(): string {
    return join(this.#folder ?? '', 'objects');
  }

  /** Databases of the objects that there are. */
  async objects(): Promise<string[]> {
    const folder = join(this.directory, 'milena-ShardObject');
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => /^[\da-f]{64}\.sqlite$/.test(name)).map((name) => join(folder, name));
  }

  name(kind: string): string {
    return `${kind}-${++this.#names}`;
  }
}

/** How clients come to an edge: the Worker's WebSocket, workerd's TCP, or a bridge that speaks TCP beside them. */
export const WAYS = ['WebSocket', 'TCP', 'bridge'] as const;
export type Way = (typeof WAYS)[number];

/** An edge for all tests of the block it is called in. */
export function useEdge(
  settings?: Readonly<Record<string, string>>,
  vars?: Readonly<Record<string, string>>,
): EdgePlace {
  const place = new EdgePlace(settings, vars);
  beforeAll(() => place.start(), 60_000);
  afterAll(() => place.stop());
  return place;
}

/** The same edge by that way, for all tests of the block it is called in. */
export function useWay(edge: EdgePlace, way: Way): Place {
  let bridge: Bridge | undefined;
  beforeAll(async () => {
    if (way !== 'bridge') return;
    bridge = await Bridge.start({ url: edge.url, listen: { host: '127.0.0.1', port: 0 }, log: noLog });
  });
  afterAll(() => bridge?.close());
  const kafka = () => ({ host: '127.0.0.1', port: bridge?.address.port ?? edge.kafka.port });
  return {
    door: way === 'WebSocket' ? 'websocket' : 'tcp',
    get isRunning() {
      return edge.isRunning;
    },
    get kafka() {
      return kafka();
    },
    get port() {
      return way === 'WebSocket' ? edge.port : kafka().port;
    },
    get address() {
      return `127.0.0.1:${this.port}`;
    },
    name: (kind) => edge.name(kind),
  };
}

/** The client's suite runs against it. */
export function reachEdge(settings?: Readonly<Record<string, string>>): Reach {
  const place = useEdge(settings);
  return { maker: 'Milena', place, connect: (options) => connect(place.url, options) };
}
