/**
 * What each of Kafka's settings does on a node of its own: `docs/reference/configs.md` is made from these tables.
 */
import { brokerConfigDefinition } from './broker-configs.ts';
import { topicConfigDefinition, type TopicConfigName } from './topic-configs.ts';

/** What becomes of a setting of Kafka's. */
export type Verdict =
  /** It does what it does in Kafka; `how` says what is not obvious. */
  | { type: 'honoured'; how?: string }
  /** It stays without effect, and we say so. */
  | { type: 'inert'; why: string }
  /** Someone counts on it, so it must not be passed over. */
  | { type: 'refused'; why: string };

const HONOURED: Verdict = { type: 'honoured' };

/** What a home says of itself among its settings: each partition is an object; these may be held in a jurisdiction. */
export const ARE_OBJECTS = 'milena.objects';
export const KNOW_JURISDICTIONS = 'milena.objects.jurisdictions';

/** The broker's settings that do here what they do there. */
const HONOURED_OF_BROKER: ReadonlySet<string> = new Set([
  'advertised.listeners',
  'authorizer.class.name',
  'auto.create.topics.enable',
  'compression.gzip.level',
  'compression.type',
  'compression.zstd.level',
  'connection.failed.authentication.delay.ms',
  'connections.max.idle.ms',
  'connections.max.reauth.ms',
  'controller.listener.names',
  'controller.quota.window.num',
  'controller.quota.window.size.seconds',
  'delete.topic.enable',
  'fetch.max.bytes',
  'group.consumer.assignment.interval.ms',
  'group.consumer.assignors',
  'group.consumer.heartbeat.interval.ms',
  'group.consumer.max.assignment.interval.ms',
  'group.consumer.max.heartbeat.interval.ms',
  'group.consumer.max.session.timeout.ms',
  'group.consumer.max.size',
  'group.consumer.migration.policy',
  'group.consumer.min.assignment.interval.ms',
  'group.consumer.min.heartbeat.interval.ms',
  'group.consumer.min.session.timeout.ms',
  'group.consumer.session.timeout.ms',
  'group.initial.rebalance.delay.ms',
  'group.max.session.timeout.ms',
  'group.max.size',
  'group.min.session.timeout.ms',
  'group.share.assignment.interval.ms',
  'group.share.delivery.count.limit',
  'group.share.heartbeat.interval.ms',
  'group.share.max.assignment.interval.ms',
  'group.share.max.delivery.count.limit',
  'group.share.max.heartbeat.interval.ms',
  'group.share.max.partition.max.record.locks',
  'group.share.max.record.lock.duration.ms',
  'group.share.max.session.timeout.ms',
  'group.share.max.share.sessions',
  'group.share.max.size',
  'group.share.min.assignment.interval.ms',
  'group.share.min.delivery.count.limit',
  'group.share.min.heartbeat.interval.ms',
  'group.share.min.partition.max.record.locks',
  'group.share.min.record.lock.duration.ms',
  'group.share.min.session.timeout.ms',
  'group.share.partition.max.record.locks',
  'group.share.record.lock.duration.ms',
  'group.share.session.timeout.ms',
  'inter.broker.listener.name',
  'listener.security.protocol.map',
  'listeners',
  'log.cleaner.backoff.ms',
  'log.cleaner.dedupe.buffer.size',
  'log.cleaner.delete.retention.ms',
  'log.cleaner.enable',
  'log.cleaner.io.buffer.load.factor',
  'log.cleaner.io.buffer.size',
  'log.cleaner.io.max.bytes.per.second',
  'log.cleaner.max.compaction.lag.ms',
  'log.cleaner.min.cleanable.ratio',
  'log.cleaner.min.compaction.lag.ms',
  'log.cleanup.policy',
  'log.dirs',
  'log.index.size.max.bytes',
  'log.message.timestamp.after.max.ms',
  'log.message.timestamp.before.max.ms',
  'log.message.timestamp.type',
  'log.retention.bytes',
  'log.retention.check.interval.ms',
  'log.retention.hours',
  'log.retention.minutes',
  'log.retention.ms',
  'log.roll.hours',
  'log.roll.jitter.hours',
  'log.roll.jitter.ms',
  'log.roll.ms',
  'log.segment.bytes',
  'log.segment.delete.delay.ms',
  'max.connection.creation.rate',
  'max.connections',
  'max.connections.per.ip',
  'max.connections.per.ip.overrides',
  'max.incremental.fetch.session.cache.slots',
  'max.request.partition.size.limit',
  'message.max.bytes',
  'node.id',
  'num.partitions',
  'offset.metadata.max.bytes',
  'offsets.retention.check.interval.ms',
  'offsets.retention.minutes',
  'offsets.topic.num.partitions',
  'offsets.topic.replication.factor',
  'offsets.topic.segment.bytes',
  'producer.id.expiration.ms',
  'quota.window.num',
  'quota.window.size.seconds',
  'sasl.enabled.mechanisms',
  'sasl.oauthbearer.clock.skew.seconds',
  'sasl.oauthbearer.expected.audience',
  'sasl.oauthbearer.expected.issuer',
  'sasl.oauthbearer.jwks.endpoint.refresh.ms',
  'sasl.oauthbearer.jwks.endpoint.url',
  'sasl.oauthbearer.sub.claim.name',
  'sasl.server.max.receive.size',
  'share.coordinator.snapshot.update.records.per.snapshot',
  'share.coordinator.state.topic.min.isr',
  'share.coordinator.state.topic.num.partitions',
  'share.coordinator.state.topic.replication.factor',
  'share.coordinator.state.topic.segment.bytes',
  'socket.listen.backlog.size',
  'socket.request.max.bytes',
  'ssl.cipher.suites',
  'ssl.client.auth',
  'ssl.enabled.protocols',
  'ssl.key.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.keystore.type',
  'ssl.principal.mapping.rules',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.truststore.type',
  'telemetry.max.bytes',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms',
  'transaction.max.timeout.ms',
  'transaction.remove.expired.transaction.cleanup.interval.ms',
  'transaction.state.log.min.isr',
  'transaction.state.log.num.partitions',
  'transaction.state.log.replication.factor',
  'transaction.state.log.segment.bytes',
  'transactional.id.expiration.ms',
]);

