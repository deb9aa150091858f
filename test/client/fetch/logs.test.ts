import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fetcher } from '../../../src/client/fetch/fetcher.ts';
import type { ReadOptions } from '../../../src/client/read.ts';
import { ErrorCode } from '../../../src/model/errors.ts';
import { buildBatch } from '../../../src/records/builder.ts';
import { BatchHeader } from '../../../src/records/header.ts';
import { clientOf, clusterOf, kernels } from '../fake-client.ts';
import { FakeCluster, type FakeOptions, TOPIC } from '../fake-cluster.ts';
import type { FakeLog } from '../fake-log.ts';
import { FakeLogs, type FakeLogsOptions } from '../fake-logs.ts';

/** What becomes of a reader when its log is not what it was, in virtual time. */

const RETRY_FOR_MS = 30_000;

function made(options: FakeOptions = {}, logOptions: FakeLogsOptions = {}) {
  const fake = new FakeCluster(options);
  const logs = new FakeLogs(fake, logOptions);
  return { fake, logs, log: logs.log(), client: clientOf(fake, RETRY_FOR_MS) };
}

/** All values up to the end, or so many. */
async function values(
  { fake, client }: ReturnType<typeof made>,
  options: ReadOptions = { live: false },
  most = Infinity,
): Promise<string[]> {
  const found: string[] = [];
  const work = async () => {
    for await (const { value } of client.read(TOPIC, options)) {
      found.push(String(Buffer.from(value ?? [])));
      if (found.length === most) break;
    }
  };
  await fake.run(work());
  return found;
}

/** Reads some, then the log changes, then the rest comes. */
async function after(
  home: ReturnType<typeof made>,
  options: ReadOptions,
  { read, change, rest }: { read: number; change: () => void; rest: number },
): Promise<string[]> {
  const { fake, client } = home;
  const reader = client.read(TOPIC, options);
  const found: string[] = [];
  const work = async (count: number) => {
    for (let left = count; left > 0; left--) {
      const { value, done } = await reader.next();
      if (done) return;
      found.push(String(Buffer.from(value.value ?? [])));
    }
  };
  await fake.run(work(read));
  change();
  try {
    await fake.run(work(rest));
  } finally {
    reader.close();
  }
  return found;
}

describe('a log that lost its end (KIP-320)', () => {
  /** Epoch 0 wrote a to d; the leader of epoch 1 has only a and b, and wrote x to z. */
  function truncated() {
    const home = made({ nodes: 2 });
    for (const value of 'abcd') home.log.append([value]);
    const change = () => {
      home.log.truncate(2);
      home.logs.moveLeader(0);
      home.log.append(['x']);
      home.log.append(['y']);
      home.log.append(['z']);
      home.logs.wake();
    };
    return { home, change };
  }

  test('what was written in place of what was read is read', async () => {
    const { home, change } = truncated();
    const found = await after(home, { from: 'earliest' }, { read: 4, change, rest: 3 });
    expect(found).toEqual(['a', 'b', 'c', 'd', 'x', 'y', 'z']);
    expect(home.fake.asked).toContain('OffsetForLeaderEpoch');
  });

  test('what is buffered and not read any more is not given', async () => {
    const { home, change } = truncated();
    // The budget is one batch: the others are asked for when it is read.
    const options = { from: 'earliest', maxBufferedBytes: 1 } as const;
    const found = await after(home, options, { read: 2, change, rest: 3 });
    expect(found).toEqual(['a', 'b', 'x', 'y', 'z']);
  });

  test('it is an error for who has named an offset', async () => {
    const { home, change } = truncated();
    const work = after(home, { from: { offset: 0 } }, { read: 4, change, rest: 3 });
    await expect(work).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
  });

  test('a position that somebody remembers is looked at before anything is read', async () => {
    const { home, change } = truncated();
    change();
    const from = { offset: 4, leaderEpoch: 0 };
    expect(await values(home, { from, outOfRange: 'earliest', live: false })).toEqual(['x', 'y', 'z']);
  });
});

