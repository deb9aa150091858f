import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HANDLERS } from '../../src/gateway/handlers/index.ts';
import { isAdminApi } from '../../src/gateway/audit/actions.ts';
import { logger } from '../../src/hosts/node/logger.ts';
import { Broker } from '../../src/hosts/node/broker.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { CASES } from '../gateway/advertised.ts';
import { until } from '../gateway/until.ts';
import { AUTHORIZER, Secured } from './secured.ts';

/** Of admin actions: who, from where, what, with what, and what came of it; and of secrets nothing. */

type Line = Readonly<Record<string, unknown>>;

let secured: Secured;
let root: Awaited<ReturnType<typeof connect>>;
let alice: Awaited<ReturnType<typeof connect>>;
const PASSWORD = 'correct horse battery staple';
const SETTING = 'a-secret-of-some-plugin';

beforeAll(async () => {
  secured = await Secured.start({
    audit: 'all',
    httpPort: 0,
    settings: { 'authorizer.class.name': AUTHORIZER, 'super.users': 'User:ANONYMOUS' },
  });
  const { host, port } = secured.setup;
  root = await connect(`kafka://${host}:${port}`, { clientId: 'root' });
  await root.admin.users.setPassword('alice', PASSWORD);
  const sasl = { mechanism: 'scram-sha-512', username: 'alice', password: PASSWORD } as const;
  alice = await connect(`kafka://${secured.address}`, { clientId: 'laptop', sasl });
});
afterAll(async () => {
  await alice.close();
  await root.close();
  await secured.close();
});

function lines(): Line[] {
  return secured.logged
    .filter((text) => text.startsWith('admin action '))
    .map((text) => JSON.parse(text.slice('admin action '.length)) as Line);
}

/** What an action adds to the log. */
async function told(action: () => Promise<unknown>): Promise<Line[]> {
  const before = lines().length;
  await action().catch(() => undefined);
  return lines().slice(before);
}

const BY_ROOT = {
  component: 'audit',
  principal: 'User:ANONYMOUS',
  client: '127.0.0.1',
  clientId: 'root',
};

describe('a line says who did what', () => {
  test('topics, partitions, records', async () => {
    const { topics, records } = root.admin;
    const create = () => topics.create('orders', { partitions: 2, configs: { 'retention.ms': '5' } });
    expect(await told(create)).toEqual([
      {
        ...BY_ROOT,
        api: 'CreateTopics',
        resource: 'topic orders',
        outcome: 'done',
        partitions: 2,
        configs: ['retention.ms'],
      },
    ]);
    expect(await told(create)).toMatchObject([{ outcome: 'failed', error: 'TOPIC_ALREADY_EXISTS' }]);
    expect(await told(() => topics.createPartitions('orders', 3))).toMatchObject([
      { api: 'CreatePartitions', resource: 'topic orders', partitions: 3, outcome: 'done' },
    ]);
    await root.send('orders', { value: 'x' });
    expect(await told(() => records.delete('orders', { before: 'latest', partitions: [2] }))).toMatchObject([
      { api: 'DeleteRecords', resource: 'partition orders-2', outcome: 'done' },
    ]);
    expect(await told(() => topics.delete('orders'))).toMatchObject([
      { api: 'DeleteTopics', resource: 'topic orders', outcome: 'done' },
    ]);
  });

  test('users, rules, quotas, settings', async () => {
    const { users, acls, quotas, configs } = root.admin;
    expect(await told(() => users.setPassword('bob', PASSWORD))).toMatchObject([
      { api: 'AlterUserScramCredentials', resource: 'user bob', set: [2], outcome: 'done' },
    ]);
    const rule = { principal: 'User:bob', operation: 'read', resource: 'topic', name: 'orders' } as const;
    const about = { resource: 'acl topic orders', of: 'User:bob', operation: 'read', permission: 'allow' };
    expect(await told(() => acls.create([rule]))).toMatchObject([{ api: 'CreateAcls', ...about }]);
    expect(await told(() => acls.remove(rule))).toMatchObject([{ api: 'DeleteAcls', ...about }]);
    expect(await told(() => quotas.set({ user: 'bob' }, { producer_byte_rate: 5 }))).toMatchObject([
      { api: 'AlterClientQuotas', resource: 'quota user=3:bob', quotas: ['producer_byte_rate=5'] },
    ]);
    expect(
      await told(() => configs.alter({ broker: 'default' }, { 'my.plugin.key': SETTING })),
    ).toMatchObject([{ resource: 'broker (default)', configs: ['my.plugin.key'], outcome: 'done' }]);
  });

  test('whoever is not let', async () => {
    expect(await told(() => alice.admin.topics.create('hers'))).toMatchObject([
      {
        principal: 'User:alice',
        client: '127.0.0.1',
        clientId: 'laptop',
        resource: 'topic hers',
        outcome: 'denied',
        error: 'TOPIC_AUTHORIZATION_FAILED',
      },
    ]);
    expect(await told(() => alice.admin.users.setPassword('root', PASSWORD))).toMatchObject([
      { resource: 'user root', outcome: 'denied', error: 'CLUSTER_AUTHORIZATION_FAILED' },
    ]);
  });

  test('what is only looked at is told as such; what only reads not at all', async () => {
    const look = () => root.admin.quotas.set({ user: 'bob' }, { producer_byte_rate: 6 }, { dryRun: true });
    expect(await told(look)).toMatchObject([{ resource: 'quota user=3:bob', outcome: 'done', dryRun: true }]);
    expect(await told(() => root.admin.topics.list())).toEqual([]);
    expect(await told(() => root.admin.users.list())).toEqual([]);
  });

  test('tickets, and who wants one in vain', async () => {
    const ask = (password: string) =>
      fetch(`http://127.0.0.1:${secured.broker.http?.port}/ticket`, {
        method: 'POST',
        body: JSON.stringify({ topics: [{ topic: 'orders', operations: ['read'] }] }),
        headers: { authorization: `Basic ${Buffer.from(`alice:${password}`).toString('base64')}` },
      });
    const about = { api: 'POST /ticket', topics: ['orders: read'], client: '127.0.0.1' };
    expect(await told(() => ask(PASSWORD))).toMatchObject([
      { ...about, principal: 'User:alice', outcome: 'done' },
    ]);
    expect(await told(() => ask('wrong one'))).toMatchObject([{ ...about, outcome: 'denied' }]);
    const { ticket } = (await (await ask(PASSWORD)).json()) as { ticket: string };
    expect(secured.logged.join('\n')).not.toContain(ticket.split('.')[2]);
  });
});