/** Honoured, and bound to listeners that are open: a start reads them, a running node does not. */
const READ_AT_START =
  /^listeners$|^listener\.|^(ssl|sasl|authorizer)\.|^super\.|^allow\.everyone\.|^connections?\.(failed|max\.re)/;

interface Exception {
  names: RegExp;
  /** Values that ask for what is so anyway. */
  fits?: (value: string) => boolean;
  type: 'inert' | 'refused';
  why: string;
}

const isOne = (value: string) => value === '1';
const NOT_TIERED = 'there is no tiered storage';
const NO_STREAMS_GROUPS = 'streams groups are not served yet';

/** The first that fits a name counts. */
const EXCEPTIONS: readonly Exception[] = [
  {
    names: /^process\.roles$/,
    fits: (value) => /^(broker\s*,\s*controller|controller\s*,\s*broker)$/.test(value),
    type: 'refused',
    why: 'a node is broker and controller at once: process.roles=broker,controller',
  },
  { names: /^broker\.id$/, type: 'refused', why: 'write node.id instead' },
  { names: /^log\.dir$/, type: 'refused', why: 'write log.dirs instead' },
  {
    names: /^(default\.replication\.factor|min\.insync\.replicas)$/,
    fits: isOne,
    type: 'refused',
    why: 'there is one node, so records have one copy: only 1 can be kept',
  },
  {
    names: /^controller\.quorum\.(voters|bootstrap\.servers)$/,
    fits: (value) => value === '',
    type: 'inert',
    why: 'this node is its only controller',
  },
  {
    names: /^(ssl|sasl|delegation\.token|security)\.|^principal\.|^early\./,
    type: 'refused',
    why: 'of this nothing is kept to; see milena start --print-config for what is, of ssl. and sasl. too',
  },
  {
    names: /\.class(\.name|\.path)?$|\.reporters$|^config\.providers$/,
    type: 'refused',
    why: 'it names Java classes, which do not run here',
  },
  { names: /^remote\.|^log\.local\./, type: 'refused', why: NOT_TIERED },
  {
    names: /^(queued\.max\.|replication\.quota\.)/,
    type: 'inert',
    why: 'it is not enforced; the bounds there are begin with milena.',
  },
  { names: /^log\.flush\./, type: 'inert', why: 'milena.flush decides when an ack is sent' },
  { names: /^transaction\.two\./, type: 'inert', why: 'two-phase commits are not served' },
  { names: /^transaction\.partition\./, type: 'inert', why: 'it is always verified' },
  {
    names: /^group\.share\.assignors$/,
    type: 'inert',
    why: 'simple is the only one',
  },
  { names: /^group\.streams\./, type: 'inert', why: NO_STREAMS_GROUPS },
  {
    names: /^share\./,
    type: 'inert',
    why: 'share coordinators write at once, by the loop and the rounds of all others',
  },
  {
    names: /^(controller|broker|replica|metadata|leader|follower|inter\.broker)\.|^unclean\./,
    type: 'inert',
    why: 'there is one node',
  },
  { names: /threads$|\.threads\./, type: 'inert', why: 'a node works on one thread' },
];

