import { ErrorCode, KafkaError } from '../../model/errors.ts';
import { ResourceType } from '../image.ts';
import { checkTopicName } from '../topic-names.ts';
import { brokerConfigDefinition } from './broker-configs.ts';
import type { ConfigDefinition } from './definitions.ts';
import { brokerConfigValue, type ConfigLayers } from './effective.ts';
import { CLIENT_METRICS_CONFIGS, GROUP_CONFIGS } from './other-configs.ts';
import { checkConfigValue, checkTopicConfigs, listItems } from './validate.ts';
import { whyNotWhileRunning } from './verdicts.ts';

/** What is to be set; null for what is to go. */
export type ConfigChanges = ReadonlyMap<string, string | null>;

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** Checks what a resource would have after `changes`. @throws {KafkaError} why it cannot, in Kafka's order. */
export function checkResource(layers: ConfigLayers, resource: Resource, changes: ConfigChanges): void {
  const { resourceType, resourceName: name } = resource;
  const after = new Map(layers.image.configs(resourceType, name));
  for (const [key, value] of changes) {
    if (value === null) after.delete(key);
    else after.set(key, value);
  }
  switch (resourceType) {
    case ResourceType.TOPIC:
      return checkTopic(layers, { name, after, changes });
    case ResourceType.BROKER:
      return checkBroker(layers, { name, changes });
    case ResourceType.BROKER_LOGGER:
      return checkLogger(layers, { name, changes });
    case ResourceType.CLIENT_METRICS:
      return checkSubscription(name, after);
    case ResourceType.GROUP:
      return checkGroup(layers, { name, after });
    default:
      throw invalidRequest(`Unknown resource type ${resourceType}`);
  }
}

type After = ReadonlyMap<string, string>;

const JURISDICTION = 'milena.jurisdiction';

