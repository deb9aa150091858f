import { ErrorCode } from '../../../model/errors.ts';
import type { Offset, Uuid } from '../../../model/ids.ts';
import { findCoordinatorApi } from '../../../wire/apis/10-find-coordinator.ts';
import { shareGroupHeartbeatApi } from '../../../wire/apis/76-share-group-heartbeat.ts';
import { shareFetchApi } from '../../../wire/apis/78-share-fetch.ts';
import { shareAcknowledgeApi } from '../../../wire/apis/79-share-acknowledge.ts';
import type { Client } from '../client.ts';
import { type World, answerOf } from '../world.ts';
import { SHARE_TOPIC, type ShareLedger } from './ledger.ts';

export const SHARE_GROUP = 'sharers';
const ACCEPT = 1;
const RELEASE = 2;
const REJECT = 3;

export interface ShareParts {
  world: World;
  ledger: ShareLedger;
  topicId: () => Uuid;
}

/** A member of a share group: joins, is given records, accepts, releases or rejects them, or forgets them. */
export class ShareMember {
  readonly #parts: ShareParts;
  readonly #client: Client;
  #memberEpoch = 0;
  #sessionEpoch = 0;
  #had: { firstOffset: Offset; lastOffset: Offset }[] = [];

  constructor(parts: ShareParts, client: Client) {
    this.#parts = parts;
    this.#client = client;
  }

  async run(): Promise<void> {
    const { world } = this.#parts;
    const { random } = this.#client;
    while (world.phase !== 'over') {
      await world.scheduler.sleep(random.between(20, 400));
      await this.step(random.chance(0.8));
      if (world.phase === 'wild' && random.chance(0.03)) this.#goAway();
    }
  }

  #goAway(): void {
    this.#client.disconnect();
    this.#forget();
  }

  #forget(): void {
    this.#sessionEpoch = 0;
    this.#had = [];
    this.#parts.ledger.letGo(this.#client.name);
  }

  /** @param says what it thinks of what it has; else its time may run out. */
  async step(says: boolean): Promise<void> {
    if (!(await this.#beat())) return;
    if (says && this.#had.length > 0) await this.#acknowledge();
    await this.#fetch();
  }

  async #beat(): Promise<boolean> {
    const body = { groupId: SHARE_GROUP, memberId: this.#client.name, memberEpoch: this.#memberEpoch };
    const subscribedTopicNames = this.#memberEpoch === 0 ? [SHARE_TOPIC] : null;
    const asked = this.#client.request(shareGroupHeartbeatApi, 1, { ...body, subscribedTopicNames });
    const answer = await answerOf(asked);
    if (answer === undefined) {
      // Its connection is gone, and with it all it had.
      this.#forget();
      return false;
    }
    if (answer.errorCode === ErrorCode.NONE) {
      this.#memberEpoch = answer.memberEpoch;
      return true;
    }
    this.#memberEpoch = 0;
    const keys = { key: SHARE_GROUP, coordinatorKeys: [SHARE_GROUP] };
    await answerOf(this.#client.request(findCoordinatorApi, 4, keys));
    return false;
  }

  #topics(acknowledgementBatches: { firstOffset: Offset; lastOffset: Offset; acknowledgeTypes: number[] }[]) {
    const partitions = [{ partitionIndex: 0, acknowledgementBatches }];
    return [{ topicId: this.#parts.topicId(), partitions }];
  }

  async #fetch(): Promise<void> {
    const { world, ledger } = this.#parts;
    const { random, name: member } = this.#client;
    const askedAtMs = world.scheduler.nowMs;
    const body = {
      groupId: SHARE_GROUP,
      memberId: member,
      shareSessionEpoch: this.#sessionEpoch,
      maxWaitMs: random.pick([0, 100]),
      minBytes: 1,
      maxRecords: random.pick([1, 5, 50]),
      batchSize: 10,
      shareAcquireMode: random.pick([0, 1]),
      topics: this.#topics([]),
      forgottenTopicsData: [],
    };
    const answer = await answerOf(this.#client.request(shareFetchApi, 2, body));
    if (answer?.errorCode !== ErrorCode.NONE) return this.#forget();
    this.#sessionEpoch++;
    const { nowMs } = world.scheduler;
    for (const { acquiredRecords } of answer.responses.flatMap(({ partitions }) => partitions))
      for (const { firstOffset, lastOffset, deliveryCount: count } of acquiredRecords) {
        this.#had.push({ firstOffset, lastOffset });
        for (const offset of each(firstOffset, lastOffset))
          ledger.given(offset, { member, count, askedAtMs, nowMs });
      }
  }

  async #acknowledge(): Promise<void> {
    const { world, ledger } = this.#parts;
    const { random, name: memberId } = this.#client;
    const type = random.chance(0.7) ? ACCEPT : random.pick([RELEASE, REJECT]);
    const said = this.#had.toSorted((a, b) => a.firstOffset - b.firstOffset);
    const offsets = said.flatMap(({ firstOffset, lastOffset }) => [...each(firstOffset, lastOffset)]);
    this.#had = [];
    const batches = said.map((range) => ({ ...range, acknowledgeTypes: [type] }));
    // It may be taken, whatever becomes of the answer.
    ledger.letGo(memberId, offsets);
    const session = { groupId: SHARE_GROUP, memberId, shareSessionEpoch: this.#sessionEpoch };
    const body = { ...session, topics: this.#topics(batches) };
    const answer = await answerOf(this.#client.request(shareAcknowledgeApi, 2, body));
    if (answer?.errorCode !== ErrorCode.NONE) return this.#forget();
    this.#sessionEpoch++;
    const isTaken = answer.responses[0]?.partitions[0]?.errorCode === ErrorCode.NONE;
    if (isTaken && type !== RELEASE) ledger.accepted(offsets, world.scheduler.nowMs);
  }
}

function* each(firstOffset: Offset, lastOffset: Offset): Iterable<Offset> {
  for (let offset = firstOffset; offset <= lastOffset; offset++) yield offset;
}
