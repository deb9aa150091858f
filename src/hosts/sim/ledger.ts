import type { LogKey, Millis, Offset, Uuid } from '../../model/ids.ts';
import { logKey } from '../../model/ids.ts';
import { sameBytes } from '../../model/bytes.ts';
import { BatchHeader, CRC_START, forEachBatch } from '../../records/header.ts';
import { Broken, holds } from './broken.ts';

/** A batch as a producer sent it. */
export interface Sent {
  id: number;
  log: LogLedger;
  /** From `CRC_START` on: what nobody may change. */
  covered: Uint8Array;
  count: number;
  /** -1 when not idempotent. */
  producerId: number;
  producerEpoch: number;
  baseSequence: number;
  /** One a record. */
  timestamps: readonly Millis[];
  /** What its records are told by, one each. */
  values: readonly string[];
  isAcknowledged: boolean;
  /** Where it is in the log, as far as anyone was told. */
  places: Place[];
}

export interface Place {
  sent: Sent;
  baseOffset: Offset;
}

/** Why a log may have lost what was promised. */
export type Excuse = 'none' | 'power cut without flushes';

/** All that is known of one log from outside: what was sent, answered and read. */
export class LogLedger {
  readonly topic: TopicLedger;
  readonly partition: number;
  readonly log: LogKey;
  readonly sent: Sent[] = [];
  /** Who has each offset, as far as anyone was told. */
  readonly #owners: (Place | undefined)[] = [];
  /** All below was acknowledged or read: it must stay. */
  promisedEnd: Offset = 0;
  /** Of trims: what is surely done, and what was asked for. */
  trimmed = { least: 0, most: 0 };
  /** Times it was allowed to lose something. */
  losses = 0;
  lostAtMs: Millis = -1;
  /** The partition was allowed to be lost. */
  isGone = false;
  /** Something was sent to a topic that had its name before. */
  #hasOthers = false;

  /**
   * @param former what the metadata lost of the same name and id, when it is made again: without flushes its log may
   * have outlived it, and is taken up as it is found.
   */
  constructor(topic: TopicLedger, partition: number, former?: LogLedger) {
    this.topic = topic;
    this.partition = partition;
    this.log = logKey(topic.id, partition);
    if (former === undefined) return;
    this.trimmed.most = former.trimmed.most;
    this.losses = former.losses + 1;
  }

  get title(): string {
    return `${this.topic.name}-${this.partition}`;
  }

  /** It need not be there any more. */
  get isDoomed(): boolean {
    return this.isGone || this.topic.isDoomed;
  }

  acknowledged(sent: Sent, baseOffset: Offset): void {
    this.#place(sent, baseOffset);
    sent.isAcknowledged = true;
    this.promisedEnd = Math.max(this.promisedEnd, baseOffset + sent.count);
  }

  /** A batch that a client read. @returns what it is. */
  read(bytes: Uint8Array, header: BatchHeader): Sent {
    const covered = bytes.subarray(header.position + CRC_START, header.position + header.sizeBytes);
    const sent = this.topic.ledger.find(covered, header.crc);
    const { baseOffset } = header;
    holds(sent, 'I18', () => `${this.title} has a batch at ${baseOffset} that nobody sent so`);
    // What was sent to a name whose topic was lost may be in the next topic of that name.
    if (sent.log !== this && sent.log.isDoomed && sent.log.title === this.title) {
      Object.assign(sent, { log: this, places: [] });
      this.#hasOthers = true;
    }
    holds(sent.log === this, 'I2', () => `batch ${sent.id} of ${sent.log.title} is in ${this.title}`);
    this.#place(sent, baseOffset);
    this.promisedEnd = Math.max(this.promisedEnd, baseOffset + sent.count);
    return sent;
  }

  /** The log was opened and ends there. What nobody was told of may be gone. */
  recovered(endOffset: Offset, excuse: Excuse, nowMs: Millis): void {
    if (excuse === 'power cut without flushes') this.trimmed.least = 0;
    if (endOffset < this.promisedEnd) {
      holds(excuse !== 'none', 'I1', () => {
        const first = this.#owners[endOffset]?.sent.id;
        return `${this.title} ends at ${endOffset}, ${this.promisedEnd} was promised (batch ${first} is gone)`;
      });
      this.mayDiffer(nowMs);
      this.promisedEnd = endOffset;
    }
    for (let offset = endOffset; offset < this.#owners.length; offset++) {
      const place = this.#owners[offset];
      if (place) place.sent.places = place.sent.places.filter((other) => other !== place);
    }
    this.#owners.length = Math.min(this.#owners.length, endOffset);
  }

  /** I3: what each idempotent producer has in the log follows its sequence. To be called when all was read. */
  checkSequences(): void {
    // What was lost in between was the log's to lose, and the next sequence was the producer's to send.
    if (this.losses > 0) return;
    const next = new Map<string, number>();
    let before: Place | undefined;
    for (const place of this.#owners) {
      if (place === undefined || place === before) continue;
      before = place;
      const { id, producerId, producerEpoch, baseSequence, count } = place.sent;
      if (producerId < 0) continue;
      const producer = `${producerId}/${producerEpoch}`;
      const expected = next.get(producer) ?? baseSequence;
      holds(baseSequence === expected, 'I3', () => {
        return `${this.title}: batch ${id} of producer ${producer} has sequence ${baseSequence}, not ${expected}`;
      });
      next.set(producer, baseSequence + count);
    }
  }

  /** From now on what was known of it need not be true. */
  mayDiffer(nowMs: Millis): void {
    this.losses++;
    this.lostAtMs = nowMs;
  }

