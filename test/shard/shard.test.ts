import { beforeEach, describe, expect, test } from 'vitest';
import { GroupMachine } from '../../src/group/machine.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type { LogKey } from '../../src/model/ids.ts';
import type { ShardReply } from '../../src/ports/shard-link.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { CODEC, type Codecs } from '../../src/records/codecs.ts';
import { Asks } from '../../src/shard/asks.ts';
import { Shard } from '../../src/shard/shard.ts';
import type { ShardSpec } from '../../src/shard/shard-spec.ts';
import { type ProduceResponse, produceApi } from '../../src/wire/apis/00-produce.ts';
import { type FetchResponse, fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { ManualClock } from '../gateway/fake-gateway.ts';
import { until } from '../gateway/until.ts';
import { FaultyStore } from './faulty-store.ts';

const kernels = new TwinKernels();
const log: LogKey = 'AAAAAAAAAAAAAAAAAAAAAg/0';
const name = { log, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAg', partition: 0 };
const caller = { principal: 'User:ANONYMOUS', clientId: 'test', clientHost: '/127.0.0.1' };

/** One shard on a store that fails when told to, and what it has answered, by correlation id. */
class Bench {
  readonly store = new FaultyStore();
  readonly clock = new ManualClock();
  readonly stored = new Set<LogKey>();
  readonly warnings: string[] = [];
  /** Every reply, in order. */
  readonly said: ShardReply[] = [];
  readonly replies = new Map<number, ShardReply>();
  readonly shard: Shard;
  #asked = 0;
  #waiting = new Map<number, () => void>();

  constructor(spec: Partial<ShardSpec> = {}, codecs: Codecs = new Map()) {
    const reply = (answer: ShardReply) => {
      this.said.push(answer);
      this.replies.set(answer.to.correlationId, answer);
      this.#waiting.get(answer.to.correlationId)?.();
    };
    const onWarning = (message: string) => this.warnings.push(message);
    const { store, clock } = this;
    const asks = new Asks({ request: () => {} }, clock);
    const parts = { store, kernels, codecs, clock, asks, onWarning, reply };
    const config = () => DEFAULT_LOG_CONFIG;
    this.shard = new Shard(parts, { name, stored: this.stored, config, leaderEpoch: () => 0, ...spec });
  }

  ask(apiKey: number, apiVersion: number, body: unknown): number {
    const from = { link: 1, correlationId: ++this.#asked };
    this.shard.receive({ shard: `d/${log}`, from, caller, apiKey, apiVersion, body });
    return from.correlationId;
  }

  async reply(correlationId: number): Promise<ShardReply> {
    if (!this.replies.has(correlationId)) {
      await new Promise<void>((resolve) => this.#waiting.set(correlationId, resolve));
    }
    return this.replies.get(correlationId) as ShardReply;
  }

  produce(producer: { producerId?: number; producerEpoch?: number; baseSequence?: number } = {}): number {
    const value = Uint8Array.of(1);
    const records = buildBatch(kernels, { records: [{ value, timestamp: this.clock.nowMs }], ...producer });
    const topicData = [{ name: 'orders', topicId: name.topicId, partitionData: [{ index: 0, records }] }];
    return this.ask(produceApi.key, 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
  }

  fetch(fetchOffset: number, { minBytes = 1, maxWaitMs = 1000 } = {}): number {
    const wanted = { partition: 0, currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: 1000 };
    const topics = [{ topic: 'orders', topicId: name.topicId, partitions: [{ ...wanted, fetchOffset }] }];
    return this.ask(fetchApi.key, 12, { maxWaitMs, minBytes, topics });
  }

  /** What was answered to one request, in order: how much, parked or for good; a word when there was nothing in it. */
  answers(correlationId: number): unknown[] {
    return this.said
      .filter(({ to }) => to.correlationId === correlationId)
      .map(({ body, parked, errorCode }) => {
        if (body === undefined) return errorCode ?? 'notice';
        const size = (body as FetchResponse).responses[0]?.partitions[0]?.records?.length;
        return parked ? { parked: size } : size;
      });
  }

  async baseOffset(correlationId: number): Promise<number | undefined> {
    return (await this.produced(correlationId))?.baseOffset;
  }

  async produced(correlationId: number) {
    const { body } = await this.reply(correlationId);
    return (body as ProduceResponse).responses[0]?.partitionResponses[0];
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe('a shard whose storage fails', () => {
  test('answers whoever waits, forgets what it had not written, and goes on from what is stored', async () => {
    expect(await bench.baseOffset(bench.produce())).toBe(0);
    const parked = bench.fetch(1);
    expect((await bench.reply(parked)).parked).toBe(true);
    bench.replies.delete(parked);
    bench.store.holds = true;
    const lost = bench.produce();
    bench.store.settle(new Error('disk is gone'));
    expect((await bench.reply(lost)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect((await bench.reply(parked)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(bench.warnings.join()).toContain('orders-0: cannot be served (disk is gone)');

    bench.store.holds = false;
    expect((await bench.reply(bench.produce())).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    bench.clock.advance(1_000);
    expect(await bench.baseOffset(bench.produce())).toBe(1);
  });

  test.each(['before it came', 'while it was open', 'while it was opened'])(
    'takes no later batch of a producer before the one it refused: it failed %s',
    async (when) => {
      const sequence = (baseSequence: number) => ({ producerId: 7, producerEpoch: 0, baseSequence });
      if (when !== 'while it was opened') await bench.reply(bench.produce());
      bench.store.holds = true;
      const opening = when === 'before it came' ? bench.produce() : bench.produce(sequence(0));
      bench.store.settle(new Error('disk is full'));
      await bench.reply(opening);
      bench.store.holds = false;
      if (when === 'before it came') await bench.reply(bench.produce(sequence(0)));
      bench.clock.advance(1_000);

      const [later, other] = [bench.produce(sequence(1)), bench.produce({ ...sequence(1), producerId: 8 })];
      const { OUT_OF_ORDER_SEQUENCE_NUMBER, NONE } = ErrorCode;
      expect(await bench.produced(later)).toMatchObject({ errorCode: OUT_OF_ORDER_SEQUENCE_NUMBER });
      expect(await bench.produced(other)).toMatchObject({ errorCode: NONE });
      for (const again of [bench.produce(sequence(0)), bench.produce(sequence(1))])
        expect(await bench.produced(again)).toMatchObject({ errorCode: NONE });
    },
  );

  test.each([
    ['comes again with that batch, which is not its first', { baseSequence: 3 }, 1_000],
    ['has begun a new epoch', { baseSequence: 4, producerEpoch: 1 }, 1_000],
    ['has long given that batch up', { baseSequence: 4 }, 16 * 60_000],
  ])('holds it against no producer that %s', async (_, next, afterMs) => {
    const refused = { producerId: 7, producerEpoch: 0, baseSequence: 3 };
    bench.store.holds = true;
    const asked = bench.produce(refused);
    bench.store.settle(new Error('disk is full'));
    await bench.reply(asked);
    bench.store.holds = false;
    bench.clock.advance(afterMs);
    const answer = await bench.produced(bench.produce({ ...refused, ...next }));
    expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0 });
  });

  test('answers whoever waits for a batch to be repacked, and writes none of them later', async () => {
    const packing = Promise.withResolvers<Uint8Array>();
    const gzip = { compress: () => packing.promise, decompress: (bytes: Uint8Array) => bytes };
    const config = () => ({ ...DEFAULT_LOG_CONFIG, compressionType: 'gzip' as const });
    bench = new Bench({ config }, new Map([[CODEC.gzip, gzip]]));
    bench.store.holds = true;
    const opening = bench.shard.open();
    await until('its log is made', () => bench.store.waiting > 0);
    bench.store.settle();
    await opening;
    const waiting = [bench.produce(), bench.produce()];
    bench.store.settle(new Error('disk is full'));
    for (const correlationId of waiting)
      expect((await bench.reply(correlationId)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    bench.store.holds = false;
    bench.clock.advance(1_000);
    const after = bench.produce();
    packing.resolve(Uint8Array.of(1, 2, 3));
    expect(await bench.baseOffset(after)).toBe(0);
    expect(bench.said.map(({ to }) => to.correlationId)).toEqual([...waiting, after]);
  });

  test('answers members it had parked', async () => {
    const machine = () =>
      new GroupMachine({ id: () => 'id', partition: 0, transactionCoordinator: () => undefined });
    bench = new Bench({ machine });
    const joins = ['a', 'b'].map((groupId) =>
      bench.ask(joinGroupApi.key, 3, {
        groupId,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        memberId: '',
        groupInstanceId: null,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
        reason: null,
      }),
    );
    expect(await bench.baseOffset(bench.produce())).toBe(0);
    expect(joins.filter((join) => bench.replies.has(join))).toEqual([]);
    bench.store.holds = true;
    bench.produce();
    bench.store.settle(new Error('disk is gone'));
    for (const join of joins) {
      expect((await bench.reply(join)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    }
  });

  test('as soon as its log is loaded answers, and tries again', async () => {
    const commit = bench.store.commit.bind(bench.store);
    bench.store.commit = (writes) =>
      writes[0]?.type === 'create' ? commit(writes) : Promise.reject(new Error('disk is full'));
    expect((await bench.reply(bench.produce())).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    bench.store.commit = commit;
    bench.clock.advance(1_000);
    expect(await bench.baseOffset(bench.produce())).toBe(0);
  });

  test('tries again to make a log it could not make', async () => {
    bench.store.holds = true;
    const refused = bench.produce();
    bench.store.settle(new Error('disk is full'));
    expect((await bench.reply(refused)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect([...bench.stored]).toEqual([]);
    bench.store.holds = false;
    bench.clock.advance(1_000);
    expect(await bench.baseOffset(bench.produce())).toBe(0);
  });
});

describe('readers', () => {
  let batchBytes: number;
  beforeEach(async () => {
    await bench.baseOffset(bench.produce());
    batchBytes = bench.answers(bench.fetch(0, { maxWaitMs: 0 }))[0] as number;
  });

  test('wait, are told once that something has come, and get it when it is enough', async () => {
    const reader = bench.fetch(0, { minBytes: 3 * batchBytes });
    expect(bench.answers(reader)).toEqual([{ parked: batchBytes }]);
    await bench.baseOffset(bench.produce());
    expect(bench.answers(reader)).toEqual([{ parked: batchBytes }, 'notice']);
    await bench.baseOffset(bench.produce());
    await bench.baseOffset(bench.produce());
    expect(bench.answers(reader)).toEqual([{ parked: batchBytes }, 'notice', 3 * batchBytes]);
  });

  test('above the high watermark wait for it', async () => {
    bench.store.holds = true;
    const writes = [bench.produce(), bench.produce()];
    const readers = [1, 2, 3].map((offset) => bench.fetch(offset));
    expect(readers.map((reader) => bench.answers(reader))).toEqual(readers.map(() => [{ parked: 0 }]));
    expect((await bench.reply(bench.fetch(4))).body).toMatchObject({
      responses: [{ partitions: [{ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, highWatermark: 1 }] }],
    });
    bench.store.settle();
    for (const write of writes) await bench.reply(write);
    expect(readers.map((reader) => bench.answers(reader).filter((said) => said !== 'notice'))).toEqual([
      [{ parked: 0 }, batchBytes],
      [{ parked: 0 }, batchBytes],
      [{ parked: 0 }],
    ]);
    bench.store.holds = false;
    await bench.baseOffset(bench.produce());
    expect(bench.answers(readers[2] ?? 0).at(-1)).toBe(batchBytes);
  });

  test('that are called off hear nothing more, though their read is on its way', async () => {
    const parked = bench.fetch(1);
    bench.store.isCold = true;
    const reading = bench.fetch(0, { minBytes: 10 * batchBytes });
    for (const correlationId of [parked, reading]) bench.shard.cancel({ link: 1, correlationId });
    bench.store.isCold = false;
    bench.store.settle();
    await bench.baseOffset(bench.produce());
    expect([bench.answers(parked), bench.answers(reading)]).toEqual([[{ parked: 0 }], []]);
  });

  test('whose read is on its way when the shard goes are answered', async () => {
    bench.store.isCold = true;
    const reading = bench.fetch(0);
    bench.shard.drop();
    bench.store.settle();
    expect((await bench.reply(reading)).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    await Promise.resolve();
    expect(bench.answers(reading)).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  });

  test('who look something up in a log that is given up meanwhile hear no more of it', async () => {
    bench.store.isCold = true;
    const topics = [
      { name: 'orders', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: 0 }] },
    ];
    const asking = bench.ask(listOffsetsApi.key, 9, { topics });
    await until('it looks', () => bench.store.waiting > 0);
    bench.shard.drop();
    bench.store.settle();
    expect((await bench.reply(asking)).body).toMatchObject({
      topics: [{ partitions: [{ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, offset: -1 }] }],
    });
  });

  test('whose read fails are told, and the shard goes on', async () => {
    bench.store.isCold = true;
    const reading = bench.fetch(0);
    bench.store.settle(new Error('bad sector'));
    expect((await bench.reply(reading)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(bench.warnings.join()).toContain('orders-0: read failed: bad sector');
    bench.store.isCold = false;
    expect(bench.answers(bench.fetch(0))).toEqual([batchBytes]);
  });

  test('of a log that was given up before its shard has heard of it are told', async () => {
    bench.store.failure = new Error('ENOSPC of another log in its round');
    const reading = bench.fetch(0);
    expect((await bench.reply(reading)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(bench.warnings.join()).toContain('orders-0: read failed: ENOSPC of another log');
  });

  test('what comes while the disk is read counts', async () => {
    bench.store.isCold = true;
    const reader = bench.fetch(0, { minBytes: 2 * batchBytes });
    bench.store.isCold = false;
    await bench.baseOffset(bench.produce());
    bench.store.settle();
    await bench.reply(reader);
    expect(bench.answers(reader)).toEqual([2 * batchBytes]);
  });

  test('bring what their credit allows: a whole batch at least, and none for 0', () => {
    const body = (credit: number) => {
      const wanted = { partition: 0, currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: 1000 };
      const topics = [{ topic: 'orders', topicId: '', partitions: [{ ...wanted, fetchOffset: 0 }] }];
      const from = { link: 1, correlationId: 1_000 + credit };
      const fetch = { maxWaitMs: 0, minBytes: 1, topics };
      bench.shard.receive({
        shard: '',
        from,
        caller,
        apiKey: fetchApi.key,
        apiVersion: 12,
        body: fetch,
        credit,
      });
      return bench.answers(from.correlationId);
    };
    expect([body(0), body(1)]).toEqual([[0], [batchBytes]]);
  });
});

describe('a shard that is dropped', () => {
  test('while it opens: answers, and never comes up', async () => {
    bench.store.holds = true;
    const waiting = bench.produce();
    expect([...bench.stored]).toEqual([log]);
    bench.shard.drop();
    expect((await bench.reply(waiting)).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    bench.store.settle();
    await bench.shard.open();
    expect(bench.shard.state).toBe('gone');
    expect(bench.shard.log).toBeUndefined();
    expect((await bench.reply(bench.produce())).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('while a batch is on its way: the batch is not acknowledged', async () => {
    expect(await bench.baseOffset(bench.produce())).toBe(0);
    bench.store.holds = true;
    const onItsWay = bench.produce();
    bench.shard.drop();
    bench.store.settle();
    expect((await bench.reply(onItsWay)).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });
});
