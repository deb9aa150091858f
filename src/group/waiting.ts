import type { Address } from '../model/machine.ts';

/** A request that gets its answer later. */
export interface Waiting {
  /** Undefined once the connection is gone: the member still takes part, its answer goes nowhere. */
  to: Address | undefined;
  readonly apiVersion: number;
}

/** Who waits on which connection, so that losing one costs no more than what waits on it. */
export class WaitingList {
  readonly #byLink = new Map<number, Set<Waiting>>();

  park(to: Address, apiVersion: number): Waiting {
    const waiting: Waiting = { to, apiVersion };
    const onLink = this.#byLink.get(to.link);
    if (onLink) onLink.add(waiting);
    else this.#byLink.set(to.link, new Set([waiting]));
    return waiting;
  }

  /** Where the answer goes, if anywhere; it no longer waits. */
  take(waiting: Waiting): Address | undefined {
    const { to } = waiting;
    if (to === undefined) return undefined;
    waiting.to = undefined;
    const onLink = this.#byLink.get(to.link);
    onLink?.delete(waiting);
    if (onLink?.size === 0) this.#byLink.delete(to.link);
    return to;
  }

  forget(link: number): void {
    for (const waiting of this.#byLink.get(link) ?? []) waiting.to = undefined;
    this.#byLink.delete(link);
  }
}
