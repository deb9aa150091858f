import type { Kernels } from '../../kernels/kernels.ts';
import { ROW } from '../../kernels/kernels.ts';
import { ErrorCode } from '../../model/errors.ts';
import type { Uuid } from '../../model/ids.ts';
import { checkedRecords } from '../../records/batch.ts';
import { forEachBatch } from '../../records/header.ts';
import { shareFetchApi, type ShareFetchResponse } from '../../wire/apis/78-share-fetch.ts';
import { shareAcknowledgeApi } from '../../wire/apis/79-share-acknowledge.ts';
import type { EngineParts } from '../client-parts.ts';
import { BrokerError, ConnectionLost, type MilenaError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { FetchedBatch } from '../fetch/consumer-record.ts';
import { abortable, Patience, within } from '../retry.ts';
import { titleOf } from '../topic-partition.ts';
import { type AcknowledgementBatch, Delivery } from './delivery.ts';
import type { LostAcknowledgement, ShareSettings } from './share-options.ts';

const VERSIONS = { min: 1, max: 2 };
const FINAL_EPOCH = -1;
/** What is said while nothing is asked for goes after so long. */
const SAY_AFTER_MS = 100;
const SESSION_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.SHARE_SESSION_NOT_FOUND,
  ErrorCode.INVALID_SHARE_SESSION_EPOCH,
]);

/** A partition that this member reads. */
export interface SharedPartition {
  readonly topicId: Uuid;
  readonly topic: string;
  readonly partition: number;
}

/** Records in the order they came, and who has them. */
export interface DeliveredBatch<K, V> {
  batch: FetchedBatch<K, V>;
  delivery: Delivery;
}

export interface ShareLaneOptions<K, V> {
  parts: EngineParts;
  settings: ShareSettings<K, V>;
  memberId: string;
  /** Somebody waits for records. */
  wantsRecords: () => boolean;
  delivered: (batches: DeliveredBatch<K, V>[]) => void;
  lost: (lost: LostAcknowledgement) => void;
  /** All that was given over the last connection is others' now. */
  dropped: (lane: ShareLane<K, V>) => void;
  signal: AbortSignal;
}

interface SaidOf extends SharedPartition {
  batches: AcknowledgementBatch[];
}

/**
 * What is read from one broker, over a connection of its own and in a share session: one request after the other, each
 * with all that was said since the last.
 */
export class ShareLane<K, V> {
  readonly nodeId: number;
  readonly #options: ShareLaneOptions<K, V>;
  #exchange: Exchange | undefined;
  #sessionEpoch = 0;
  #partitions: readonly SharedPartition[] = [];
  /** What the session has, by key. */
  readonly #told = new Map<string, SharedPartition>();
  /** Of which something is still to be said. */
  #deliveries: (Delivery & { topicId?: Uuid })[] = [];
  readonly #idOf = new Map<Delivery, SharedPartition>();
  #bell = Promise.withResolvers<void>();
  #isHeld = false;
  /** It has nothing to ask for, nor to say. */
  #isIdle = false;
  #patience: Patience | undefined;

  constructor(nodeId: number, options: ShareLaneOptions<K, V>) {
    this.nodeId = nodeId;
    this.#options = options;
  }

  /** Something is being tried again. */
  get isFailing(): boolean {
    return this.#patience !== undefined;
  }

  assign(partitions: readonly SharedPartition[]): void {
    this.#partitions = partitions;
    this.ring();
  }

  /** There may be something to do. */
  ring(): void {
    this.#bell.resolve();
  }

  /** Something was said, which is no hurry. */
  #said(): void {
    if (this.#isIdle) this.ring();
  }

  /** Nothing more is asked for. */
  hold(): void {
    this.#isHeld = true;
    this.ring();
  }

