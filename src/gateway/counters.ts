import { Histogram } from '../model/histogram.ts';
import type { FetchResponse } from '../wire/apis/01-fetch.ts';
import type { Api } from '../wire/schema.ts';
import type { CloseReason } from './connection.ts';
import { ReplyErrors } from './reply-errors.ts';

/** Milliseconds. Below the first a request is as good as at once. */
const DURATION_BOUNDS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/** Of one API, those that were answered. */
class ApiCounters {
  readonly api: Api;
  /** From the request's arrival until its answer is handed to the socket, waits included. */
  readonly durationMs = new Histogram(DURATION_BOUNDS_MS);
  /** Errors by code, each partition's by itself. */
  readonly errors = new Map<number, number>();
  readonly #replyErrors: ReplyErrors;
  readonly #count = (errorCode: number) => add(this.errors, errorCode, 1);

  constructor(api: Api) {
    this.api = api;
    this.#replyErrors = new ReplyErrors(api);
  }

  answered(tookMs: number, body: unknown): void {
    // The wall clock may be set back.
    this.durationMs.add(Math.max(0, tookMs));
    this.#replyErrors.each(body, this.#count);
  }
}

/** What the gateway counts, a few additions a request; the host exposes it. */
export class GatewayCounters {
  readonly closedByReason = new Map<CloseReason, number>();
  readonly requestsByApi = new Map<number, number>();
  readonly answeredByApi = new Map<number, ApiCounters>();
  /** Accepted so far. */
  connections = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Records sent to readers, by topic name; the host forgets topics that are gone. */
  readonly fetchedBytes = new Map<string, number>();
  fetchedBytesTotal = 0;

  closed(reason: CloseReason): void {
    add(this.closedByReason, reason, 1);
  }

  request(apiKey: number): void {
    add(this.requestsByApi, apiKey, 1);
  }

  /** @param body as it was encoded; undefined when there is no answer, as with acks=0. */
  answered(api: Api, tookMs: number, body: unknown): void {
    let counters = this.answeredByApi.get(api.key);
    if (counters === undefined) this.answeredByApi.set(api.key, (counters = new ApiCounters(api)));
    counters.answered(tookMs, body);
  }

  fetched(responses: FetchResponse['responses'], nameOf: (topicId: string) => string | undefined): void {
    for (const { topic, topicId, partitions } of responses) {
      let bytes = 0;
      for (const { records } of partitions) bytes += records?.length ?? 0;
      this.fetchedBytesTotal += bytes;
      const name = topic === '' ? nameOf(topicId) : topic;
      if (bytes > 0 && name !== undefined) add(this.fetchedBytes, name, bytes);
    }
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
