import { beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { Group } from '../clients/kafkajs.ts';
import { Run } from './milena.ts';
import { rowsOf, useNouns } from './nouns-home.ts';

/** Topics and groups, as processes against a broker. */
const home = useNouns();
const { broker } = home;
const milena = (...args: string[]) => home.milena(...args);
const json = (...args: string[]) => home.json(...args);
const filled = () => home.filled();

let client: Client;
beforeAll(() => {
  client = home.client;
});

describe('topics', () => {
  test('are created, listed, described and deleted', async () => {
    const [name, other] = [broker.name('topic'), broker.name('topic')];
    const created = await milena(
      'topics',
      'create',
      name,
      other,
      '-p',
      '2',
      '-c',
      'cleanup.policy=compact',
      '--retention',
      '7d',
    );
    expect(created).toEqual({
      code: 0,
      stdout: `${name}\t2\t1\tcreated\n${other}\t2\t1\tcreated\n`,
      stderr: '',
    });
    const { stdout } = await milena('topics', 'ls');
    expect(rowsOf(stdout)).toContainEqual([name, '2', '1']);
    expect(await json('topics', 'describe', name)).toMatchObject({
      version: 1,
      topics: [
        {
          name,
          configs: [
            { name: 'cleanup.policy', value: 'compact', source: 'DYNAMIC_TOPIC_CONFIG' },
            { name: 'retention.ms', value: '604800000' },
          ],
          partitions: [
            { partition: 0, leaderId: 1, replicas: [1], isr: [1], startOffset: 0, endOffset: 0 },
            { partition: 1 },
          ],
        },
      ],
    });
    expect(await milena('topics', 'rm', name, other, '--yes')).toEqual({
      code: 0,
      stdout: `${name}\t0\tdeleted\n${other}\t0\tdeleted\n`,
      stderr: '',
    });
    expect((await milena('topics', 'describe', name)).code).toBe(3);
  });

  test('ls -l counts records and knows the last write (kdr#116)', async () => {
    const name = await filled();
    const { stdout } = await milena('topics', 'ls', '-l');
    expect(rowsOf(stdout)).toContainEqual([
      name,
      '2',
      '1',
      '10',
      expect.stringMatching(/^\d{3}$/) as string,
      '1970-01-01T00:00:05.000Z',
    ]);
    const { topics } = (await json('topics', 'ls', '-l')) as { topics: { name: string }[] };
    expect(topics).toContainEqual(expect.objectContaining({ name, records: 10, lastWriteAt: 5000 }));
  });

  test('create twice is an error, unless --if-not-exists', async () => {
    const name = broker.name('topic');
    const create = (...more: string[]) => milena('topics', 'create', name, ...more);
    expect((await create('--if-not-exists')).stdout).toBe(`${name}\t1\t1\tcreated\n`);
    expect((await create('--if-not-exists')).stdout).toBe(`${name}\t1\t1\tunchanged\n`);
    expect((await create('--if-not-exists', '-p', '2')).stdout).toBe(`${name}\t2\t1\tchanged\n`);
    expect(await create()).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('error[TOPIC_ALREADY_EXISTS]') as string,
    });
  });

  test('of many the ones that were created are said, also when another one could not be', async () => {
    const [name, other] = [broker.name('topic'), broker.name('topic')];
    expect(await milena('topics', 'create', name, 'no/name', other)).toMatchObject({
      code: 1,
      stdout: `${name}\t1\t1\tcreated\n`,
      stderr: expect.stringContaining('error[INVALID_TOPIC_EXCEPTION]') as string,
    });
  });

  test('rm asks first: without an answer nothing is done, and a dry run says what would be', async () => {
    const name = await filled();
    expect(await milena('topics', 'rm', name, '--dry-run')).toMatchObject({
      code: 0,
      stdout: `${name}\t10\twould be deleted\n`,
    });
    expect(await milena('topics', 'rm', name)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`delete ${name} with 10 records?`) as string,
    });
    expect((await client.admin.topics.describe(name)).partitions).toHaveLength(2);
  });

  test('partitions are added', async () => {
    const name = broker.name('topic');
    await client.admin.topics.create(name);
    expect((await milena('topics', 'add-partitions', name, '--total', '3')).stdout).toBe(`${name}\t3\n`);
    expect((await client.admin.topics.describe(name)).partitions).toHaveLength(3);
    expect((await milena('topics', 'add-partitions', name, '--total', '0')).code).toBe(2);
  });

  test('a name that is not there: 3, and what may have been meant', async () => {
    const name = await filled();
    const { code, stderr } = await milena('topics', 'describe', `${name}x`);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `error[UNKNOWN_TOPIC]: there is no topic ${name}x\n  did you mean ${name}?\n  milena topics ls\n`,
    });
  });

  test('purge says what it would delete, and deletes it', async () => {
    const name = await filled();
    const { stdout, stderr } = await milena('topics', 'purge', name, '--before', '3', '--dry-run');
    expect(stdout).toBe('0\t0\t3\t3\n1\t0\t3\t3\n');
    expect(stderr).toBe('6 records would be deleted\n');
    expect(await milena('topics', 'purge', name, '--yes', '--before', '2', '--partition', '0')).toMatchObject(
      {
        code: 0,
        stdout: '0\t0\t2\t2\n',
        stderr: '2 records deleted\n',
      },
    );
    const starts = await client.admin.offsets.list(name, { at: 'earliest' });
    expect(starts.map(({ offset }) => offset)).toEqual([2, 0]);
  });

  test('settings are changed, and what is refused says why', async () => {
    const name = await filled();
    const own = async () => (await milena('configs', 'ls', '--topic', name)).stdout;
    expect(await milena('topics', 'alter', name, '--retention', '1d', '--dry-run')).toMatchObject({
      code: 0,
      stdout: 'retention.ms\t86400000\twould be changed\n',
    });
    expect(await own()).not.toContain('retention.ms');
    await milena('topics', 'alter', name, '--retention', '1d');
    await milena('configs', 'set', '--topic', name, 'segment.ms=5');
    expect(await own()).toMatch(/retention.ms\t86400000.*\nsegment.ms\t5\t/);
    await milena('configs', 'set', '--topic', name, 'cleanup.policy+=compact');
    expect(await own()).toMatch(/cleanup.policy\tdelete,compact\t/);
    await milena('configs', 'set', '--topic', name, 'cleanup.policy-=compact');
    expect(await own()).toMatch(/cleanup.policy\tdelete\t/);
    await milena('configs', 'unset', '--topic', name, 'retention.ms', 'segment.ms');
    expect(await own()).not.toMatch(/retention.ms|segment.ms/);
    expect(await milena('configs', 'set', '--topic', name, 'segment.bytes=1')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error\[INVALID_CONFIG\]: .*at least 1048576/) as string,
    });
    expect((await milena('topics', 'alter', name)).code).toBe(2);
  });
});