  /** Until it is held. @throws what cannot be put right; what the signal says. */
  async run(): Promise<void> {
    const { clock, random, retryForMs } = this.#options.parts;
    const { signal } = this.#options;
    while (!this.#isHeld) {
      this.#bell = Promise.withResolvers();
      try {
        if (this.#wants) await this.#fetch();
        else if (this.#unsent === 0) await this.#something();
        else if (await this.#isLeftAlone()) await this.#acknowledge();
        this.#patience = undefined;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ConnectionLost) this.#reset(error);
        this.#patience ??= new Patience({ clock, random, retryForMs, signal });
        await this.#patience.wait(error);
      }
    }
  }

  get #wants(): boolean {
    return this.#partitions.length > 0 && this.#options.wantsRecords();
  }

  get #unsent(): number {
    let unsent = 0;
    for (const delivery of this.#deliveries) unsent += delivery.unsent;
    return unsent;
  }

  /** Until there is something to ask for, or to say. */
  async #something(): Promise<void> {
    this.#isIdle = true;
    await abortable(this.#bell.promise, this.#options.signal).finally(() => (this.#isIdle = false));
  }

  /** Nobody asks for records for a while, with whose request it could go. */
  async #isLeftAlone(): Promise<boolean> {
    const { parts, signal } = this.#options;
    await within(this.#bell.promise, { clock: parts.clock, timeoutMs: SAY_AFTER_MS, signal });
    return !this.#wants;
  }

  async #connect(): Promise<Exchange> {
    if (this.#exchange !== undefined && !this.#exchange.isClosed) return this.#exchange;
    if (this.#exchange !== undefined) this.#reset(new ConnectionLost('the connection was lost'));
    const { parts, signal } = this.#options;
    const opening = parts.cluster.open(this.nodeId);
    opening.then(
      (exchange) => signal.aborted && exchange.close(),
      () => {},
    );
    this.#exchange = await abortable(opening, signal);
    return this.#exchange;
  }

  /** With its connection the session is gone, and all that was held in it. */
  #reset(error: MilenaError): void {
    this.#sessionEpoch = 0;
    this.#told.clear();
    for (const delivery of this.#deliveries)
      for (const batch of delivery.take()) this.#lost(delivery, batch, error);
    this.#deliveries = [];
    this.#idOf.clear();
    this.#options.dropped(this);
  }

  #lost({ topic, partition }: Delivery, batch: AcknowledgementBatch, error: MilenaError): void {
    const { firstOffset, lastOffset, acknowledgeTypes } = batch;
    // Of what has no record nobody needs to know.
    if (acknowledgeTypes[0] !== 0) this.#options.lost({ topic, partition, firstOffset, lastOffset, error });
  }

  /** What was said and is to be sent, by partition. */
  #takeSaid(): { said: SaidOf[]; sent: { delivery: Delivery; batch: AcknowledgementBatch }[] } {
    const said = new Map<string, SaidOf>();
    const sent: { delivery: Delivery; batch: AcknowledgementBatch }[] = [];
    for (const delivery of this.#deliveries.toSorted((a, b) => a.firstOffset - b.firstOffset)) {
      const at = this.#idOf.get(delivery);
      const batches = delivery.take();
      if (at === undefined || batches.length === 0) continue;
      for (const batch of batches) sent.push({ delivery, batch });
      const known = said.get(keyOf(at));
      if (known === undefined) said.set(keyOf(at), { ...at, batches });
      else known.batches.push(...batches);
    }
    this.#deliveries = this.#deliveries.filter((delivery) => {
      if (delivery.isOver) this.#idOf.delete(delivery);
      return !delivery.isOver;
    });
    return { said: [...said.values()], sent };
  }

  async #fetch(): Promise<void> {
    const exchange = await this.#connect();
    const { settings, memberId, signal } = this.#options;
    const { groupId, maxRecords, maxBytes, maxWaitMs } = settings;
    const isFirst = this.#sessionEpoch === 0;
    // A session begins without a word.
    const { said, sent } = isFirst ? { said: [], sent: [] } : this.#takeSaid();
    const wanted = new Map(this.#partitions.map((one) => [keyOf(one), one]));
    const asked = new Map<string, SaidOf>(said.map((one) => [keyOf(one), one]));
    for (const [key, one] of wanted)
      if (!this.#told.has(key) && !asked.has(key)) asked.set(key, { ...one, batches: [] });
    const forgotten = [...this.#told.values(), ...said].filter((one) => !wanted.has(keyOf(one)));
    const body = {
      groupId,
      memberId,
      shareSessionEpoch: this.#sessionEpoch,
      maxWaitMs: isFirst && this.#unsent > 0 ? 0 : maxWaitMs,
      minBytes: 1,
      maxBytes,
      maxRecords,
      batchSize: maxRecords,
      topics: topicsOf([...asked.values()]),
      forgottenTopicsData: forgotten.map(({ topicId, partition }) => ({ topicId, partitions: [partition] })),
    };
    const answer = await exchange.request(shareFetchApi, VERSIONS, body, { signal });
    if (!this.#goesOn(answer.errorCode, sent)) return;
    this.#told.clear();
    for (const [key, one] of wanted) this.#told.set(key, one);
    await this.#take(answer, sent);
  }

  /** @returns false when the session is to be opened again. @throws BrokerError */
  #goesOn(errorCode: number, sent: readonly { delivery: Delivery; batch: AcknowledgementBatch }[]): boolean {
    if (errorCode === ErrorCode.NONE) {
      this.#sessionEpoch = this.#sessionEpoch === 0x7fff_ffff ? 1 : this.#sessionEpoch + 1;
      return true;
    }
    const error = new BrokerError(errorCode, `share group ${this.#options.settings.groupId}`);
    for (const { delivery, batch } of sent) this.#lost(delivery, batch, error);
    this.#sessionEpoch = 0;
    this.#told.clear();
    if (SESSION_ERRORS.has(errorCode)) return false;
    throw error;
  }

  async #acknowledge(epoch = this.#sessionEpoch, signal = this.#options.signal): Promise<void> {
    const exchange = await this.#connect();
    if (this.#sessionEpoch === 0) return;
    const { settings, memberId } = this.#options;
    const { said, sent } = this.#takeSaid();
    if (said.length === 0 && epoch !== FINAL_EPOCH) return;
    const body = { groupId: settings.groupId, memberId, shareSessionEpoch: epoch, topics: topicsOf(said) };
    const answer = await exchange.request(shareAcknowledgeApi, VERSIONS, body, { signal });
    if (!this.#goesOn(answer.errorCode, sent)) return;
    for (const { topicId, partitions } of answer.responses)
      for (const { partitionIndex: partition, errorCode } of partitions)
        this.#acknowledged({ topicId, partition }, errorCode, sent);
  }

  #acknowledged(
    { topicId, partition }: { topicId: Uuid; partition: number },
    errorCode: number,
    sent: readonly { delivery: Delivery; batch: AcknowledgementBatch }[],
  ): void {
    if (errorCode === ErrorCode.NONE) return;
    const topic = this.#nameOf(topicId);
    const error = new BrokerError(errorCode, titleOf({ topic, partition }));
    for (const { delivery, batch } of sent)
      if (delivery.topic === topic && delivery.partition === partition) this.#lost(delivery, batch, error);
  }

  #nameOf(topicId: Uuid): string {
    const known = [...this.#partitions, ...this.#told.values(), ...this.#idOf.values()];
    return known.find((one) => one.topicId === topicId)?.topic ?? topicId;
  }

  async #take(
    { responses }: ShareFetchResponse,
    sent: readonly { delivery: Delivery; batch: AcknowledgementBatch }[],
  ): Promise<void> {
    const { parts, delivered } = this.#options;
    let failure: BrokerError | undefined;
    for (const { topicId, partitions } of responses)
      for (const answer of partitions) {
        const { partitionIndex: partition, errorCode, acknowledgeErrorCode } = answer;
        const topic = this.#nameOf(topicId);
        this.#acknowledged({ topicId, partition }, acknowledgeErrorCode, sent);
        if (errorCode !== ErrorCode.NONE) {
          failure = new BrokerError(errorCode, titleOf({ topic, partition }));
          parts.cluster.forget(topic);
          continue;
        }
        const batches = await this.#read({ topicId, topic, partition }, answer);
        delivered(batches);
      }
    // What is there is there, whatever another partition has.
    if (failure !== undefined) throw failure;
  }

  async #read(
    at: SharedPartition,
    { records: bytes, acquiredRecords }: ShareFetchResponse['responses'][number]['partitions'][number],
  ): Promise<DeliveredBatch<K, V>[]> {
    const deliveries = acquiredRecords.map((range) => new Delivery(at, range, () => this.#said()));
    for (const delivery of deliveries) this.#idOf.set(delivery, at);
    const wholes: Uint8Array[] = [];
    forEachBatch(bytes, (header) => {
      if (!header.isControl) wholes.push(header.bytes);
    });
    const found: DeliveredBatch<K, V>[] = [];
    for (const whole of wholes) await this.#readBatch(at, { whole, deliveries, found });
    this.#deliveries.push(...deliveries);
    return found;
  }

  async #readBatch(
    { topic, partition }: SharedPartition,
    {
      whole,
      deliveries,
      found,
    }: { whole: Uint8Array; deliveries: readonly Delivery[]; found: DeliveredBatch<K, V>[] },
  ): Promise<void> {
    const { parts, settings } = this.#options;
    const { kernels, codecs }: { kernels: Kernels; codecs: EngineParts['codecs'] } = parts;
    const reading = checkedRecords(whole, kernels, codecs);
    const { header, place } = reading instanceof Promise ? await reading : reading;
    const { baseOffset, lastOffset, partitionLeaderEpoch: leaderEpoch } = header;
    for (const delivery of deliveries) {
      const fromOffset = Math.max(delivery.firstOffset, baseOffset);
      const nextOffset = Math.min(delivery.lastOffset, lastOffset) + 1;
      if (fromOffset >= nextOffset) continue;
      const deserializers = settings.deserializersOf(topic);
      const about = {
        topic,
        partition,
        leaderEpoch,
        deserializers,
        fromOffset,
        nextOffset,
        released: () => {},
      };
      const batch = new FetchedBatch<K, V>(place, about);
      for (let index = 0; index < batch.length; index++)
        delivery.open(baseOffset + (place.rows[batch.rowOf(index) + ROW.offsetDelta] ?? 0));
      if (batch.length > 0) found.push({ batch, delivery });
    }
  }

  /** Says what is left to be said; all else is released with the session. */
  async finish(signal: AbortSignal): Promise<void> {
    const isOpen = this.#sessionEpoch > 0 && this.#exchange?.isClosed === false;
    if (isOpen) await this.#acknowledge(FINAL_EPOCH, signal);
  }

  close(): void {
    this.#exchange?.close();
  }
}

function keyOf({ topicId, partition }: { topicId: Uuid; partition: number }): string {
  return `${topicId}/${partition}`;
}

function topicsOf(said: readonly SaidOf[]) {
  return said.map(({ topicId, partition: partitionIndex, batches }) => ({
    topicId,
    partitions: [{ partitionIndex, acknowledgementBatches: batches }],
  }));
}
