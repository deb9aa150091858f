import { beforeAll, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { ANSWERS } from './differences.ts';
import { newTopic, SOON, suite, useClient } from './reach.ts';

/** Settings of topics, brokers and groups. */
export const adminConfigs = suite('admin: settings', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made), { retryForMs: 2_000 });
  let name: string;
  beforeAll(async () => {
    ({ name } = await newTopic(reach, client, { configs: { 'retention.ms': 1000 } }));
  });

  test('a setting says what it is, who set it, and what it would be', async () => {
    const entries = await client.admin.configs.describe({ topic: name }, { documentation: true });
    const named = new Map(entries.map((entry) => [entry.name, entry]));
    expect(entries.map(({ name }) => name)).toEqual([...named.keys()].sort());
    expect(named.get('retention.ms')).toMatchObject({
      value: '1000',
      source: 'DYNAMIC_TOPIC_CONFIG',
      byDefault: ANSWERS[reach.maker].retentionByDefault,
      isDefault: false,
      isReadOnly: false,
      isSensitive: false,
      type: 'LONG',
      documentation: expect.stringMatching(/\w/) as string,
    });
    expect(named.get('retention.ms')?.synonyms[0]).toEqual({
      name: 'retention.ms',
      value: '1000',
      source: 'DYNAMIC_TOPIC_CONFIG',
    });
    expect(named.get('cleanup.policy')).toMatchObject({
      value: 'delete',
      source: 'DEFAULT_CONFIG',
      byDefault: { name: 'log.cleanup.policy', value: 'delete' },
      isDefault: true,
      type: 'LIST',
    });
  });

  test('only those that are named', async () => {
    const entries = await client.admin.configs.describe({ topic: name }, { names: ['cleanup.policy'] });
    expect(entries.map(({ name, documentation }) => ({ name, documentation }))).toEqual([
      { name: 'cleanup.policy', documentation: null },
    ]);
  });

  test('of a broker, of all brokers, and of a group', async () => {
    const { configs } = client.admin;
    const broker = await configs.describe({ broker: 1 }, { names: ['offsets.topic.num.partitions'] });
    expect(broker).toMatchObject([
      {
        value: '4',
        source: 'STATIC_BROKER_CONFIG',
        byDefault: { name: 'offsets.topic.num.partitions', value: '50' },
      },
    ]);
    const forAll = await configs.describe({ broker: 'default' });
    expect(forAll.map((entry) => entry.name)).toEqual(ANSWERS[reach.maker].setForAllBrokers);
    expect((await configs.describe({ group: 'billing' })).length).toBeGreaterThan(0);
  });

  test('of a topic that is not there', async () => {
    const describing = client.admin.configs.describe({ topic: 'none' });
    await expect(describing).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });

  test('a change of nothing', async () => {
    await expect(client.admin.configs.alter({ topic: name }, {})).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  const valueOf = async (setting: string) =>
    (await client.admin.configs.describe({ topic: name }, { names: [setting] }))[0]?.value;
  test('settings are changed', async () => {
    const { configs } = client.admin;
    await configs.alter({ topic: name }, { 'retention.ms': 5_000, 'cleanup.policy': 'compact' });
    await expect.poll(() => valueOf('retention.ms'), SOON).toBe('5000');
    expect(await valueOf('cleanup.policy')).toBe('compact');
    await configs.alter({ topic: name }, { 'cleanup.policy': null });
    await expect.poll(() => valueOf('cleanup.policy'), SOON).toBe('delete');
    await expect(configs.alter({ topic: name }, { 'retention.ms': 'soon' })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    });
  });
  test('lists grow and shrink by items', async () => {
    const { configs } = client.admin;
    await configs.alter({ topic: name }, { 'cleanup.policy': { append: 'compact' } });
    await expect.poll(() => valueOf('cleanup.policy'), SOON).toBe('delete,compact');
    await configs.alter({ topic: name }, { 'cleanup.policy': { subtract: 'compact' } });
    await expect.poll(() => valueOf('cleanup.policy'), SOON).toBe('delete');
    await configs.alter({ topic: name }, { 'cleanup.policy': null });
  });

  test('a dry run checks, and changes nothing', async () => {
    const { configs } = client.admin;
    await configs.alter({ topic: name }, { 'segment.ms': 5_000 }, { dryRun: true });
    const wrong = configs.alter({ topic: name }, { 'segment.ms': 'never' }, { dryRun: true });
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
    expect(await valueOf('segment.ms')).toBe('604800000');
  });

  test.each([
    [{ broker: 1 }, 'log.segment.bytes', '2000000', 'DYNAMIC_BROKER_CONFIG'],
    [{ broker: 'default' }, 'message.max.bytes', '2000000', 'DYNAMIC_DEFAULT_BROKER_CONFIG'],
  ] as const)('a setting of %o comes and goes', async (resource, setting, value, source) => {
    const { configs } = client.admin;
    const found = async () => {
      const entries = await configs.describe(resource, { names: [setting] });
      return entries.map((entry) => [entry.value, entry.source]);
    };
    await configs.alter(resource, { [setting]: value });
    await expect.poll(found, SOON).toEqual([[value, source]]);
    await configs.alter(resource, { [setting]: null });
    await expect.poll(found, SOON).not.toContainEqual([value, source]);
  });

  test('of groups and of client metrics, which are listed then', async () => {
    const { configs } = client.admin;
    const [group, clientMetrics] = [reach.place.name('group'), reach.place.name('metrics')];
    await configs.alter({ group }, { 'consumer.session.timeout.ms': 50_000 });
    await configs.alter({ clientMetrics }, { 'interval.ms': 60_000, match: 'client_id=app.*' });
    const kinds = ['group', 'clientMetrics'] as const;
    await expect
      .poll(() => configs.resources({ kinds }), SOON)
      .toEqual(
        expect.arrayContaining([
          { kind: 'clientMetrics', name: clientMetrics },
          { kind: 'group', name: group },
        ]) as unknown,
      );
    expect(await configs.describe({ clientMetrics }, { names: ['interval.ms'] })).toMatchObject([
      { value: '60000', source: 'DYNAMIC_CLIENT_METRICS_CONFIG' },
    ]);
    expect(await configs.describe({ group }, { names: ['consumer.session.timeout.ms'] })).toMatchObject([
      { value: '50000', source: 'DYNAMIC_GROUP_CONFIG' },
    ]);
  });

  test('ensure changes settings that differ', async () => {
    expect(await client.admin.topics.ensure(name, { retention: '7s' })).toBe('changed');
    await expect.poll(() => valueOf('retention.ms'), SOON).toBe('7000');
  });
});