describe('groups', () => {
  async function committed(topic: string): Promise<string> {
    const groupId = broker.name('group');
    await client.admin.groups.reset(groupId, { to: 2, topics: [topic] });
    return groupId;
  }

  test('ls, describe and lag: by group, by partition, above a bound', async () => {
    const topic = await filled();
    const groupId = await committed(topic);
    expect(rowsOf((await milena('groups', 'ls', '--state', 'empty')).stdout)).toContainEqual([
      groupId,
      'Empty',
      'classic',
      '',
    ]);
    expect(rowsOf((await milena('groups', 'lag')).stdout)).toContainEqual([groupId, 'Empty', '6']);
    expect(rowsOf((await milena('groups', 'lag', groupId)).stdout)).toEqual([
      [groupId, topic, '0', '2', '5', '3', ''],
      [groupId, topic, '1', '2', '5', '3', ''],
    ]);
    expect(await json('groups', 'lag', groupId)).toMatchObject({
      version: 1,
      groups: [{ groupId, lag: 6, partitions: [{ topic, partition: 0, lag: 3 }, { partition: 1 }] }],
    });
    expect((await milena('groups', 'lag', groupId, '--max', '6')).code).toBe(0);
    expect(await milena('groups', 'lag', groupId, '--max', '5')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(`behind by more than 5: ${groupId} by 6`) as string,
    });
    expect((await milena('groups', 'describe', 'none')).code).toBe(3);
  });

  test('lag --watch looks again and again, and ends well with Ctrl-C', async () => {
    const topic = await filled();
    const groupId = await committed(topic);
    const run = Run.milenaWith(
      { environment: { MILENA_URL: broker.address } },
      'groups',
      'lag',
      groupId,
      '--watch',
      '--every',
      '10ms',
      '--json',
    );
    await run.printed(/"lag":6[^]*"lag":6,/);
    await client.send(topic, { value: 'x', partition: 0 });
    await run.printed(/"lag":7,/);
    expect(await run.ended('SIGINT')).toBe(130);
  });

  test('forget: where a group was in some topics', async () => {
    const [topic, other] = [await filled(), await filled()];
    const groupId = broker.name('group');
    await client.admin.groups.reset(groupId, { to: 2, topics: [topic, other] });
    const forget = (...more: string[]) => milena('groups', 'forget', groupId, '--topic', topic, ...more);
    expect((await forget('--dry-run')).stdout).toBe(`${topic}\t0\t2\n${topic}\t1\t2\n`);
    expect((await forget('--yes')).code).toBe(0);
    expect((await client.admin.groups.offsets(groupId)).map((at) => at.topic)).toEqual([other, other]);
    expect((await milena('groups', 'forget', groupId)).code).toBe(2);
  });

  test('reset: dry, asked for, by shift, to a time', async () => {
    const topic = await filled();
    const groupId = await committed(topic);
    const offsets = async () => (await client.admin.groups.offsets(groupId)).map(({ offset }) => offset);
    const reset = (...more: string[]) => milena('groups', 'reset', groupId, ...more);
    expect(await reset('--to', 'earliest', '--dry-run')).toMatchObject({
      code: 0,
      stdout: `${topic}\t0\t2\t0\n${topic}\t1\t2\t0\n`,
    });
    expect(await reset('--to', 'earliest')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`move group ${groupId} in 2 partitions?`) as string,
    });
    expect(await offsets()).toEqual([2, 2]);
    expect((await reset('--to', '-1h', '--yes')).code).toBe(0);
    expect(await offsets()).toEqual([5, 5]);
    expect((await reset('--shift-by', '-2', '--yes')).code).toBe(0);
    expect(await offsets()).toEqual([3, 3]);
    expect((await reset('--to', '1970-01-01T00:00:02Z', '--topic', topic, '--yes')).code).toBe(0);
    expect(await offsets()).toEqual([1, 1]);
    for (const wrong of [[], ['--to', 'x'], ['--to', '1', '--shift-by', '1']])
      expect((await reset(...wrong)).code).toBe(2);
  });

  test('a group with members is shown, and neither moved nor deleted', async () => {
    const topic = await filled();
    const group = new Group(broker, topic);
    await group.join();
    await group.shared(2);
    const { stdout, stderr } = await milena('groups', 'describe', group.groupId);
    expect(stderr).toBe(`group ${group.groupId}: Stable, classic, RoundRobinAssigner, 1 member\n`);
    const [[groupId, clientId, host, , , partitions] = []] = rowsOf(stdout);
    expect([groupId, clientId, host, partitions]).toEqual([
      group.groupId,
      'kafkajs',
      expect.stringContaining('127.0.0.1'),
      `${topic}:0,1`,
    ]);
    for (const args of [
      ['reset', group.groupId, '--to', 'earliest'],
      ['rm', group.groupId],
    ])
      expect(await milena('groups', ...args, '--yes')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('error[NON_EMPTY_GROUP]') as string,
      });
  });

  test('rm', async () => {
    const groupId = await committed(await filled());
    expect((await milena('groups', 'rm', groupId, '--dry-run')).stdout).toBe(
      `${groupId}\twould be deleted\n`,
    );
    expect((await milena('groups', 'rm', groupId, '--yes')).stdout).toBe(`${groupId}\tdeleted\n`);
    expect((await milena('groups', 'rm', groupId, '--yes')).code).toBe(3);
  });
});
