import type { CloseReason } from './connection.ts';

/** What the gateway counts; the host exposes it. */
export class GatewayCounters {
  readonly closedByReason = new Map<CloseReason, number>();
  readonly requestsByApi = new Map<number, number>();

  closed(reason: CloseReason): void {
    this.closedByReason.set(reason, (this.closedByReason.get(reason) ?? 0) + 1);
  }

  request(apiKey: number): void {
    this.requestsByApi.set(apiKey, (this.requestsByApi.get(apiKey) ?? 0) + 1);
  }
}
