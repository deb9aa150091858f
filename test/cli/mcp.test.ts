import { describe, expect, test } from 'vitest';
import { brokerForTest } from '../clients/fixture.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { freePort } from '../support/free-port.ts';
import { Agent } from './agent.ts';
import { Run } from './milena.ts';
import { useNouns } from './nouns-home.ts';

/** `milena mcp`, the built process, as an agent speaks to it. */
const home = useNouns();
const agent = (...args: string[]) => Agent.introduced('--url', home.broker.address, ...args);

interface ToolListing {
  name: string;
  description: string;
  inputSchema: { type: string; additionalProperties: boolean };
  annotations: { readOnlyHint: boolean; destructiveHint: boolean };
}

async function toolsOf(asked: Agent): Promise<ToolListing[]> {
  const { result } = await asked.ask('tools/list');
  return (result as { tools: ToolListing[] }).tools;
}

const LOOKING = [
  'list_topics',
  'describe_topic',
  'list_groups',
  'describe_group',
  'cluster_info',
  'read_records',
];

describe('the protocol', () => {
  test('it says who it is, and whose words records are; it answers a ping', async () => {
    const asked = Agent.start('--url', home.broker.address);
    expect(await asked.introduce()).toMatchObject({
      protocolVersion: '2025-06-18',
      serverInfo: { name: 'milena' },
      capabilities: { tools: {} },
      instructions: expect.stringContaining('never instructions') as string,
    });
    expect((await asked.ask('ping')).result).toEqual({});
    expect((await asked.ask('no/such')).error?.code).toBe(-32601);
  });

  test('tools only look, unless it was started to let them write', async () => {
    const looking = await toolsOf(await agent());
    expect(looking.map(({ name }) => name)).toEqual(LOOKING);
    expect(looking.every(({ annotations }) => annotations.readOnlyHint)).toBe(true);
    const all = await toolsOf(await agent('--allow-writes'));
    expect(all.map(({ name }) => name)).toEqual([...LOOKING, 'produce_records', 'create_topic']);
    const writing = all.filter(({ annotations }) => !annotations.readOnlyHint);
    expect(writing.map(({ name, annotations }) => [name, annotations.destructiveHint])).toEqual([
      ['produce_records', true],
      ['create_topic', false],
    ]);
    expect(all.every(({ inputSchema: { additionalProperties } }) => !additionalProperties)).toBe(true);
  });

  test('what writes is not there to be called either', async () => {
    const topic = home.broker.name('topic');
    const asked = await agent();
    await expect(asked.found('create_topic', { topic })).rejects.toThrow('create_topic');
    expect((await home.client.admin.topics.list()).map(({ name }) => name)).not.toContain(topic);
  });

  test('the end of stdin ends it with 0, and stdout was the protocol alone', async () => {
    const asked = await agent('-v');
    await asked.found('list_topics');
    asked.write('this is no JSON');
    asked.write('{"jsonrpc":"2.0","id":"x"}');
    expect(await asked.found('cluster_info')).toMatchObject({ cluster: { isHealthy: true, problems: [] } });
    expect(await asked.leave()).toBe(0);
    expect(asked.strangers).toEqual([]);
    expect(asked.run.stderr).toContain(`broker: kafka://${home.broker.address}`);
  });

  test('who leaves before saying anything is no failure, and Ctrl-C is one', async () => {
    expect(await Agent.start('--url', home.broker.address).leave()).toBe(0);
    expect(await (await agent()).run.ended('SIGINT')).toBe(130);
  });

  test('an option it does not have is refused before it speaks', async () => {
    const run = Run.milena('mcp', '--allow-write');
    expect(await run.ended()).toBe(2);
    expect(run.stdout).toBe('');
  });
});

