import type { Millis } from '../model/ids.ts';
import type { QuotaKeeper } from '../quota/keeper.ts';
import { SampledRate, type Windows } from '../quota/rate.ts';
import type { CloseReason } from './connection.ts';

/** How many may be connected: max.connections and its like. */
export interface ConnectionBounds {
  readonly max: number;
  readonly perIp: number;
  readonly perIpOverrides: ReadonlyMap<string, number>;
  /** max.connection.creation.rate: a second, from everywhere. */
  readonly perSecond: number;
}

export const UNBOUNDED: ConnectionBounds = {
  max: Infinity,
  perIp: Infinity,
  perIpOverrides: new Map(),
  perSecond: Infinity,
};

/** What becomes of a connection that has come: it is closed after a while, or has to wait before it is heard. */
export type Admission =
  | { readonly closeFor: CloseReason; readonly afterMs: Millis }
  | { readonly closeFor: undefined; readonly waitMs: Millis };

const COME_IN: Admission = { closeFor: undefined, waitMs: 0 };

/** Counts who is connected from where, and says who may. */
export class Doorkeeper {
  readonly #bounds: () => ConnectionBounds;
  readonly #quotas: QuotaKeeper;
  readonly #byIp = new Map<string, number>();
  readonly #rate: SampledRate;
  #count = 0;

  constructor(bounds: () => ConnectionBounds, quotas: QuotaKeeper, windows: Windows) {
    this.#bounds = bounds;
    this.#quotas = quotas;
    this.#rate = new SampledRate(windows);
  }

  get count(): number {
    return this.#count;
  }

  /** Whoever comes counts until he has {@link left}, admitted or not. */
  admit(ip: string, nowMs: Millis): Admission {
    const { max, perIp, perIpOverrides, perSecond } = this.#bounds();
    const before = this.#byIp.get(ip) ?? 0;
    this.#byIp.set(ip, before + 1);
    this.#count++;
    if (before >= (perIpOverrides.get(ip) ?? perIp)) return { closeFor: 'too_many_from_ip', afterMs: 0 };
    if (this.#count > max) return { closeFor: 'too_many_connections', afterMs: 0 };
    if (!this.#quotas.isEmpty) {
      const afterMs = this.#quotas.connected(ip, nowMs);
      if (afterMs > 0) {
        this.#quotas.heldUp('connection_creation_rate', afterMs);
        return { closeFor: 'connects_too_often', afterMs };
      }
    }
    if (perSecond === Infinity) return COME_IN;
    this.#rate.record(1, nowMs);
    return { closeFor: undefined, waitMs: this.#rate.throttleMs(perSecond, nowMs) };
  }

  left(ip: string): void {
    const count = (this.#byIp.get(ip) ?? 0) - 1;
    if (count > 0) this.#byIp.set(ip, count);
    else this.#byIp.delete(ip);
    this.#count--;
  }
}
