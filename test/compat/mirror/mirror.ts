import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../../../src/client/client.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import type { Home } from '../kafka/homes.ts';
import type { JavaProcess } from '../kafka/java-process.ts';
import { startMirrorMaker } from './mirror-maker.ts';

const LOOK_AGAIN_MS = 200;
const RECORDS = 300;
const FIRST_TIMESTAMP = Date.now() - 3_600_000;

type Values = string[];

/** Two clusters, what is written to the first, and what MirrorMaker makes of it in the second. */
export class Mirror implements AsyncDisposable {
  readonly #homes: { source: Home; target: Home };
  readonly #source: Client;
  readonly #target: Client;
  #maker: JavaProcess | undefined;
  #written = 0;

  private constructor(homes: { source: Home; target: Home }, source: Client, target: Client) {
    this.#homes = homes;
    this.#source = source;
    this.#target = target;
  }

  static async between(source: Home, target: Home): Promise<Mirror> {
    const clients = await Promise.all([source, target].map(({ address }) => connect(`kafka://${address}`)));
    return new Mirror({ source, target }, clients[0]!, clients[1]!);
  }

  async start(): Promise<void> {
    const { source, target } = this.#homes;
    const directory = join(target.directory, 'mirror');
    this.#maker = await startMirrorMaker({ source: source.address, target: target.address, directory });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#maker?.stop('SIGKILL');
    await Promise.all([this.#source, this.#target].map((client) => client.close()));
  }

  /** Topics, records, some of transactions, and groups that have read all of them or a part. */
  async fill(): Promise<void> {
    const { admin } = this.#source;
    await admin.topics.create('orders', { partitions: 3, configs: { 'retention.ms': 123_456_789 } });
    await admin.topics.create('prices', { partitions: 1, configs: { 'cleanup.policy': 'compact' } });
    await this.#write('orders', RECORDS);
    await this.#write('prices', RECORDS);
    await admin.groups.reset('followers', { to: 'latest', topics: ['orders'] });
    for (const isWanted of [true, false, true]) await this.#transact(isWanted);
    await this.#write('orders', RECORDS);
    await admin.groups.reset('readers', { to: 'latest', topics: ['orders'] });
  }

  /** One more partition with records in it, and one more topic. */
  async grow(): Promise<void> {
    await this.#source.admin.topics.createPartitions('orders', 4);
    await this.#source.admin.topics.create('late', { partitions: 2 });
    await this.#write('orders', RECORDS);
    await this.#write('late', RECORDS);
  }

  /** Writes and writes, until some of it has come over; then it is killed, and started again. */
  async killedWhileItWorks(): Promise<void> {
    const before = (await this.#values(this.#target, 'source.orders')).length;
    for (;;) {
      await this.#write('orders', RECORDS);
      const came = (await this.#values(this.#target, 'source.orders')).length - before;
      if (came > RECORDS) break;
    }
    await this.#maker?.stop('SIGKILL');
    await this.#write('orders', RECORDS);
    await this.start();
  }

  /** Names and partitions of what has come over. */
  async topics(): Promise<string[]> {
    const all = await this.#target.admin.topics.list();
    return all
      .filter(({ name }) => /^source\.(?:orders|prices|late)$/.test(name))
      .map(({ name, partitions }) => `${name}: ${partitions}`);
  }

  /** Those of a topic that came over with it, where they are set. */
  async settingsOf(topic: string): Promise<string[]> {
    const names = ['cleanup.policy', 'retention.ms'];
    const entries = await this.#target.admin.configs.describe({ topic: `source.${topic}` }, { names });
    return entries
      .filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG')
      .map(({ name, value }) => `${name}=${value}`)
      .filter((text) => text !== 'cleanup.policy=delete');
  }

  /** Resolves once both have the same records, in the same order in each partition. @returns how many. */
  async same(topic: string): Promise<number> {
    let count = 0;
    await this.until(async () => {
      const [there, here] = await Promise.all([
        this.#values(this.#source, topic),
        this.#values(this.#target, `source.${topic}`),
      ]);
      if (here.length > there.length) throw new Error(`${here.length} records came of ${there.length}`);
      count = here.length;
      return isDeepStrictEqual(here, there);
    });
    return count;
  }

  /**
   * What a group would read that goes on in the target, from the beginning where it has no position: MirrorMaker
   * translates none that is older than itself. Undefined when it has none at all yet.
   */
  async leftFor(group: string): Promise<Values | undefined> {
    const positions = await this.#positions(this.#target, group);
    return positions.size === 0 ? undefined : this.#values(this.#target, 'source.orders', positions);
  }

  /** What it has not read in the source. */
  async unreadBy(group: string): Promise<Values> {
    return this.#values(this.#source, 'orders', await this.#positions(this.#source, group));
  }

  /** Looks again and again. @throws when MirrorMaker has ended. */
  async until(met: () => Promise<boolean>): Promise<void> {
    while (!(await met())) {
      if (this.#maker?.lastWords !== undefined) throw new Error(`it ended:\n${this.#maker.lastWords}`);
      await pause(LOOK_AGAIN_MS);
    }
  }

  async #positions(client: Client, group: string): Promise<Map<number, number>> {
    const offsets = await client.admin.groups.offsets(group);
    return new Map(offsets.map(({ partition, offset }) => [partition, offset]));
  }

  async #write(topic: string, count: number): Promise<void> {
    const records = Array.from({ length: count }, () => this.#record());
    await this.#source.send(topic, records);
  }

  async #transact(isWanted: boolean): Promise<void> {
    const work = this.#source.transaction('mirrored', async (tx) => {
      await tx.send(
        'orders',
        Array.from({ length: 10 }, () => this.#record(isWanted ? '' : 'aborted ')),
      );
      if (!isWanted) throw new Error('not wanted');
    });
    await work.catch((error: Error) => {
      if (error.message !== 'not wanted') throw error;
    });
  }

  #record(prefix = '') {
    const number = this.#written++;
    return {
      key: `key-${number % 50}`,
      value: number % 17 === 0 ? null : `${prefix}${number}`,
      headers: { number: String(number) },
      timestamp: FIRST_TIMESTAMP + number,
    };
  }

  /** Each record as one text, those of a partition behind each other. */
  async #values(
    client: Client,
    topic: string,
    from: ReadonlyMap<number, number> = new Map(),
  ): Promise<Values> {
    const byPartition = new Map<number, string[]>();
    const reader = client.read(topic, {
      live: false,
      isolation: 'read_committed',
      from: ({ partition }) => from.get(partition) ?? 'earliest',
    });
    for await (const { partition, key, value, headers, timestamp } of reader) {
      const texts = byPartition.get(partition) ?? [];
      byPartition.set(partition, texts);
      const [keyText, valueText] = [key, value].map((bytes) => bytes && String(Buffer.from(bytes)));
      const header = headers.map((one) => `${one.key}=${String(Buffer.from(one.value ?? []))}`).join();
      texts.push([partition, keyText, valueText, header, timestamp].join(' '));
    }
    return [...byPartition].toSorted(([a], [b]) => a - b).flatMap(([, texts]) => texts);
  }
}