test('no secret is in the log, in whatever form', () => {
  const all = secured.logged.join('\n');
  for (const secret of [PASSWORD, SETTING, 'wrong one']) {
    const bytes = Buffer.from(secret);
    for (const form of [secret, bytes.toString('base64'), bytes.toString('hex'), [...bytes].join()])
      expect(all).not.toContain(form);
  }
  expect(all).not.toMatch(/salt|storedKey|serverKey/i);
  expect(lines().length).toBeGreaterThan(10);
});

test('every API that changes something has an action, and one that reads has none', () => {
  const reading = /^(Describe|List|Fetch|Metadata|Find|Offset(Fetch|ForLeader)|ApiVersions|Get|Sasl)/;
  const named = HANDLERS.filter(({ api }) => isAdminApi(api)).map(({ api }) => api.name);
  expect(named.filter((name) => reading.test(name))).toEqual([]);
  expect(named.length).toBeGreaterThanOrEqual(17);
});

test.each(CASES.filter(({ api }) => isAdminApi(api)).map(({ api }) => [api.name, api] as const))(
  '%s: what it answers has its line',
  async (_, api) => {
    const given = CASES.find((each) => each.api === api);
    const written: string[] = [];
    const log = logger({ level: 'info', format: 'json', write: (line) => written.push(line) });
    const broker = await Broker.start({ log, audit: 'all' });
    const { RawClient } = await import('../gateway/raw-client.ts');
    const client = await RawClient.connect(broker.kafka);
    const version = HANDLERS.find((handler) => handler.api === api)?.max ?? 0;
    const topic = { name: 'orders', id: 'AAAAAAAAAAAAAAAAAAAAAQ' };
    await client.send(api, version, given?.request({ topic, unique: 'unique', version }) as never);
    await until('it is told', () => written.some((line) => line.includes('"admin action"')));
    const line = JSON.parse(written.find((text) => text.includes('"admin action"')) ?? '') as Line;
    expect(line).toMatchObject({ component: 'audit', api: api.name, clientId: 'raw', level: 'info' });
    expect(line['resource']).toMatch(/^\w/);
    client.destroy();
    await broker.close();
  },
);

test('unless all is asked for, only what was not let is told; or nothing', async () => {
  for (const [audit, expected] of [
    [undefined, 1],
    ['none', 0],
  ] as const) {
    const other = await Secured.start({
      audit,
      settings: { 'authorizer.class.name': AUTHORIZER, 'super.users': 'User:ANONYMOUS' },
    });
    await other.addUser('alice', 'p', ['SCRAM-SHA-512']);
    const sasl = { mechanism: 'scram-sha-512', username: 'alice', password: 'p' } as const;
    const client = await connect(`kafka://${other.address}`, { sasl });
    await client.admin.topics.create('hers').catch(() => undefined);
    expect(other.logged.filter((text) => text.startsWith('admin action'))).toHaveLength(expected);
    await client.close();
    await other.close();
  }
});
