import { ErrorCode } from '../../model/errors.ts';
import { describeConfigsApi, type DescribeConfigsResponse } from '../../wire/apis/32-describe-configs.ts';
import { incrementalAlterConfigsApi } from '../../wire/apis/44-incremental-alter-configs.ts';
import { listConfigResourcesApi } from '../../wire/apis/74-list-config-resources.ts';
import { BrokerError, invalidArgument } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { type AnyTopic, nameOf } from '../topics/topic.ts';
import { type AdminOptions, type Asking, unknownTopic } from './asking.ts';

const DESCRIBE_VERSIONS = { min: 1, max: 4 };
const ALTER_VERSIONS = { min: 0, max: 1 };
/** v0 knew client metrics alone. */
const LIST_VERSIONS = { min: 1, max: 1 };

/** What has settings. A broker `default` stands for what is set for all brokers. */
export type ConfigResource =
  | { readonly topic: AnyTopic }
  | { readonly broker: number | 'default' }
  | { readonly group: string }
  /** A subscription of KIP-714, by its name. */
  | { readonly clientMetrics: string };

export type ConfigValue = string | number | boolean;

/** A value; null for the one it had before anybody set it; or an item more or less of a list. */
export type ConfigChange =
  | ConfigValue
  | null
  | { readonly append: ConfigValue }
  | { readonly subtract: ConfigValue };

const SOURCES = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'DYNAMIC_CLIENT_METRICS_CONFIG',
  'DYNAMIC_GROUP_CONFIG',
] as const;

/** Who set a value, in Kafka's words. */
export type ConfigSource = (typeof SOURCES)[number];

const TYPES = [
  'UNKNOWN',
  'BOOLEAN',
  'STRING',
  'INT',
  'SHORT',
  'LONG',
  'DOUBLE',
  'LIST',
  'CLASS',
  'PASSWORD',
] as const;

export type ConfigType = (typeof TYPES)[number];

export interface ConfigEntry {
  name: string;
  /** Null also where it is a secret. */
  value: string | null;
  source: ConfigSource;
  /** What Kafka has for it if nobody sets anything: maybe by another name, in other units. Undefined if not said. */
  byDefault: { name: string; value: string | null } | undefined;
  isDefault: boolean;
  isReadOnly: boolean;
  isSensitive: boolean;
  type: ConfigType;
  /** All that say something of it, the strongest first, which is the value. */
  synonyms: { name: string; value: string | null; source: ConfigSource }[];
  /** Only if asked for. */
  documentation: string | null;
}

const RESOURCE_TYPE = { topic: 2, broker: 4, clientMetrics: 16, group: 32 } as const;

/** Kinds of what has settings. */
export type ConfigResourceKind = keyof typeof RESOURCE_TYPE;
const OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

/** Settings: `client.admin.configs`. */
export class ConfigsAdmin {
  readonly #asking: Asking;

  /** @internal */
  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /**
   * Settings by name, with where they come from.
   * @param options.names only these; all unless given.
   * @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION
   */
  async describe(
    resource: ConfigResource,
    {
      names,
      documentation = false,
      signal,
    }: AdminOptions & { names?: readonly string[]; documentation?: boolean } = {},
  ): Promise<ConfigEntry[]> {
    const { resourceType, resourceName } = idOf(resource);
    const configurationKeys = names === undefined ? null : [...names];
    const request = {
      resources: [{ resourceType, resourceName, configurationKeys }],
      includeSynonyms: true,
      includeDocumentation: documentation,
    };
    const { configs } = await this.#asking.try(
      async () => {
        const broker = await this.#brokerOf(resource, signal);
        const answer = await broker.request(describeConfigsApi, DESCRIBE_VERSIONS, request, { signal });
        return checked(answer.results[0], resource);
      },
      { signal },
    );
    return configs.map(entryOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Changes single settings; the others stay as they are.
   * @param options.dryRun only asks whether it could be done.
   * @throws BrokerError INVALID_CONFIG; UNSUPPORTED_VERSION where the broker cannot do it.
   */
  async alter(
    resource: ConfigResource,
    changes: Readonly<Record<string, ConfigChange>>,
    { dryRun = false, signal }: AdminOptions & { dryRun?: boolean } = {},
  ): Promise<void> {
    const configs = Object.entries(changes).map(([name, change]) => ({ name, ...operationOf(change) }));
    if (configs.length === 0) throw invalidArgument('no setting is named');
    const request = { resources: [{ ...idOf(resource), configs }], validateOnly: dryRun };
    await this.#asking.try(
      async () => {
        const broker = await this.#brokerOf(resource, signal);
        const answer = await broker.request(incrementalAlterConfigsApi, ALTER_VERSIONS, request, { signal });
        checked(answer.responses[0], resource);
      },
      { signal },
    );
  }

