import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../../clients/fixture.ts';
import { freePort } from '../../support/free-port.ts';
import { KafkaBroker, type Seat } from './broker.ts';

const CLUSTER_ID = 'Y29tcGF0LWNsaWVudHMtMQ';
const HOST = '127.0.0.1';

interface Node {
  readonly seat: Seat;
  readonly directory: string;
  broker: KafkaBroker | undefined;
}

/** Brokers of Apache Kafka that can be stopped and come back, on the same port and directory. */
export class KafkaCluster implements Place {
  readonly door = 'tcp';
  readonly #directory: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #nodes: readonly Node[];
  #names = 0;

  private constructor(directory: string, settings: Readonly<Record<string, string>>, nodes: readonly Node[]) {
    this.#directory = directory;
    this.#settings = settings;
    this.#nodes = nodes;
  }

  /** One after the other: a broker waits for its controller, and processors are few. */
  static async start(
    brokers: number,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<KafkaCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'milena-kafka-cluster-'));
    const controllerPort = await freePort();
    const nodes: Node[] = [];
    for (let nodeId = 1; nodeId <= brokers; nodeId++) {
      const seat = { nodeId, port: await freePort(), controllerPort };
      nodes.push({ seat, directory: join(directory, String(nodeId)), broker: undefined });
    }
    const cluster = new KafkaCluster(directory, settings, nodes);
    for (const node of nodes) {
      await KafkaBroker.format(node.directory, CLUSTER_ID, node.seat);
      await cluster.revive(node.seat.nodeId);
    }
    return cluster;
  }

  /** Of the first broker. */
  get port(): number {
    return this.#node(1).seat.port;
  }

  /** Of the first broker. */
  get address(): string {
    return `${HOST}:${this.port}`;
  }

  get addresses(): string[] {
    return this.#nodes.map(({ seat }) => `${HOST}:${seat.port}`);
  }

  get kafka(): Place['kafka'] {
    return { host: HOST, port: this.port };
  }

  get isRunning(): boolean {
    return this.#node(1).broker !== undefined;
  }

  name(kind: string): string {
    return `${kind}-${++this.#names}`;
  }

  async stop(nodeId: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const node = this.#node(nodeId);
    const { broker } = node;
    node.broker = undefined;
    await broker?.stop(signal);
  }

  /** Starts it on what it left, and waits until it serves. */
  async revive(nodeId: number): Promise<void> {
    const node = this.#node(nodeId);
    node.broker = await KafkaBroker.start(node.directory, this.#settings, node.seat);
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(({ seat }) => this.stop(seat.nodeId, 'SIGKILL')));
    await rm(this.#directory, { recursive: true, force: true });
  }

  #node(nodeId: number): Node {
    const node = this.#nodes[nodeId - 1];
    if (node === undefined) throw new Error(`there is no broker ${nodeId}`);
    return node;
  }
}
