import { ErrorCode, KafkaError } from '../../model/errors.ts';
import type { AlterConfigsRequest, AlterConfigsResponse } from '../../wire/apis/33-alter-configs.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../wire/apis/44-incremental-alter-configs.ts';
import { STRING_MAX_BYTES, utf8Length } from '../../wire/text.ts';
import { ResourceType } from '../image.ts';
import { answering, duplicates, RECORDS_PER_REQUEST_MAX, tooManyRecords, type Outcome } from '../outcome.ts';
import type { MetadataRecordInit } from '../records.ts';
import { brokerConfigDefinition } from './broker-configs.ts';
import type { ConfigDefinition } from './definitions.ts';
import { brokerConfigSynonyms, type ConfigLayers, inMilliseconds, isOfTheNode } from './effective.ts';
import { checkResource, type ConfigChanges } from './resources.ts';
import { CLIENT_METRICS_CONFIGS, GROUP_CONFIGS } from './other-configs.ts';
import { topicConfigDefinition } from './topic-configs.ts';
import { listItems } from './validate.ts';

type Resource = IncrementalAlterConfigsRequest['resources'][number];
type Operation = Resource['configs'][number];
type ResourceResponse = IncrementalAlterConfigsResponse['responses'][number];

const OperationType = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const;

/** What a resource is and what of it changes: a null value goes back to what stands behind it. */
interface Change {
  readonly resourceType: number;
  readonly resourceName: string;
  /** Unless it comes to nothing. @throws {KafkaError} */
  readonly changes: () => ConfigChanges;
}

/** Changes single settings of each resource (KIP-339): all that are named of one, or none. */
export function decideIncrementalAlterConfigs(
  layers: ConfigLayers,
  { resources, validateOnly }: IncrementalAlterConfigsRequest,
): Outcome<IncrementalAlterConfigsResponse> {
  const changes = resources.map((resource) => {
    const { resourceType, resourceName } = resource;
    return { resourceType, resourceName, changes: () => incremental(layers, resource) };
  });
  return decide(layers, changes, validateOnly);
}

/** Replaces all settings of each resource: what is not named goes. */
export function decideAlterConfigs(
  layers: ConfigLayers,
  { resources, validateOnly }: AlterConfigsRequest,
): Outcome<AlterConfigsResponse> {
  const changes = resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    changes: () => {
      checkNames(configs);
      checkValues(configs);
      const own = layers.image.configs(resourceType, resourceName);
      const gone = Array.from(own.keys(), (name): [string, null] => [name, null]);
      return new Map<string, string | null>([...gone, ...configs.map(nameAndValue)]);
    },
  }));
  return decide(layers, changes, validateOnly);
}

function decide(
  layers: ConfigLayers,
  resources: readonly Change[],
  validateOnly: boolean,
): Outcome<IncrementalAlterConfigsResponse> {
  const twice = duplicates(resources.map(keyOf));
  const records: MetadataRecordInit[] = [];
  const alter = (resource: Change): void => {
    if (twice.has(keyOf(resource)))
      throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.');
    const changes = resource.changes();
    checkResource(layers, resource, changes);
    records.push(...changedRecords(layers, resource, changes));
  };
  const responses = resources.map((resource) =>
    answering(
      () => {
        alter(resource);
        return responseOf(resource);
      },
      (error) => responseOf(resource, error),
    ),
  );
  if (records.length > RECORDS_PER_REQUEST_MAX) {
    const error = tooManyRecords();
    return { records: [], response: respond(resources.map((resource) => responseOf(resource, error))) };
  }
  return { records: validateOnly ? [] : records, response: respond(responses) };
}

function respond(responses: ResourceResponse[]): IncrementalAlterConfigsResponse {
  return { throttleTimeMs: 0, responses };
}

function responseOf({ resourceType, resourceName }: Change, error?: KafkaError): ResourceResponse {
  const { code: errorCode = ErrorCode.NONE, message: errorMessage = null } = error ?? {};
  return { errorCode, errorMessage, resourceType, resourceName };
}

function keyOf({ resourceType, resourceName }: Change): string {
  return `${resourceType}:${resourceName}`;
}