describe('a position that is not there', () => {
  const trimmed = () => {
    const home = made();
    for (const value of 'abcdef') home.log.append([value]);
    home.log.trim(3);
    return home;
  };

  test('is an error for who has named an offset', async () => {
    await expect(values(trimmed(), { from: 1, live: false })).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
    });
  });

  test('goes where the policy says', async () => {
    expect(await values(trimmed(), { from: 1, outOfRange: 'earliest', live: false })).toEqual([
      'd',
      'e',
      'f',
    ]);
  });

  test('after the log went on without a reader: from its beginning again', async () => {
    const home = made();
    for (const value of 'abcdef') home.log.append([value]);
    const options = { from: 'earliest', maxBufferedBytes: 1 } as const;
    const change = () => home.log.trim(4);
    const found = await after(home, options, { read: 2, change, rest: 2 });
    // What was on its way already is read.
    expect(found.join('')).toMatch(/^ab(?:ef|cd|ce)$/);
  });

  test('what is buffered is read before the position moves', async () => {
    const home = made();
    for (const value of 'abcdef') home.log.append([value]);
    const change = () => {
      home.log.trim(6);
      home.log.append(['g']);
      home.log.trim(7);
      home.log.append(['h']);
      home.logs.wake();
    };
    const found = await after(home, { from: 'earliest' }, { read: 1, change, rest: 6 });
    expect(found.join('')).toMatch(/^abcdefg?h?$/);
  });
});

describe('a topic that was deleted and made again', () => {
  const change = ({ logs }: ReturnType<typeof made>) => {
    logs.remake('BBBBBBBBBBBBBBBBBBBBBQ');
    for (const value of 'xyz') logs.log().append([value]);
    logs.wake();
  };

  test.each([12, 17])('is read from its beginning, with Fetch %i', async (fetchMax) => {
    const home = made({}, { fetchMax });
    for (const value of 'abc') home.log.append([value]);
    const found = await after(
      home,
      { from: 'earliest' },
      {
        read: 3,
        change: () => {
          home.fake.moveLeader(0);
          change(home);
        },
        rest: 3,
      },
    );
    expect(found).toEqual(['a', 'b', 'c', 'x', 'y', 'z']);
  });

  test('it is an error for who has named an offset', async () => {
    const home = made();
    for (const value of 'abc') home.log.append([value]);
    const work = after(home, { from: 0 }, { read: 3, change: () => change(home), rest: 3 });
    await expect(work).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
  });
});

describe('records beyond the end that was told with them', () => {
  test('are asked for again, since more may have been committed while they were read', async () => {
    let tells = 0;
    const home = made({}, { tellEnd: (endOffset) => (tells++ === 0 ? 1 : endOffset) });
    for (const value of 'abc') home.log.append([value]);
    const { fake } = home;
    const { scheduler: clock, random } = fake;
    const tried: string[] = [];
    const parts = { cluster: clusterOf(fake), clock, random, kernels, codecs: new Map(), retryForMs: 1_000 };
    const fetcher = new Fetcher(parts, { retried: (_, { message }) => tried.push(message) });
    fetcher.assign([{ topic: TOPIC, partition: 0, from: 'earliest' }]);
    const batch = await fake.run(fetcher.take());
    expect(batch?.at(0).offset).toBe(0);
    expect(home.logs.fetches).toHaveLength(2);
    // That is no failure.
    expect(tried).toEqual([]);
    fetcher.close();
  });

  test('are not believed when the next answer says the same', async () => {
    const home = made({}, { tellEnd: () => 1 });
    for (const value of 'abc') home.log.append([value]);
    await expect(values(home)).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
  });
});

describe('a compacted log', () => {
  test('gaps are stepped over, also at its end', async () => {
    const home = made();
    for (const value of 'abcdef') home.log.append([value]);
    home.log.drop(1);
    home.log.drop(2);
    expect(await values(home)).toEqual(['a', 'd', 'e', 'f']);
  });

  test('a batch may have lost its records, and stand for its offsets alone', async () => {
    const home = made();
    home.log.append(['a']);
    const bytes = buildBatch(kernels, { records: [{ value: 'gone', timestamp: 0 }] }).slice(0, 61);
    new DataView(bytes.buffer).setInt32(57, 0);
    new DataView(bytes.buffer).setInt32(23, 4);
    new BatchHeader(bytes).seal(kernels, bytes.length);
    home.log.put(bytes, 5);
    expect(await values(home)).toEqual(['a']);
    home.log.append(['b']);
    expect(await values(home)).toEqual(['a', 'b']);
  });
});

