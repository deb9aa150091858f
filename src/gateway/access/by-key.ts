import type { Kernels } from '../../kernels/kernels.ts';
import { concat } from '../../model/bytes.ts';
import { ErrorCode, KafkaError } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import { records } from '../../records/batch.ts';
import { andThen, type Codec, type Codecs, type MaybePromise } from '../../records/codecs.ts';
import { BatchHeader, forEachBatch } from '../../records/header.ts';
import { emptyBatch, retainRecords } from '../../records/retain.ts';
import { AclOperation } from '../../security/acl.ts';
import type { FetchedPartition } from '../../wire/fetched.ts';
import type { Wanted } from '../fetch/fetch-call.ts';
import type { Call } from '../call.ts';
import type { Access } from './access.ts';

/** What looks into batches. */
export interface RecordTools {
  readonly kernels: Kernels;
  readonly codecs: Codecs;
}

const SLICE_MS = 2;
/** What is written is looked at in one go, so that requests keep their order: what unpacks to more is refused. */
const WRITTEN_MAX_BYTES = 8 * 1024 * 1024;

function bounded({ kernels, codecs }: RecordTools): RecordTools {
  const within = Array.from(codecs, ([id, codec]): [number, Codec] => [
    id,
    {
      compress: (bytes, level) => codec.compress(bytes, level),
      decompress: (bytes, maxBytes) => codec.decompress(bytes, Math.min(maxBytes, WRITTEN_MAX_BYTES)),
    },
  ]);
  return { kernels, codecs: new Map(within) };
}

/** Of one answer to somebody whose records are picked out: that much is looked through before others have a turn. */
export const BY_KEY_MAX_BYTES = 256 * 1024;

type Prefixes = readonly Uint8Array[];

function begins(key: Uint8Array | null, prefixes: Prefixes): boolean {
  return key !== null && prefixes.some((prefix) => isPrefix(prefix, key));
}

function isPrefix(prefix: Uint8Array, key: Uint8Array): boolean {
  if (key.length < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) if (key[at] !== prefix[at]) return false;
  return true;
}

/** Each whole batch by itself. */
function batchesOf(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  forEachBatch(bytes, ({ sizeBytes }) => {
    found.push(bytes.subarray(at, at + sizeBytes));
    at += sizeBytes;
  });
  return found;
}

/** Whether all records have keys that begin so; what cannot be read has not. */
export function areAllOf(tools: RecordTools, bytes: Uint8Array, prefixes: Prefixes): MaybePromise<boolean> {
  const batches = batchesOf(bytes);
  if (batches.reduce((sum, { length }) => sum + length, 0) !== bytes.length) return false;
  const { kernels, codecs } = bounded(tools);
  let areAll = batches.length > 0;
  const look = (batch: Uint8Array) =>
    andThen(records(batch, kernels, codecs), (found) => {
      areAll &&= Array.from(found).every(({ key }) => begins(key, prefixes));
    });
  return orElse(
    () => andThen(inTurn(batches, look), () => areAll),
    () => false,
  );
}

/** Work that is done in slices, so that others have their turn (decision 67). */
export class Turns {
  readonly #clock: Clock;
  #startedAtMs: Millis;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAtMs = this.#preciseMs;
  }

  get #preciseMs(): Millis {
    return this.#clock.preciseMs?.() ?? this.#clock.now();
  }

  get isOver(): boolean {
    return this.#preciseMs - this.#startedAtMs >= SLICE_MS;
  }

  next(): Promise<void> {
    return new Promise((resolve) =>
      this.#clock.at(this.#clock.now(), () => {
        this.#startedAtMs = this.#preciseMs;
        resolve();
      }),
    );
  }
}

/** One after the other, at once as long as nothing has to be waited for. */
export function inTurn<T>(
  items: readonly T[],
  visit: (item: T) => MaybePromise<void>,
  { turns, from = 0 }: { turns?: Turns | undefined; from?: number } = {},
): MaybePromise<void> {
  for (let at = from; at < items.length; at++) {
    if (at > from && turns?.isOver) return turns.next().then(() => inTurn(items, visit, { turns, from: at }));
    const done = visit(items[at] as T);
    if (done instanceof Promise) return done.then(() => inTurn(items, visit, { turns, from: at + 1 }));
  }
}

function orElse<T>(work: () => MaybePromise<T>, otherwise: () => T): MaybePromise<T> {
  const unreadable = (error: unknown): T => {
    if (error instanceof KafkaError) return otherwise();
    throw error;
  };
  try {
    const done = work();
    return done instanceof Promise ? done.catch(unreadable) : done;
  } catch (error) {
    return unreadable(error);
  }
}

/**
 * The batch without the records of others: as it is where all are his, undefined where none is. What is left of one in
 * which some are is as compaction leaves it: offsets stay.
 */
function ownOf(
  tools: RecordTools,
  bytes: Uint8Array,
  prefixes: Prefixes,
): MaybePromise<Uint8Array | undefined> {
  // Markers of transactions: a reader must know which were aborted.
  if (new BatchHeader(bytes).isControl) return bytes;
  return andThen(records(bytes, tools.kernels, tools.codecs), (found) => {
    const own = Array.from(found, ({ key }) => begins(key, prefixes));
    if (own.every((isOwn) => isOwn)) return own.length > 0 ? bytes : undefined;
    return own.includes(true)
      ? retainRecords(tools, found, { keeps: (index) => own[index] === true })
      : undefined;
  });
}

/** The records whose keys begin so; the last batch at least without its records: its reader goes on behind it. */
export function onlyOf(
  tools: RecordTools,
  bytes: Uint8Array,
  prefixes: Prefixes,
  turns?: Turns,
): MaybePromise<Uint8Array> {
  const batches = batchesOf(bytes);
  const kept: Uint8Array[] = [];
  const last = batches.at(-1);
  const pick = (batch: Uint8Array) =>
    andThen(ownOf(tools, batch, prefixes), (own) => {
      if (own !== undefined) kept.push(own);
      else if (batch === last) kept.push(emptyBatch(tools.kernels, new BatchHeader(batch)));
    });
  return andThen(inTurn(batches, pick, { turns }), () => concat(kept));
}

interface Answered {
  readonly wanted: Wanted;
  readonly response: FetchedPartition;
}

/** Takes the records of others out of what a fetch brings. @returns when, unless it is done. */
export function onlyOwnRecords(
  call: Call,
  access: Access,
  parts: readonly Answered[],
): Promise<void> | undefined {
  const later: Promise<void>[] = [];
  const turns = new Turns(call.gateway.clock);
  for (const { wanted, response } of parts) {
    const prefixes = access.keyPrefixes(AclOperation.READ, wanted);
    if (prefixes === undefined || (response.records?.length ?? 0) === 0) continue;
    const given = response.records as Uint8Array;
    const tools = call.gateway.recordTools;
    // Nothing leaves before it was looked at.
    response.records = new Uint8Array(0);
    if (tools === undefined) {
      response.errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
      continue;
    }
    const own = orElse<Uint8Array | undefined>(
      () => onlyOf(tools, given, prefixes, turns),
      () => undefined,
    );
    const answered = andThen(own, (bytes) => {
      if (bytes === undefined) response.errorCode = ErrorCode.CORRUPT_MESSAGE;
      else response.records = bytes;
    });
    if (answered instanceof Promise) later.push(answered);
  }
  return later.length === 0 ? undefined : Promise.all(later).then(() => undefined);
}
