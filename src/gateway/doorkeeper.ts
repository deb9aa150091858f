import type { Millis } from '../model/ids.ts';
import type { QuotaKeeper } from '../quota/keeper.ts';
import { SampledRate, type Windows } from '../quota/rate.ts';
import type { CloseReason, Connection } from './connection.ts';

/** How many may be connected: max.connections and its like. */
export interface ConnectionBounds {
  readonly max: number;
  /** socket.listen.backlog.size: so many wait until others have left. */
  readonly waitingMax: number;
  readonly perIp: number;
  readonly perIpOverrides: ReadonlyMap<string, number>;
  /** max.connection.creation.rate: a second, from everywhere. */
  readonly perSecond: number;
}

export const UNBOUNDED: ConnectionBounds = {
  max: Infinity,
  waitingMax: 0,
  perIp: Infinity,
  perIpOverrides: new Map(),
  perSecond: Infinity,
};

/** What becomes of a connection that has its place: it is closed after a while, or has to wait before it is heard. */
type Admission =
  | { readonly closeFor: CloseReason; readonly afterMs: Millis }
  | { readonly closeFor: undefined; readonly waitMs: Millis };

const COME_IN: Admission = { closeFor: undefined, waitMs: 0 };

/**
 * Counts who is connected from where, and says who may (Kafka's ConnectionQuotas). Where there are as many as may be,
 * who comes waits until another leaves; through the protected listener he comes in, and the idlest of the others goes.
 * Too many from one address are closed. In Kafka those that wait are not accepted; Node accepts whoever comes.
 */
export class Doorkeeper {
  readonly #bounds: () => ConnectionBounds;
  readonly #quotas: QuotaKeeper;
  readonly #now: () => Millis;
  /** Those that have a place, be it for as long as it takes to close them. */
  readonly #guests = new Set<Connection>();
  /** In the order they came. */
  readonly #waiting = new Set<Connection>();
  readonly #byIp = new Map<string, number>();
  readonly #rate: SampledRate;

  constructor(
    bounds: () => ConnectionBounds,
    { quotas, windows, now }: { quotas: QuotaKeeper; windows: Windows; now: () => Millis },
  ) {
    this.#bounds = bounds;
    this.#quotas = quotas;
    this.#now = now;
    this.#rate = new SampledRate(windows);
  }

  came(connection: Connection): void {
    const { max, waitingMax } = this.#bounds();
    if (connection.socket.isProtected === true || this.#guests.size < max) {
      this.#follow(connection, this.#admit(connection));
      if (this.#guests.size > max) this.#closeIdlest();
    } else if (this.#waiting.size < waitingMax) {
      this.#waiting.add(connection);
      connection.mute(Infinity);
    } else {
      connection.turnAway('too_many_connections', 0);
    }
  }

  left(connection: Connection): void {
    if (!this.#guests.delete(connection)) return void this.#waiting.delete(connection);
    const { ip } = connection;
    const count = (this.#byIp.get(ip) ?? 0) - 1;
    if (count > 0) this.#byIp.set(ip, count);
    else this.#byIp.delete(ip);
    this.letIn();
  }

  /** As many of those that wait as there is room for. */
  letIn(): void {
    if (this.#waiting.size === 0) return;
    const { max } = this.#bounds();
    for (const connection of this.#waiting) {
      if (this.#guests.size >= max) return;
      this.#waiting.delete(connection);
      this.#follow(connection, this.#admit(connection));
    }
  }

  #follow(connection: Connection, admission: Admission): void {
    if (admission.closeFor === undefined) connection.letIn(admission.waitMs);
    else connection.turnAway(admission.closeFor, admission.afterMs);
  }

  #admit(connection: Connection): Admission {
    const { perIp, perIpOverrides, perSecond } = this.#bounds();
    const { ip } = connection;
    const nowMs = this.#now();
    const before = this.#byIp.get(ip) ?? 0;
    this.#byIp.set(ip, before + 1);
    this.#guests.add(connection);
    if (before >= (perIpOverrides.get(ip) ?? perIp)) return { closeFor: 'too_many_from_ip', afterMs: 0 };
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

  /** Of those that came through no protected listener. */
  #closeIdlest(): void {
    let idlest: Connection | undefined;
    for (const guest of this.#guests) {
      if (guest.socket.isProtected === true) continue;
      if (idlest === undefined || guest.lastActiveMs < idlest.lastActiveMs) idlest = guest;
    }
    idlest?.close('too_many_connections');
  }
}
