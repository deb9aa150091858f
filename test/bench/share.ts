import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { median, report } from './harness.ts';

/**
 * Records a second of a topic of one partition, each value read and acknowledged: 16 members of a share group, each a
 * client of its own in one process, against one plain member of a plain group. The same broker in a process of its own,
 * in turns; from the first record to the last.
 */
const CONSUMERS = 16;
const ROUNDS = 5;
const SIZES = [
  { bytes: 100, records: 200_000 },
  { bytes: 1_000, records: 100_000 },
];
const AT_LEAST = 0.5;

/** Counts records, and takes the time from the first to the last. */
class Tally {
  readonly #records: number;
  #seen = 0;
  #firstAtMs = 0;
  readonly over = Promise.withResolvers<number>();

  constructor(records: number) {
    this.#records = records;
  }

  add(value: Uint8Array | null): void {
    if (value === null) throw new Error('a record without a value');
    if (this.#seen === 0) this.#firstAtMs = performance.now();
    if (++this.#seen === this.#records)
      this.over.resolve((this.#records / (performance.now() - this.#firstAtMs)) * 1_000);
  }
}

async function fill(
  client: Client,
  topic: string,
  { bytes, records }: (typeof SIZES)[number],
): Promise<void> {
  const producer = client.producer();
  for (let number = 0; number < records; number++)
    await producer.write(topic, { value: `${number}`.padEnd(bytes, '.') });
  await producer.close();
}

async function plain(client: Client, topic: string, group: string, records: number): Promise<number> {
  const tally = new Tally(records);
  const consumer = client.consumer({ group, topics: topic });
  const reading = (async () => {
    for await (const { value } of consumer) tally.add(value);
  })();
  const rate = await tally.over.promise;
  await consumer.close();
  await reading;
  return rate;
}

async function shared(
  clients: readonly Client[],
  topic: string,
  group: string,
  records: number,
): Promise<number> {
  const [first] = clients;
  await first?.admin.configs.alter({ group }, { 'share.auto.offset.reset': 'earliest' });
  const tally = new Tally(records);
  const consumers = clients.map((client) => client.shareConsumer({ group, topics: topic }));
  const reading = consumers.map(async (consumer) => {
    for await (const { value } of consumer) tally.add(value);
  });
  const rate = await tally.over.promise;
  await Promise.all(consumers.map((consumer) => consumer.close()));
  await Promise.all(reading);
  return rate;
}

export async function run(): Promise<void> {
  const broker = await BrokerProcess.start(['--memory']);
  const clients: Client[] = [];
  for (let number = 0; number < CONSUMERS; number++) clients.push(await connect(`kafka://${broker.address}`));
  const [client] = clients as [Client];
  try {
    for (const size of SIZES) {
      const topic = `share-${size.bytes}`;
      await client.admin.topics.create(topic, { partitions: 1 });
      await fill(client, topic, size);
      const rates: { plain: number[]; shared: number[] } = { plain: [], shared: [] };
      for (let round = -1; round < ROUNDS; round++) {
        const one = await plain(client, topic, `plain-${size.bytes}-${round}`, size.records);
        const many = await shared(clients, topic, `share-${size.bytes}-${round}`, size.records);
        if (round < 0) continue;
        rates.plain.push(one);
        rates.shared.push(many);
      }
      const ratio = median(rates.shared.map((rate, round) => rate / (rates.plain[round] ?? Infinity)));
      const bench = `share ${size.bytes} B, ${CONSUMERS} consumers`;
      report({
        bench: `share ${size.bytes} B, a plain consumer`,
        value: median(rates.plain),
        unit: 'records/s',
      });
      report({
        bench,
        value: median(rates.shared),
        unit: 'records/s',
        peer: 'a plain consumer',
        ratio,
        bar: { ratio: AT_LEAST },
      });
    }
  } finally {
    for (const each of clients) await each.close();
    await broker.stop();
  }
}