describe('looking', () => {
  test('topics, and one of them', async () => {
    const topic = await home.filled();
    await home.client.admin.configs.alter({ topic }, { 'retention.ms': -1 });
    const asked = await agent();
    const one = { name: topic, partitions: 2, replicationFactor: 1, isInternal: false };
    expect(await asked.found('list_topics', { contains: topic })).toMatchObject({ total: 1, topics: [one] });
    const few = await asked.found('list_topics', { internal: true, limit: 1 });
    expect(few['topics']).toHaveLength(1);
    expect(await asked.found('describe_topic', { topic })).toMatchObject({
      topic: {
        name: topic,
        configs: [{ name: 'retention.ms', value: '-1' }],
        partitions: [
          { partition: 0, leaderId: 1, startOffset: 0, endOffset: 5 },
          { partition: 1, leaderId: 1, startOffset: 0, endOffset: 5 },
        ],
      },
    });
  });

  test('groups, and how far behind one is in each partition', async () => {
    const topic = home.broker.name('topic');
    await home.client.admin.topics.create(topic, { partitions: 1 });
    await home.client.send(topic, Array(5).fill({ value: 'x' }));
    const group = home.broker.name('group');
    await using consumer = home.client.consumer({ group, topics: [topic], autoCommit: false });
    // Asking for the next one acks the last.
    for (let taken = 0; taken < 3; taken++) await consumer[Symbol.asyncIterator]().next();
    await consumer.commit();
    const asked = await agent();
    expect(await asked.found('list_groups', { contains: group })).toMatchObject({
      total: 1,
      groups: [{ groupId: group, state: 'Stable' }],
    });
    expect(await asked.found('describe_group', { group })).toMatchObject({
      group: {
        groupId: group,
        state: 'Stable',
        lag: 3,
        members: [{ assignment: [{ topic, partition: 0 }] }],
        partitions: [{ partition: 0, committedOffset: 2, endOffset: 5, lag: 3 }],
      },
    });
  });
});

describe('reading', () => {
  const offsets = (found: Record<string, unknown>) =>
    (found['records'] as { offset: number }[]).map(({ offset }) => offset);

  test('from an offset, the end, a time, or as many as are wanted; and where it goes on', async () => {
    const topic = await home.filled();
    const asked = await agent();
    const read = (args: object) => asked.found('read_records', { topic, partition: 1, ...args });
    const all = await read({});
    expect(all).toMatchObject({ topic, stopped: 'end', next: [{ partition: 1, offset: 5 }] });
    expect(offsets(all)).toEqual([0, 1, 2, 3, 4]);
    expect(offsets(await read({ from: 3 }))).toEqual([3, 4]);
    expect(offsets(await read({ from: '-2' }))).toEqual([3, 4]);
    expect(offsets(await read({ from: '1970-01-01T00:00:02.500Z' }))).toEqual([2, 3, 4]);
    expect(offsets(await read({ from: '-1h' }))).toEqual([]);
    const some = await read({ max_records: 2 });
    expect(some).toMatchObject({ stopped: 'max_records', next: [{ partition: 1, offset: 2 }] });
    expect(offsets(some)).toEqual([0, 1]);
    const both = await asked.found('read_records', { topic });
    expect(both['records']).toHaveLength(10);
    expect(both['next']).toEqual([0, 1].map((partition) => ({ partition, offset: 5 })));
  });

  test('text is text, and bytes are base64; what is too long is cut, and says so', async () => {
    const topic = home.broker.name('topic');
    await home.client.admin.topics.create(topic, { partitions: 1 });
    await home.client.send(topic, [
      {
        key: 'c17',
        value: '{"eur":3}',
        headers: { source: 'web', raw: new Uint8Array([255]) },
        timestamp: 7,
      },
      { value: new Uint8Array([0xff, 0x00]) },
      { key: 'gone', value: null },
      { value: 'é'.repeat(40) },
      { value: 'last' },
    ]);
    const asked = await agent();
    expect(await asked.found('read_records', { topic })).toMatchObject({
      records: [
        {
          partition: 0,
          offset: 0,
          timestamp: 7,
          key: 'c17',
          value: '{"eur":3}',
          headers: [
            ['source', 'web'],
            ['raw', { base64: '/w==' }],
          ],
        },
        { key: null, value: { base64: '/wA=' } },
        { key: 'gone', value: null },
        { value: 'é'.repeat(40) },
        { value: 'last' },
      ],
    });
    const cut = await asked.found('read_records', { topic, from: 3, max_bytes: 7 });
    expect(cut).toMatchObject({ stopped: 'max_bytes', next: [{ partition: 0, offset: 4 }] });
    expect(cut['records']).toMatchObject([{ offset: 3, value: 'ééé', cut: { value: 80 } }]);
  });

  test('an empty topic has an end too', async () => {
    const topic = home.broker.name('topic');
    await home.client.admin.topics.create(topic);
    const read = await (await agent()).found('read_records', { topic });
    expect(read).toEqual({ topic, stopped: 'end', next: [], records: [] });
  });

  test('of a broker that does not answer it gives up', async () => {
    const broker = await brokerForTest('memory');
    const asked = await Agent.introduced('--url', broker.address);
    await using client = await connect(`kafka://${broker.address}`);
    await client.admin.topics.create('there');
    await asked.found('read_records', { topic: 'there' });
    await client.close();
    await broker.stop();
    const { isError, structuredContent } = await asked.call('read_records', { topic: 'there' });
    expect(isError).toBe(true);
    expect(structuredContent).toMatchObject({
      error: { code: expect.stringMatching(/^(?:UNREACHABLE|TIMED_OUT)$/) as string },
    });
    await broker.start();
    expect(await asked.leave()).toBe(0);
  });
});

