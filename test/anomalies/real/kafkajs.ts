import { setTimeout } from 'node:timers/promises';
import { type Consumer, Kafka, type Producer, logLevel } from 'kafkajs';
import type { Send } from '../../../src/hosts/sim/anomalies/history.ts';
import { type ActorParts, begin, keyOf, PARTITIONS, sendOf, TOPICS } from './actor.ts';

const RETRY = { initialRetryTime: 30, maxRetryTime: 300, retries: 60 };

function kafkajs({ port, name }: ActorParts): Kafka {
  return new Kafka({
    clientId: name,
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    retry: RETRY,
  });
}

/** Transactions of kafkajs, one after the other. */
export async function kafkajsWriter(parts: ActorParts, transactionalId: string): Promise<void> {
  const kafka = kafkajs(parts);
  while (!parts.stopped.aborted) {
    const producer = kafka.producer({
      transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 8_000,
    });
    try {
      await producer.connect();
      for (let made = 0; !parts.stopped.aborted; made++)
        if (!(await transaction(parts, producer, made))) break;
    } catch {
      // Its broker is away: another one begins.
      await setTimeout(parts.random.integer(20, 100));
    }
    await producer.disconnect().catch(() => {});
  }
}

let values = 0;

/** @returns whether this producer may go on. */
async function transaction(parts: ActorParts, producer: Producer, made: number): Promise<boolean> {
  const { random, name } = parts;
  const record = begin(parts);
  const sends: Send[] = [];
  let outcome: 'ok' | 'fail' | 'info' = 'fail';
  try {
    const open = await producer.transaction();
    for (let left = random.integer(1, 3); left > 0; left--) {
      const partition = random.integer(0, PARTITIONS - 1);
      const key = keyOf(TOPICS.input, partition);
      const value = `${name}.${made}.${++values}`;
      const at = sends.push(sendOf({ key, value })) - 1;
      const [told] = await open.send({ topic: TOPICS.input, messages: [{ value, partition }] });
      sends[at] = sendOf({ key, value }, Number(told?.baseOffset ?? -1));
    }
    if (random.chance(0.2)) {
      await open.abort();
    } else {
      outcome = 'info';
      await open.commit();
      outcome = 'ok';
    }
    record({ outcome, isTransaction: true, steps: sends });
    return true;
  } catch {
    record({ outcome, isTransaction: true, steps: sends });
    return false;
  }
}

/**
 * A member of a group of its own, of a topic without transactions: kafkajs 2.2.4 begins at most one aborted
 * transaction a record, so where a fetch starts behind the beginning of one it shows the first record of the next.
 */
export async function kafkajsMember(parts: ActorParts): Promise<void> {
  const consumer = kafkajs(parts).consumer({
    groupId: 'kafkajs',
    maxWaitTimeInMs: 100,
    heartbeatInterval: 200,
    sessionTimeout: 6_000,
    retry: { ...RETRY, restartOnFailure: async () => !parts.stopped.aborted },
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [TOPICS.plain], fromBeginning: true });
    await consumer.run({ autoCommitInterval: 100, eachBatch: (payload) => took(parts, payload) });
    if (!parts.stopped.aborted)
      await new Promise((resolve) => parts.stopped.addEventListener('abort', resolve, { once: true }));
  } finally {
    await consumer.disconnect().catch(() => {});
  }
}

type Took = NonNullable<NonNullable<Parameters<Consumer['run']>[0]>['eachBatch']>;

const took: (parts: ActorParts, payload: Parameters<Took>[0]) => Promise<void> = async (parts, { batch }) => {
  const { topic, partition, messages } = batch;
  const records = messages.map(({ offset, value }) => ({ offset: Number(offset), value: String(value) }));
  const key = keyOf(topic, partition);
  begin(parts)({ outcome: 'ok', attached: 'subscribe', steps: [{ type: 'poll', key, records }] });
};