function nameAndValue({ name, value }: { name: string; value: string | null }): [string, string] {
  return [name, value ?? ''];
}

/** What a broker is told is written even if it says nothing new: that is how Kafka has files read again. */
function* changedRecords(
  { image }: ConfigLayers,
  { resourceType, resourceName }: Change,
  changes: ConfigChanges,
): Iterable<MetadataRecordInit> {
  const own = image.configs(resourceType, resourceName);
  for (const [name, value] of changes) {
    const isNews = (own.get(name) ?? null) !== value || resourceType === ResourceType.BROKER;
    if (isNews) yield { type: 'config', resourceType, resourceName, name, value };
  }
}

function incremental(layers: ConfigLayers, resource: Resource): ConfigChanges {
  const { resourceType, resourceName, configs } = resource;
  checkNames(configs);
  checkValues(configs.filter(({ configOperation }) => configOperation !== OperationType.DELETE));
  const own = layers.image.configs(resourceType, resourceName);
  return new Map(
    configs.map((operation) => [operation.name, valueAfter(layers, { resourceType, own, operation })]),
  );
}

function checkNames(configs: readonly { name: string }[]): void {
  if (duplicates(configs.map(({ name }) => name)).size === 0) return;
  throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys');
}

function checkValues(configs: readonly { name: string; value: string | null }[]): void {
  const without = configs.filter(({ value }) => value === null).map(({ name }) => name);
  if (without.length === 0) return;
  throw new KafkaError(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${without.join(', ')}`);
}

function valueAfter(
  layers: ConfigLayers,
  {
    resourceType,
    own,
    operation,
  }: { resourceType: number; own: ReadonlyMap<string, string>; operation: Operation },
): string | null {
  const { name, configOperation, value } = operation;
  const given = value ?? '';
  switch (configOperation) {
    case OperationType.SET:
      return bounded(name, given);
    case OperationType.DELETE:
      return null;
    case OperationType.APPEND:
    case OperationType.SUBTRACT: {
      const what = configOperation === OperationType.APPEND ? 'APPEND' : 'SUBTRACT';
      const before = listBefore(layers, { resourceType, own, name, what });
      const items = listItems(given);
      const after =
        what === 'APPEND'
          ? [...before, ...items.filter((item) => !before.includes(item))]
          : before.filter((item) => !items.includes(item));
      return bounded(name, after.join(','));
    }
    default:
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `Unknown operations type ${configOperation}`);
  }
}

/** The list that items are added to: what is set, else what the node started with, else the default. */
function listBefore(
  layers: ConfigLayers,
  {
    resourceType,
    own,
    name,
    what,
  }: { resourceType: number; own: ReadonlyMap<string, string>; name: string; what: string },
): string[] {
  const definition = definitionOf(resourceType, name);
  if (definition?.type !== 'list') {
    const message = `Can't ${what} to key ${name} because its type is not LIST.`;
    throw new KafkaError(ErrorCode.INVALID_CONFIG, message);
  }
  const set = own.get(name);
  if (set !== undefined) return listItems(set);
  const behind = resourceType === ResourceType.TOPIC ? topicConfigDefinition(name)?.synonym : name;
  const found = behind === undefined ? undefined : brokerConfigSynonyms(layers, behind).find(isOfTheNode);
  return listItems(found === undefined ? (definition.defaultValue ?? '') : inMilliseconds(found));
}

function definitionOf(resourceType: number, name: string): ConfigDefinition | undefined {
  switch (resourceType) {
    case ResourceType.TOPIC:
      return topicConfigDefinition(name);
    case ResourceType.BROKER:
      return brokerConfigDefinition(name);
    case ResourceType.GROUP:
      return GROUP_CONFIGS.find((definition) => definition.name === name);
    default:
      return CLIENT_METRICS_CONFIGS.find((definition) => definition.name === name);
  }
}

/** What items are added to must still be a string of the log. */
function bounded(name: string, value: string): string {
  if (utf8Length(value) <= STRING_MAX_BYTES) return value;
  const message = `The value of ${name.slice(0, 100)} is longer than ${STRING_MAX_BYTES} bytes`;
  throw new KafkaError(ErrorCode.INVALID_CONFIG, message);
}
