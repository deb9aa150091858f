import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { Gateway } from '../../gateway/gateway.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import { loadKernels } from '../../kernels/load.ts';
import { checkBrokerConfigs } from '../../metadata/configs/validate.ts';
import { MetadataImage } from '../../metadata/image.ts';
import { decodeMetadataRecord } from '../../metadata/records.ts';
import { DEFAULT_GATEWAY_LIMITS } from '../../model/limits.ts';
import type { MachineRecord } from '../../model/machine.ts';
import { METADATA_SHARD, type ShardReply } from '../../ports/shard-link.ts';
import { Shards } from '../../shard/shards.ts';
import { nodeClock } from './clock.ts';
import { nodeCodecs } from './codecs.ts';
import { httpServer } from './http.ts';
import { nodeRandom } from './random.ts';
import { type Listening, ShardSpecs } from './specs.ts';
import { type OpenedStore, openStore } from './store.ts';
import { acceptKafka, kafkaServer } from './tcp.ts';

export interface BrokerOptions {
  /** Data directory; undefined keeps everything in memory. */
  directory?: string | undefined;
  host?: string;
  /** 0 picks a free one. */
  port?: number;
  /** 0 picks a free one; undefined serves no HTTP. */
  httpPort?: number | undefined;
  flush?: 'always' | 'never';
  nodeId?: number;
  /** Broker settings by Kafka's names, as in server.properties. */
  settings?: ReadonlyMap<string, string>;
  onWarning?: (message: string) => void;
}

const IDLE_SWEEP_MS = 30_000;

/** A whole broker in this process: store, shards, gateway and listeners. */
export class Broker {
  readonly kafka: Listening;
  readonly http: Listening | undefined;
  readonly #core: Core;
  readonly #servers: Servers;
  readonly #sweep: NodeJS.Timeout;
  #stopping = false;
  #closing: Promise<void> | undefined;

  /** Resolves when clients can connect. @throws with a message for people: port in use, directory locked or foreign. */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const { host = '127.0.0.1', port = 0, httpPort, flush = 'always', nodeId = 1 } = options;
    const onWarning = options.onWarning ?? ((message) => process.emitWarning(message));
    const kernels = await loadKernels();
    const opened = await openStore({ directory: options.directory, flush, nodeId, kernels, onWarning });
    const tcp = kafkaServer();
    let http: HttpServer | undefined;
    try {
      const kafka = await listen(tcp, host, port);
      const core = startCore(opened, { kernels, onWarning, kafka, options });
      await openMetadata(core.shards);
      let broker: Broker | undefined;
      if (httpPort !== undefined)
        http = httpServer({ notReady: () => (broker === undefined ? 'starting' : broker.notReady()) });
      const listening = http === undefined ? undefined : await listen(http, host, httpPort ?? 0);
      broker = new Broker(core, { opened, tcp, http }, { kafka, http: listening });
      acceptKafka(tcp, core.gateway);
      return broker;
    } catch (error) {
      tcp.close();
      http?.close();
      await opened.store.close();
      throw error;
    }
  }

  private constructor(
    core: Core,
    servers: Servers,
    addresses: { kafka: Listening; http: Listening | undefined },
  ) {
    this.#core = core;
    this.#servers = servers;
    this.kafka = addresses.kafka;
    this.http = addresses.http;
    this.#sweep = setInterval(() => core.gateway.closeIdle(), IDLE_SWEEP_MS).unref();
  }

  get gateway(): Gateway {
    return this.#core.gateway;
  }

  get image(): MetadataImage {
    return this.#core.image;
  }

  /** Group commits so far: under `flush=always` each was one flush. */
  get commitRounds(): number {
    return this.#servers.opened.commitRounds();
  }

  /** Why clients should not be sent here; undefined when they should. */
  notReady(): string | undefined {
    if (this.#stopping) return 'shutting down';
    const state = this.#core.shards.get(METADATA_SHARD)?.state;
    return state === 'open' ? undefined : `the metadata log is ${state ?? 'missing'}`;
  }

  /**
   * Drains and stops: no new connections or requests, what is being appended is committed and answered, at most
   * `timeoutMs` long, then all is written and the directory released. Idempotent.
   */
  close({ timeoutMs = 5_000 } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#sweep);
    const { tcp, http, opened } = this.#servers;
    tcp.close();
    await this.gateway.drain(nodeClock.now() + timeoutMs);
    this.gateway.closeAll();
    http?.close();
    http?.closeAllConnections();
    await this.#core.shards.close();
    await opened.store.close();
  }
}