  /** Sets those that differ. @returns whether there were any. */
  async ensure(
    resource: ConfigResource,
    wanted: Readonly<Record<string, ConfigValue>>,
    { signal }: AdminOptions = {},
  ): Promise<boolean> {
    const names = Object.keys(wanted);
    if (names.length === 0) return false;
    const entries = await this.describe(resource, { names, signal });
    const now = new Map(entries.map(({ name, value }) => [name, value]));
    const differing = Object.entries(wanted).filter(([name, value]) => now.get(name) !== textOf(value));
    if (differing.length === 0) return false;
    await this.alter(resource, Object.fromEntries(differing), { signal });
    return true;
  }

  /**
   * What has settings, by kind and name: topics and brokers that are there, groups and client metrics on which
   * something is set.
   * @throws BrokerError UNSUPPORTED_VERSION before Kafka 4.1
   */
  async resources({
    kinds = ['topic', 'broker', 'group', 'clientMetrics'],
    signal,
  }: AdminOptions & { kinds?: readonly ConfigResourceKind[] } = {}): Promise<
    { kind: ConfigResourceKind; name: string }[]
  > {
    const kindOf = new Map(kinds.map((kind) => [RESOURCE_TYPE[kind] as number, kind]));
    const request = { resourceTypes: [...kindOf.keys()] };
    const found = await this.#asking.try(
      async () => {
        const broker = await this.#asking.controller({ signal });
        const answer = await broker.request(listConfigResourcesApi, LIST_VERSIONS, request, { signal });
        if (answer.errorCode !== ErrorCode.NONE) throw new BrokerError(answer.errorCode, 'settings');
        return answer.configResources;
      },
      { signal },
    );
    return found
      .flatMap(({ resourceType, resourceName: name }) => {
        const kind = kindOf.get(resourceType);
        return kind === undefined ? [] : [{ kind, name }];
      })
      .sort((a, b) => (a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind < b.kind ? -1 : 1));
  }

  /** Of one broker it alone knows; all else any broker does, or hands on. */
  #brokerOf(resource: ConfigResource, signal: AbortSignal | undefined): Promise<Exchange> {
    if ('broker' in resource && resource.broker !== 'default')
      return this.#asking.cluster.broker(resource.broker);
    return this.#asking.controller({ signal });
  }
}

/** As the wire has it. */
export function textOf(value: ConfigValue): string {
  return String(value);
}

function idOf(resource: ConfigResource): { resourceType: number; resourceName: string } {
  if ('topic' in resource) return { resourceType: RESOURCE_TYPE.topic, resourceName: nameOf(resource.topic) };
  if ('group' in resource) return { resourceType: RESOURCE_TYPE.group, resourceName: resource.group };
  if ('clientMetrics' in resource)
    return { resourceType: RESOURCE_TYPE.clientMetrics, resourceName: resource.clientMetrics };
  const resourceName = resource.broker === 'default' ? '' : String(resource.broker);
  return { resourceType: RESOURCE_TYPE.broker, resourceName };
}

function titleOf(resource: ConfigResource): string {
  if ('topic' in resource) return nameOf(resource.topic);
  if ('clientMetrics' in resource) return `client metrics ${resource.clientMetrics}`;
  return 'group' in resource ? `group ${resource.group}` : `broker ${resource.broker}`;
}

/** A topic that is not there will not come. @throws MilenaError */
function checked<T extends { errorCode: number; errorMessage: string | null }>(
  answer: T | undefined,
  resource: ConfigResource,
): T {
  const { errorCode = ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage = null } = answer ?? {};
  const title = titleOf(resource);
  if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) throw unknownTopic(title);
  if (answer === undefined || errorCode !== ErrorCode.NONE)
    throw new BrokerError(errorCode, title, errorMessage);
  return answer;
}

function operationOf(change: ConfigChange): { configOperation: number; value: string | null } {
  if (change === null) return { configOperation: OPERATION.delete, value: null };
  if (typeof change !== 'object') return { configOperation: OPERATION.set, value: textOf(change) };
  return 'append' in change
    ? { configOperation: OPERATION.append, value: textOf(change.append) }
    : { configOperation: OPERATION.subtract, value: textOf(change.subtract) };
}

function entryOf(found: DescribeConfigsResponse['results'][number]['configs'][number]): ConfigEntry {
  const { name, value, readOnly, isSensitive, documentation, configType } = found;
  const source = SOURCES[found.configSource] ?? 'UNKNOWN';
  const synonyms = found.synonyms.map((synonym) => ({
    name: synonym.name,
    value: synonym.value,
    source: SOURCES[synonym.source] ?? ('UNKNOWN' as const),
  }));
  const isDefault = source === 'DEFAULT_CONFIG';
  const last = synonyms.find((synonym) => synonym.source === 'DEFAULT_CONFIG');
  const byDefault = last ?? (isDefault ? { name, value } : undefined);
  return {
    name,
    value,
    source,
    byDefault: byDefault && { name: byDefault.name, value: byDefault.value },
    isDefault,
    isReadOnly: readOnly,
    isSensitive,
    type: TYPES[configType] ?? 'UNKNOWN',
    synonyms,
    documentation,
  };
}