  /** Whether all that was said of it still holds, and was said of it. */
  get isWhole(): boolean {
    return this.losses === 0 && !this.isDoomed && !this.#hasOthers;
  }

  ownerOf(offset: Offset): Place | undefined {
    return this.#owners[offset];
  }

  /** The first offset below `endOffset` known to hold a record of that time or later. */
  firstAt(timestamp: Millis, endOffset: Offset): Offset | undefined {
    for (let offset = this.trimmed.most; offset < endOffset; offset++) {
      const place = this.#owners[offset];
      if (place && (place.sent.timestamps[offset - place.baseOffset] ?? -1) >= timestamp) return offset;
    }
    return undefined;
  }

  #place(sent: Sent, baseOffset: Offset): void {
    const known = sent.places.find((place) => place.baseOffset === baseOffset);
    const place = known ?? { sent, baseOffset };
    if (!known) {
      const other = sent.places[0];
      if (sent.producerId >= 0 && other) {
        throw new Broken(
          'I3',
          `batch ${sent.id} is in ${this.title} at ${other.baseOffset} and ${baseOffset}`,
        );
      }
      sent.places.push(place);
    }
    for (let offset = baseOffset; offset < baseOffset + sent.count; offset++) {
      const owner = this.#owners[offset] ?? place;
      holds(owner === place, 'I2', () => {
        return `offset ${offset} of ${this.title} holds batch ${owner.sent.id}, and then batch ${sent.id}`;
      });
      this.#owners[offset] = place;
    }
  }
}

/** A topic from the moment its creation was answered or seen. */
export class TopicLedger {
  readonly ledger: Ledger;
  readonly name: string;
  readonly id: Uuid;
  /** From then on it may be gone. */
  isDoomed = false;
  readonly logs: LogLedger[] = [];
  /** By partition: the last that was lost with the metadata. */
  readonly #lost = new Map<number, LogLedger>();

  constructor(ledger: Ledger, name: string, id: Uuid) {
    this.ledger = ledger;
    this.name = name;
    this.id = id;
  }

  grownTo(partitions: number): void {
    for (let number = this.logs.length; number < partitions; number++)
      this.logs.push(new LogLedger(this, number, this.#lost.get(number)));
  }

  /** The partitions that are gone from the end of it. */
  shrink(): void {
    for (let log = this.logs.at(-1); log?.isGone; log = this.logs.at(-1)) {
      this.#lost.set(log.partition, log);
      this.logs.pop();
    }
  }
}

/** What clients were told, and so what must be true. */
export class Ledger {
  readonly #topics = new Map<Uuid, TopicLedger>();
  /** By checksum. */
  readonly #sent = new Map<number, Sent[]>();
  readonly #producerIds = new Set<number>();
  /** The metadata log was allowed to lose what it had promised. */
  hasLostMetadata = false;
  #lastId = 0;
  records = 0;

  topicById(id: Uuid): TopicLedger | undefined {
    return this.#topics.get(id);
  }

  /** Those that must be there. */
  topics(): TopicLedger[] {
    return [...this.#topics.values()].filter(({ isDoomed }) => !isDoomed);
  }

  topic(name: string): TopicLedger | undefined {
    return this.topics().find((topic) => topic.name === name);
  }

  /** After a restart that was allowed to lose metadata: what is not there any more need not be. */
  keepOnly(isThere: (log: LogLedger) => boolean): void {
    for (const topic of this.topics()) {
      for (const log of topic.logs) log.isGone ||= !isThere(log);
      topic.isDoomed = topic.logs.every((log) => log.isGone);
      topic.shrink();
    }
  }

  /** A client has seen it. */
  seen(name: string, id: Uuid, partitions: number): TopicLedger {
    let topic = this.#topics.get(id);
    if (topic === undefined) {
      topic = new TopicLedger(this, name, id);
      this.#topics.set(id, topic);
    }
    topic.grownTo(partitions);
    return topic;
  }

  /** No two producers have one id. @returns false when it was given before, and may be. */
  producerIdGiven(producerId: number): boolean {
    const isNew = !this.#producerIds.has(producerId);
    holds(isNew || this.hasLostMetadata, 'I9', () => `producer id ${producerId} is given twice`);
    this.#producerIds.add(producerId);
    return isNew;
  }

  /** @param batch sealed, as it goes into a request. */
  send(log: LogLedger, batch: Uint8Array, told: Pick<Sent, 'timestamps' | 'values'>): Sent {
    const header = new BatchHeader(batch);
    const { producerId, producerEpoch, baseSequence, crc, recordsCount: count } = header;
    const sent: Sent = {
      id: ++this.#lastId,
      log,
      covered: batch.slice(CRC_START),
      count,
      producerId,
      producerEpoch,
      baseSequence,
      ...told,
      isAcknowledged: false,
      places: [],
    };
    log.sent.push(sent);
    this.records += count;
    const others = this.#sent.get(crc);
    if (others) others.push(sent);
    else this.#sent.set(crc, [sent]);
    return sent;
  }

  find(covered: Uint8Array, crc: number): Sent | undefined {
    return this.#sent.get(crc)?.find((sent) => sameBytes(sent.covered, covered));
  }
}

/** Calls `visit` for each whole batch; says how many bytes they are. */
export function batchesIn(bytes: Uint8Array, visit: (header: BatchHeader) => void): number {
  let end = 0;
  forEachBatch(bytes, (header) => {
    end = header.position + header.sizeBytes;
    visit(header);
  });
  return end;
}