describe('writing', () => {
  test('a topic, and records into it', async () => {
    const topic = home.broker.name('topic');
    const asked = await agent('--allow-writes');
    const configs = { 'cleanup.policy': 'compact' };
    expect(await asked.found('create_topic', { topic, partitions: 2, configs })).toMatchObject({
      topic: { name: topic, partitions: 2, outcome: 'created' },
    });
    const records = [
      { key: 'a', value: { eur: 3.5 }, headers: { source: 'agent' }, partition: 1, timestamp: 5 },
      { key: 'a', value: 'text', partition: 1 },
      { key: { base64: '/w==' }, value: null, partition: 1 },
    ];
    expect(await asked.found('produce_records', { topic, records })).toMatchObject({
      topic,
      records: [
        { partition: 1, offset: 0, timestamp: 5 },
        { partition: 1, offset: 1 },
        { partition: 1, offset: 2 },
      ],
    });
    expect((await asked.found('read_records', { topic }))['records']).toMatchObject([
      { key: 'a', value: '{"eur":3.5}', headers: [['source', 'agent']], timestamp: 5 },
      { key: 'a', value: 'text' },
      { key: { base64: '/w==' }, value: null },
    ]);
    const { structuredContent } = await asked.call('create_topic', { topic });
    expect(structuredContent).toMatchObject({ error: { code: 'TOPIC_ALREADY_EXISTS' } });
  });

  test('what is no record writes none of them', async () => {
    const topic = home.broker.name('topic');
    await home.client.admin.topics.create(topic);
    const asked = await agent('--allow-writes');
    const write = (...records: object[]) => asked.found('produce_records', { topic, records });
    await expect(write({ value: 'ok' }, { key: 'x' })).rejects.toThrow('records.1.value: is missing');
    await expect(write({ value: 'ok' }, { value: { base64: '?' } })).rejects.toThrow('records.1: the base64');
    await expect(write({ value: 'ok', offset: 1 })).rejects.toThrow('Unrecognized key: "offset"');
    await expect(write()).rejects.toThrow('error[USAGE]: records:');
    await expect(write({ value: 'ok', partition: 999 })).rejects.toThrow('999');
    expect(await asked.found('read_records', { topic })).toMatchObject({ records: [] });
  });
});

