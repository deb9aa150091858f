import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { TestBroker } from '../gateway/harness.ts';
import { Run } from './milena.ts';

/** `milena quotas`, and `client.admin.quotas`. */

let server: TestBroker;
beforeAll(async () => {
  server = await TestBroker.start();
});
afterAll(() => server.close());

async function quotas(...words: string[]) {
  const { host, port } = server.broker.kafka;
  const running = Run.milenaWith({ input: '' }, 'quotas', ...words, '--url', `${host}:${port}`);
  const code = await running.ended();
  return { code, stdout: running.stdout, stderr: running.stderr };
}

test('quotas are set, listed, and taken away', async () => {
  const set = await quotas('set', '--user', 'alice', 'producer_byte_rate=1048576', 'request_percentage=12.5');
  expect(set).toMatchObject({ code: 0 });
  expect(set.stdout).toBe('alice\t\t\tproducer_byte_rate\t1048576\nalice\t\t\trequest_percentage\t12.5\n');
  await quotas('set', '--user', 'alice', '--client-id', 'app', 'consumer_byte_rate=5');
  await quotas('set', '--default-client-id', 'controller_mutation_rate=10');
  await quotas('set', '--ip', '10.0.0.1', 'connection_creation_rate=3');

  expect(JSON.parse((await quotas('ls', '--user', 'alice', '--json')).stdout)).toEqual({
    version: 1,
    quotas: [
      { user: 'alice', quota: 'producer_byte_rate', value: 1_048_576 },
      { user: 'alice', quota: 'request_percentage', value: 12.5 },
      { user: 'alice', clientId: 'app', quota: 'consumer_byte_rate', value: 5 },
    ],
  });
  expect((await quotas('ls')).stdout).toContain('\t(default)\t\tcontroller_mutation_rate\t10\n');

  expect((await quotas('rm', '--user', 'alice', 'request_percentage', '--dry-run')).stdout).toContain('12.5');
  expect((await quotas('rm', '--user', 'alice', 'request_percentage', '--yes')).code).toBe(0);
  expect((await quotas('ls', '--user', 'alice')).stdout).toBe(
    'alice\t\t\tproducer_byte_rate\t1048576\nalice\tapp\t\tconsumer_byte_rate\t5\n',
  );
  // Of nobody but whom it names.
  await quotas('rm', '--user', 'alice', '--yes');
  expect((await quotas('ls', '--user', 'alice')).stdout).toBe('alice\tapp\t\tconsumer_byte_rate\t5\n');
});

test.each([
  [['set', 'producer_byte_rate=1'], 2, 'whose quota?'],
  [['set', '--user', 'a', 'producer_byte_rate=0'], 2, 'a number above 0'],
  [['set', '--user', 'a', '--default-user', 'producer_byte_rate=1'], 2, 'not both'],
  [['set', '--user', 'a', 'no.such=1'], 1, 'Invalid configuration key no.such'],
  [['set', '--user', 'a', '--ip', '1.2.3.4', 'producer_byte_rate=1'], 1, 'should not be combined'],
  [['rm'], 2, 'whose quota?'],
])('%j is refused', async (words, code, message) => {
  const result = await quotas(...words);
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(message);
});

test('from a program', async () => {
  const { host, port } = server.broker.kafka;
  await using client = await connect(`kafka://${host}:${port}`);
  const { quotas: admin } = client.admin;
  await admin.set({ clientId: 'program', user: null }, { producer_byte_rate: 7, consumer_byte_rate: 8 });
  await admin.set({ clientId: 'program', user: null }, { producer_byte_rate: null });
  await admin.set({ clientId: 'program', user: null }, { consumer_byte_rate: 9 }, { dryRun: true });
  const mine = [{ entity: { user: null, clientId: 'program' }, limits: { consumer_byte_rate: 8 } }];
  expect(await admin.list({ clientId: 'program' })).toEqual(mine);
  expect(await admin.list({ user: null, clientId: '*' })).toEqual(mine);
  await expect(admin.set({}, { producer_byte_rate: 1 })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});

test('a client of ours waits as long as it is told, and loses nothing', async () => {
  const { host, port } = server.broker.kafka;
  await using client = await connect(`kafka://${host}:${port}`, { clientId: 'greedy' });
  await client.admin.quotas.set({ clientId: 'greedy' }, { producer_byte_rate: 100_000 });
  const { throttled } = server.broker.gateway.quotas;
  const value = new Uint8Array(50_000);
  let sent = 0;
  while ((throttled.get('producer_byte_rate')?.count ?? 0) < 2) {
    await client.send('held-up', { value });
    sent++;
  }
  const seen: number[] = [];
  for await (const { offset } of client.read('held-up', { from: 'earliest', live: false })) seen.push(offset);
  expect(seen).toEqual(Array.from({ length: sent }, (_, offset) => offset));
});
