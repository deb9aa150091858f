import type { Api, RequestOf } from '../wire/schema.ts';
import type { Call } from './call.ts';
import type { Gateway } from './gateway.ts';

/** One API as the gateway serves it: splits the request by shard and merges the answers; it knows no rules. */
export interface Handler<A extends Api = Api> {
  api: A;
  /** Versions served, inclusive; what ApiVersions tells clients unless `advertised` says otherwise. */
  min: number;
  max: number;
  /** What ApiVersions says of `min`, where clients need to read something older than we serve (KAFKA-18659). */
  advertisedMin?: number;
  /** Of a part that may be missing: not told of by ApiVersions then. */
  isOff?(gateway: Gateway): boolean;
  /** Runs alone on its connection: what comes after must see what it did. */
  exclusive?: boolean;
  /** Its answers are made of records: it does not start while its connection has no credit for any. */
  readsRecords?: boolean;
  /** May be parked for long (a long poll, a join): a shutdown does not wait for it. */
  mayWait?: boolean;
  /** Ends with exactly one `call.reply`, `call.silent` or `call.close`, now or later. */
  handle(call: Call, request: RequestOf<A>): void;
  /** For an API that has an answer for versions it does not serve; otherwise the connection is closed. */
  handleUnsupported?(call: Call): void;
}

export function serves(handler: Handler, apiVersion: number): boolean {
  return apiVersion >= handler.min && apiVersion <= handler.max;
}

/** Lets a table hold handlers of different APIs; the registry hands each only requests of its own. */
export function handler<A extends Api>(definition: Handler<A>): Handler {
  return definition as unknown as Handler;
}
