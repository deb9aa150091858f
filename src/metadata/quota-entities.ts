import { ENTITY_TYPES, type QuotaEntity } from '../quota/entity.ts';

/** As requests and records have it. */
export type EntityData = { entityType: string; entityName: string | null }[];

/** Types that are not known are left out: whoever decides refuses them, so a log has none. */
export function entityOf(data: readonly { entityType: string; entityName: string | null }[]): QuotaEntity {
  const known = data.filter(({ entityType }) => ENTITY_TYPES.some((type) => type === entityType));
  return Object.fromEntries(known.map(({ entityType, entityName }) => [entityType, entityName]));
}

export function entityData(entity: QuotaEntity): EntityData {
  return ENTITY_TYPES.flatMap((entityType) => {
    const entityName = entity[entityType];
    return entityName === undefined ? [] : [{ entityType, entityName }];
  });
}
