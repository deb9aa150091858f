import { expect, test } from 'vitest';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type { ShardReply } from '../../src/ports/shard-link.ts';
import { Shard } from '../../src/shard/shard.ts';
import { type ListOffsetsResponse, listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { ManualClock } from '../gateway/fake-gateway.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAAAg';
const name = { log: `${topicId}/0`, topic: 'orders', topicId, partition: 0 };

test('a lookup that was on its way when the storage failed finds nothing, and says that it could not look', async () => {
  const store = new MemoryLogStore();
  const replied = Promise.withResolvers<ShardReply>();
  const parts = {
    store,
    kernels: new TwinKernels(),
    codecs: new Map(),
    clock: new ManualClock(),
    onWarning: () => {},
    reply: replied.resolve,
  };
  const config = () => DEFAULT_LOG_CONFIG;
  const shard = new Shard(parts, { name, stored: new Set(), config, leaderEpoch: () => 0 });
  await shard.open();
  store.commit = () => Promise.reject(new Error('no space left'));
  shard.commit([]);

  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: 5, maxNumOffsets: 1 }];
  const body = { replicaId: -1, isolationLevel: 0, topics: [{ name: 'orders', partitions }], timeoutMs: 0 };
  const caller = { principal: 'User:ANONYMOUS', clientId: 'test', clientHost: '/127.0.0.1' };
  const from = { link: 1, correlationId: 1 };
  shard.receive({ shard: `d/${name.log}`, from, caller, apiKey: listOffsetsApi.key, apiVersion: 7, body });
  const reply = await replied.promise;
  const answered = (reply.body as ListOffsetsResponse | undefined)?.topics[0]?.partitions[0]?.errorCode;
  expect(answered ?? reply.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
});
