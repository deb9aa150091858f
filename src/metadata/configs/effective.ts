import { InvariantError } from '../../model/assert.ts';
import type { BrokerId } from '../../model/ids.ts';
import { ResourceType, type MetadataImage } from '../image.ts';
import { brokerConfigDefinition } from './broker-configs.ts';
import { ConfigSource } from './definitions.ts';
import { TOPIC_CONFIGS, type TopicConfigDefinition, type TopicConfigName } from './topic-configs.ts';
import { listItems } from './validate.ts';

/** All that settings are read from. */
export interface ConfigLayers {
  readonly image: MetadataImage;
  readonly nodeId: BrokerId;
  /** As in server.properties: what this node was started with. */
  readonly staticConfigs: ReadonlyMap<string, string>;
}

/** What `read` makes of the settings, worked out again only when metadata has changed. */
export function following<T>({ image }: ConfigLayers, read: () => T): () => T {
  let version = -1;
  let value: T;
  return () => {
    if (image.version !== version) {
      version = image.version;
      value = read();
    }
    return value;
  };
}

/** One place where a setting or one of its synonyms has a value. */
export interface ConfigSynonym {
  readonly name: string;
  readonly value: string;
  readonly source: number;
}

const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;

/** Settings that stand in for one another, with their units: the first that has a value counts. */
const FALLBACKS: readonly Readonly<Record<string, number>>[] = [
  { 'log.retention.ms': 1, 'log.retention.minutes': MS_PER_MINUTE, 'log.retention.hours': MS_PER_HOUR },
  { 'log.roll.ms': 1, 'log.roll.hours': MS_PER_HOUR },
  { 'log.roll.jitter.ms': 1, 'log.roll.jitter.hours': MS_PER_HOUR },
  { 'log.flush.interval.ms': 1, 'log.flush.scheduler.interval.ms': 1 },
];
const FALLBACK_OF = new Map(
  FALLBACKS.flatMap((family) => Object.keys(family).map((name) => [name, family] as const)),
);

/** Every value a broker setting has, strongest first; empty when none, not even a default. */
export function brokerConfigSynonyms(layers: ConfigLayers, name: string): ConfigSynonym[] {
  const family = FALLBACK_OF.get(name);
  return Object.keys(family ?? { [name]: 1 }).flatMap((member) => layersOf(layers, member));
}

function layersOf({ image, nodeId, staticConfigs }: ConfigLayers, name: string): ConfigSynonym[] {
  const found: [string | null | undefined, number][] = [
    [image.configs(ResourceType.BROKER, String(nodeId)).get(name), ConfigSource.DYNAMIC_BROKER],
    [image.configs(ResourceType.BROKER, '').get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER],
    [staticConfigs.get(name), ConfigSource.STATIC_BROKER],
    [brokerConfigDefinition(name)?.defaultValue, ConfigSource.DEFAULT],
  ];
  return found.flatMap(([value, source]) => (typeof value === 'string' ? [{ name, value, source }] : []));
}

/** What a broker setting is, in its own unit; null when it has no value. */
export function brokerConfigValue(layers: ConfigLayers, name: string): string | null {
  return layersOf(layers, name)[0]?.value ?? null;
}

/** @throws {InvariantError} for a setting without a number: the host checked what it was started with. */
export function brokerConfigNumber(layers: ConfigLayers, name: string): number {
  const value = Number(brokerConfigValue(layers, name) ?? Number.NaN);
  if (Number.isNaN(value)) throw new InvariantError(`${name} is a number`);
  return value;
}

export interface EffectiveTopicConfig {
  readonly value: string;
  readonly source: number;
  /** All that has a value, strongest first: the topic's own, then the broker's settings behind it. */
  readonly synonyms: readonly ConfigSynonym[];
}

/** @param own what is set on the topic, or is to be. */
export function effectiveTopicConfig(
  layers: ConfigLayers,
  own: ReadonlyMap<string, string>,
  { name, synonym, defaultValue }: TopicConfigDefinition,
): EffectiveTopicConfig {
  const behind = synonym === undefined ? [] : brokerConfigSynonyms(layers, synonym);
  const value = own.get(name);
  if (value !== undefined) {
    return {
      value,
      source: ConfigSource.DYNAMIC_TOPIC,
      synonyms: [{ name, value, source: ConfigSource.DYNAMIC_TOPIC }, ...behind],
    };
  }
  const [strongest] = behind;
  if (!strongest) return { value: defaultValue ?? '', source: ConfigSource.DEFAULT, synonyms: [] };
  return { value: inMilliseconds(strongest), source: strongest.source, synonyms: behind };
}

/** What a node was started with, or nobody has said: what is set while it runs does not count. */
export function isOfTheNode({ source }: ConfigSynonym): boolean {
  return source === ConfigSource.STATIC_BROKER || source === ConfigSource.DEFAULT;
}

/** Topics count in milliseconds where a broker's older settings count in hours or minutes. */
export function inMilliseconds({ name, value }: ConfigSynonym): string {
  const unitMs = FALLBACK_OF.get(name)?.[name] ?? 1;
  if (unitMs === 1) return value;
  const converted = Number(value) * unitMs;
  return String(converted < 0 ? -1 : converted);
}

/** The settings a topic works with. */
export class TopicConfig {
  /** Every topic setting as Kafka writes it. */
  readonly values: Readonly<Record<TopicConfigName, string>>;

  constructor(values: Readonly<Record<TopicConfigName, string>>) {
    this.values = values;
  }

  string(name: TopicConfigName): string {
    return this.values[name].trim();
  }

  /** Infinity for what lies beyond 2^53: such values mean "no limit". */
  number(name: TopicConfigName): number {
    const value = Number(this.values[name]);
    return value > Number.MAX_SAFE_INTEGER ? Infinity : value;
  }

  boolean(name: TopicConfigName): boolean {
    return this.values[name].trim().toLowerCase() === 'true';
  }

  list(name: TopicConfigName): string[] {
    return listItems(this.values[name]);
  }
}

/** What holds for a topic now: its own settings, else the broker's, else the defaults. */
export function topicConfig(layers: ConfigLayers, topicName: string): TopicConfig {
  const own = layers.image.configs(ResourceType.TOPIC, topicName);
  const entries = TOPIC_CONFIGS.map((definition) => [
    definition.name,
    effectiveTopicConfig(layers, own, definition).value,
  ]);
  return new TopicConfig(Object.fromEntries(entries) as Record<TopicConfigName, string>);
}