describe('what goes wrong is told to the agent', () => {
  test('a topic that is not there, and which may have been meant', async () => {
    const topic = home.broker.name('orders-of-july');
    await home.client.admin.topics.create(topic);
    const asked = await agent('--allow-writes');
    const wrong = topic.replace('july', 'juli');
    const error = {
      code: 'UNKNOWN_TOPIC',
      message: `there is no topic ${wrong}`,
      hint: `did you mean ${topic}?`,
      next: 'milena topics ls',
    };
    for (const [name, more] of [
      ['read_records', {}],
      ['describe_topic', {}],
      ['produce_records', { records: [{ value: 'x' }] }],
    ] as const) {
      const { isError, content, structuredContent } = await asked.call(name, { topic: wrong, ...more });
      expect({ isError, ...structuredContent }).toEqual({ isError: true, error });
      expect(content).toEqual([
        {
          type: 'text',
          text: `error[UNKNOWN_TOPIC]: there is no topic ${wrong}\n  ${error.hint}\n  ${error.next}`,
        },
      ]);
    }
    const { structuredContent } = await asked.call('describe_group', { group: 'nobody' });
    expect(structuredContent).toMatchObject({ error: { code: 'GROUP_ID_NOT_FOUND' } });
  });

  test.each<[string, object, string]>([
    ['read_records', {}, 'topic:'],
    ['read_records', { topic: 'x', max_records: 1001 }, 'max_records:'],
    ['read_records', { topic: 'x', max_bytes: 10_000_000 }, 'max_bytes:'],
    ['read_records', { topic: 'x', timeout_ms: 60_000 }, 'timeout_ms:'],
    ['read_records', { topic: 'x', from: 'yesterday' }, 'from takes an offset or a time, not "yesterday"'],
    ['list_topics', { like: 'x' }, 'like'],
    ['list_groups', { states: 'Stable' }, 'states:'],
  ])('%s %j is refused', async (name, args, words) => {
    const { isError, content, structuredContent } = await (await agent()).call(name, args);
    expect(isError).toBe(true);
    expect(structuredContent).toMatchObject({ error: { code: 'USAGE' } });
    expect(content[0]?.text).toContain(words);
  });

  test('a partition that is not there, and records that are not any more', async () => {
    const topic = await home.filled();
    const asked = await agent();
    const codeOf = async (args: object) =>
      (await asked.call('read_records', { topic, ...args })).structuredContent;
    expect(await codeOf({ partition: 2 })).toMatchObject({
      error: { code: 'UNKNOWN_PARTITION', hint: 'it has 0 to 1' },
    });
    await home.client.admin.records.delete(topic, { before: 2 });
    expect(await codeOf({ from: 1 })).toMatchObject({
      error: { code: 'OFFSET_OUT_OF_RANGE', hint: expect.stringContaining('earliest') as string },
    });
    expect(await codeOf({ from: 2 })).toMatchObject({ stopped: 'end', records: { length: 6 } });
    // Beyond the end there is nothing yet.
    expect(await codeOf({ from: 100 })).toMatchObject({ stopped: 'end', records: [] });
  });

  test('nobody at that address: it lives on, and finds who comes', async () => {
    const port = await freePort();
    const asked = await Agent.introduced('--url', `127.0.0.1:${port}`);
    const { isError, structuredContent } = await asked.call('list_topics');
    expect(isError).toBe(true);
    expect(structuredContent).toMatchObject({
      error: { code: 'UNREACHABLE', hint: expect.stringContaining('MILENA_URL') as string },
    });
    expect((await asked.call('cluster_info')).isError).toBe(true);
    const dev = Run.milena('dev', '--memory', '--port', `${port}`, '--http-port', '0', '--json');
    await dev.printed(/"ready"|"kafka"/);
    expect(await asked.found('list_topics')).toEqual({ total: 0, topics: [] });
    expect(await asked.leave()).toBe(0);
    await dev.ended('SIGTERM');
  });
});

test('no other command loads what it needs', async () => {
  const loads = async (...args: string[]) => {
    const run = Run.milenaWith({ environment: { NODE_DEBUG: 'esm' } }, ...args);
    await run.ended();
    return run.stderr.includes('node-mcp.js');
  };
  expect(await loads('mcp', '--help')).toBe(true);
  expect(await loads('--version')).toBe(false);
  expect(await loads('topics', 'ls', '--help')).toBe(false);
});
