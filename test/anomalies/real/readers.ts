import { setTimeout } from 'node:timers/promises';
import type { Client } from '../../../src/client/client.ts';
import type { Consumer } from '../../../src/client/consumer/consumer.ts';
import { type Send, provenance } from '../../../src/hosts/sim/anomalies/history.ts';
import { type ActorParts, act, begin, keyOf, PARTITIONS, sendOf, TOPICS, type Written } from './actor.ts';
import { isFenced, producerOf } from './writers.ts';

const utf8 = new TextDecoder();
type Protocol = 'classic' | 'consumer';

function textOf(value: Uint8Array | null): string {
  return utf8.decode(value ?? new Uint8Array(0));
}

/** Reads partitions of its own, from the first record on. */
export function reader(parts: ActorParts, topic: string, partition: number): Promise<void> {
  const { stopped } = parts;
  return act(parts, (client) => read(parts, client, { topic, partition, live: true, signal: stopped }));
}

/** All that is committed by now: what the history ends with. */
export async function readAll(parts: ActorParts, client: Client): Promise<void> {
  for (const topic of Object.values(TOPICS))
    for (let partition = 0; partition < PARTITIONS; partition++)
      await read(parts, client, { topic, partition, live: false });
}

async function read(
  parts: ActorParts,
  client: Client,
  { topic, partition, ...options }: { topic: string; partition: number; live: boolean; signal?: AbortSignal },
): Promise<void> {
  const isolation = 'read_committed';
  const reading = client.read(topic, { isolation, partitions: [partition], maxWaitMs: 100, ...options });
  const process = `${parts.name}-${keyOf(topic, partition)}`;
  let record = begin({ ...parts, name: process });
  try {
    for await (const batch of reading.batches()) {
      const records = Array.from(batch, ({ offset, value }) => ({ offset, value: textOf(value) }));
      record({ outcome: 'ok', steps: [{ type: 'poll', key: keyOf(topic, partition), records }] });
      record = begin({ ...parts, name: process });
    }
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
  }
}

const GROUP_OPTIONS = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 };

function consumerOf(
  client: Client,
  {
    group,
    topics,
    protocol,
    autoCommit,
  }: { group: string; topics: string; protocol: Protocol; autoCommit: boolean },
): Consumer {
  return client.consumer({
    group,
    topics,
    groupProtocol: protocol,
    isolation: 'read_committed',
    maxWaitMs: 100,
    rebalanceTimeoutMs: 4_000,
    autoCommit: autoCommit && { intervalMs: 100 },
    ...(protocol === 'classic' && GROUP_OPTIONS),
  });
}

/** A member of a group, for a while; another one after it, and so partitions move. */
export function member(parts: ActorParts, group: string, protocol: Protocol): Promise<void> {
  const { random, stopped } = parts;
  return act(parts, async (client) => {
    while (!stopped.aborted) {
      const consumer = consumerOf(client, { group, topics: TOPICS.input, protocol, autoCommit: true });
      const over = AbortSignal.any([stopped, AbortSignal.timeout(random.integer(400, 2_500))]);
      const close = () => void consumer.close({ timeoutMs: 2_000 }).catch(() => {});
      over.addEventListener('abort', close, { once: true });
      let record = begin(parts);
      for await (const { topic, partition, offset, value } of consumer) {
        const records = [{ offset, value: textOf(value) }];
        record({
          outcome: 'ok',
          attached: 'subscribe',
          steps: [{ type: 'poll', key: keyOf(topic, partition), records }],
        });
        record = begin(parts);
      }
    }
  });
}

export interface ProcessorParts extends ActorParts {
  group: string;
  protocol: Protocol;
  transactionalId: string;
}

/** Makes one record of each it is given, and commits in the same transaction how far the group is. */
export function processor(parts: ProcessorParts): Promise<void> {
  const { random, stopped } = parts;
  return act(parts, async (client) => {
    while (!stopped.aborted) {
      await new Processing(parts, client).run();
      if (!stopped.aborted) await setTimeout(random.integer(5, 150));
    }
  });
}

type Consumed = Awaited<ReturnType<Consumer['next']>>;
type ConsumedRecord = NonNullable<Consumed['value']>;

class Processing {
  readonly #parts: ProcessorParts;
  readonly #consumer: Consumer;
  readonly #producer: ReturnType<typeof producerOf>;
  #coming: Promise<Consumed> | undefined;
  static #made = 0;

