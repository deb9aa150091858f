import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Diagnostics } from '../ports/diagnostics.ts';
import type { Transport } from '../ports/transport.ts';
import type { ApiVersionsResponse } from '../wire/apis/18-api-versions.ts';
import type { Api } from '../wire/schema.ts';
import type { Login } from './login-session.ts';

/** Versions of one API, ends included. */
export interface Versions {
  min: number;
  max: number;
}

export interface ExchangeOptions {
  transport: Transport;
  clock: Clock;
  clientId: string;
  /** Requests without an answer, beyond which the next ones wait here. */
  inFlightMax?: number;
  /** From sending to answer; then the connection counts as lost, for the answers behind would not come either. */
  requestTimeoutMs?: Millis;
  /** For the stream, and again for the first answer. */
  connectTimeoutMs?: Millis;
  /** Says who we are, first thing and before that is forgotten. */
  login?: Login | undefined;
  diagnostics?: Diagnostics | undefined;
}

export interface RequestOptions {
  timeoutMs?: Millis | undefined;
  /** Nobody waits for the answer any more. What was sent may be done all the same. */
  signal?: AbortSignal | undefined;
}

/** A request on its way. */
export interface Pending {
  api: Api;
  version: number;
  body: unknown;
  timeoutMs: Millis;
  correlationId: number;
  /** Undefined: there will be none (acks=0). */
  answered: ((frame: Uint8Array) => void) | undefined;
  sent: () => void;
  failed: (error: unknown) => void;
  cancelTimer: () => void;
  /** When it was sent, if anyone watches. */
  watched?: { atMs: Millis; requestBytes: number };
}

export type Asked = Omit<Pending, 'correlationId' | 'cancelTimer' | 'timeoutMs'> &
  Pick<RequestOptions, 'timeoutMs'>;

/** What brokers are told of this client (KIP-511). */
export const SOFTWARE = { clientSoftwareName: 'milena', clientSoftwareVersion: '0' };

export function versionsIn({ apiKeys }: ApiVersionsResponse): ReadonlyMap<number, Versions> {
  return new Map(
    apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
  );
}

/** Levels of features that a cluster has agreed on, by name. */
export function featuresIn({ finalizedFeatures }: ApiVersionsResponse): ReadonlyMap<string, number> {
  return new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]));
}
