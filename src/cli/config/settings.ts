import { BROKER_CONFIGS, brokerConfigDefinition } from '../../metadata/configs/broker-configs.ts';
import type { ConfigDefinition } from '../../metadata/configs/definitions.ts';
import { TOPIC_CONFIGS } from '../../metadata/configs/topic-configs.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from '../../model/limits.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../../hosts/node/logger.ts';

/** Bounds on what clients can make a node hold (src/model/limits.ts) that have no name in Kafka. */
const LIMITS = {
  'milena.connection.unread.bytes.min': 'connectionUnreadBytesMin',
  'milena.fetch.session.bytes.max': 'fetchSessionBytesMax',
  'milena.inflight.bytes.max': 'inFlightBytesMax',
  'milena.inflight.requests.max': 'inFlightRequestsMax',
  'milena.parked.fetches.max': 'parkedFetchesMax',
  'milena.unfinished.bytes.max': 'unfinishedBytesMax',
  'milena.unread.bytes.max': 'unreadBytesMax',
} as const satisfies Readonly<Record<string, keyof GatewayLimits>>;

const LIMIT_DOCUMENTATION: Readonly<Record<(typeof LIMITS)[keyof typeof LIMITS], string>> = {
  connectionUnreadBytesMin: 'Of the unread bytes each connection may have so many, whatever the others hold.',
  fetchSessionBytesMax: 'Memory for what all fetch sessions remember, by estimate.',
  inFlightBytesMax: 'Bytes of what a connection has in work; beyond it its socket is not read.',
  inFlightRequestsMax: 'Requests that a connection has in work; beyond it its socket is not read.',
  parkedFetchesMax: 'Fetches that are kept for clients which do not wait just now, over all connections.',
  unfinishedBytesMax:
    'Bytes of requests that are half here, over all connections; the one that exceeds it is closed.',
  unreadBytesMax: 'Bytes that were read for clients which have not taken them yet, over all connections.',
};

/** @param valueOf a setting as given, else its default. */
export function limitsFrom(valueOf: (name: string) => string): Partial<GatewayLimits> {
  return Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [limit, Number(valueOf(name))]));
}

/** What Kafka has no name for. */
const OWN: readonly ConfigDefinition[] = [
  own('milena.flush', {
    defaultValue: 'always',
    rule: 'always|never',
    documentation: 'What an ack means: flushed to disk, or handed to the operating system.',
  }),
  own('milena.http.allowed.origins', {
    defaultValue: '',
    documentation: 'Origins of web pages that may use the broker; * is any.',
  }),
  own('milena.http.listener', {
    defaultValue: '127.0.0.1:9094',
    documentation: 'Where WebSockets, /metrics, /livez and /readyz are; none for nowhere.',
  }),
  own('milena.log.format', {
    defaultValue: 'auto',
    rule: LOG_FORMATS.join('|'),
    documentation: 'How a line of the log looks; auto is pretty on a terminal, else json.',
  }),
  own('milena.log.level', {
    defaultValue: 'info',
    rule: LOG_LEVELS.join('|'),
    documentation: 'The least that is logged.',
  }),
  own('milena.shutdown.timeout.ms', {
    type: 'int',
    defaultValue: '10000',
    rule: '>=0',
    documentation: 'How long a stop waits for what is being worked on.',
  }),
  ...Object.entries(LIMITS).map(([name, limit]) =>
    own(name, {
      type: 'long',
      defaultValue: String(DEFAULT_GATEWAY_LIMITS[limit]),
      rule: '>=1',
      documentation: LIMIT_DOCUMENTATION[limit],
    }),
  ),
];

function own(
  name: string,
  {
    type = 'string',
    defaultValue,
    rule = '',
    documentation,
  }: { type?: 'string' | 'int' | 'long'; defaultValue: string; rule?: string; documentation: string },
): ConfigDefinition {
  return { name, type, defaultValue, rule, dynamic: false, documentation };
}

/** Kafka's settings that do here what they do there. */
const HONOURED: ReadonlySet<string> = new Set([
  'advertised.listeners',
  'auto.create.topics.enable',
  'compression.type',
  'connections.max.idle.ms',
  'controller.listener.names',
  'delete.topic.enable',
  'fetch.max.bytes',
  'group.initial.rebalance.delay.ms',
  'group.max.session.timeout.ms',
  'group.max.size',
  'group.min.session.timeout.ms',
  'listener.security.protocol.map',
  'listeners',
  'log.dirs',
  'log.index.size.max.bytes',
  'log.message.timestamp.after.max.ms',
  'log.message.timestamp.before.max.ms',
  'log.message.timestamp.type',
  'log.roll.hours',
  'log.roll.ms',
  'log.segment.bytes',
  'max.incremental.fetch.session.cache.slots',
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
  'socket.request.max.bytes',
]);

