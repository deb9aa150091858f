import { Gateway, type LogDir } from '../gateway/gateway.ts';
import type { AuditLevel } from '../gateway/audit/audit-log.ts';
import { ClientTelemetry } from '../gateway/telemetry/client-telemetry.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { brokerConfigNumber, type ConfigLayers } from '../metadata/configs/effective.ts';
import { type EndpointImage, MetadataImage } from '../metadata/image.ts';
import { decodeMetadataRecord } from '../metadata/records.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from '../model/limits.ts';
import { TRANSACTION_STATE_TOPIC } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cryptography } from '../ports/cryptography.ts';
import type { Log, LogFields } from '../ports/log.ts';
import type { LogStore } from '../ports/log-store.ts';
import type { Random } from '../ports/random.ts';
import { METADATA_SHARD, type ShardLink, type ShardReply, txnShard } from '../ports/shard-link.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { TelemetryReceiver } from '../ports/telemetry.ts';
import type { Codecs } from '../records/codecs.ts';
import type { VerifyToken } from '../sasl/oauth-bearer-server.ts';
import type { Identity } from '../segments/data-directory.ts';
import { type CleanerConfig, LogCleaner } from '../shard/log-cleaner.ts';
import { LogManager } from '../shard/log-manager.ts';
import type { ShardMeter } from '../shard/shard-spec.ts';
import { Shards } from '../shard/shards.ts';
import { connectionBoundsOf, quotaWindowsOf } from './quotas.ts';
import { authorizerOf, loginsOf } from './security.ts';
import { type Listening, type Spec, ShardSpecs } from './specs.ts';

/** What a home gives the core. */
export interface CoreParts {
  store: LogStore;
  identity: Identity;
  kernels: Kernels;
  codecs: Codecs;
  clock: Clock;
  random: Random;
  /** The listeners, as clients find them. */
  endpoints: readonly EndpointImage[];
  /** What clients are told instead (advertised.listeners); undefined tells each the address it came in on. */
  advertised?: Listening | undefined;
  /** Broker settings by Kafka's names. */
  staticConfigs: ReadonlyMap<string, string>;
  /** Where the logs are; left out, in memory. */
  logDir?: LogDir | undefined;
  /** Bounds on what clients can make it hold that have no name in Kafka, where they are not the usual ones. */
  limits?: Partial<GatewayLimits> | undefined;
  /** What the shards take in and write, if anyone counts it. */
  meter?: ShardMeter;
  /** For clients who say who they are; left out, nobody can. */
  cryptography?: Cryptography | undefined;
  /** Who a token of OAUTHBEARER speaks for; left out, none is taken. */
  verifyToken?: VerifyToken | undefined;
  onWarning: (message: string, about?: LogFields) => void;
  /** Where gateway and groups tell what they do; left out, they are silent. */
  log?: Log | undefined;
  /** Where metrics of clients go (KIP-714); left out, they are not asked for. */
  telemetry?: TelemetryReceiver | undefined;
  /** Where spans of requests go; left out, there are none. */
  tracing?: Tracing | undefined;
  /** Which admin actions are logged; none unless given. */
  audit?: AuditLevel | undefined;
  /** A home's own view of what a shard is; left out, metadata alone says it. */
  adjust?: (spec: Spec) => Spec;
}

/** Everything between the listeners and the store. */
export interface Core {
  gateway: Gateway;
  shards: Shards;
  /** Committed metadata. */
  image: MetadataImage;
  /** Looks after the logs, once it is started. */
  logManager: LogManager;
  cleaner: LogCleaner;
}

/** What tools are told of a broker that has no directory. */
const IN_MEMORY: LogDir = { path: 'memory' };

/** What serves: a home may have it elsewhere than its gateways. */
export type Backend = Omit<Core, 'gateway'>;

export interface BackendParts extends Omit<CoreParts, 'limits' | 'logDir' | 'cryptography' | 'verifyToken'> {
  /** Answers to whoever is none of these shards. */
  reply: (answer: ShardReply) => void;
  /** Where shards ask shards; left out, all of them are here. What is answered comes back to `Shards.answered`. */
  others?: Pick<ShardLink, 'request'> | undefined;
}

/** What a gateway wants beside its home's settings: shards, wherever they are, and what is committed metadata there. */
export interface Frontend {
  link: ShardLink;
  image: MetadataImage;
}

export type FrontendParts = Omit<CoreParts, 'store' | 'endpoints' | 'meter' | 'onWarning' | 'adjust'>;

/** Puts gateway, shards and metadata together. Nothing is open yet: see {@link openMetadata}. */
export function startCore(parts: CoreParts): Core {
  const backend = startShards({ ...parts, reply: (answer) => gateway.receive(answer) });
  const gateway = startGateway(parts, { link: backend.shards, image: backend.image });
  return { ...backend, gateway };
}