function checkTopic(
  layers: ConfigLayers,
  { name, after, changes }: { name: string; after: After; changes: ConfigChanges },
): void {
  if (name === '') throw invalidRequest('Default topic resources are not allowed.');
  checkTopicName(name);
  checkTopicConfigs(after, layers, changes.keys());
  checkJurisdiction(layers.image.configs(ResourceType.TOPIC, name), after);
  if (layers.image.topic(name)) return;
  throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`);
}

/** The same name in another jurisdiction is another object, and an empty one. */
function checkJurisdiction(before: After, after: After): void {
  const [was = '', now = ''] = [before, after].map((configs) => configs.get(JURISDICTION)?.trim());
  if (was === now) return;
  throw new KafkaError(
    ErrorCode.INVALID_CONFIG,
    `${JURISDICTION} stays what the topic was created with ('${was}'): what it holds lies in objects that cannot ` +
      'move. Create another topic, and copy the records.',
  );
}

/** Kafka answers INVALID_REQUEST to a bad value of a broker (KAFKA-13609), and takes names it does not know. */
function checkBroker(
  layers: ConfigLayers,
  { name, changes }: { name: string; changes: ConfigChanges },
): void {
  if (name !== '') checkNodeId(layers, name);
  const fixed = [...changes.keys()].filter((key) => brokerConfigDefinition(key)?.dynamic === false);
  if (fixed.length > 0) throw invalidRequest(`Cannot update these configs dynamically: ${fixed.join(', ')}`);
  for (const [key, value] of changes) {
    if (value === null) continue;
    const definition = brokerConfigDefinition(key);
    try {
      if (definition) checkConfigValue(definition, value);
    } catch (error) {
      throw error instanceof KafkaError ? invalidRequest(error.message) : error;
    }
    const why = whyNotWhileRunning(key, value.trim());
    if (why !== undefined) throw invalidRequest(`${key} cannot be set while the node runs: ${why}`);
  }
}

/** @throws {KafkaError} INVALID_REQUEST unless it is this node's. */
export function checkNodeId({ nodeId }: ConfigLayers, name: string): void {
  if (!/^\d{1,10}$/.test(name)) throw invalidRequest(`Node id must be an integer, but it is: ${name}`);
  if (Number(name) !== nodeId)
    throw invalidRequest(`Unexpected broker id, expected ${nodeId}, but received ${name}`);
}

/** Loggers are the JVM's; this broker has none whose level could be set. */
function checkLogger(
  layers: ConfigLayers,
  { name, changes }: { name: string; changes: ConfigChanges },
): void {
  checkNodeId(layers, name);
  for (const logger of changes.keys())
    throw new KafkaError(ErrorCode.INVALID_CONFIG, `Logger ${logger} does not exist!`);
}

/** What a selector of KIP-714 may look at. */
const SELECTORS: ReadonlySet<string> = new Set([
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
]);

function checkSubscription(name: string, after: After): void {
  if (name === '') throw invalidRequest("Subscription name can't be empty");
  for (const key of after.keys()) {
    if (!CLIENT_METRICS_CONFIGS.some((definition) => definition.name === key))
      throw invalidRequest(`Unknown client metrics configuration: ${key}`);
  }
  for (const [definition, value] of valuesOf(CLIENT_METRICS_CONFIGS, after)) {
    try {
      checkConfigValue(definition, value);
    } catch (error) {
      if (!(error instanceof KafkaError) || definition.name !== 'interval.ms') throw error;
      const wanted = 'interval must be between 100 and 3600000 (1 hour)';
      throw invalidRequest(`Invalid value ${value} for interval.ms, ${wanted}`);
    }
  }
  for (const selector of listItems(after.get('match') ?? '')) {
    const [what = '', pattern, ...more] = selector.split('=');
    if (pattern === undefined || more.length > 0 || !SELECTORS.has(what.trim()) || !isRegExp(pattern))
      throw new KafkaError(ErrorCode.INVALID_CONFIG, `Illegal client matching pattern: ${selector}`);
  }
}

function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(pattern.trim()) instanceof RegExp;
  } catch {
    return false;
  }
}

/** A silent member must be given up later than it is asked to say something. */
const SESSIONS: readonly (readonly [session: string, heartbeat: string])[] = [
  ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms'],
  ['share.session.timeout.ms', 'share.heartbeat.interval.ms'],
  ['streams.session.timeout.ms', 'streams.heartbeat.interval.ms'],
];

function checkGroup(layers: ConfigLayers, { name, after }: { name: string; after: After }): void {
  if (name === '') throw invalidRequest('Default group resources are not allowed.');
  const refuse = (what: string): never => {
    throw new KafkaError(ErrorCode.INVALID_CONFIG, what);
  };
  for (const key of after.keys()) {
    if (!GROUP_CONFIGS.some((definition) => definition.name === key))
      refuse(`Unknown group config name: ${key}`);
  }
  for (const [definition, value] of valuesOf(GROUP_CONFIGS, after)) {
    checkConfigValue(definition, value);
    const { least, most } = boundsOf(layers, definition.name);
    const number = Number(value);
    if (least && number < least.value)
      refuse(`${definition.name} must be greater than or equal to ${least.name}`);
    if (most && number > most.value) refuse(`${definition.name} must be less than or equal to ${most.name}`);
  }
  for (const [session, heartbeat] of SESSIONS) {
    const valueOf = (key: string) => Number(after.get(key) ?? brokerConfigValue(layers, `group.${key}`));
    if (valueOf(session) <= valueOf(heartbeat)) refuse(`${session} must be greater than ${heartbeat}`);
  }
}

function valuesOf(table: readonly ConfigDefinition[], after: After): [ConfigDefinition, string][] {
  return table.flatMap((definition): [ConfigDefinition, string][] => {
    const value = after.get(definition.name);
    return value === undefined ? [] : [[definition, value]];
  });
}

interface Bound {
  readonly name: string;
  readonly value: number;
}

/** What a broker lets groups choose between: `group.consumer.min.session.timeout.ms` and its `max`. */
function boundsOf(layers: ConfigLayers, name: string): { least: Bound | undefined; most: Bound | undefined } {
  const [kind = '', ...rest] = name.replace('streams.num.', 'streams.').split('.');
  const bound = (end: string): Bound | undefined => {
    const setting = ['group', kind, end, ...rest].join('.');
    const value = brokerConfigDefinition(setting) && brokerConfigValue(layers, setting);
    return typeof value === 'string' ? { name: setting, value: Number(value) } : undefined;
  };
  return { least: bound('min'), most: bound('max') };
}

function invalidRequest(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, message);
}