/** Whether a start obeys it as Kafka does. */
export function isHonoured(name: string): boolean {
  return HONOURED_OF_BROKER.has(name);
}

/** @param value as given, checked against its definition. */
export function brokerVerdict(name: string, value: string): Verdict {
  if (HONOURED_OF_BROKER.has(name)) return HONOURED;
  const exception = EXCEPTIONS.find(({ names }) => names.test(name));
  if (exception === undefined) return { type: 'inert', why: 'nothing here depends on it' };
  const { type, why, fits } = exception;
  const asksNothing = fits?.(value) ?? value === (brokerConfigDefinition(name)?.defaultValue ?? '');
  return type === 'refused' && asksNothing ? HONOURED : { type, why };
}

/** Why a running node does not take a setting that Kafka would; undefined when it does. */
export function whyNotWhileRunning(name: string, value: string): string | undefined {
  if (READ_AT_START.test(name))
    return 'who comes in, and how, is read by a start: change the file, and start again';
  const verdict = brokerVerdict(name, value);
  return verdict.type === 'refused' ? verdict.why : undefined;
}

/** One of topics: what can be said whatever its value, and the values that are refused. */
interface OfTopics {
  verdict: Verdict;
  /** Unless left out all values are taken. */
  refuses?: { unless: (value: string, node: Node) => boolean; why: string };
}

interface Node {
  readonly staticConfigs: ReadonlyMap<string, string>;
}

const honoured = (how?: string): OfTopics => ({
  verdict: how === undefined ? HONOURED : { type: 'honoured', how },
});
const refused = (why: string): OfTopics => ({
  verdict: { type: 'refused', why },
  refuses: { unless: () => false, why },
});

