import { entityKey, levelsOf, type QuotaClient, type QuotaEntity, type QuotaName } from './entity.ts';

/** What a client may, and whom it shares that with. */
export interface Limit {
  readonly value: number;
  /** Clients with the same key share the quota. */
  readonly sharedKey: string;
}

interface Entry {
  readonly entity: QuotaEntity;
  readonly values: Map<string, number>;
}

/** All quotas, as the metadata log has them. */
export class QuotaTable {
  readonly #entries = new Map<string, Entry>();
  #version = 0;

  /** Grows with each change. */
  get version(): number {
    return this.#version;
  }

  /** Nobody has any: what clients do need not be looked at. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  set(entity: QuotaEntity, name: string, value: number): void {
    const key = entityKey(entity);
    const entry = this.#entries.get(key) ?? { entity, values: new Map<string, number>() };
    entry.values.set(name, value);
    this.#entries.set(key, entry);
    this.#version++;
  }

  remove(entity: QuotaEntity, name: string): void {
    const key = entityKey(entity);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.values.delete(name);
    if (entry.values.size === 0) this.#entries.delete(key);
    this.#version++;
  }

  valueOf(entity: QuotaEntity, name: string): number | undefined {
    return this.#entries.get(entityKey(entity))?.values.get(name);
  }

  /** In the order in which they were first set. */
  entries(): Iterable<{ readonly entity: QuotaEntity; readonly values: ReadonlyMap<string, number> }> {
    return this.#entries.values();
  }

  has(name: QuotaName): boolean {
    for (const { values } of this.#entries.values()) if (values.has(name)) return true;
    return false;
  }

  /** The client's, by Kafka's order; undefined: there is none. */
  limitOf(name: QuotaName, client: QuotaClient): Limit | undefined {
    for (const { entity, shared } of levelsOf(client)) {
      const value = this.valueOf(entity, name);
      if (value !== undefined) return { value, sharedKey: `${name} ${entityKey(shared)}` };
    }
    return undefined;
  }

  /** An address's own, else that of all addresses. */
  limitOfIp(name: QuotaName, ip: string): Limit | undefined {
    const value = this.valueOf({ ip }, name) ?? this.valueOf({ ip: null }, name);
    return value === undefined ? undefined : { value, sharedKey: `${name} ${entityKey({ ip })}` };
  }
}
