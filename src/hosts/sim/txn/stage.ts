import { ErrorCode } from '../../../model/errors.ts';
import { createTopicsApi } from '../../../wire/apis/19-create-topics.ts';
import { deleteRecordsApi } from '../../../wire/apis/21-delete-records.ts';
import type { History, Recorder } from '../anomalies/history.ts';
import { holds } from '../broken.ts';
import { type Client, only } from '../client.ts';
import type { Ledger } from '../ledger.ts';
import type { Node } from '../node.ts';
import { type World, answerOf } from '../world.ts';
import { TXN_TOPICS, TxnLedger } from './ledger.ts';
import { Processor } from './processor.ts';
import { CommittedReader } from './reader.ts';
import { Decisions, StableWatch, keyOf } from './watch.ts';
import { TxnWriter } from './writer.ts';

/** Two writers have one id. */
const WRITERS = ['writer-a', 'writer-b', 'writer-b'];
const PROCESSORS_A_PARTITION = 2;
const STEPS_MAX = 300;

/** All that has to do with transactions: topics, clients, and what is known of them. */
export class TxnStage {
  readonly ledger = new TxnLedger();
  readonly decisions = new Decisions();
  readonly #stable = new StableWatch(this.ledger.logs);
  readonly #world: World;
  readonly #client: (name: string) => Client;

  constructor(world: World, client: (name: string) => Client) {
    this.#world = world;
    this.#client = client;
  }

  /** To be called after every event. */
  look(node: Node): void {
    this.#stable.look(node);
    this.decisions.look();
  }

  /** Runs all its clients, once there are topics. */
  admit(admit: (run: () => Promise<void>) => void): void {
    const { ledger } = this;
    const world = this.#world;
    const created = this.#create();
    const afterwards = (run: () => Promise<void>) => admit(() => created.then(run));
    for (const [number, id] of WRITERS.entries()) {
      const client = this.#client(`txn-${number}`);
      const writer = new TxnWriter({ world, ledger, client, late: this.#client(`txn-${number}-late`) }, id);
      afterwards(() => writer.run());
    }
    for (const log of ledger.inputs) {
      for (let number = 0; number < PROCESSORS_A_PARTITION; number++) {
        const client = this.#client(`processor-${log.partition}-${number}`);
        afterwards(() => new Processor({ world, ledger, client }, log).run());
      }
    }
    afterwards(() => this.#follow());
    afterwards(() => this.#deleteNowAndThen());
  }

  /** All is processed, and then all is read. */
  async finish(): Promise<void> {
    const { ledger } = this;
    for (const log of ledger.inputs) {
      const client = this.#client(`processor-${log.partition}-last`);
      const processor = new Processor({ world: this.#world, ledger, client }, log);
      for (let step = 0; !(await processor.step()); step++) {
        holds(step < STEPS_MAX, 'I11', () => `${log.title} is not processed to its end`);
        await this.#world.scheduler.sleep(50);
      }
    }
    await this.readAll('txn-last');
  }

  async readAll(name: string): Promise<void> {
    const reader = new CommittedReader({
      world: this.#world,
      client: this.#client(name),
      ledger: this.ledger,
    });
    for (const log of this.ledger.logs) {
      const isWhole = await reader.readAll(reader.start(log, log.deletedBelow));
      holds(isWhole, 'I17', () => `what is committed in ${log.title} cannot be read to its end`);
    }
  }

  /**
   * What clients did, but for logs that were allowed to lose what they had.
   * @param others what is known of logs without transactions
   */
  history(recorder: Recorder, others: Ledger): History {
    const logs = others.topics().flatMap((topic) => topic.logs.filter(({ isWhole }) => isWhole));
    const kept = new Set([...this.ledger.logs.map(({ title }) => title), ...logs.map(({ log }) => log)]);
    return {
      operations: recorder.history((key) => kept.has(key)),
      deletedBelow: new Map([
        ...this.ledger.logs.map(({ title, deletedBelow }) => [title, deletedBelow] as const),
        ...logs.map(({ log, trimmed }) => [log, trimmed.most] as const),
      ]),
      processed: new Set(this.ledger.inputs.map(({ title }) => title)),
    };
  }

  /** The names of its logs by now. */
  keys(node: Node): string[] {
    return this.ledger.logs.flatMap((log) => keyOf(node, log) ?? []);
  }

  async #create(): Promise<void> {
    const client = this.#client('txn-admin');
    for (const [name, numPartitions] of TXN_TOPICS) {
      for (let errorCode: number | undefined = -1; errorCode !== ErrorCode.NONE;) {
        const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] };
        const version = client.versionOf(createTopicsApi);
        const answer = await answerOf(client.request(createTopicsApi, version, { topics: [topic] }));
        errorCode = answer && only(answer.topics).errorCode;
        if (errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) break;
        await this.#world.scheduler.sleep(50);
      }
    }
  }

  /** Follows what is committed, now and then from the start. */
  async #follow(): Promise<void> {
    const client = this.#client('txn-reader');
    const { random } = client;
    const world = this.#world;
    const reader = new CommittedReader({ world, client, ledger: this.ledger });
    const positions = new Map(this.ledger.logs.map((log) => [log, reader.start(log, 0)]));
    while (world.phase !== 'over') {
      await world.scheduler.sleep(random.between(30, 300));
      const log = random.pick(this.ledger.logs);
      const isAgain = random.chance(0.03);
      const position = positions.get(log);
      if (isAgain || position === undefined) positions.set(log, reader.start(log, log.deletedBelow));
      else await reader.fetch(position);
    }
  }

  /** Of what a group has left behind. */
  async #deleteNowAndThen(): Promise<void> {
    const client = this.#client('txn-deleter');
    const { random } = client;
    while (this.#world.phase !== 'over') {
      await this.#world.scheduler.sleep(random.between(3_000, 9_000));
      const log = random.pick(this.ledger.inputs);
      const { topic, partition, deletedBelow, processedBelow } = log;
      const offset = deletedBelow + random.int(Math.max(1, processedBelow - deletedBelow));
      if (offset <= deletedBelow) continue;
      log.deletedBelow = offset;
      const topics = [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }];
      const version = client.versionOf(deleteRecordsApi);
      await answerOf(client.request(deleteRecordsApi, version, { topics, timeoutMs: 1_000 }));
    }
  }
}
