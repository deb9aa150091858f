import { expect, test } from 'vitest';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import type { Address, Machine, MachineRecord } from '../../src/model/machine.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { Asks } from '../../src/shard/asks.ts';
import { Shard } from '../../src/shard/shard.ts';
import type { ShardSpec } from '../../src/shard/shard-spec.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { ManualClock } from '../gateway/fake-gateway.ts';

const log = 'AAAAAAAAAAAAAAAAAAAAAg/0';
const name = { log, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAg', partition: 0 };
const caller = { principal: 'User:ANONYMOUS', clientId: 'test', clientHost: '/127.0.0.1' };

/** `before`: nothing was written; `after`: all was, and nobody can know. */
type Failure = 'before' | 'after';

class FailingStore extends MemoryLogStore {
  fails: Failure | undefined;

  override async commit(writes: readonly LogWrite[]): Promise<void> {
    if (this.fails !== 'before') await super.commit(writes);
    if (this.fails) throw new Error('disk is gone');
  }
}

/** Notes each number that it is asked to; what it has noted is its state. */
class Notes implements Machine {
  wakeAtMs = Infinity;
  readonly #noted: MachineRecord[] = [];

  decide({ from, body }: { from: Address; body: unknown }) {
    return { records: [{ key: null, value: Uint8Array.of(Number(body)) }], replies: [{ to: from, body }] };
  }
  apply({ value }: MachineRecord): void {
    this.#noted.push({ key: null, value: value?.slice() ?? null });
  }
  tick() {
    return { records: [], replies: [] };
  }
  forget(): void {}
  snapshot() {
    return this.#noted;
  }
}

/** Asks a shard to note 1, 2, 3, its store failing as it says for some. @returns what others were told, and heard. */
async function toldOf(failures: Partial<Record<number, Failure>>, spec: Partial<ShardSpec> = {}) {
  const store = new FailingStore();
  const clock = new ManualClock();
  const told: (number | undefined)[] = [];
  const onCommitted = (records: Iterable<MachineRecord>) => {
    for (const { value } of records) told.push(value?.[0]);
  };
  let answered = () => {};
  const asks = new Asks({ request: () => {} }, clock);
  const parts = { store, kernels: new TwinKernels(), codecs: new Map(), clock, asks, onWarning: () => {} };
  const shard = new Shard(
    { ...parts, reply: () => answered() },
    {
      name,
      stored: new Set(),
      config: () => DEFAULT_LOG_CONFIG,
      leaderEpoch: () => 0,
      machine: () => new Notes(),
      onCommitted,
      ...spec,
    },
  );
  await shard.open();
  for (const number of [1, 2, 3]) {
    store.fails = failures[number];
    const answer = new Promise<void>((resolve) => (answered = resolve));
    const from = { link: 1, correlationId: number };
    shard.receive({ shard: `d/${log}`, from, caller, apiKey: joinGroupApi.key, apiVersion: 3, body: number });
    await answer;
    store.fails = undefined;
    clock.advance(1_000);
  }
  return told;
}

test.each([
  ['nothing fails', {}, [1, 2, 3]],
  ['what was never written is not told', { 2: 'before' }, [1, 3]],
  ['what was written though its commit failed is told when it is loaded', { 2: 'after' }, [1, 2, 3]],
] as const)(
  'what is committed is told once, and nothing again by a reload: %s',
  async (_, failures, told) => {
    expect(await toldOf(failures)).toEqual(told);
  },
);

test('what a snapshot has and nobody was told of is told', async () => {
  expect(await toldOf({ 2: 'after' }, { snapshotEveryBytes: 1 })).toEqual([1, 2, 3]);
});
