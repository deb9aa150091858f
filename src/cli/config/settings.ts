import { BROKER_CONFIGS, brokerConfigDefinition } from '../../metadata/configs/broker-configs.ts';
import type { ConfigDefinition } from '../../metadata/configs/definitions.ts';
import { TOPIC_CONFIGS } from '../../metadata/configs/topic-configs.ts';
import { brokerVerdict, isHonoured, type Verdict } from '../../metadata/configs/verdicts.ts';
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

/** What Kafka's authoriser is told, which is none of Kafka's own settings. */
const OF_AUTHORIZER: readonly ConfigDefinition[] = [
  own('allow.everyone.if.no.acl.found', {
    type: 'boolean',
    defaultValue: 'false',
    documentation: 'With an authorizer: what no ACL speaks of, all may.',
  }),
  own('super.users', {
    defaultValue: '',
    documentation: 'With an authorizer: who may all, as User:admin;User:ops.',
  }),
];

/** What Kafka has no name for. */
const OWN: readonly ConfigDefinition[] = [
  own('milena.audit', {
    defaultValue: 'denied',
    rule: 'all|denied|none',
    documentation: 'Which admin actions are logged, each with who, from where, what, and what came of it.',
  }),
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
  own('milena.telemetry.otlp.endpoint', {
    defaultValue: '',
    documentation:
      'Where metrics that clients push go, by OTLP/HTTP (KIP-714); without one they are not asked for.',
  }),
  own('milena.ticket.lifetime.ms', {
    type: 'int',
    defaultValue: '300000',
    rule: '>=0',
    documentation: 'The longest that a ticket of POST /ticket is good for; 0 gives none.',
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
  }: {
    type?: 'string' | 'boolean' | 'int' | 'long';
    defaultValue: string;
    rule?: string;
    documentation: string;
  },
): ConfigDefinition {
  return { name, type, defaultValue, rule, dynamic: false, documentation };
}

/** Defaults of ours where Kafka's would not do: reachable from elsewhere only when asked to be. */
const OUR_DEFAULTS: Readonly<Record<string, string | null>> = {
  listeners: 'PLAINTEXT://127.0.0.1:9092',
  'node.id': '1',
  'log.dirs': null,
};

/** What a start obeys, ascending by name. */
export const SETTINGS: readonly ConfigDefinition[] = [
  ...OWN,
  ...OF_AUTHORIZER,
  ...BROKER_CONFIGS.filter(({ name }) => isHonoured(name)).map((definition) =>
    Object.hasOwn(OUR_DEFAULTS, definition.name)
      ? { ...definition, defaultValue: OUR_DEFAULTS[definition.name] ?? null }
      : definition,
  ),
].toSorted((a, b) => (a.name < b.name ? -1 : 1));

const BY_NAME: ReadonlyMap<string, ConfigDefinition> = new Map(SETTINGS.map((each) => [each.name, each]));

/** Every name a file may hold, whether or not it does anything. */
export const KNOWN_NAMES: readonly string[] = [
  ...[...OWN, ...OF_AUTHORIZER].map(({ name }) => name),
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

/** @param value as given, checked against its definition. */
export function verdictOf(name: string, value: string): Verdict {
  return BY_NAME.has(name) ? { type: 'honoured' } : brokerVerdict(name, value);
}
