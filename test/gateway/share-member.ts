import { TwinKernels } from '../../src/kernels/twin.ts';
import { records } from '../../src/records/batch.ts';
import { forEachBatch } from '../../src/records/header.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { shareGroupHeartbeatApi } from '../../src/wire/apis/76-share-group-heartbeat.ts';
import { shareFetchApi } from '../../src/wire/apis/78-share-fetch.ts';
import { shareAcknowledgeApi } from '../../src/wire/apis/79-share-acknowledge.ts';
import type { RequestInitOf } from '../../src/wire/schema.ts';
import type { RawClient } from './raw-client.ts';

export type Batch = { firstOffset: number; lastOffset: number; acknowledgeTypes: number[] };

export const ACCEPT = 1;
export const RELEASE = 2;
export const REJECT = 3;
export const RENEW = 4;

export function batch(firstOffset: number, lastOffset: number, ...acknowledgeTypes: number[]): Batch {
  return { firstOffset, lastOffset, acknowledgeTypes };
}

const kernels = new TwinKernels();
const codecs = nodeCodecs(kernels);

/** A member of a share group that speaks the protocol by hand, with one partition of one topic. */
export class ShareMember {
  readonly #client: RawClient;
  readonly #topic: { name: string; id: string };
  readonly groupId: string;
  readonly memberId: string;
  epoch = 0;
  sessionEpoch = 0;

  constructor(
    client: RawClient,
    { topic, groupId, memberId }: { topic: { name: string; id: string }; groupId: string; memberId: string },
  ) {
    this.#client = client;
    this.#topic = topic;
    this.groupId = groupId;
    this.memberId = memberId;
  }

  async beat(memberEpoch = this.epoch) {
    const answer = await this.#client.send(shareGroupHeartbeatApi, 1, {
      groupId: this.groupId,
      memberId: this.memberId,
      memberEpoch,
      subscribedTopicNames: memberEpoch === 0 ? [this.#topic.name] : null,
    });
    if (answer.errorCode === 0) this.epoch = answer.memberEpoch;
    return answer;
  }

  #topics(batches: readonly Batch[]) {
    const partitions = [{ partitionIndex: 0, acknowledgementBatches: [...batches] }];
    return [{ topicId: this.#topic.id, partitions }];
  }

  /** Moves its session on, unless told to stay. */
  async send(batches: readonly Batch[], settings: Partial<RequestInitOf<typeof shareFetchApi>> = {}) {
    const answer = await this.#client.send(shareFetchApi, 2, {
      groupId: this.groupId,
      memberId: this.memberId,
      shareSessionEpoch: this.sessionEpoch,
      maxWaitMs: 5_000,
      minBytes: 1,
      maxRecords: 100,
      batchSize: 100,
      topics: this.#topics(batches),
      forgottenTopicsData: [],
      ...settings,
    });
    if (answer.errorCode === 0) this.sessionEpoch++;
    return answer;
  }

  /** What it is given, as `[first, last, delivery count]`. */
  async fetch(settings: Partial<RequestInitOf<typeof shareFetchApi>> = {}) {
    const { responses, errorCode } = await this.send([], settings);
    if (errorCode !== 0) throw new Error(`ShareFetch: ${errorCode}`);
    const acquired = responses[0]?.partitions[0]?.acquiredRecords ?? [];
    return acquired.map(({ firstOffset, lastOffset, deliveryCount }) => [
      firstOffset,
      lastOffset,
      deliveryCount,
    ]);
  }

  /** The values of what it is given. */
  async read(settings: Partial<RequestInitOf<typeof shareFetchApi>> = {}): Promise<string[]> {
    const { responses } = await this.send([], settings);
    const partition = responses[0]?.partitions[0];
    const acquired = partition?.acquiredRecords ?? [];
    const values: string[] = [];
    const batches: Uint8Array[] = [];
    forEachBatch(partition?.records ?? new Uint8Array(0), ({ bytes }) => batches.push(bytes));
    for (const bytes of batches)
      for (const { offset, value } of await records(bytes, kernels, codecs))
        if (acquired.some(({ firstOffset, lastOffset }) => firstOffset <= offset && offset <= lastOffset))
          values.push(new TextDecoder().decode(value ?? undefined));
    return values;
  }

  /** @returns the code for the request, or, where that is 0, for the partition. */
  async acknowledge(batches: readonly Batch[], { isRenewAck = false, epoch = this.sessionEpoch } = {}) {
    const answer = await this.#client.send(shareAcknowledgeApi, 2, {
      groupId: this.groupId,
      memberId: this.memberId,
      shareSessionEpoch: epoch,
      isRenewAck,
      topics: batches.length === 0 ? [] : this.#topics(batches),
    });
    if (answer.errorCode !== 0) return answer.errorCode;
    this.sessionEpoch = epoch === -1 ? 0 : this.sessionEpoch + 1;
    return answer.responses[0]?.partitions[0]?.errorCode ?? 0;
  }

  close(batches: readonly Batch[] = []) {
    return this.acknowledge(batches, { epoch: -1 });
  }
}
