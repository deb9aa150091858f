import type { Client } from '../../../src/client/client.ts';
import type { ConsumedRecord } from '../../../src/client/consumer/consumed-record.ts';
import type { Consumer } from '../../../src/client/consumer/consumer.ts';
import type { ConsumerOptions } from '../../../src/client/consumer/options.ts';
import { newTopic, type Reach, textOf, useClient } from './reach.ts';

export type GroupProtocol = 'classic' | 'consumer';

export const valueOf = ({ value }: { value: Uint8Array | null }) => textOf(value) ?? '';
export const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => `v${from + at}`);

/** As many records as that, then it stops asking. */
export async function some(consumer: Consumer, count: number): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  while (records.length < count) {
    const { value } = await consumer.next();
    if (value === undefined) break;
    records.push(value);
  }
  return records;
}

/** Topics and their consumers, each in a group of its own unless it is told. */
export class Consuming {
  readonly #reach: Reach;
  readonly #groupProtocol: GroupProtocol;
  client!: Client;

  constructor(reach: Reach, groupProtocol: GroupProtocol) {
    this.#reach = reach;
    this.#groupProtocol = groupProtocol;
    useClient(reach, (made) => (this.client = made));
  }

  readonly written = async (values: readonly string[], partitions = 1): Promise<string> => {
    const { name } = await newTopic(this.#reach, this.client, { partitions });
    await this.write(name, values, partitions);
    return name;
  };

  readonly write = async (name: string, values: readonly string[], partitions = 1): Promise<void> => {
    const records = values.map((value, at) => ({ value, key: `k${at % 5}`, partition: at % partitions }));
    await this.client.send(name, records);
  };

  readonly consume = (
    topics: string,
    options: Partial<ConsumerOptions<Uint8Array | null, Uint8Array | null>> = {},
  ): Consumer => {
    const group = this.#reach.place.name('group');
    return this.client.consumer({ groupProtocol: this.#groupProtocol, group, topics, ...options });
  };
}
