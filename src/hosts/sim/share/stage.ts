import { ErrorCode } from '../../../model/errors.ts';
import { type Uuid, ZERO_UUID } from '../../../model/ids.ts';
import { buildBatch } from '../../../records/builder.ts';
import { produceApi } from '../../../wire/apis/00-produce.ts';
import { createTopicsApi } from '../../../wire/apis/19-create-topics.ts';
import { incrementalAlterConfigsApi } from '../../../wire/apis/44-incremental-alter-configs.ts';
import { metadataApi } from '../../../wire/apis/03-metadata.ts';
import { holds } from '../broken.ts';
import { type Client, only } from '../client.ts';
import { type World, answerOf } from '../world.ts';
import { SHARE_LOCK_MS, SHARE_TOPIC, ShareLedger } from './ledger.ts';
import { SHARE_GROUP, ShareMember } from './member.ts';

const MEMBERS = 3;
const STEPS_MAX = 300;
const GROUP_RESOURCE = 32;

/** A share group: its topic, who writes it, its members, and what is known of what they were told. */
export class ShareStage {
  readonly ledger = new ShareLedger();
  readonly #world: World;
  readonly #client: (name: string) => Client;
  #topicId: Uuid = ZERO_UUID;

  constructor(world: World, client: (name: string) => Client) {
    this.#world = world;
    this.#client = client;
  }

  admit(admit: (run: () => Promise<void>) => void): void {
    const created = this.#create();
    const afterwards = (run: () => Promise<void>) => admit(() => created.then(run));
    for (let number = 1; number <= MEMBERS; number++) {
      const member = this.#member(`sharer-${number}`);
      afterwards(() => member.run());
    }
    afterwards(() => this.#write());
  }

  #member(name: string): ShareMember {
    const parts = { world: this.#world, ledger: this.ledger, topicId: () => this.#topicId };
    return new ShareMember(parts, this.#client(name));
  }

  async #create(): Promise<void> {
    const client = this.#client('share-admin');
    const configs = [
      { name: 'share.auto.offset.reset', value: 'earliest', configOperation: 0 },
      { name: 'share.record.lock.duration.ms', value: String(SHARE_LOCK_MS), configOperation: 0 },
    ];
    const resource = { resourceType: GROUP_RESOURCE, resourceName: SHARE_GROUP, configs };
    const topic = { name: SHARE_TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    for (;;) {
      await this.#world.scheduler.sleep(50);
      const altered = await answerOf(
        client.request(incrementalAlterConfigsApi, 1, { resources: [resource], validateOnly: false }),
      );
      if (altered === undefined || only(altered.responses).errorCode !== ErrorCode.NONE) continue;
      await answerOf(client.request(createTopicsApi, 7, { topics: [topic] }));
      const answer = await answerOf(client.request(metadataApi, 12, { topics: [{ name: SHARE_TOPIC }] }));
      if (answer === undefined || only(answer.topics).errorCode !== ErrorCode.NONE) continue;
      this.#topicId = only(answer.topics).topicId;
      return;
    }
  }

  /** Some records at a time; of those without an answer nobody knows. */
  async #write(): Promise<void> {
    const client = this.#client('share-writer');
    const { scheduler, kernels } = this.#world;
    while (this.#world.phase !== 'over') {
      await scheduler.sleep(client.random.between(50, 400));
      const askedAtMs = scheduler.nowMs;
      const count = 1 + client.random.int(6);
      const timestamp = askedAtMs;
      const records = buildBatch(kernels, {
        records: Array.from({ length: count }, () => ({ timestamp, value: new Uint8Array(8) })),
      });
      const topicData = [
        { name: SHARE_TOPIC, topicId: this.#topicId, partitionData: [{ index: 0, records }] },
      ];
      const asked = client.request(produceApi, 12, { acks: -1, timeoutMs: 2_000, topicData });
      const answer = await answerOf(asked);
      const written = answer && only(only(answer.responses).partitionResponses);
      if (written?.errorCode !== ErrorCode.NONE) continue;
      for (let at = 0; at < count; at++) this.ledger.wrote(written.baseOffset + at, askedAtMs);
    }
  }

  /** In the end each record is done, or given up. */
  async finish(): Promise<void> {
    const member = this.#member('sharer-last');
    for (let step = 0; this.ledger.left.length > 0; step++) {
      const [first] = this.ledger.left;
      holds(step < STEPS_MAX, 'I12', () => `record ${first} was written, and nobody has done it`);
      await this.#world.scheduler.sleep(100);
      await member.step(true);
    }
  }
}