describe('replicas near by (KIP-392)', () => {
  const home = () => made({ nodes: 2 }, { replicaOf: () => 2 });

  test('a reader goes where its leader sends it', async () => {
    const near = home();
    for (const value of 'abc') near.log.append([value]);
    expect(await values(near, { rack: 'here', live: false, maxBufferedBytes: 1 })).toEqual(['a', 'b', 'c']);
    expect(near.logs.fetches.map(({ node }) => node)).toEqual([1, 2, 2, 2]);
  });

  test('and back when the replica cannot serve it', async () => {
    const near = home();
    near.log.append(['a']);
    near.logs.options.refuse = (node) => (node === 2 ? ErrorCode.OFFSET_OUT_OF_RANGE : undefined);
    const change = () => {
      near.logs.options.replicaOf = () => undefined;
      near.logs.wake();
    };
    const { fake, client } = near;
    const reader = client.read(TOPIC, { rack: 'here' });
    const next = reader.next();
    fake.scheduler.after(2_000, 'change', change);
    const { value } = await fake.run(next);
    expect(value?.offset).toBe(0);
    expect(near.logs.fetches.some(({ node }) => node === 2)).toBe(true);
    await fake.run(client.close());
  });
});

describe('transactions', () => {
  const step = fc.record({
    producerId: fc.nat(3),
    what: fc.constantFrom('write', 'write', 'write', 'plain', 'commit', 'abort'),
    count: fc.integer({ min: 1, max: 3 }),
  });

  /** What each way of reading shall give, while the log is made. */
  function write(log: FakeLog, steps: readonly { producerId: number; what: string; count: number }[]) {
    const all: { offset: number; value: string; producerId: number }[] = [];
    const fates = new Map<number, { from: number; fate: string }[]>();
    for (const [number, { producerId, what, count }] of steps.entries()) {
      const own = Array.from({ length: count }, (_, at) => `${number}.${at}`);
      if (what === 'commit' || what === 'abort') {
        const open = log.transactions.find(
          (one) => one.producerId === producerId && one.endOffset === undefined,
        );
        if (open !== undefined)
          fates.set(producerId, [...(fates.get(producerId) ?? []), { from: open.firstOffset, fate: what }]);
        log.end(producerId, what);
        continue;
      }
      const offset = log.endOffset;
      if (what === 'plain') log.append(own);
      else log.appendIn(producerId, own);
      for (const [at, value] of own.entries())
        all.push({ offset: offset + at, value, producerId: what === 'plain' ? -1 : producerId });
    }
    const fateOf = ({ offset, producerId }: (typeof all)[number]) =>
      producerId < 0 ? 'commit' : fates.get(producerId)?.findLast(({ from }) => from <= offset)?.fate;
    const committed = all.filter((one) => one.offset < log.lastStableOffset && fateOf(one) === 'commit');
    return { all: all.map(({ value }) => value), committed: committed.map(({ value }) => value) };
  }

  test('read_committed gives what was committed below the first that is open, read_uncommitted all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom(1, 400, 1_000_000),
        async (steps, bytes) => {
          const home = made();
          const { all, committed } = write(home.log, steps);
          const sizes = { live: false, partitionMaxBytes: bytes, fetchMaxBytes: bytes } as const;
          expect(await values(home, { ...sizes, isolation: 'read_uncommitted' })).toEqual(all);
          expect(await values(home, { ...sizes, isolation: 'read_committed' })).toEqual(committed);
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('partitions that come later are read from their beginning', async () => {
  const home = made({ partitions: 1 });
  const { fake, logs, client } = home;
  home.log.append(['old']);
  const found: string[] = [];
  const work = async () => {
    for await (const { partition, value } of client.read(TOPIC)) {
      found.push(`${partition} ${String(Buffer.from(value ?? []))}`);
      if (found.length === 3) break;
    }
  };
  fake.scheduler.after(60_000, 'grow', () => {
    fake.leaders.push({ id: 1, epoch: 0 });
    logs.grow();
    logs.log(1).append(['new', 'newer']);
  });
  await fake.run(work());
  expect(found).toEqual(['0 old', '1 new', '1 newer']);
  await fake.run(client.close());
});
