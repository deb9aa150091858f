import * as z from 'zod/v4';
import type { ConsumerRecord } from '../../client/fetch/consumer-record.ts';
import type { Reader } from '../../client/read.ts';
import type { Offset } from '../../model/ids.ts';
import { withTopics } from '../admin.ts';
import { CliError, EXIT } from '../errors.ts';
import { beginOf } from '../position.ts';
import { fieldOf, PARTITION_MAX } from '../transfer/ndjson.ts';
import { tool } from './tool.ts';

const RECORDS_MAX = 1000;
const RECORDS_DEFAULT = 20;
const BYTES_MAX = 1024 * 1024;
const BYTES_DEFAULT = 64 * 1024;
const WAIT_MAX_MS = 10_000;
const WAIT_DEFAULT_MS = 5_000;
/** What is read ahead, and not given. */
const BUFFERED_BYTES = 2 * BYTES_MAX;

const args = z.strictObject({
  topic: z.string().min(1).describe('Its name'),
  partition: z.int().min(0).max(PARTITION_MAX).optional().describe('This one only; all unless given'),
  from: z
    .union([z.string(), z.int()])
    .default('earliest')
    .describe(
      'First to read: earliest, an offset such as 1200, -20 from the end, -1h (how long ago), or 2026-11-25T12:00Z',
    ),
  max_records: z.int().min(1).max(RECORDS_MAX).default(RECORDS_DEFAULT).describe('Stop after so many'),
  max_bytes: z
    .int()
    .min(1)
    .max(BYTES_MAX)
    .default(BYTES_DEFAULT)
    .describe('Stop before more bytes of keys, values and headers; a single longer field is cut'),
  timeout_ms: z
    .int()
    .min(1)
    .max(WAIT_MAX_MS)
    .default(WAIT_DEFAULT_MS)
    .describe('Give what there is after so long'),
  committed: z.boolean().default(false).describe('Nothing of transactions that are open or were aborted'),
});

export const READ_RECORDS = tool({
  name: 'read_records',
  title: 'Read records',
  description:
    'Records of a topic from a position to the end as it is now, without a group. Text is text; what is not UTF-8 is ' +
    '{"base64": "…"}; null is no key, or a tombstone. `stopped` says why it ends, `next` where each partition goes on',
  args,
  async run({ topic, partition, from, committed, ...bounds }, asked) {
    const begin = beginOf('from', String(from), Date.now());
    const { signal } = asked;
    const client = await asked.client();
    const { admin } = client;
    const { partitions } = await withTopics(admin, [topic], () => admin.topics.describe(topic, { signal }));
    if (partition !== undefined && partition >= partitions.length)
      throw noPartition({ topic, partition, count: partitions.length });
    const late = AbortSignal.timeout(bounds.timeout_ms);
    const reader = client.read(topic, {
      from: begin,
      live: false,
      isolation: committed ? 'read_committed' : 'read_uncommitted',
      maxBufferedBytes: BUFFERED_BYTES,
      signal: AbortSignal.any([signal, late]),
      ...(partition === undefined ? {} : { partitions: [partition] }),
    });
    const page = new Page(bounds.max_records, bounds.max_bytes);
    const stopped = await filled(page, { reader, late });
    if (stopped === 'timeout' && client.status !== 'connected') throw gone(topic);
    return { topic, stopped, next: page.next, records: page.records };
  },
});

type Stopped = 'end' | 'max_records' | 'max_bytes' | 'timeout';

/** @throws what the reader does. */
async function filled(page: Page, { reader, late }: { reader: Reader; late: AbortSignal }): Promise<Stopped> {
  try {
    for await (const record of reader) {
      const full = page.add(record);
      if (full !== undefined) return full;
    }
    return 'end';
  } catch (error) {
    if (error === late.reason) return 'timeout';
    throw error;
  }
}

/** As much as one answer holds. */
class Page {
  readonly records: object[] = [];
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #next = new Map<number, Offset>();
  #bytes = 0;

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  /** Where to go on in each partition of which there is something. */
  get next(): { partition: number; offset: Offset }[] {
    return Array.from(this.#next, ([partition, offset]) => ({ partition, offset })).sort(
      (a, b) => a.partition - b.partition,
    );
  }

  /** @returns which bound says that this, or the one before, was the last; the first has room in any case. */
  add(record: ConsumerRecord): 'max_records' | 'max_bytes' | undefined {
    const bytes = bytesOf(record);
    if (this.records.length > 0 && this.#bytes + bytes > this.#maxBytes) return 'max_bytes';
    this.#bytes += bytes;
    this.records.push(shown(record, this.#maxBytes));
    this.#next.set(record.partition, record.offset + 1);
    return this.records.length >= this.#maxRecords ? 'max_records' : undefined;
  }
}

function bytesOf({ keyBytes, valueBytes, headers }: ConsumerRecord): number {
  let bytes = (keyBytes?.length ?? 0) + (valueBytes?.length ?? 0);
  for (const { key, value } of headers) bytes += key.length + (value?.length ?? 0);
  return bytes;
}

/** As `consume` prints it; `cut` has the whole lengths of fields that are not whole. */
function shown(record: ConsumerRecord, maxBytes: number): object {
  const { partition, offset, timestamp, keyBytes, valueBytes, headers } = record;
  const cut = Object.entries({ key: keyBytes?.length ?? 0, value: valueBytes?.length ?? 0 }).filter(
    ([, length]) => length > maxBytes,
  );
  return {
    partition,
    offset,
    timestamp,
    key: fieldOf(firstOf(keyBytes, maxBytes)),
    value: fieldOf(firstOf(valueBytes, maxBytes)),
    headers: headers.map(({ key, value }) => [key, fieldOf(firstOf(value, maxBytes))]),
    ...(cut.length === 0 ? {} : { cut: Object.fromEntries(cut) }),
  };
}

/** Not within a character, where it is text. */
function firstOf(bytes: Uint8Array | null, maxBytes: number): Uint8Array | null {
  if (bytes === null || bytes.length <= maxBytes) return bytes;
  let end = maxBytes;
  while (end > maxBytes - CONTINUATIONS_MAX && isContinuation(bytes[end])) end--;
  return bytes.subarray(0, isContinuation(bytes[end]) ? maxBytes : end);
}

/** Of one character of UTF-8. */
const CONTINUATIONS_MAX = 3;

function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80;
}

function noPartition({ topic, partition, count }: { topic: string; partition: number; count: number }) {
  const message = `topic ${topic} has no partition ${partition}`;
  return new CliError(EXIT.notFound, 'UNKNOWN_PARTITION', message, `it has 0 to ${count - 1}`);
}

function gone(topic: string): CliError {
  const message = `no answer while ${topic} was read: the broker is gone`;
  return new CliError(EXIT.unreachable, 'UNREACHABLE', message, 'try again later', 'milena doctor');
}