/** Defaults of ours where Kafka's would not do: reachable from elsewhere only when asked to be. */
const OUR_DEFAULTS: Readonly<Record<string, string | null>> = {
  listeners: 'PLAINTEXT://127.0.0.1:9092',
  'node.id': '1',
  'log.dirs': null,
};

/** What a start obeys, ascending by name. */
export const SETTINGS: readonly ConfigDefinition[] = [
  ...OWN,
  ...BROKER_CONFIGS.filter(({ name }) => HONOURED.has(name)).map((definition) =>
    Object.hasOwn(OUR_DEFAULTS, definition.name)
      ? { ...definition, defaultValue: OUR_DEFAULTS[definition.name] ?? null }
      : definition,
  ),
].toSorted((a, b) => (a.name < b.name ? -1 : 1));

const BY_NAME: ReadonlyMap<string, ConfigDefinition> = new Map(SETTINGS.map((each) => [each.name, each]));

/** Every name a file may hold, whether or not it does anything. */
export const KNOWN_NAMES: readonly string[] = [
  ...OWN.map(({ name }) => name),
  ...BROKER_CONFIGS.map(({ name }) => name),
];

export function settingOf(name: string): ConfigDefinition | undefined {
  return BY_NAME.get(name) ?? brokerConfigDefinition(name);
}

/** `num.partitions` is MILENA_NUM_PARTITIONS, and `milena.flush` MILENA_FLUSH: one name each. */
export function environmentName(name: string): string {
  return `MILENA_${name
    .replace(/^milena\./, '')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

/** The broker's setting behind one of topics, which alone cannot stand in a node's file. */
export function brokerNameOfTopicSetting(name: string): string | undefined {
  return TOPIC_CONFIGS.find((topic) => topic.name === name)?.synonym;
}

/** What becomes of a setting of Kafka's. */
export type Verdict =
  | { type: 'honoured' }
  /** It stays without effect, and we say so. */
  | { type: 'inert'; why: string }
  /** Someone counts on it, so it must not be passed over. */
  | { type: 'refused'; why: string };

const HONOURED_VERDICT: Verdict = { type: 'honoured' };

interface Exception {
  names: RegExp;
  /** Values that ask for what is so anyway. */
  fits?: (value: string) => boolean;
  type: 'inert' | 'refused';
  why: string;
}

const isOne = (value: string) => value === '1';

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
    names:
      /^(ssl|sasl|delegation\.token|security)\.|^authorizer\.|^principal\.|^connections\.max\.reauth|^early\./,
    type: 'refused',
    why: 'there is no TLS, login or access control: whoever reaches the port may do all. Keep the port private',
  },
  {
    names: /\.class(\.name|\.path)?$|\.reporters$|^config\.providers$/,
    type: 'refused',
    why: 'it names Java classes, which do not run here',
  },
  { names: /^remote\.|^log\.local\./, type: 'refused', why: 'there is no tiered storage' },
  {
    names: /^(max\.connection|queued\.max\.|quota\.|controller\.quota\.|replication\.quota\.)/,
    type: 'inert',
    why: 'it is not enforced; the bounds there are begin with milena.',
  },
  {
    names: /^log\.(retention\.|cleaner\.|cleanup\.)/,
    type: 'inert',
    why: 'topics show it, and nothing is removed or compacted yet: a log grows until its topic is deleted',
  },
  { names: /^log\.flush\./, type: 'inert', why: 'milena.flush decides when an ack is sent' },
  { names: /^(transaction|transactional)\./, type: 'inert', why: 'there are no transactions yet' },
  {
    names: /^group\.(consumer|share|streams)\.|^share\./,
    type: 'inert',
    why: 'only classic groups are served',
  },
  {
    names: /^(controller|broker|replica|metadata|leader|follower|inter\.broker)\./,
    type: 'inert',
    why: 'there is one node',
  },
  { names: /threads$|\.threads\./, type: 'inert', why: 'a node works on one thread' },
];

/** @param value as given, checked against its definition. */
export function verdictOf(name: string, value: string): Verdict {
  if (BY_NAME.has(name)) return HONOURED_VERDICT;
  const exception = EXCEPTIONS.find(({ names }) => names.test(name));
  if (exception === undefined) return { type: 'inert', why: 'nothing here depends on it' };
  const { type, why, fits } = exception;
  const asksNothing = fits?.(value) ?? value === (brokerConfigDefinition(name)?.defaultValue ?? '');
  return type === 'refused' && asksNothing ? HONOURED_VERDICT : { type, why };
}
