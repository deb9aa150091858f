import type { Kernels } from '../../kernels/kernels.ts';
import { buildBatch, type NewRecord } from '../../records/builder.ts';
import { BatchHeader } from '../../records/header.ts';
import { ByteSource } from './byte-source.ts';
import { parseLine, type Parsed } from './ndjson.ts';
import { rawBatches } from './raw-file.ts';

/** One batch for each of some partitions, and where in the file they end. */
export interface Round {
  batches: Map<number, Uint8Array>;
  records: number;
  /** `line 120`, `byte 8192`: all of the file up to there is in this round or an earlier one. */
  through: string;
  /** By partition: where each record of its batch stands in the file, for what a broker says about one of them. */
  places: Map<number, (recordIndex: number) => string>;
}

/** The file does not say what it should. */
export class BadInput extends Error {
  override name = 'BadInput';
}

/** A line holds one record, in base64 at worst; a request has 100 MiB. */
const LINE_MAX_BYTES = 160 * 1024 * 1024;
/** Sizes of a round: well below what brokers take by default (message.max.bytes, 1 MiB a batch). */
const BATCH_BYTES = 256 * 1024;
const ROUND_BYTES = 2 * 1024 * 1024;
/** What a record takes beside its bytes, about. */
const RECORD_OVERHEAD_BYTES = 32;

/** Rounds of a file of lines, `skip` records left out. @throws BadInput with the line. */
export async function* roundsOfLines(
  input: AsyncIterable<Uint8Array>,
  { kernels, partitions, skip }: { kernels: Kernels; partitions: number; skip: number },
): AsyncGenerator<Round> {
  const source = new ByteSource(input);
  const checks = new LineChecks(partitions);
  let gathered = new Gathered();
  let line = 0;
  for (let skipped = 0; ;) {
    line++;
    const parsed = await nextRecord(source, line, checks);
    if (parsed === 'blank') continue;
    if (parsed === undefined || parsed instanceof BadInput) {
      // What stands before the fault is sound: it goes first.
      if (gathered.records > 0) yield gathered.round(kernels, `line ${line - 1}`);
      if (parsed === undefined) return;
      throw parsed;
    }
    if (skipped++ < skip) continue;
    gathered.add(parsed, line);
    if (!gathered.isFull) continue;
    yield gathered.round(kernels, `line ${line}`);
    gathered = new Gathered();
  }
}

async function nextRecord(
  source: ByteSource,
  line: number,
  checks: LineChecks,
): Promise<Parsed | 'blank' | BadInput | undefined> {
  try {
    const bytes = await source.line(LINE_MAX_BYTES);
    if (bytes === undefined) return undefined;
    const text = UTF8.decode(bytes);
    if (text.trim() === '') return 'blank';
    const parsed = parseLine(text);
    checks.check(parsed);
    return parsed;
  } catch (error) {
    return new BadInput(`line ${line}: ${error instanceof TypeError ? 'not UTF-8' : messageOf(error)}`);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What lines must be together: one topic, partitions there are, offsets that rise. */
class LineChecks {
  readonly #partitions: number;
  readonly #offsets = new Map<number, number>();
  #topic: string | undefined;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  check({ topic, partition, offset }: Parsed): void {
    this.#topic ??= topic;
    if (topic !== this.#topic)
      throw new Error(
        `topic ${topic.slice(0, 80)} after ${this.#topic.slice(0, 80)}: one topic is imported at a time`,
      );
    checkPartition(partition, this.#partitions);
    if (offset === undefined) return;
    const before = this.#offsets.get(partition) ?? -1;
    if (offset <= before)
      throw new Error(`offset ${offset} after ${before} of partition ${partition}: offsets must rise`);
    this.#offsets.set(partition, offset);
  }
}

function checkPartition(partition: number, partitions: number): void {
  if (partition < partitions) return;
  throw new Error(`partition ${partition} is not there: the topic has ${partitions}, 0 to ${partitions - 1}`);
}

/** Records on their way into batches. */
class Gathered {
  readonly #byPartition = new Map<number, { records: NewRecord[]; lines: number[]; bytes: number }>();
  #bytes = 0;
  records = 0;
  isFull = false;

  add({ partition, timestamp, key, value, headers }: Parsed, line: number): void {
    const found = this.#byPartition.get(partition) ?? { records: [], lines: [], bytes: 0 };
    this.#byPartition.set(partition, found);
    found.records.push({ timestamp, key, value, headers });
    found.lines.push(line);
    const headerBytes = headers.reduce(
      (sum, header) => sum + header.key.length + (header.value?.length ?? 0),
      0,
    );
    const size = (key?.length ?? 0) + (value?.length ?? 0) + headerBytes + RECORD_OVERHEAD_BYTES;
    found.bytes += size;
    this.#bytes += size;
    this.records++;
    this.isFull = found.bytes >= BATCH_BYTES || this.#bytes >= ROUND_BYTES;
  }

  round(kernels: Kernels, through: string): Round {
    const batches = new Map<number, Uint8Array>();
    const places: Round['places'] = new Map();
    for (const [partition, { records, lines }] of this.#byPartition) {
      batches.set(partition, buildBatch(kernels, { records }));
      places.set(partition, (index) => `line ${lines[index] ?? lines[0]}`);
    }
    return { batches, records: this.records, through, places };
  }
}

/** Rounds of a raw file, `skip` records left out: whole batches only. @throws BadInput with the byte. */
export async function* roundsOfRaw(
  input: AsyncIterable<Uint8Array>,
  { kernels, partitions, skip }: { kernels: Kernels; partitions: number; skip: number },
): AsyncGenerator<Round> {
  const source = new ByteSource(input);
  let skipped = 0;
  const batches = rawBatches(source, kernels);
  for (;;) {
    const position = source.position;
    try {
      const next = await batches.next();
      if (next.done === true) return;
      const { partition, bytes } = next.value;
      checkPartition(partition, partitions);
      const records = new BatchHeader(bytes).recordsCount;
      if (skipped + records <= skip) {
        skipped += records;
        continue;
      }
      if (skipped < skip)
        throw new Error(
          `--skip ${skip} ends within a batch, whose records are ${skipped} to ${skipped + records}`,
        );
      const places = new Map([[partition, () => `the batch at byte ${position}`]]);
      yield { batches: new Map([[partition, bytes]]), records, through: `byte ${source.position}`, places };
    } catch (error) {
      throw new BadInput(`byte ${position}: ${messageOf(error)}`);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
