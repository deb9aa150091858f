import type { Millis } from '../model/ids.ts';
import type { QuotaClient, QuotaName } from './entity.ts';
import { SampledRate, type Windows } from './rate.ts';
import type { Limit, QuotaTable } from './table.ts';
import { TokenBucket } from './token-bucket.ts';

/** Quotas of something that is counted by the second. */
export type RateQuota = 'producer_byte_rate' | 'consumer_byte_rate' | 'request_percentage';

/** Of so many whoever has done nothing lately is forgotten: client ids come from strangers. */
const METERS_MAX = 10_000;

/** What somebody was held up for. */
export interface Throttled {
  count: number;
  totalMs: Millis;
}

export interface QuotaWindows {
  /** Of bytes, time and connections. */
  readonly clients: Windows;
  /** controller.quota.window.*: of changes. */
  readonly mutations: Windows;
}

/** Counts what clients with quotas do, and says how long they have to wait. Without quotas it holds nothing. */
export class QuotaKeeper {
  readonly #table: QuotaTable;
  readonly #windows: QuotaWindows;
  readonly #rates = new Map<string, SampledRate>();
  readonly #buckets = new Map<string, TokenBucket>();
  /** By name, user and client id; good for one version of the table. */
  #limits = new Map<string, Limit | undefined>();
  #version = -1;
  #timesRequests = false;
  readonly throttled = new Map<QuotaName, Throttled>();

  constructor(table: QuotaTable, windows: QuotaWindows) {
    this.#table = table;
    this.#windows = windows;
  }

  /** Nobody has any: to be asked before anything else. */
  get isEmpty(): boolean {
    return this.#table.isEmpty;
  }

  /** Somebody's requests are to be timed. */
  get timesRequests(): boolean {
    this.#follow();
    return this.#timesRequests;
  }

  /** Quotas that count something now. */
  get meterCount(): number {
    return this.#rates.size + this.#buckets.size;
  }

  /** @returns how long its client has to wait. */
  record(name: RateQuota, client: QuotaClient, amount: number, nowMs: Millis): Millis {
    const limit = this.#limitOf(name, client);
    if (limit === undefined) return 0;
    const rate = this.#rateOf(limit, nowMs);
    if (amount > 0) rate.record(amount, nowMs);
    const throttleMs = rate.throttleMs(limit.value, nowMs);
    // Time that was used cannot be waited for longer than a window, or a client would be gone for long.
    if (name === 'request_percentage') return Math.min(throttleMs, this.#windows.clients.sizeMs);
    return throttleMs;
  }

  /** What may come in all windows together; Infinity without a quota. */
  burstOf(name: RateQuota, client: QuotaClient): number {
    const limit = this.#limitOf(name, client);
    const { count, sizeMs } = this.#windows.clients;
    return limit === undefined ? Infinity : (limit.value * count * sizeMs) / 1_000;
  }

  /** Of changes to metadata; undefined: as many as it likes. */
  mutationsOf(client: QuotaClient, nowMs: Millis): MutationQuota | undefined {
    const limit = this.#limitOf('controller_mutation_rate', client);
    return limit && new MutationQuota(this.#bucketOf(limit, nowMs), limit.value);
  }

  /** A connection has come from there: how long it has to wait, where it comes too soon. Then it does not count. */
  connected(ip: string, nowMs: Millis): Millis {
    const limit = this.#table.limitOfIp('connection_creation_rate', ip);
    if (limit === undefined) return 0;
    const rate = this.#rateOf(limit, nowMs);
    rate.record(1, nowMs);
    const throttleMs = rate.throttleMs(limit.value, nowMs);
    if (throttleMs > 0) rate.record(-1, nowMs);
    return Math.min(throttleMs, this.#windows.clients.sizeMs);
  }

  /** For those who count. */
  heldUp(name: QuotaName, forMs: Millis): void {
    const throttled = this.throttled.get(name) ?? { count: 0, totalMs: 0 };
    throttled.count++;
    throttled.totalMs += forMs;
    this.throttled.set(name, throttled);
  }

  #follow(): void {
    if (this.#version === this.#table.version) return;
    this.#version = this.#table.version;
    this.#limits = new Map();
    this.#timesRequests = this.#table.has('request_percentage');
  }

  #limitOf(name: QuotaName, client: QuotaClient): Limit | undefined {
    this.#follow();
    const key = `${name} ${client.user.length}:${client.user}${client.clientId}`;
    const known = this.#limits.get(key);
    if (known !== undefined || this.#limits.has(key)) return known;
    const limit = this.#table.limitOf(name, client);
    if (this.#limits.size >= METERS_MAX) this.#limits.clear();
    this.#limits.set(key, limit);
    return limit;
  }

  #rateOf({ sharedKey }: Limit, nowMs: Millis): SampledRate {
    const known = this.#rates.get(sharedKey);
    if (known !== undefined) return known;
    if (this.#rates.size >= METERS_MAX) forget(this.#rates, (rate) => rate.isOver(nowMs));
    const rate = new SampledRate(this.#windows.clients);
    this.#rates.set(sharedKey, rate);
    return rate;
  }

  #bucketOf({ sharedKey, value }: Limit, nowMs: Millis): TokenBucket {
    const known = this.#buckets.get(sharedKey);
    if (known !== undefined) return known;
    if (this.#buckets.size >= METERS_MAX) forget(this.#buckets, (bucket) => bucket.isFull(value, nowMs));
    const bucket = new TokenBucket(this.#windows.mutations);
    this.#buckets.set(sharedKey, bucket);
    return bucket;
  }
}

/** A client's changes to metadata. */
export class MutationQuota {
  readonly #bucket: TokenBucket;
  readonly #limit: number;

  constructor(bucket: TokenBucket, limit: number) {
    this.#bucket = bucket;
    this.#limit = limit;
  }

  /** Negative: they were not made. */
  take(changes: number, nowMs: Millis): void {
    this.#bucket.take(changes, this.#limit, nowMs);
  }

  throttleMs(nowMs: Millis): Millis {
    return this.#bucket.throttleMs(this.#limit, nowMs);
  }
}

/** Lets go of what counts nothing, and where that is little of the oldest: room for many, so that it is done seldom. */
function forget<T>(meters: Map<string, T>, isOver: (meter: T) => boolean): void {
  for (const [key, meter] of meters) if (isOver(meter)) meters.delete(key);
  for (const key of meters.keys()) {
    if (meters.size <= METERS_MAX * 0.9) return;
    meters.delete(key);
  }
}
