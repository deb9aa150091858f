/** Whom a quota is for (KIP-546). A null name is the default: whoever has none of his own. */
export interface QuotaEntity {
  readonly user?: string | null;
  readonly 'client-id'?: string | null;
  readonly ip?: string | null;
}

export type EntityType = keyof QuotaEntity;

export const ENTITY_TYPES: readonly EntityType[] = ['user', 'client-id', 'ip'];

/** What can be limited: bytes or changes a second, per cent of one thread's time, connections a second. */
export type QuotaName =
  | 'producer_byte_rate'
  | 'consumer_byte_rate'
  | 'request_percentage'
  | 'controller_mutation_rate'
  | 'connection_creation_rate';

/** Equal for equal entities, whatever the order of their parts. */
export function entityKey(entity: QuotaEntity): string {
  return ENTITY_TYPES.flatMap((type) => {
    const name = entity[type];
    return name === undefined ? [] : [name === null ? `${type}>` : `${type}=${name.length}:${name}`];
  }).join(' ');
}

/** Who asks, as quotas know him. */
export interface QuotaClient {
  /** Without its type: `alice`. */
  readonly user: string;
  readonly clientId: string;
}

/** One place where a client's quota may stand, and how much of the client it is for. */
interface Level {
  readonly entity: QuotaEntity;
  /** Clients with the same share one quota. */
  readonly shared: QuotaEntity;
}

/** Where a client's quota may stand, the most specific first: the first that has one counts (KIP-55). */
export function levelsOf({ user, clientId }: QuotaClient): readonly Level[] {
  const both = { user, 'client-id': clientId };
  return [
    { entity: both, shared: both },
    { entity: { user, 'client-id': null }, shared: both },
    { entity: { user }, shared: { user } },
    { entity: { user: null, 'client-id': clientId }, shared: both },
    { entity: { user: null, 'client-id': null }, shared: both },
    { entity: { user: null }, shared: { user } },
    { entity: { 'client-id': clientId }, shared: { 'client-id': clientId } },
    { entity: { 'client-id': null }, shared: { 'client-id': clientId } },
  ];
}