/** Of no topic here, which is what Kafka does with it for one that is not tiered. */
const OF_TIERED = honoured('it says something of tiered topics alone, and there are none but on Cloudflare');
const TIERED: OfTopics = {
  verdict: { type: 'honoured', how: 'on Cloudflare, with a bucket of R2; refused elsewhere' },
  refuses: {
    unless: (value, { staticConfigs }) =>
      value.trim().toLowerCase() === 'false' ||
      staticConfigs.get('remote.log.storage.system.enable') === 'true',
    why: 'Tiered Storage functionality is disabled in the broker',
  },
};
const OF_OBJECTS: OfTopics = {
  verdict: {
    type: 'honoured',
    how: 'on Cloudflare and in workerd, where partitions are objects; refused elsewhere',
  },
  refuses: {
    unless: (_, { staticConfigs }) => staticConfigs.get(ARE_OBJECTS) === 'true',
    why: 'partitions are no objects here, but logs of this node, and are where it is',
  },
};
const OF_JURISDICTIONS: OfTopics = {
  verdict: {
    type: 'honoured',
    how: "on Cloudflare, from the topic's creation on; refused elsewhere, and later",
  },
  refuses: {
    unless: (_, { staticConfigs }) => staticConfigs.get(KNOW_JURISDICTIONS) === 'true',
    why: 'only Cloudflare keeps objects in a jurisdiction',
  },
};
const ONE_COPY = honoured('a partition has one replica, so there is nothing to replicate or throttle');
/** With `milena.flush=always` every ack has been flushed, which is more than is asked for. */
const FLUSHED: OfTopics = {
  verdict: {
    type: 'honoured',
    how: 'every ack is flushed (milena.flush=always), which is more; refused with never',
  },
  refuses: {
    unless: (_, { staticConfigs }) => staticConfigs.get('milena.flush') !== 'never',
    why: 'this node leaves flushing to the operating system (milena.flush=never)',
  },
};

const TOPIC_VERDICTS: Readonly<Record<TopicConfigName, OfTopics>> = {
  'cleanup.policy': honoured('both at once, too; a compact topic refuses records without a key'),
  'compression.gzip.level': honoured(),
  'compression.lz4.level': refused('lz4 is packed with one effort here'),
  'compression.type': honoured(),
  'compression.zstd.level': honoured(),
  'delete.retention.ms': honoured(),
  'file.delete.delay.ms': honoured(),
  'flush.messages': FLUSHED,
  'flush.ms': FLUSHED,
  'follower.replication.throttled.replicas': ONE_COPY,
  'index.interval.bytes': refused('indexes have an entry every 4096 bytes here'),
  'leader.replication.throttled.replicas': ONE_COPY,
  'local.retention.bytes': OF_TIERED,
  'local.retention.ms': OF_TIERED,
  'max.compaction.lag.ms': honoured(),
  'max.message.bytes': honoured(),
  'message.timestamp.after.max.ms': honoured(),
  'message.timestamp.before.max.ms': honoured(),
  'message.timestamp.type': honoured(),
  'milena.jurisdiction': OF_JURISDICTIONS,
  'milena.location.hint': OF_OBJECTS,
  'min.cleanable.dirty.ratio': honoured(),
  'min.compaction.lag.ms': honoured(),
  'min.insync.replicas': honoured(
    'above 1, the replicas there are, a write with acks=all is refused (19), as by Kafka',
  ),
  preallocate: refused('files are not reserved in advance here'),
  'remote.log.copy.disable': OF_TIERED,
  'remote.log.delete.on.disable': OF_TIERED,
  'remote.storage.enable': TIERED,
  'retention.bytes': honoured(),
  'retention.ms': honoured(),
  'segment.bytes': honoured(),
  'segment.index.bytes': honoured(),
  'segment.jitter.ms': honoured(),
  'segment.ms': honoured(),
  'unclean.leader.election.enable': honoured('the one replica is in sync, so no other is ever elected'),
};

export function topicVerdict(name: TopicConfigName): Verdict {
  return TOPIC_VERDICTS[name].verdict;
}

/** One of a group's own, whatever its value. */
export function groupVerdict(name: string): Verdict {
  return name.startsWith('streams.') ? { type: 'inert', why: NO_STREAMS_GROUPS } : HONOURED;
}

/** Why a topic cannot have it; undefined when it can. @param value as given, checked against its definition. */
export function whyNotOnTopic(name: string, value: string, node: Node): string | undefined {
  const definition = topicConfigDefinition(name);
  const refuses = definition && TOPIC_VERDICTS[definition.name].refuses;
  if (refuses === undefined || value.trim().toLowerCase() === definition?.defaultValue) return undefined;
  return refuses.unless(value, node) ? undefined : refuses.why;
}
