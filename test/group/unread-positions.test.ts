import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupMachine } from '../../src/group/index.ts';
import { packed } from '../../src/group/packed-positions.ts';
import { groupRecord, offsetRecord } from '../../src/group/records.ts';
import { type Kernels } from '../../src/kernels/kernels.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import type { TransactionalProducer } from '../../src/model/machine.ts';
import { records } from '../../src/records/batch.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { type LogEntry, printed, replay } from '../support/machine-host.ts';
import { OTHERS } from './coordinator.ts';

const NOW_MS = 1_700_000_000_000;

const producer: fc.Arbitrary<TransactionalProducer> = fc.record({
  producerId: fc.constantFrom(1, 2),
  producerEpoch: fc.constant(0),
});

const position = fc.record({
  offset: fc.nat(),
  leaderEpoch: fc.constantFrom(-1, 3),
  metadata: fc.constantFrom('', 'seen'),
  commitTimestamp: fc.constantFrom(NOW_MS, NOW_MS + 5, NOW_MS - 5),
  expireTimestamp: fc.constantFrom(-1, -1, -1, NOW_MS + 9),
  topicId: fc.constantFrom('AAECAwQFBgcICQoLDA0ODw', 'AAECAwQFBgcICQoLDA0OAA', 'AAAAAAAAAAAAAAAAAAAAAA'),
});

const key = fc.record({
  group: fc.constantFrom('g', 'h', 'group'),
  topic: fc.constantFrom('orders', 'payments'),
  partition: fc.nat(3),
});

const entry: fc.Arbitrary<LogEntry> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(key, position).map(([of, value]) => offsetRecord(of, value)) },
  { weight: 2, arbitrary: key.map((of) => offsetRecord(of, null)) },
  { weight: 1, arbitrary: key.map(({ group }) => groupRecord(group, null)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(key, position, producer)
      .map(([of, value, by]) => ({ ...offsetRecord(of, value), producer: by })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(producer, fc.boolean())
      .map(([{ producerId }, committed]) => ({ key: null, value: null, end: { producerId, committed } })),
  },
);

/** As a shard reads its log: what is of no transaction lies in batches. */
async function inBatches(kernels: Kernels, entries: readonly LogEntry[]): Promise<LogEntry[]> {
  const plain = entries.filter((each) => each.end === undefined && each.producer === undefined);
  if (plain.length === 0) return [...entries];
  const bytes = buildBatch(kernels, { records: plain.map((each) => ({ ...each, timestamp: NOW_MS })) });
  const read = [...(await records(bytes, kernels, new Map()))];
  return entries.map((each) => (plain.includes(each) ? (read.shift() ?? each) : each));
}

function machineOf(entries: Iterable<LogEntry>): GroupMachine {
  const machine = new GroupMachine({ ...OTHERS, id: () => 'none' });
  replay(machine, entries, NOW_MS);
  return machine;
}

function all(machine: GroupMachine) {
  const groups = [...machine.groups()].map(({ groupId, state, offsets }) => ({ groupId, state, offsets }));
  return { wakeAtMs: machine.wakeAtMs, groups, snapshot: printed(machine.snapshot()) };
}

test('positions that are read late are those that are read at once, from a log and from its snapshot', async () => {
  const kernels = await loadKernels();
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 40 }), async (entries) => {
      const expected = all(machineOf(entries));
      const late = machineOf(await inBatches(kernels, entries));
      expect(all(late)).toEqual(expected);
      const snapshot = await inBatches(kernels, [...late.snapshot()]);
      expect(all(machineOf(snapshot))).toEqual({ ...expected, wakeAtMs: expect.any(Number) });
    }),
    { numRuns: 500 },
  );
});

test('the same positions are packed into the same bytes, in whatever order they were committed', () => {
  const committed = fc.uniqueArray(fc.tuple(fc.nat(), position), { selector: ([partition]) => partition });
  fc.assert(
    fc.property(committed, (positions) => {
      const of = { group: 'g', topic: 'orders' };
      const bytesOf = (order: typeof positions) =>
        [...packed(of, new Map(order))].map(({ value }) => String(value)).sort();
      expect(bytesOf(positions.toReversed())).toEqual(bytesOf(positions));
    }),
  );
});
