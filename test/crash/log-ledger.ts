import type { Kernels } from '../../src/kernels/kernels.ts';
import { BatchFault } from '../../src/kernels/kernels.ts';
import type { Codecs } from '../../src/records/codecs.ts';
import { records } from '../../src/records/batch.ts';
import { BatchHeader, HEADER_SIZE } from '../../src/records/header.ts';

/** What a record's value says: who wrote it, and as which of its records in that partition, counted from 0. */
interface RecordId {
  writer: string;
  number: number;
}

const VALUE_MAX_BYTES = 1_500;

/** The value of a record, which follows from its id: so the ledger need not keep any. */
export function valueOf({ writer, number }: RecordId): Buffer {
  const size = 20 + ((number * 37) % VALUE_MAX_BYTES);
  const value = Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz0123456789', 'latin1');
  value.write(`${writer}|${number}|`, 'latin1');
  return value;
}

function idOf(value: Uint8Array | null): RecordId | undefined {
  const [writer, number] = Buffer.from(value ?? [])
    .subarray(0, 20)
    .toString('latin1')
    .split('|');
  return writer === undefined || number === undefined ? undefined : { writer, number: Number(number) };
}

interface Acked extends RecordId {
  /** Of its batch, when it is the first of one whose bytes we made. */
  crc: number | undefined;
}

/** What has been read of a log. It was readable, so it stays, acknowledged or not. */
interface Seen {
  /** CRC of each batch, by base offset. */
  crcs: Map<number, number>;
  /** Newest record of each writer. */
  lastNumber: Map<string, number>;
  nextOffset: number;
}

interface LogEntry {
  /** One past the last record each writer has sent. */
  sentEnd: Map<string, number>;
  /** What was acknowledged, at its offset. */
  acked: (Acked | undefined)[];
  seen: Seen;
}

/** What was sent to each log and what was acknowledged: the truth that the broker is held to. */
export class LogLedger {
  readonly #logs = new Map<string, LogEntry>();
  /** Writers that repeat what was not acknowledged under the same sequence: nothing of theirs may be missing. */
  readonly #exact = new Set<string>();

  addWriter(writer: string, { exact }: { exact: boolean }): void {
    if (exact) this.#exact.add(writer);
  }

  sent(log: string, { writer, number }: RecordId, count: number): void {
    this.#entry(log).sentEnd.set(writer, number + count);
  }

  acked(
    log: string,
    { writer, number }: RecordId,
    { count, baseOffset, crc }: { count: number; baseOffset: number; crc?: number },
  ): void {
    const { acked } = this.#entry(log);
    for (let i = 0; i < count; i++) {
      acked[baseOffset + i] = { writer, number: number + i, crc: i === 0 ? crc : undefined };
    }
  }

  ackedCount(): number {
    let count = 0;
    for (const { acked } of this.#logs.values()) for (const one of acked) if (one !== undefined) count++;
    return count;
  }

  /** Where the log ended when it was last read. */
  end(log: string): number {
    return this.#entry(log).seen.nextOffset;
  }

  /** Begin before the log is read: what is acknowledged until now must be in what is read. */
  check(log: string, tools: { kernels: Kernels; codecs: Codecs }): LogCheck {
    const entry = this.#entry(log);
    const { seen, acked } = entry;
    const mustReach = Math.max(acked.length, seen.nextOffset);
    return new LogCheck(tools, { ...entry, log, mustReach, exact: this.#exact });
  }

  #entry(log: string): LogEntry {
    let entry = this.#logs.get(log);
    if (entry !== undefined) return entry;
    const seen = { crcs: new Map(), lastNumber: new Map(), nextOffset: 0 };
    this.#logs.set(log, (entry = { sentEnd: new Map(), acked: [], seen }));
    return entry;
  }
}

interface Expected extends LogEntry {
  log: string;
  mustReach: number;
  exact: ReadonlySet<string>;
}

/** Holds one log, read from its start, against the ledger. */
export class LogCheck {
  readonly faults: string[] = [];
  nextOffset = 0;
  readonly #tools: { kernels: Kernels; codecs: Codecs };
  readonly #expected: Expected;

  constructor(tools: { kernels: Kernels; codecs: Codecs }, expected: Expected) {
    this.#tools = tools;
    this.#expected = expected;
  }

  /** @param bytes the next whole batches of the log. */
  async take(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (bytes.length - at < HEADER_SIZE) return this.#fault('cut in a batch header');
      const header = new BatchHeader(bytes, at);
      const batch = bytes.subarray(at, at + header.sizeBytes);
      const fault = this.#tools.kernels.validateBatch(batch);
      if (fault !== BatchFault.none) return this.#fault(`batch is broken (${fault})`);
      await this.#takeBatch(batch, header);
      at += batch.length;
    }
  }

  async #takeBatch(batch: Uint8Array, header: BatchHeader): Promise<void> {
    const { baseOffset, crc, lastOffset } = header;
    const { seen, acked } = this.#expected;
    if (baseOffset !== this.nextOffset) this.#fault(`next batch is at ${baseOffset}`);
    this.nextOffset = lastOffset + 1;
    if (baseOffset < seen.nextOffset) {
      if (seen.crcs.get(baseOffset) !== crc) this.#fault('this is not what was read here before');
      return;
    }
    const ackedCrc = acked[baseOffset]?.crc;
    if (ackedCrc !== undefined && ackedCrc !== crc) {
      this.#fault('these are not the bytes that were acknowledged');
    }
    for (const { offset, value } of await records(batch, this.#tools.kernels, this.#tools.codecs)) {
      this.#takeRecord(offset, value);
    }
    seen.crcs.set(baseOffset, crc);
    seen.nextOffset = this.nextOffset;
  }

  #takeRecord(offset: number, value: Uint8Array | null): void {
    const { acked, sentEnd, exact, seen } = this.#expected;
    const id = idOf(value);
    if (id === undefined || !valueOf(id).equals(value ?? NOTHING)) {
      return this.#fault(`at ${offset} is what nobody wrote`);
    }
    const named = `${id.writer}|${id.number}`;
    if (id.number >= (sentEnd.get(id.writer) ?? 0)) this.#fault(`${named} was never sent here`);
    const last = seen.lastNumber.get(id.writer) ?? -1;
    if (id.number <= last) this.#fault(`${named} at ${offset} comes after ${last}: twice, or out of order`);
    else if (exact.has(id.writer) && id.number !== last + 1) this.#fault(`before ${named} some are missing`);
    seen.lastNumber.set(id.writer, id.number);
    const expected = acked[offset];
    if (expected !== undefined && (expected.writer !== id.writer || expected.number !== id.number)) {
      this.#fault(`${named} is at ${offset}, acknowledged for ${expected.writer}|${expected.number}`);
    }
  }

  /** All has been read. */
  end(): void {
    const { mustReach } = this.#expected;
    if (this.nextOffset < mustReach) this.#fault(`the log ends here, acknowledged up to ${mustReach}`);
  }

  #fault(what: string): void {
    this.faults.push(`${this.#expected.log} @${this.nextOffset}: ${what}`);
  }
}

const NOTHING = new Uint8Array(0);
