import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { Broker } from '../../src/hosts/node/broker.ts';
import { Run } from './milena.ts';

/** `milena bridge` as users start it: a process, a broker behind a WebSocket, and clients that know only TCP. */

async function broker(): Promise<Broker> {
  const settings = new Map([
    ['group.initial.rebalance.delay.ms', '0'],
    ['offsets.topic.num.partitions', '2'],
  ]);
  const running = await Broker.start({ httpPort: 0, settings });
  onTestFinished(() => running.close());
  return running;
}

async function bridgeTo(url: string, ...args: string[]) {
  const run = Run.milena('bridge', '--listen', '0', url, '--json', ...args);
  onTestFinished(async () => void (await run.ended('SIGKILL')));
  const [line] = await run.printed(/^\{"version":1,"event":"ready".*\}$/m);
  const { kafka } = JSON.parse(line) as { kafka: { host: string; port: number } };
  return { run, address: `${kafka.host}:${kafka.port}`, port: kafka.port };
}

const webSocketOf = ({ http }: Broker) => `ws://127.0.0.1:${http?.port}`;

describe('clients that know only TCP reach a broker behind a WebSocket', () => {
  test('kafkajs: Metadata leads it back to the bridge', async () => {
    const { address, port } = await bridgeTo(webSocketOf(await broker()));
    const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    expect((await admin.describeCluster()).brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port }]);
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3 }] });

    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    const messages = Array.from({ length: 300 }, (_, at) => ({ key: `${at % 7}`, value: `order ${at}` }));
    await producer.send({ topic: 'orders', messages });

    const consumer = kafka.consumer({ groupId: 'billing' });
    await consumer.connect();
    onTestFinished(() => consumer.disconnect());
    await consumer.subscribe({ topic: 'orders', fromBeginning: true });
    const seen = new Set<string>();
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        seen.add(String(message.value));
        if (seen.size === messages.length) resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
    expect(seen.size).toBe(300);
  });

  test('ours, with records that fill many messages', async () => {
    const { address } = await bridgeTo(webSocketOf(await broker()));
    const client = await connect(`kafka://${address}`);
    onTestFinished(() => client.close());
    const value = new Uint8Array(700_000).fill(7);
    const sent = await client.send(
      'large',
      Array.from({ length: 20 }, () => ({ value, partition: 0 })),
    );
    expect(sent.map(({ offset }) => offset)).toEqual(sent.map((_, offset) => offset));
  });
});

describe('it says', () => {
  test('where it leads, on stderr; Ctrl-C ends it with 130', async () => {
    const url = webSocketOf(await broker());
    const run = Run.milena('bridge', url, '--listen', '0');
    onTestFinished(async () => void (await run.ended('SIGKILL')));
    await run.logged(new RegExp(`^127\\.0\\.0\\.1:\\d+ leads to ${url}`));
    expect(await run.ended('SIGINT')).toBe(130);
    expect(run.stdout).toBe('');
  });

  test.each([
    [['kafka://a:1'], /a bridge leads to ws:\/\/ or wss:\/\//, 2],
    [['ws://127.0.0.1:1'], /error\[UNREACHABLE\].*ECONNREFUSED/, 5],
    [['ws://127.0.0.1:1', '--listen', 'x'], /--listen takes host:port/, 2],
  ])('%j', async (args, said, exitCode) => {
    const run = Run.milena('bridge', ...args);
    expect(await run.ended()).toBe(exitCode);
    expect(run.stderr).toMatch(said);
  });

  test('nothing to Ctrl-C while nobody answers there, and ends at once', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const reached = once(silent, 'connection');
    const { port } = silent.address() as AddressInfo;
    const run = Run.milena('bridge', `ws://127.0.0.1:${port}`, '--listen', '0');
    const [socket] = (await reached) as [Socket];
    onTestFinished(() => void socket.destroy());
    const atMs = performance.now();
    expect(await run.ended('SIGINT')).toBe(130);
    expect(performance.now() - atMs).toBeLessThan(5_000);
    expect(run.stderr).toBe('');
  });

  test('what the broker says to a wrong path', async () => {
    const run = Run.milena('bridge', `${webSocketOf(await broker())}/elsewhere`, '--listen', '0');
    expect(await run.ended()).toBe(5);
    expect(run.stderr).toMatch(/404 not found; Kafka over WebSocket is at \/kafka/);
  });

  test('which process has its port', async () => {
    const running = await broker();
    const run = Run.milena('bridge', webSocketOf(running), '--listen', `${running.kafka.port}`);
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toMatch(/error\[PORT_IN_USE\]: port \d+ is taken.*\n {2}choose another with --listen/);
  });
});
