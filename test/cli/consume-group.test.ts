import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ndjson, PipedHome } from './piped-home.ts';

let home: PipedHome;
beforeAll(async () => {
  home = await PipedHome.open();
});
afterAll(() => home.close());

test('as a member of a share group: each record once; what was printed is accepted', async () => {
  const topic = await home.topic('shared');
  await home.out(['configs', 'set', '--group', 'sharers', 'share.auto.offset.reset=earliest']);
  await home.out(['produce', topic, '--raw'], Array.from({ length: 9 }, (_, at) => `${at}\n`).join(''));
  const args = ['consume', topic, '--share-group', 'sharers', '--raw'];
  const first = await home.out([...args, '-n', '4']);
  const rest = await home.out([...args, '--exit']);
  const read = `${first}${rest}`.trim().split('\n').map(Number);
  expect(read.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const { code, stderr } = await home.run([...args, '--from', 'latest']);
  expect(stderr).toMatch('--from does not go with --share-group');
  expect(code).toBe(2);
});

describe('as a member of a group', () => {
  test('each record once, by whoever comes; what was printed is committed', async () => {
    const topic = await home.topic('grouped', 2);
    const records = Array.from({ length: 30 }, (_, at) => ({ partition: at % 2, value: `${at}` }));
    await home.out(['produce', topic], ndjson(records));
    const args = ['consume', topic, '--group', 'printers', '-f', String.raw`%v\n`];
    const first = await home.out([...args, '-n', '7']);
    const rest = await home.out([...args, '--exit']);
    const read = `${first}${rest}`.trim().split('\n').map(Number);
    expect(first.trim().split('\n')).toHaveLength(7);
    expect(read.toSorted((a, b) => a - b)).toEqual(records.map((_, at) => at));
    expect(await home.out([...args, '--exit'])).toBe('');
    const lag = JSON.parse(await home.out(['groups', 'lag', 'printers', '--json'])) as {
      groups: { lag: number }[];
    };
    expect(lag.groups[0]?.lag).toBe(0);
  });

  test('Ctrl-C commits, and leaves the group', async () => {
    const topic = await home.topic('left');
    await home.out(['produce', topic, '--raw'], 'a\nb\n');
    const run = home.pending(['consume', topic, '-g', 'leavers', '--raw']);
    await run.printed(/^b$/m);
    expect(await run.ended('SIGINT')).toBe(130);
    const { groups } = JSON.parse(await home.out(['groups', 'describe', 'leavers', '--json'])) as {
      groups: { state: string; members: unknown[] }[];
    };
    expect(groups[0]).toMatchObject({ state: 'Empty', members: [] });
    await home.out(['produce', topic, '--raw'], 'c\n');
    expect(await home.out(['consume', topic, '-g', 'leavers', '--raw', '--exit'])).toBe('c\n');
  });

  test.each(['--tail', '--to', '--partition'])('%s has no meaning there', async (option) => {
    const { code, stderr } = await home.run(['consume', 'orders', '-g', 'x', option, '1']);
    expect(stderr).toMatch(`${option} does not go with --group`);
    expect(code).toBe(2);
  });
});
