import { ErrorCode } from '../../model/errors.ts';
import { describeClientQuotasApi } from '../../wire/apis/48-describe-client-quotas.ts';
import { alterClientQuotasApi } from '../../wire/apis/49-alter-client-quotas.ts';
import { BrokerError } from '../errors.ts';
import type { AdminOptions, Asking } from './asking.ts';

const TYPES = { user: 'user', clientId: 'client-id', ip: 'ip' } as const;
type Type = keyof typeof TYPES;
/** How a filter wants a part of an entity to be. */
const Match = { EXACT: 0, DEFAULT: 1, SPECIFIED: 2 } as const;

/** Whom quotas are for: a user, a client id, both together, or an address. `null` is whoever has none of his own. */
export interface QuotaEntity {
  user?: string | null;
  clientId?: string | null;
  /** By itself. */
  ip?: string | null;
}

/**
 * By Kafka's names: `producer_byte_rate` and `consumer_byte_rate` (bytes a second), `request_percentage` (per cent of
 * one thread's time), `controller_mutation_rate` (partitions made or deleted a second); of an address
 * `connection_creation_rate` (connections a second).
 */
export type QuotaLimits = Record<string, number>;

export interface QuotaListing {
  entity: QuotaEntity;
  limits: QuotaLimits;
}

/** What is left out may be anything, there or not; `'*'`: any, but there. */
export type QuotaFilter = QuotaEntity;

const VERSIONS = { min: 0, max: 1 };

/** How much clients may do: `client.admin.quotas` (KIP-546). */
export class QuotasAdmin {
  readonly #asking: Asking;

  /** @internal */
  constructor(asking: Asking) {
    this.#asking = asking;
  }

  list(filter: QuotaFilter = {}, { signal }: AdminOptions = {}): Promise<QuotaListing[]> {
    const components = parts(filter).map(([entityType, name]) => {
      if (name === '*') return { entityType, matchType: Match.SPECIFIED, match: null };
      const matchType = name === null ? Match.DEFAULT : Match.EXACT;
      return { entityType, matchType, match: name };
    });
    return this.#asking.try(
      async () => {
        const broker = await this.#asking.cluster.anyBroker(signal);
        const body = { components, strict: false };
        const answer = await broker.request(describeClientQuotasApi, VERSIONS, body, { signal });
        check(answer);
        return (answer.entries ?? []).map(({ entity, values }) => ({
          entity: entityOf(entity),
          limits: Object.fromEntries(values.map(({ key, value }) => [key, value])),
        }));
      },
      { signal },
    );
  }

  /** Sets what is named, leaves the rest as it is; `null` takes one away. @throws MilenaError INVALID_REQUEST */
  set(
    entity: QuotaEntity,
    limits: Readonly<Record<string, number | null>>,
    { signal, dryRun = false }: AdminOptions & { dryRun?: boolean } = {},
  ): Promise<void> {
    const named = parts(entity).map(([entityType, entityName]) => ({ entityType, entityName }));
    const ops = Object.entries(limits).map(([key, value]) => ({
      key,
      value: value ?? 0,
      remove: value === null,
    }));
    const body = { entries: [{ entity: named, ops }], validateOnly: dryRun };
    return this.#asking.try(
      async () => {
        const broker = await this.#asking.cluster.anyBroker(signal);
        const { entries } = await broker.request(alterClientQuotasApi, VERSIONS, body, { signal });
        for (const entry of entries) check(entry);
      },
      { signal },
    );
  }
}

function check({ errorCode, errorMessage }: { errorCode: number; errorMessage: string | null }): void {
  if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, 'quotas', errorMessage);
}

function parts(entity: QuotaEntity): [type: string, name: string | null][] {
  return (Object.keys(TYPES) as Type[]).flatMap((type) => {
    const name = entity[type];
    return name === undefined ? [] : [[TYPES[type], name] as [string, string | null]];
  });
}

function entityOf(data: readonly { entityType: string; entityName: string | null }[]): QuotaEntity {
  const types = Object.keys(TYPES) as Type[];
  return Object.fromEntries(
    data.map(({ entityType, entityName }) => [
      types.find((type) => TYPES[type] === entityType) ?? entityType,
      entityName,
    ]),
  );
}