/** Shards, and who looks after their logs. */
export function startShards(parts: BackendParts): Backend {
  const { store, identity, kernels, codecs, clock, random, staticConfigs, onWarning, meter } = parts;
  const { advertised, log, reply, others } = parts;
  const image = new MetadataImage({ clusterId: identity.clusterId, controllerId: identity.nodeId });
  const endpoints = parts.endpoints.map((endpoint) => ({ ...endpoint, ...advertised }));
  const specs = new ShardSpecs({ image, identity, staticConfigs, random, endpoints, log });
  const adjust = parts.adjust ?? ((spec) => spec);
  const shards = new Shards({ store, kernels, codecs, clock, onWarning, reply, meter, others }, (id) => {
    const spec = specs.specOf(id);
    return spec && adjust(spec);
  });
  specs.onMetadata = (records) => follow(records, { image, shards, onWarning });
  const layers = { image, nodeId: identity.nodeId, staticConfigs };
  const retentionCheckIntervalMs = brokerConfigNumber(layers, 'log.retention.check.interval.ms');
  const cleaning = { shards, store, kernels, codecs, clock, random, onWarning };
  const cleaner = new LogCleaner({ ...cleaning, config: () => cleanerConfigOf(layers) });
  const isCleaned = staticConfigs.get('log.cleaner.enable') !== 'false';
  const logManager = new LogManager({
    shards,
    store,
    clock,
    retentionCheckIntervalMs,
    cleaner: isCleaned ? cleaner : undefined,
  });
  return { shards, image, logManager, cleaner };
}

/** A gateway to shards. */
export function startGateway(parts: FrontendParts, { link, image }: Frontend): Gateway {
  const { identity, kernels, codecs, clock, random, staticConfigs, advertised, log } = parts;
  const layers = { image, nodeId: identity.nodeId, staticConfigs };
  const named = limitsOf(layers);
  return new Gateway({
    link,
    clock,
    random,
    limits: { ...DEFAULT_GATEWAY_LIMITS, ...named, ...parts.limits },
    log,
    audit: parts.audit,
    tracing: parts.tracing,
    image,
    logins: loginsOf(parts, layers),
    authorizer: authorizerOf(image, staticConfigs),
    recordTools: { kernels, codecs },
    quotaWindows: quotaWindowsOf(layers),
    connectionBounds: connectionBoundsOf(layers),
    telemetry: parts.telemetry && clientTelemetry(parts.telemetry, layers, random),
    config: {
      nodeId: identity.nodeId,
      numPartitions: () => brokerConfigNumber(layers, 'num.partitions'),
      autoCreateTopicsEnable: staticConfigs.get('auto.create.topics.enable') !== 'false',
      logDir: parts.logDir ?? IN_MEMORY,
      staticConfigs,
      advertised,
    },
  });
}

function clientTelemetry(receiver: TelemetryReceiver, layers: ConfigLayers, random: Random): ClientTelemetry {
  const maxBytes = brokerConfigNumber(layers, 'telemetry.max.bytes');
  return new ClientTelemetry(layers.image, { receiver, maxBytes, random });
}

/** Bounds by their names in Kafka. */
function limitsOf(layers: ConfigLayers): Partial<GatewayLimits> {
  return {
    requestMaxBytes: brokerConfigNumber(layers, 'socket.request.max.bytes'),
    fetchMaxBytes: brokerConfigNumber(layers, 'fetch.max.bytes'),
    connectionsMaxIdleMs: brokerConfigNumber(layers, 'connections.max.idle.ms'),
    shareSessionsMax: brokerConfigNumber(layers, 'group.share.max.share.sessions'),
    fetchSessionsMax: brokerConfigNumber(layers, 'max.incremental.fetch.session.cache.slots'),
  };
}

function cleanerConfigOf(layers: ConfigLayers): CleanerConfig {
  const setting = (name: string) => brokerConfigNumber(layers, `log.cleaner.${name}`);
  return {
    dedupeBufferBytes: setting('dedupe.buffer.size'),
    ioBufferLoadFactor: setting('io.buffer.load.factor'),
    ioBufferBytes: setting('io.buffer.size'),
    ioMaxBytesPerSecond: setting('io.max.bytes.per.second'),
    backoffMs: setting('backoff.ms'),
  };
}

/** The metadata log cannot be served: without it no topic is known. */
export class MetadataNotServed extends Error {
  override name = 'MetadataNotServed';
}

/**
 * Nothing can be served before the metadata log is loaded and this node's registration is in it. Coordinators of
 * transactions then go on by themselves: readers wait for what they have left undone.
 * @throws {MetadataNotServed} if not.
 */
export async function openMetadata({ shards, image }: Pick<Core, 'shards' | 'image'>): Promise<void> {
  const shard = shards.get(METADATA_SHARD);
  await shard?.open();
  await shard?.settled();
  if (shard?.state !== 'open')
    throw new MetadataNotServed(`the metadata log could not be opened: ${shard?.failure}`);
  const topic = image.topic(TRANSACTION_STATE_TOPIC);
  for (const { index } of topic?.partitions ?? []) void shards.openStored(txnShard(index));
}

/** Keeps this node's view of the metadata, and lets go of what was deleted. */
function follow(
  records: Iterable<MachineRecord>,
  { image, shards, onWarning }: Pick<Core, 'image' | 'shards'> & Pick<CoreParts, 'onWarning'>,
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
