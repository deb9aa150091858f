import { ErrorCode, KafkaError } from '../../model/errors.ts';
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../../wire/apis/32-describe-configs.ts';
import { ResourceType } from '../image.ts';
import { answering } from '../outcome.ts';
import { checkTopicName } from '../topic-names.ts';
import { checkNodeId } from './resources.ts';
import { BROKER_CONFIGS, brokerConfigDefinition } from './broker-configs.ts';
import { ConfigSource, ConfigType, isSensitive, type ConfigDefinition } from './definitions.ts';
import {
  brokerConfigSynonyms,
  brokerConfigValue,
  effectiveTopicConfig,
  type ConfigLayers,
  type ConfigSynonym,
} from './effective.ts';
import { CLIENT_METRICS_CONFIGS, GROUP_CONFIGS } from './other-configs.ts';
import { TOPIC_CONFIGS } from './topic-configs.ts';

type Resource = DescribeConfigsRequest['resources'][number];
type Result = DescribeConfigsResponse['results'][number];
type Entry = Result['configs'][number];

/** What a resource has of one setting. */
interface Found {
  readonly definition: ConfigDefinition;
  readonly value: string | null;
  readonly source: number;
  readonly synonyms: readonly ConfigSynonym[];
}

type Shown = Pick<DescribeConfigsRequest, 'includeSynonyms' | 'includeDocumentation'>;

/**
 * Every setting of each resource, or those asked for by name: tools read all, change some and write all
 * back.
 */
export function describeConfigs(
  layers: ConfigLayers,
  request: DescribeConfigsRequest,
): DescribeConfigsResponse {
  const results = request.resources.map((resource) =>
    answering(
      () => {
        const wanted = new Set(resource.configurationKeys);
        const found = settingsOf(layers, resource);
        const shown =
          wanted.size === 0 ? found : found.filter(({ definition }) => wanted.has(definition.name));
        return result(resource, { configs: shown.map((setting) => entry(setting, request)) });
      },
      ({ code, message }) => result(resource, { errorCode: code, errorMessage: message }),
    ),
  );
  return { throttleTimeMs: 0, results };
}

function result({ resourceType, resourceName }: Resource, outcome: Partial<Result>): Result {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    resourceType,
    resourceName,
    configs: [],
    ...outcome,
  };
}

function entry({ definition, value, source, synonyms }: Found, shown: Shown): Entry {
  const secret = isSensitive(definition);
  return {
    name: definition.name,
    value: secret ? null : value,
    readOnly: !definition.dynamic,
    isDefault: source === ConfigSource.DEFAULT,
    configSource: source,
    isSensitive: secret,
    synonyms: shown.includeSynonyms
      ? synonyms.map((synonym) => (secret ? { ...synonym, value: null } : synonym))
      : [],
    configType: ConfigType[definition.type],
    documentation: shown.includeDocumentation ? definition.documentation : null,
  };
}

function settingsOf(layers: ConfigLayers, { resourceType, resourceName }: Resource): Found[] {
  switch (resourceType) {
    case ResourceType.TOPIC:
      return topicSettings(layers, resourceName);
    case ResourceType.BROKER:
      return resourceName === '' ? clusterSettings(layers) : brokerSettings(layers, resourceName);
    case ResourceType.BROKER_LOGGER:
      checkNodeId(layers, resourceName);
      return []; // Loggers are the JVM's; this broker has none whose level could be set.
    case ResourceType.CLIENT_METRICS:
      return subscriptionSettings(layers, resourceName);
    case ResourceType.GROUP:
      return groupSettings(layers, resourceName);
    default:
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`);
  }
}

function topicSettings(layers: ConfigLayers, topicName: string): Found[] {
  checkTopicName(topicName);
  if (!layers.image.topic(topicName)) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const own = layers.image.configs(ResourceType.TOPIC, topicName);
  return TOPIC_CONFIGS.map((definition) => ({
    definition,
    ...effectiveTopicConfig(layers, own, definition),
  }));
}

function brokerSettings(layers: ConfigLayers, brokerId: string): Found[] {
  checkNodeId(layers, brokerId);
  const ofPlugins = [
    ...layers.image.configs(ResourceType.BROKER, brokerId),
    ...layers.image.configs(ResourceType.BROKER, ''),
  ].flatMap(([name]) => (brokerConfigDefinition(name) ? [] : [name]));
  const definitions = [...BROKER_CONFIGS, ...Array.from(new Set(ofPlugins), definitionOf)];
  return definitions.map((definition) => {
    const synonyms = brokerConfigSynonyms(layers, definition.name);
    const source = synonyms[0]?.source ?? ConfigSource.DEFAULT;
    return { definition, value: brokerConfigValue(layers, definition.name), source, synonyms };
  });
}

/** Of no broker in particular: only what was set for all of them. */
function clusterSettings({ image }: ConfigLayers): Found[] {
  return [...image.configs(ResourceType.BROKER, '')].map(([name, value]) => {
    const source = ConfigSource.DYNAMIC_DEFAULT_BROKER;
    return { definition: definitionOf(name), value, source, synonyms: [{ name, value, source }] };
  });
}

/** A name Kafka does not have is a plugin's: its value may be a secret. */
function definitionOf(name: string): ConfigDefinition {
  return brokerConfigDefinition(name) ?? { ...OF_A_PLUGIN, name };
}

const OF_A_PLUGIN = {
  type: 'password',
  defaultValue: null,
  rule: '',
  dynamic: true,
  documentation: 'Kafka has no setting of this name.',
} as const;

function subscriptionSettings({ image }: ConfigLayers, subscription: string): Found[] {
  if (subscription === '') {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Client metrics subscription name must not be empty');
  }
  const own = image.configs(ResourceType.CLIENT_METRICS, subscription);
  return CLIENT_METRICS_CONFIGS.map((definition) => {
    const value = own.get(definition.name);
    if (value === undefined) return byDefault(definition);
    const { name } = definition;
    const source = ConfigSource.CLIENT_METRICS;
    return { definition, value, source, synonyms: [{ name, value, source }] };
  });
}

/** A group's setting falls back to the broker's of the same name after `group.`. */
function groupSettings(layers: ConfigLayers, groupId: string): Found[] {
  if (groupId === '') throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Group name must not be empty');
  const own = layers.image.configs(ResourceType.GROUP, groupId);
  return GROUP_CONFIGS.map((definition) => {
    const { name } = definition;
    const set = own.get(name);
    const mine = set === undefined ? [] : [{ name, value: set, source: ConfigSource.GROUP }];
    const synonyms = [...mine, ...brokerConfigSynonyms(layers, `group.${name}`)];
    const [strongest] = synonyms;
    if (!strongest) return byDefault(definition);
    return { definition, value: strongest.value, source: strongest.source, synonyms };
  });
}

function byDefault(definition: ConfigDefinition): Found {
  return { definition, value: definition.defaultValue, source: ConfigSource.DEFAULT, synonyms: [] };
}