interface Servers {
  opened: OpenedStore;
  tcp: TcpServer;
  http: HttpServer | undefined;
}

/** Everything between the listeners and the store. */
interface Core {
  gateway: Gateway;
  shards: Shards;
  image: MetadataImage;
}

interface CoreOptions {
  kernels: Kernels;
  onWarning: (message: string) => void;
  kafka: Listening;
  options: BrokerOptions;
}

function startCore(
  { store, identity }: OpenedStore,
  { kernels, onWarning, kafka, options }: CoreOptions,
): Core {
  const image = new MetadataImage({ clusterId: identity.clusterId, controllerId: identity.nodeId });
  const staticConfigs = staticSettings(identity.nodeId, kafka, options);
  const specs = new ShardSpecs({ image, identity, staticConfigs, random: nodeRandom, endpoint: kafka });
  const reply = (answer: ShardReply) => gateway.receive(answer);
  const parts = { store, kernels, codecs: nodeCodecs(), clock: nodeClock, onWarning, reply };
  const shards = new Shards(parts, (id) => specs.specOf(id));
  specs.onMetadata = (records) => follow(records, { image, shards, onWarning });
  const gateway = new Gateway({
    link: shards,
    clock: nodeClock,
    limits: DEFAULT_GATEWAY_LIMITS,
    image,
    config: {
      nodeId: identity.nodeId,
      autoCreateTopicsEnable: staticConfigs.get('auto.create.topics.enable') !== 'false',
      staticConfigs,
    },
  });
  return { gateway, shards, image };
}

/** What the node was started with, as server.properties would say it. @throws KafkaError for a bad value. */
function staticSettings(
  nodeId: number,
  kafka: Listening,
  options: BrokerOptions,
): ReadonlyMap<string, string> {
  const settings = new Map([
    ['node.id', String(nodeId)],
    ['broker.id', String(nodeId)],
    ['process.roles', 'broker,controller'],
    ['listeners', `PLAINTEXT://${kafka.host}:${kafka.port}`],
    ['log.dirs', options.directory ?? ''],
    ...(options.settings ?? []),
  ]);
  checkBrokerConfigs(settings);
  return settings;
}

/** Keeps this node's view of the metadata, and lets go of what was deleted. */
function follow(
  records: readonly MachineRecord[],
  {
    image,
    shards,
    onWarning,
  }: { image: MetadataImage; shards: Shards; onWarning: (message: string) => void },
): void {
  for (const { value } of records) {
    const record = value === null ? undefined : decodeMetadataRecord(value);
    if (record === undefined) continue;
    image.apply(record);
    if (record.type !== 'removeTopic') continue;
    shards
      .dropTopic(record.topicId)
      .catch((error) => onWarning(`topic ${record.topicId} not removed: ${error}`));
  }
}

/** Nothing can be served before the metadata log is loaded and this node's registration is in it. */
async function openMetadata(shards: Shards): Promise<void> {
  const shard = shards.get(METADATA_SHARD);
  await shard?.open();
  await shard?.settled();
  if (shard?.state !== 'open')
    throw new Error('The metadata log could not be opened; the warning above says why.');
}

function listen(server: TcpServer | HttpServer, host: string, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, backlog: 1024 }, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo;
      resolve({ host: address.address, port: address.port });
    });
  });
}
