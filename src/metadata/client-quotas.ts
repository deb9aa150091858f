import { ErrorCode, KafkaError } from '../model/errors.ts';
import {
  ENTITY_TYPES,
  type EntityType,
  entityKey,
  type QuotaEntity,
  type QuotaName,
} from '../quota/entity.ts';
import type {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../wire/apis/48-describe-client-quotas.ts';
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from '../wire/apis/49-alter-client-quotas.ts';
import type { MetadataImage } from './image.ts';
import { answering, type ControllerContext, OK, type Outcome, refused } from './outcome.ts';
import { entityData, entityOf } from './quota-entities.ts';
import type { MetadataRecordInit } from './records.ts';

type Entry = AlterClientQuotasRequest['entries'][number];

/** Java's types, as far as they bound a value. */
const LARGEST: Readonly<Record<QuotaName, { type: string; largest: number } | undefined>> = {
  producer_byte_rate: { type: 'LONG', largest: 2 ** 63 },
  consumer_byte_rate: { type: 'LONG', largest: 2 ** 63 },
  connection_creation_rate: { type: 'INT', largest: 2 ** 31 - 1 },
  request_percentage: undefined,
  controller_mutation_rate: undefined,
};
const OF_CLIENTS: readonly QuotaName[] = [
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
];
const OF_ADDRESSES: readonly QuotaName[] = ['connection_creation_rate'];
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^[\da-f:.]*:[\da-f:.]*$/i;

/** Decides entity by entity, in Kafka's words (ClientQuotaControlManager): all of one's changes, or none. */
export function decideAlterClientQuotas(
  { image }: ControllerContext,
  { entries, validateOnly }: AlterClientQuotasRequest,
): Outcome<AlterClientQuotasResponse> {
  const records: MetadataRecordInit[] = [];
  const seen = new Set<string>();
  const alter = ({ entity: data, ops }: Entry) => {
    const entity = checkedEntity(data);
    const key = entityKey(entity);
    if (seen.has(key)) refuse(`Duplicate client quota entity: ${key}`);
    seen.add(key);
    records.push(...changes(image, entity, ops));
    return OK;
  };
  const answers = entries.map((entry) => {
    const answer = answering(() => alter(entry), refused);
    return { ...answer, entity: entry.entity };
  });
  return { records: validateOnly ? [] : records, response: { throttleTimeMs: 0, entries: answers } };
}

function refuse(what: string, code: number = ErrorCode.INVALID_REQUEST): never {
  throw new KafkaError(code, what);
}

function checkedEntity(data: Entry['entity']): QuotaEntity {
  if (data.length === 0) refuse('Invalid empty client quota entity');
  const seen = new Set<string>();
  for (const { entityType, entityName } of data) {
    if (seen.has(entityType)) refuse(`Invalid client quota entity, duplicate entity entry ${entityType}`);
    seen.add(entityType);
    if (!isEntityType(entityType)) refuse(`Unhandled client quota entity type: ${entityType}`);
    if (entityName === '') refuse(`Empty ${entityType} not supported`);
  }
  const entity = entityOf(data);
  const { ip } = entity;
  if (ip === undefined) return entity;
  if (data.length > 1) {
    refuse('Invalid quota entity combination, IP entity should not be combined with User or ClientId');
  }
  // Kafka resolves names; here an address is written as one.
  if (ip !== null && !IPV4.test(ip) && !IPV6.test(ip)) refuse(`${ip} is not a valid IP or resolvable host.`);
  return entity;
}

function isEntityType(type: string): type is EntityType {
  return ENTITY_TYPES.some((known) => known === type);
}

function* changes(
  image: MetadataImage,
  entity: QuotaEntity,
  ops: Entry['ops'],
): Iterable<MetadataRecordInit> {
  const names = entity.ip === undefined ? OF_CLIENTS : OF_ADDRESSES;
  const changed: MetadataRecordInit[] = [];
  const seen = new Set<string>();
  for (const { key, value, remove } of ops) {
    if (seen.has(key)) refuse(`Duplicate quota key ${key}`);
    seen.add(key);
    const name = names.find((known) => known === key);
    if (name === undefined) return refuse(`Invalid configuration key ${key}`);
    const set = image.quotas.valueOf(entity, key);
    if (remove) {
      if (set !== undefined) changed.push(quotaRecord(entity, key, { value: 0, remove }));
      continue;
    }
    checkValue(name, value);
    if (set !== value) changed.push(quotaRecord(entity, key, { value, remove }));
  }
  yield* changed;
}

function quotaRecord(
  entity: QuotaEntity,
  key: string,
  change: { value: number; remove: boolean },
): MetadataRecordInit {
  return { type: 'clientQuota', entity: entityData(entity), key, ...change };
}

function checkValue(name: QuotaName, value: number): void {
  if (!(value > 0)) refuse(`Quota ${name} must be greater than 0`);
  const bounds = LARGEST[name];
  if (bounds === undefined) return;
  if (value > bounds.largest) refuse(`Proposed value for ${name} is too large for a ${bounds.type}.`);
  if (Math.abs(value % 1) > 1e-6) refuse(`${name} cannot be a fractional value.`);
}

const Match = { EXACT: 0, DEFAULT: 1, SPECIFIED: 2 } as const;

/** What an entity must be, part by part; undefined: whatever it is. */
type Filter = Map<EntityType, string | null | undefined>;

/** The quotas of each entity that a filter matches: strictly, or as part of it. */
export function describeClientQuotas(
  image: MetadataImage,
  request: DescribeClientQuotasRequest,
): DescribeClientQuotasResponse {
  const describe = (): DescribeClientQuotasResponse => {
    const filter = filterOf(request);
    const matching = [...image.quotas.entries()].filter(({ entity }) =>
      matches(entity, filter, request.strict),
    );
    const entries = matching.map(({ entity, values }) => ({
      entity: entityData(entity),
      values: Array.from(values, ([key, value]) => ({ key, value })),
    }));
    return { throttleTimeMs: 0, ...OK, entries };
  };
  return answering(describe, (error) => ({ throttleTimeMs: 0, ...refused(error), entries: null }));
}

function filterOf({ components }: DescribeClientQuotasRequest): Filter {
  const filter: Filter = new Map();
  for (const { entityType, matchType, match } of components) {
    if (entityType === '') refuse('Invalid empty entity type.');
    if (filter.has(entityType as EntityType))
      refuse(`Entity type ${entityType} cannot appear more than once in the filter.`);
    if (!isEntityType(entityType))
      return refuse(`Unsupported entity type ${entityType}`, ErrorCode.UNSUPPORTED_VERSION);
    filter.set(entityType, wanted(matchType, match));
  }
  if (filter.has('ip') && filter.size > 1) {
    const what = 'IP filter component should not be used with user or clientId filter component.';
    refuse(`Invalid entity filter component combination. ${what}`);
  }
  return filter;
}

function wanted(matchType: number, match: string | null): string | null | undefined {
  switch (matchType) {
    case Match.EXACT:
      return match ?? refuse('Request specified MATCH_TYPE_EXACT, but set match string to null.');
    case Match.DEFAULT:
      if (match !== null) refuse('Request specified MATCH_TYPE_DEFAULT, but also specified a match string.');
      return null;
    case Match.SPECIFIED:
      if (match !== null)
        refuse('Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.');
      return undefined;
    default:
      return refuse(`Unknown match type ${matchType}`);
  }
}

function matches(entity: QuotaEntity, filter: Filter, strict: boolean): boolean {
  if (strict && Object.keys(entity).length !== filter.size) return false;
  for (const [type, name] of filter) {
    const its = entity[type];
    if (its === undefined || (name !== undefined && its !== name)) return false;
  }
  return true;
}
