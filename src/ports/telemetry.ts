import type { Uuid } from '../model/ids.ts';

/** Whose metrics these are: nothing of it is in what a client pushes. */
export interface TelemetryClient {
  readonly clientInstanceId: Uuid;
  readonly clientId: string;
  readonly softwareName: string;
  readonly softwareVersion: string;
  /** `User:alice`. */
  readonly principal: string;
  readonly address: string;
}

export interface PushedTelemetry {
  readonly client: TelemetryClient;
  /** As in a batch's attributes. */
  readonly compressionType: number;
  /** OpenTelemetry's MetricsData, compressed. */
  readonly metrics: Uint8Array;
}

/** Where metrics of clients go (KIP-714). */
export interface TelemetryReceiver {
  /** Resolves once they are taken, not once they have arrived. @throws Error for what cannot be read. */
  take(pushed: PushedTelemetry): Promise<void>;
}