  constructor(parts: ProcessorParts, client: Client) {
    const { group, protocol, transactionalId } = parts;
    this.#parts = parts;
    this.#consumer = consumerOf(client, { group, topics: TOPICS.input, protocol, autoCommit: false });
    this.#producer = producerOf(client, transactionalId);
  }

  /** Until something fails: then others go on from where the group is. */
  async run(): Promise<void> {
    const { stopped, onFault, name } = this.#parts;
    const close = () => void this.#consumer.close({ timeoutMs: 2_000 }).catch(() => {});
    stopped.addEventListener('abort', close, { once: true });
    try {
      // First of all what the one before had open is ended: the group waits for that to say where it is.
      await this.#producer.transaction(() => {});
      for (let goesOn = true; goesOn && !stopped.aborted;) {
        const records = await this.#take();
        goesOn = records.length > 0 && (await this.#process(records));
      }
    } catch (error) {
      if (!stopped.aborted && !isFenced(error)) onFault(`${name}: ${String(error)}`);
    } finally {
      stopped.removeEventListener('abort', close);
      // Nobody works on the last record any more: that is not to be waited for.
      await this.#consumer.return().catch(() => {});
      await this.#producer.close({ timeoutMs: 0 }).catch(() => {});
    }
  }

  /** One, or some that are there. None when it is over. */
  async #take(): Promise<ConsumedRecord[]> {
    const { random } = this.#parts;
    const taken: ConsumedRecord[] = [];
    for (let most = random.integer(1, 15); taken.length < most;) {
      this.#coming ??= this.#consumer.next();
      const late = taken.length > 0 && setTimeout(2, 'late' as const);
      const next = await (late === false ? this.#coming : Promise.race([this.#coming, late]));
      if (next === 'late') break;
      this.#coming = undefined;
      if (next.done === true) return [];
      const { topic, partition, offset, value } = next.value;
      const records = [{ offset, value: textOf(value) }];
      begin(this.#parts)({
        outcome: 'ok',
        attached: 'subscribe',
        steps: [{ type: 'poll', key: keyOf(topic, partition), records }],
      });
      taken.push(next.value);
    }
    return taken;
  }

  /** What was not committed comes again. @returns false where others may work on it by now. */
  #rewind(records: readonly ConsumedRecord[]): boolean {
    // What was asked for before may come from where it was.
    const isAhead = this.#coming !== undefined || records.some(({ signal }) => signal.aborted);
    if (isAhead || this.#parts.random.chance(0.3)) return false;
    const isHeld = ({ topic, partition }: ConsumedRecord) =>
      this.#consumer.assignment.some((one) => one.topic === topic && one.partition === partition);
    if (!records.every(isHeld)) return false;
    for (const { topic, partition, offset } of records.toReversed())
      this.#consumer.seek({ topic, partition }, { offset });
    return true;
  }

  /** @returns whether it may go on. */
  async #process(records: readonly ConsumedRecord[]): Promise<boolean> {
    const { random } = this.#parts;
    const sends: Send[] = [];
    const record = begin(this.#parts);
    const told = { outcome: 'fail' as 'fail' | 'info' | 'ok' };
    try {
      await this.#producer.transaction(async (transaction) => {
        for (const [to, some] of Map.groupBy(records, ({ offset }) => offset % PARTITIONS)) {
          const written = some.map((one) => this.#madeOf(one, keyOf(TOPICS.output, to)));
          const at = sends.push(...written.map((one) => sendOf(one))) - written.length;
          const values = written.map(({ value }) => ({ value, partition: to }));
          const places = await transaction.send(TOPICS.output, values);
          for (const [index, one] of written.entries())
            sends[at + index] = sendOf(one, places[index]?.offset);
        }
        await transaction.commit(this.#consumer, records);
        if (random.chance(0.08)) throw new Error('not this one');
        told.outcome = 'info';
      });
      told.outcome = 'ok';
    } catch (error) {
      if (isFenced(error)) await setTimeout(random.integer(5, 100));
    }
    record({ outcome: told.outcome, isTransaction: true, steps: sends });
    // What nobody knows of the group knows.
    return told.outcome === 'ok' || (told.outcome === 'fail' && this.#rewind(records));
  }

  #madeOf({ topic, partition, offset }: ConsumedRecord, key: string): Written {
    const value = `${this.#parts.name}.${++Processing.#made}`;
    return { key, value, madeOf: provenance(keyOf(topic, partition), offset) };
  }
}
