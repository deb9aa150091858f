import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Load } from '../../src/cli/bench/load.ts';
import { PipedHome } from './piped-home.ts';

let home: PipedHome;
beforeAll(async () => {
  home = await PipedHome.open();
});
afterAll(() => home.close());

interface Document {
  version: number;
  bench: string;
  seed: number;
  records: number;
  bytes: number;
  recordsPerSecond: number;
  mbPerSecond: number;
  latency: { samples: number; p50Ms: number; p99Ms: number; maxMs: number };
}

async function bench(...args: string[]): Promise<Document> {
  return JSON.parse(await home.out(['bench', ...args, '--json'])) as Document;
}

async function topics(): Promise<string[]> {
  const { topics: found } = JSON.parse(await home.out(['topics', 'ls', '--json'])) as {
    topics: { name: string }[];
  };
  return found.map(({ name }) => name);
}

describe('milena bench', () => {
  test.each([
    ['produce', ['-n', '2000', '--size', '100', '--partitions', '2'], 2_020],
    ['consume', ['-n', '2000', '--size', '100', '--compression', 'lz4'], 2_000],
    ['e2e', ['-n', '50', '--size', '100', '--rate', '5000'], 50],
  ])('%s says how much, how fast, and how late; its topic is gone', async (name, args, records) => {
    const said = await bench(name, ...args);
    expect(said).toMatchObject({ version: 1, bench: name, seed: 1, records, bytes: records * 100 });
    expect(said.recordsPerSecond).toBeGreaterThan(0);
    expect(said.latency.samples).toBeGreaterThan(0);
    expect(said.latency.p50Ms).toBeGreaterThanOrEqual(0);
    expect(said.latency.p99Ms).toBeGreaterThanOrEqual(said.latency.p50Ms);
    expect(said.latency.maxMs).toBeGreaterThanOrEqual(said.latency.p99Ms);
    expect(await topics()).toEqual([]);
  });

  test('on a topic that is there, which stays, whatever else is in it', async () => {
    await home.topic('kept');
    await home.out(['produce', 'kept', '--raw'], 'a stranger\n');
    expect(await bench('e2e', '-n', '20', '--rate', '1000', '--topic', 'kept')).toMatchObject({
      records: 20,
    });
    expect(await topics()).toEqual(['kept']);
    await home.out(['topics', 'rm', 'kept', '--yes']);
  });

  test('Ctrl-C ends it with 130, and its topic is gone', async () => {
    const run = home.start(['bench', 'e2e', '--rate', '1', '-n', '1000']);
    await expect.poll(topics).toHaveLength(1);
    expect(await run.ended('SIGINT')).toBe(130);
    expect(run.stderr).toBe('');
    expect(await topics()).toEqual([]);
  });

  test('for people: three lines', async () => {
    const stdout = await home.out(['bench', 'produce', '-n', '500', '--size', '10']);
    expect(stdout).toMatch(
      /^records\t505, .* in [\d.]+ s\nrate\t.*\/s, .* MB\/s\nsend to ack\tp50 .* ms, p99 .* ms, most .* ms\n$/,
    );
  });
});

test('a seed is a load', () => {
  const some = (seed: number) => {
    const load = new Load({ seed, size: 20 });
    return Array.from({ length: 50 }, () => load.record());
  };
  expect(some(7)).toEqual(some(7));
  expect(some(7)).not.toEqual(some(8));
});
